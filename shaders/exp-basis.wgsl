// expBasis: φ = round(2^s2 · exp(−ℓ_lo)), ℓ_lo = ℓ mod 2^bits at scale 20, as (coarse[ℓ_lo >> 11] · fine[ℓ_lo &
// 2047] + half) >> (62 − s2) from integer tables. ℓ is a mask that P0 and P2 know: the 24 KB of tables are read
// by index.
//
// group(0): params. group(1): 0 ℓ (count lanes), 1 tables (coarse 4097, fine 2048, as u32), 2 out (count
// words). One invocation an element, 64 a workgroup. Override: X_WIDE: lanes of two words. Twin: expPhi in
// reference/selection.ts.
// uses: grid u64 word

struct Params { mask: vec2<u32>, half: vec2<u32>, count: u32, drop: u32, bits: u32 }

override X_WIDE: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<u32>;
@group(1) @binding(1) var<storage, read> tables: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<Word>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = 64u * group_number(group, groups) + lane;
  if (i >= params.count) { return; }
  var low = x[i];
  if (X_WIDE) { low = x[2u * i]; }
  low &= (1u << params.bits) - 1u;
  let product = u32_product(tables[low >> 11u], tables[4097u + (low & 2047u)]);
  out[i] = word_and(word_of(u64_shr(u64_add(product, params.half), params.drop)), params.mask);
}
