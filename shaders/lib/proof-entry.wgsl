// A word of packed tables, by its first bit. `table` is a binding of the file that uses this one. Needs u64 and bytes.

fn entry_at(bit: u32, width: u32) -> vec2<u32> {
  let at = bit >> 5u;
  return bytes_word(table[at], table[at + 1u], table[at + 2u], bit & 31u) & u64_mask(width);
}
