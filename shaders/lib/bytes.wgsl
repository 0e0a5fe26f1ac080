// Eight bytes from any bit position, out of the three u32 that hold them. What lies beyond the wanted width is
// masked off by the caller, so it does not matter what a read past the end of a binding gives.

fn bytes_word(first: u32, second: u32, third: u32, bit: u32) -> vec2<u32> {
  // Shifted left in two steps, which is right for bit = 0 too and needs no branch: where P0 deals, `bit` follows
  // from its secret choice.
  return vec2<u32>((first >> bit) | ((second << 1u) << (31u - bit)), (second >> bit) | ((third << 1u) << (31u - bit)));
}
