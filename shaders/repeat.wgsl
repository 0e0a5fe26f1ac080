// repeat: out_i = x_⌊i/cols⌋.
//
// group(0): params. group(1): 0 x (count / cols words), 1 out (count words). One invocation an element, 64 a
// workgroup. Twin: ReferenceKernels.repeat.
// uses: grid word

struct Params { count: u32, first: u32, cols: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<Word>;
@group(1) @binding(1) var<storage, read_write> out: array<Word>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = 64u * group_number(group, groups) + lane;
  if (i >= params.count) { return; }
  out[i] = x[(params.first + i) / params.cols];
}
