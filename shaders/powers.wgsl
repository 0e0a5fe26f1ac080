// powers: φ_0 = 2^s2, φ_p = ⌊ℓ_lo^p / 2^(pt − s2)⌋ (shifted left when pt < s2) for 1 ≤ p < P, with ℓ_lo =
// ℓ mod 2^t; P words mod 2^k an element. (P − 1)·t < 128: the highest power fits.
//
// group(0): params. group(1): 0 ℓ (count lanes), 1 out (P · count words). One invocation an element, 64 a workgroup.
// Override: X_WIDE: lanes of two words. Twin: powersOf in reference/selection.ts.
// uses: grid u64 u128 word

struct Params { mask: vec2<u32>, low: vec2<u32>, count: u32, t: u32, s2: u32, p: u32 }

override X_WIDE: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<u32>;
@group(1) @binding(1) var<storage, read_write> out: array<Word>;

fn placed(power: vec4<u32>, down: u32) -> vec2<u32> {
  if (down < params.s2) { return u64_shl(power.xy, params.s2 - down); }
  return u128_shr(power, down - params.s2).xy;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = 64u * group_number(group, groups) + lane;
  if (i >= params.count) { return; }
  var l = vec2<u32>(0u, 0u);
  if (X_WIDE) { l = vec2<u32>(x[2u * i], x[2u * i + 1u]); } else { l.x = x[i]; }
  l &= params.low;
  var power = vec4<u32>(1u, 0u, 0u, 0u);
  for (var p = 0u; p < params.p; p++) {
    out[params.p * i + p] = word_and(word_of(placed(power, p * params.t)), params.mask);
    power = u128_mul(power, l);
  }
}
