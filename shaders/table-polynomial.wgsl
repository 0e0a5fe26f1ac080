// selectionTable of a piecewise polynomial (PROTOCOL §6.3): D_{j,p} = Σ_{q ≥ p} C_{i,q} · binom(q,p) · (−1)^p ·
// u^{q−p}, u = a_lo / 2^t, i = (a_hi − j) mod n, by Horner's rule in integers: every step multiplies by a_lo
// and shifts t bits down (floor); the guard bits are rounded off at the end. degree + 1 basis words. The segment is
// P1's masked value, known to P1: the look-up is by index.
//
// Uses the frame lib/table.wgsl. group(1): 1 a (lanes, one an element), 2 coefficients (degree + 1 i64 a
// segment).
// Overrides: A_WIDE: lanes of two words; NARROW: all products fit 32 signed bits (the host has checked). Twin:
// polynomialEntry in reference/selection.ts.
// uses: grid u64 u128 bytes chacha keystream layout table

struct Params {
  key0: vec4<u32>, key1: vec4<u32>, last: vec4<u32>, packing: array<vec4<u32>, 4>,
  lead: u32, entries: u32, groups: u32, element: u32,
  segments: u32, t: u32, guard: u32, degree: u32,
  low: vec2<u32>, half: vec2<u32>,
}

override A_WIDE: bool;
override NARROW: bool;
@group(1) @binding(1) var<storage, read> a: array<u32>;
@group(1) @binding(2) var<storage, read> coefficients: array<vec2<u32>>;

// binom(q, p) at 5·q + p.
const BINOMIAL = array<u32, 25>(
  1u, 0u, 0u, 0u, 0u, 1u, 1u, 0u, 0u, 0u, 1u, 2u, 1u, 0u, 0u, 1u, 3u, 3u, 1u, 0u, 1u, 4u, 6u, 4u, 1u);

// ⌊v · u / 2^t⌋ of a signed v and 0 ≤ u < 2^63; the result fits 64 bits (the host has checked).
fn scaled(v: vec2<u32>, u: vec2<u32>) -> vec2<u32> {
  var product = u64_product(v, u);
  // v as unsigned is 2^64 too large where it is negative.
  let excess = u & vec2<u32>(bitcast<u32>(bitcast<i32>(v.y) >> 31u));
  let high = u64_sub(product.zw, excess);
  if (params.t == 0u) { return product.xy; }
  return u64_shr(product.xy, params.t) | u64_shl(high, 64u - params.t);
}

fn table_word(r: u32) -> vec2<u32> {
  let words = params.degree + 1u;
  let p = r % words;
  let j = (r / words) % params.segments;
  let i = params.element + (r / words) / params.segments;
  var value = vec2<u32>(0u, 0u);
  if (A_WIDE) { value = vec2<u32>(a[2u * i], a[2u * i + 1u]); } else { value.x = a[i]; }
  let u = value & params.low;
  let segment = (u64_shr(value, params.t).x + params.segments - j) % params.segments;
  if (NARROW) {
    var sum = 0i;
    for (var q = params.degree; q + 1u > p; q--) {
      let next = bitcast<i32>(coefficients[words * segment + q].x * BINOMIAL[5u * q + p]);
      sum = ((sum * bitcast<i32>(u.x)) >> params.t) + next;
    }
    if ((p & 1u) == 1u) { sum = -sum; }
    sum = (sum + bitcast<i32>(params.half.x)) >> params.guard;
    return vec2<u32>(bitcast<u32>(sum), bitcast<u32>(sum >> 31u));
  }
  var sum = vec2<u32>(0u, 0u);
  for (var q = params.degree; q + 1u > p; q--) {
    sum = u64_add(scaled(sum, u), u64_mul(coefficients[words * segment + q], vec2<u32>(BINOMIAL[5u * q + p], 0u)));
  }
  if ((p & 1u) == 1u) { sum = u64_negate(sum); }
  return i64_shr(u64_add(sum, params.half), params.guard);
}
