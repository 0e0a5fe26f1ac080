// chooseBasis: φ of a choice, (1, −ℓ_0, …, −ℓ_{V−1}) mod 2^k an element.
//
// group(0): params. group(1): 0 values (V vectors of `elements` words, one after the other), 1 out (elements ·
// (1 + V) words). One invocation a word, 64 a workgroup. Twin: ReferenceKernels.chooseBasis.
// uses: grid word

struct Params { mask: vec2<u32>, count: u32, first: u32, elements: u32, values: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> values: array<Word>;
@group(1) @binding(1) var<storage, read_write> out: array<Word>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let local = 64u * group_number(group, groups) + lane;
  if (local >= params.count) { return; }
  let at = params.first + local;
  let p = at % (1u + params.values);
  var word = word_of(vec2<u32>(1u, 0u));
  if (p > 0u) { word = word_negate(values[(p - 1u) * params.elements + at / (1u + params.values)]); }
  out[local] = word_and(word, params.mask);
}
