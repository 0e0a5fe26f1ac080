// Residues modulo an odd q below 2^61, as (lo, hi), with Montgomery's reduction by 2^64. The shader's Params has
// `field`: q, −q^−1 mod 2^64, 2^128 mod q and 2^192 mod q. Needs u64 and u128. No branch depends on a residue. Twins:
// src/compute/field.ts, wasm/src/field.rs.

struct Field { q: vec2<u32>, inverse: vec2<u32>, square: vec2<u32>, cube: vec2<u32> }

// A sum of products that is not reduced yet: 160 bits, room for 2^35 products of a residue and a word.
struct FieldSum { low: vec4<u32>, top: u32 }

fn u64_less(x: vec2<u32>, y: vec2<u32>) -> u32 {
  return u32(x.y < y.y) | (u32(x.y == y.y) & u32(x.x < y.x));
}

// x mod q of an x below 2q: the sign of x − q puts q back.
fn field_reduced(x: vec2<u32>) -> vec2<u32> {
  let less = u64_sub(x, params.field.q);
  let sign = bitcast<u32>(bitcast<i32>(less.y) >> 31u);
  return u64_add(less, params.field.q & vec2<u32>(sign));
}

fn field_add(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> { return field_reduced(u64_add(x, y)); }

// The multiple of q that makes 64 low bits x vanish: what it adds to the bits above, with the carry. At most q.
fn field_lift(x: vec2<u32>) -> vec2<u32> {
  let more = u64_product(u64_mul(x, params.field.inverse), params.field.q).zw;
  return u64_add(more, vec2<u32>(u32((x.x | x.y) != 0u), 0u));
}

// x · y / 2^64 mod q, of a residue and a word.
fn field_mont(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
  let product = u64_product(x, y);
  return field_reduced(u64_add(product.zw, field_lift(product.xy)));
}

// x · y mod q, of a residue and a word.
fn field_mul(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> { return field_mont(field_mont(x, y), params.field.square); }

// sum += x · y, of a residue and a word.
fn field_accumulate(sum: ptr<function, FieldSum>, x: vec2<u32>, y: vec2<u32>) {
  let product = u64_product(x, y);
  let low = u64_add((*sum).low.xy, product.xy);
  let carry = u64_less(low, product.xy);
  let above = u64_add((*sum).low.zw, product.zw);
  let high = u64_add(above, vec2<u32>(carry, 0u));
  (*sum).low = vec4<u32>(low, high);
  (*sum).top += u64_less(above, product.zw) + u64_less(high, vec2<u32>(carry, 0u));
}

// The sum mod q: two words are lifted away, and 2^192 / 2^64 brings their 2^128 back.
fn field_value(sum: FieldSum) -> vec2<u32> {
  let first = field_lift(sum.low.xy);
  let rest = u64_add(sum.low.zw, first);
  let top = vec2<u32>(sum.top + u64_less(rest, first), 0u);
  return field_mont(params.field.cube, u64_add(top, field_lift(rest)));
}
