// Ring words for 32 < k ≤ 64: two limbs (lo, hi). Uses u64. The same names as word32.wgsl, so that a shader is
// written once for both widths.

alias Word = vec2<u32>;
const WORD_BYTES = 8u;
// Depth of a product's tile: two tiles of 64 × TILE_DEPTH words fill 8 KiB of workgroup memory.
const TILE_DEPTH = 8u;

fn word_add(x: Word, y: Word) -> Word { return u64_add(x, y); }
fn word_sub(x: Word, y: Word) -> Word { return u64_sub(x, y); }
fn word_mul(x: Word, y: Word) -> Word { return u64_mul(x, y); }
fn word_negate(x: Word) -> Word { return u64_negate(x); }
fn word_and(x: Word, mask: vec2<u32>) -> Word { return x & mask; }
// To and from (lo, hi).
fn word_of(v: vec2<u32>) -> Word { return v; }
fn word_wide(x: Word) -> vec2<u32> { return x; }

// Four sums of products side by side, limbs apart so that the compiler sees vectors.
struct Sums { lo: vec4<u32>, hi: vec4<u32> }

// sums += a · b mod 2^64: the full product of the low limbs by halves (as u32_product), the crossed ones wrapping.
fn sums_add(sums: ptr<function, Sums>, a: Word, b: array<Word, 4>) {
  let lo = vec4<u32>(b[0].x, b[1].x, b[2].x, b[3].x);
  let hi = vec4<u32>(b[0].y, b[1].y, b[2].y, b[3].y);
  let b0 = lo & vec4<u32>(0xffffu);
  let b1 = lo >> vec4<u32>(16u);
  let a0 = a.x & 0xffffu;
  let a1 = a.x >> 16u;
  let first = a1 * b0 + ((a0 * b0) >> vec4<u32>(16u));
  let second = a0 * b1 + (first & vec4<u32>(0xffffu));
  let product = a.x * lo;
  let sum = (*sums).lo + product;
  (*sums).lo = sum;
  (*sums).hi += a1 * b1 + (first >> vec4<u32>(16u)) + (second >> vec4<u32>(16u)) + a.x * hi + a.y * lo
    + select(vec4<u32>(0u), vec4<u32>(1u), sum < product);
}

fn sums_words(sums: Sums) -> array<Word, 4> {
  return array<Word, 4>(
    vec2<u32>(sums.lo.x, sums.hi.x), vec2<u32>(sums.lo.y, sums.hi.y),
    vec2<u32>(sums.lo.z, sums.hi.z), vec2<u32>(sums.lo.w, sums.hi.w));
}
