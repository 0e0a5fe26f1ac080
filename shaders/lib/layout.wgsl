// The words of an entry of a selection (TableLayout). The shader's Params has `packing`: bits of an entry, words of an
// entry, then the bits of each word, four to a u32 and the first in the lowest byte.

fn entry_bits() -> u32 { return params.packing[0].x; }

fn entry_words() -> u32 { return params.packing[0].y; }

fn width_of(p: u32) -> u32 {
  let byte = 8u + p;
  return (params.packing[byte >> 4u][(byte >> 2u) & 3u] >> (8u * (byte & 3u))) & 255u;
}
