// Indices of a public table (src/compute/index-group.ts). The shader's Params has `all`, all bits of an index,
// `low`, those that are combined by exclusive or, and of the digit `digit_at`, its number of blocks and whether it
// is of `low`.

// g ⊖ h
fn index_difference(g: u32, h: u32) -> u32 {
  return (((g & ~params.low) - (h & ~params.low)) & params.all) | ((g ^ h) & params.low);
}

// g ⊕ digit
fn index_stepped(g: u32, digit: u32) -> u32 {
  let by = digit << params.digit_at;
  if (params.digit_xor != 0u) { return g ^ by; }
  return (g + by) & params.all;
}
