// The end of a sum that was divided among workgroups: out_c = Σ_s parts_{s,c} mod q.
//
// group(0): params. group(1): 0 parts (slices × count residues), 1 out. One invocation a cell, 64 a workgroup.
// uses: grid u64 u128 proof-field

struct Params { field: Field, count: u32, slices: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> parts: array<vec2<u32>>;
@group(1) @binding(1) var<storage, read_write> out: array<vec2<u32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let c = 64u * group_number(group, groups) + lane;
  if (c >= params.count) { return; }
  var sum = vec2<u32>(0u, 0u);
  for (var s = 0u; s < params.slices; s++) { sum = field_add(sum, parts[s * params.count + c]); }
  out[c] = sum;
}
