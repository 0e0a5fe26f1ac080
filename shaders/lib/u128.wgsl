// Unsigned 128-bit integers as four words, lowest first: what products of table polynomials need. Uses u64.
// Twin: bigint.

// x · y in full.
fn u64_product(x: vec2<u32>, y: vec2<u32>) -> vec4<u32> {
  let low = u32_product(x.x, y.x);
  let high = u32_product(x.y, y.y);
  let a = u32_product(x.x, y.y);
  let b = u32_product(x.y, y.x);
  let first = u64_add(vec2<u32>(low.y, 0u), a);
  let second = u64_add(vec2<u32>(first.x, 0u), b);
  let rest = u64_add(u64_add(high, vec2<u32>(first.y, 0u)), vec2<u32>(second.y, 0u));
  return vec4<u32>(low.x, second.x, rest.x, rest.y);
}

// x · y mod 2^128.
fn u128_mul(x: vec4<u32>, y: vec2<u32>) -> vec4<u32> {
  let low = u64_product(x.xy, y);
  return vec4<u32>(low.xy, u64_add(low.zw, u64_mul(x.zw, y)));
}

fn u128_shr(x: vec4<u32>, s: u32) -> vec4<u32> {
  var v = x;
  if (s >= 128u) { return vec4<u32>(0u); }
  if ((s & 64u) != 0u) { v = vec4<u32>(v.zw, 0u, 0u); }
  if ((s & 32u) != 0u) { v = vec4<u32>(v.yzw, 0u); }
  let rest = s & 31u;
  if (rest == 0u) { return v; }
  return (v >> vec4<u32>(rest)) | (vec4<u32>(v.yzw, 0u) << vec4<u32>(32u - rest));
}
