// selectionTable, the frame (P1, PROTOCOL §4.7): e_r = D_r + w_r, packed to the bit, where r numbers the words of a
// range of elements (element-major, then entry, then basis word) and the pads w are the bits of the key stream at the
// same places. D comes from `table_word(r)` of the file that uses this one: table-rows, table-polynomial,
// table-exp, table-cosine or table-choose. Where its word goes and which pad it gets is here.
//
// group(0): params (declared there). group(1): 0 out (bytes, as u32, from the block on that holds the first pad); more
// bindings there. A workgroup of 64 makes 64 blocks, the first of them once more than its neighbour, and writes the
// other 63: a word that begins in the block before has its carry from there. A u32 is written by one workgroup, which
// puts its words together in its own memory. What is in none of the range's words stays zero; a pad alone does not
// leave. The first pad is at bit `lead` of the first block. Twin: ReferenceKernels.selectionTable.
// Needs grid, u64, bytes, chacha, keystream and layout.

@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read_write> out: array<u32>;

const WINDOW = 1008u;
var<workgroup> sums: array<atomic<u32>, WINDOW>;

// The bits of the key stream from bit `at` of the 64 blocks on; beyond them anything.
fn pad_at(at: u32) -> vec2<u32> {
  let u = at >> 5u;
  return bytes_word(
    keystream_word(u), keystream_word(min(u + 1u, 1023u)), keystream_word(min(u + 2u, 1023u)), at & 31u);
}

// Adds bits to u32 number u of the blocks, where it is one of those that are written.
fn put(u: u32, bits: u32) {
  if (u >= 16u && u < 1024u && bits != 0u) { atomicOr(&sums[u - 16u], bits); }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let number = group_number(group, groups);
  if (number >= params.groups) { return; }
  // The block before the first is not used: no word begins there.
  let counter = params.last + vec4<u32>(63u * number + lane - 1u, 0u, 0u, 0u);
  keystream_fill(lane, chacha_block(params.key0, params.key1, counter));
  for (var u = lane; u < WINDOW; u += 64u) { atomicStore(&sums[u], 0u); }
  workgroupBarrier();
  let entry = entry_bits();
  if (entry == 1u) {
    // Single bits have no carry: one invocation makes a whole u32 of them.
    for (var u = lane; u < WINDOW; u += 64u) {
      var bits = 0u;
      for (var b = 0u; b < 32u; b++) {
        let r = 32u * (WINDOW * number + u) + b - params.lead; // wraps to a large number before the first
        if (r < params.entries) { bits |= (((keystream_word(16u + u) >> b) ^ table_word(r).x) & 1u) << b; }
      }
      out[WINDOW * number + u] = bits;
    }
    return;
  }
  // Bits from the first pad on where this window begins and ends.
  let begin = 32u * WINDOW * number - min(params.lead, 32u * WINDOW * number);
  let end = 32u * WINDOW * (number + 1u) - params.lead;
  // One invocation an entry.
  for (var e = begin / entry + lane; e < params.entries && e * entry < end; e += 64u) {
    // Where the entry is in the blocks; before them, that is a large number.
    var at = 512u + params.lead + e * entry - 32u * WINDOW * number;
    for (var p = 0u; p < entry_words(); p++) {
      let width = width_of(p);
      // Words that overlap the window begin in the blocks.
      let ends = at + width;
      if (at < 32768u && ends > 512u) {
        let sum = u64_add(pad_at(at), table_word(e * entry_words() + p)) & u64_mask(width);
        let low = u64_shl(sum, at & 31u);
        put(at >> 5u, low.x);
        put((at >> 5u) + 1u, low.y);
        // Shifted right in two steps, which is right for a word that begins with its u32.
        put((at >> 5u) + 2u, (sum.y >> 1u) >> (31u - (at & 31u)));
      }
      at = ends;
    }
  }
  workgroupBarrier();
  for (var u = lane; u < WINDOW; u += 64u) { out[WINDOW * number + u] = atomicLoad(&sums[u]); }
}
