// The end of a product whose inner dimension was divided among workgroups: out_i = Σ_s parts_{s,i} mod 2^k.
//
// group(0): params. group(1): 0 parts (slices × count words), 1 out (count words). One invocation an element,
// 64 a workgroup. Twin: a part of ReferenceKernels.matmul.
// uses: grid word

struct Params { count: u32, slices: u32, mask: vec2<u32> }

@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> parts: array<Word>;
@group(1) @binding(1) var<storage, read_write> out: array<Word>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = 64u * group_number(group, groups) + lane;
  if (i >= params.count) { return; }
  var sum = word_of(vec2<u32>(0u, 0u));
  for (var s = 0u; s < params.slices; s++) { sum = word_add(sum, parts[s * params.count + i]); }
  out[i] = word_and(sum, params.mask);
}
