// OT extension: columns of the matrix that ot-expand makes, and the hash (src/compute/kernels/ot-base.ts). `rows` is
// a binding of the file that uses this one: of every 512 OTs 160 rows of 16 words. Needs chacha.

const OT_ROWS = 160u;

// Bits of OT j in the 32 rows from `row` on, the first one lowest.
fn ot_column(row: u32, j: u32) -> u32 {
  let at = ((j >> 9u) * OT_ROWS + row) * 16u + ((j & 511u) >> 5u);
  var bits = 0u;
  for (var r = 0u; r < 32u; r++) { bits |= ((rows[at + 16u * r] >> (j & 31u)) & 1u) << r; }
  return bits;
}

fn ot_column4(j: u32) -> vec4<u32> {
  return vec4<u32>(ot_column(0u, j), ot_column(32u, j), ot_column(64u, j), ot_column(96u, j));
}

// q is a key, never a plaintext; `last` is the OT's number and the nonce.
fn ot_hash(q: vec4<u32>, tweak: vec4<u32>, last: vec4<u32>) -> vec2<u32> {
  return chacha_block(q, tweak, last).a.xy;
}
