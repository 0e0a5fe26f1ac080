// ChaCha20 block (RFC 8439 §2.3): state in registers, random access by counter. The vectors are the rows of the
// state, so a column round works on all four quarter rounds at once and a diagonal round is the same after
// rotating the rows. Twin: reference/chacha.ts.

struct ChaChaBlock { a: vec4<u32>, b: vec4<u32>, c: vec4<u32>, d: vec4<u32> }

fn chacha_rotate(x: vec4<u32>, n: u32) -> vec4<u32> {
  return (x << vec4<u32>(n)) | (x >> vec4<u32>(32u - n));
}

// Words 0–3 are .a, 4–7 .b and so on. `last` is the fourth row: block counter, then the nonce.
fn chacha_block(key0: vec4<u32>, key1: vec4<u32>, last: vec4<u32>) -> ChaChaBlock {
  let sigma = vec4<u32>(0x61707865u, 0x3320646eu, 0x79622d32u, 0x6b206574u);
  var a = sigma;
  var b = key0;
  var c = key1;
  var d = last;
  for (var round = 0u; round < 20u; round++) {
    a += b; d = chacha_rotate(d ^ a, 16u);
    c += d; b = chacha_rotate(b ^ c, 12u);
    a += b; d = chacha_rotate(d ^ a, 8u);
    c += d; b = chacha_rotate(b ^ c, 7u);
    // After an even round the rows are turned for the diagonals, after an odd one back. Which one it is follows
    // from the counter alone.
    if ((round & 1u) == 0u) { b = b.yzwx; c = c.zwxy; d = d.wxyz; } else { b = b.wxyz; c = c.zwxy; d = d.yzwx; }
  }
  return ChaChaBlock(a + sigma, b + key0, c + key1, d + last);
}
