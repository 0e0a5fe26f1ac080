// Unsigned 64-bit integers as (lo, hi), all arithmetic mod 2^64; WGSL has none of its own (gpuweb #273). Twin:
// bigint with BigInt.asUintN(64). Shift amounts are public everywhere, so branching on them tells nothing.

fn u64_add(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
  let lo = x.x + y.x;
  return vec2<u32>(lo, x.y + y.y + u32(lo < x.x));
}

fn u64_sub(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
  return vec2<u32>(x.x - y.x, x.y - y.y - u32(x.x < y.x));
}

fn u64_negate(x: vec2<u32>) -> vec2<u32> {
  return vec2<u32>(0u - x.x, 0u - x.y - u32(x.x != 0u));
}

// x · y in full. The middle sums cannot overflow: (2^16 − 1)² + 2^16 − 1 < 2^32. (Adding both middle products
// at once could, and loses a carry.)
fn u32_product(x: u32, y: u32) -> vec2<u32> {
  let x0 = x & 0xffffu;
  let x1 = x >> 16u;
  let y0 = y & 0xffffu;
  let y1 = y >> 16u;
  let a = x1 * y0 + ((x0 * y0) >> 16u);
  let b = x0 * y1 + (a & 0xffffu);
  return vec2<u32>(x * y, x1 * y1 + (a >> 16u) + (b >> 16u));
}

fn u64_mul(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
  let low = u32_product(x.x, y.x);
  return vec2<u32>(low.x, low.y + x.x * y.y + x.y * y.x);
}

fn u64_shl(x: vec2<u32>, s: u32) -> vec2<u32> {
  if (s >= 64u) { return vec2<u32>(0u, 0u); }
  if (s >= 32u) { return vec2<u32>(0u, x.x << (s - 32u)); }
  if (s == 0u) { return x; }
  return vec2<u32>(x.x << s, (x.y << s) | (x.x >> (32u - s)));
}

fn u64_shr(x: vec2<u32>, s: u32) -> vec2<u32> {
  if (s >= 64u) { return vec2<u32>(0u, 0u); }
  if (s >= 32u) { return vec2<u32>(x.y >> (s - 32u), 0u); }
  if (s == 0u) { return x; }
  return vec2<u32>((x.x >> s) | (x.y << (32u - s)), x.y >> s);
}

// Arithmetic shift of the two's complement value, s < 64.
fn i64_shr(x: vec2<u32>, s: u32) -> vec2<u32> {
  let sign = bitcast<u32>(bitcast<i32>(x.y) >> 31u);
  if (s >= 32u) { return vec2<u32>(bitcast<u32>(bitcast<i32>(x.y) >> (s - 32u)), sign); }
  if (s == 0u) { return x; }
  return vec2<u32>((x.x >> s) | (x.y << (32u - s)), bitcast<u32>(bitcast<i32>(x.y) >> s));
}

// The lowest k bits set, 0 ≤ k ≤ 64.
fn u64_mask(k: u32) -> vec2<u32> {
  return u64_sub(u64_shl(vec2<u32>(1u, 0u), k), vec2<u32>(1u, 0u));
}
