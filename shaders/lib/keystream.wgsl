// 64 consecutive blocks of a key stream in workgroup memory, one per invocation. Uses chacha. Word w of block t
// lies at 65·w + t, so neither writing (t varies) nor reading in stream order (w varies) meets one bank twice.

var<workgroup> keystream: array<u32, 1040>;

fn keystream_fill(t: u32, block: ChaChaBlock) {
  for (var w = 0u; w < 4u; w++) {
    keystream[65u * w + t] = block.a[w];
    keystream[65u * (w + 4u) + t] = block.b[w];
    keystream[65u * (w + 8u) + t] = block.c[w];
    keystream[65u * (w + 12u) + t] = block.d[w];
  }
}

// Word m of the 1024 words.
fn keystream_word(m: u32) -> u32 {
  return keystream[65u * (m & 15u) + (m >> 4u)];
}
