// digitWeights: f Π_r coefficients[r]_{digit r of index_i} · factor_{i,p} mod q; multiply, where there is no digit.
// An index is one that its holder knows in the clear: its digits are addresses.
//
// group(0): params; a digit is its first bit and its mask, two digits a vector. group(1): 0 f (residues), 1 index
// (u32), 2 coefficients (eight residues a digit), 3 factor (words; f again without one), 4 out (residues). One
// invocation a result, 64 a workgroup. Overrides: WHOLE: f has `each` residues an element; HAS_FACTOR; FACTOR_WIDE:
// lanes of two words. Twins: ReferenceProofKernels.digitWeights, multiply.
// uses: grid u64 u128 proof-field

struct Params { field: Field, digits: array<vec4<u32>, 4>, count: u32, each: u32, rounds: u32 }

override WHOLE: bool;
override HAS_FACTOR: bool;
override FACTOR_WIDE: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> f: array<vec2<u32>>;
@group(1) @binding(1) var<storage, read> index: array<u32>;
@group(1) @binding(2) var<storage, read> coefficients: array<vec2<u32>>;
@group(1) @binding(3) var<storage, read> factor: array<u32>;
@group(1) @binding(4) var<storage, read_write> out: array<vec2<u32>>;

fn factor_at(at: u32) -> vec2<u32> {
  if (FACTOR_WIDE) { return vec2<u32>(factor[2u * at], factor[2u * at + 1u]); }
  return vec2<u32>(factor[at], 0u);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let o = 64u * group_number(group, groups) + lane;
  if (o >= params.count) { return; }
  let i = o / params.each;
  var value = f[select(i, o, WHOLE)];
  for (var r = 0u; r < params.rounds; r++) {
    let pair = params.digits[r >> 1u];
    let place = select(pair.xy, pair.zw, (r & 1u) == 1u);
    value = field_mul(value, coefficients[8u * r + ((index[i] >> place.x) & place.y)]);
  }
  if (HAS_FACTOR) { value = field_mul(value, factor_at(o)); }
  out[o] = value;
}
