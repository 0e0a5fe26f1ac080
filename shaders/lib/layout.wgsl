// The words of an entry of a selection (TableLayout): word p has width_of(p) bits. The shader's Params has `widths`,
// four to a u32 and the first in the lowest byte. Needs u64.

// Bits of an entry.
override ENTRY: u32;

fn width_of(p: u32) -> u32 {
  return (params.widths[p >> 4u][(p >> 2u) & 3u] >> (8u * (p & 3u))) & 255u;
}
