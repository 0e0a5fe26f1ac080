// cosine_of: 2^30 · cos(2π · angle / 2^20) by the addition theorem, from integer tables (cosine-tables.ts): 1024
// coarse cosines of a whole turn, 1024 fine cosines, 1024 fine sines. Needs u64, and `tables` of the file that uses
// this one. The angle is a multiple of a masked value or of a mask that the caller knows: the tables are read by
// index. Twin: cosineOf in reference/cosine.ts.

// Steps of a quarter turn: sin y = cos(y − QUARTER).
const QUARTER = 262144u;

// x · y in full, of signed integers.
fn i32_product(x: i32, y: i32) -> vec2<u32> {
  let product = u32_product(bitcast<u32>(x), bitcast<u32>(y));
  // As unsigned, x is 2^32 too large where it is negative, and so is y.
  let excess = (bitcast<u32>(y) & bitcast<u32>(x >> 31u)) + (bitcast<u32>(x) & bitcast<u32>(y >> 31u));
  return vec2<u32>(product.x, product.y - excess);
}

// The nearest integer to v / 2^drop, halves up; drop < 64.
fn i64_nearest(v: vec2<u32>, drop: u32) -> vec2<u32> {
  var half = u64_shl(vec2<u32>(1u, 0u), drop);
  half = u64_shr(half, 1u);
  return i64_shr(u64_add(v, half), drop);
}

fn cosine_of(angle: u32) -> i32 {
  let high = (angle >> 10u) & 1023u;
  let low = angle & 1023u;
  let exact = u64_sub(
    i32_product(tables[high], tables[1024u + low]),
    i32_product(tables[(high + 768u) & 1023u], tables[2048u + low]));
  return bitcast<i32>(i64_nearest(exact, 30u).x);
}
