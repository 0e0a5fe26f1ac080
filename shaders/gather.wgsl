// gather: out_i = x_{index_i}, for the indices in [first, first + length): a source that exceeds a binding is
// gathered from in several dispatches. The indices are public (slices, transposes, head splits) and were
// checked by the host.
//
// group(0): params. group(1): 0 x (length words, from `first` on), 1 index (count u32), 2 out (count words).
// One invocation an element, 64 a workgroup. Twin: ReferenceKernels.gather.
// uses: grid word

struct Params { count: u32, first: u32, length: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<Word>;
@group(1) @binding(1) var<storage, read> index: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<Word>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = 64u * group_number(group, groups) + lane;
  if (i >= params.count) { return; }
  let at = index[i] - params.first; // wraps to a large number below `first`
  if (at < params.length) { out[i] = x[at]; }
}
