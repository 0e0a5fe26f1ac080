// Ring words for k ≤ 32: native u32. The same names as word64.wgsl, so that a shader is written once for both widths.

alias Word = u32;
const WORD_BYTES = 4u;
// Depth of a product's tile: two tiles of 64 × TILE_DEPTH words fill 8 KiB of workgroup memory.
const TILE_DEPTH = 16u;

fn word_add(x: Word, y: Word) -> Word { return x + y; }
fn word_sub(x: Word, y: Word) -> Word { return x - y; }
fn word_mul(x: Word, y: Word) -> Word { return x * y; }
fn word_negate(x: Word) -> Word { return 0u - x; }
fn word_and(x: Word, mask: vec2<u32>) -> Word { return x & mask.x; }
// To and from (lo, hi).
fn word_of(v: vec2<u32>) -> Word { return v.x; }
fn word_wide(x: Word) -> vec2<u32> { return vec2<u32>(x, 0u); }

// Four sums of products side by side.
struct Sums { lo: vec4<u32> }

fn sums_add(sums: ptr<function, Sums>, a: Word, b: array<Word, 4>) {
  (*sums).lo += a * vec4<u32>(b[0], b[1], b[2], b[3]);
}

fn sums_words(sums: Sums) -> array<Word, 4> {
  return array<Word, 4>(sums.lo.x, sums.lo.y, sums.lo.z, sums.lo.w);
}
