// Eight bytes from any byte position, out of the three u32 that hold them. What lies beyond the wanted width is masked off by the caller, so it does not matter what
// a read past the end of a binding gives.

fn bytes_word(first: u32, second: u32, third: u32, skip: u32) -> vec2<u32> {
  let s = 8u * skip;
  if (s == 0u) { return vec2<u32>(first, second); }
  return vec2<u32>((first >> s) | (second << (32u - s)), (second >> s) | (third << (32u - s)));
}
