// shiftRight and cast: out_i = (x_i >> s) mod 2^k, from lanes of either width to lanes of either width.
//
// group(0): params. group(1): 0 x (count lanes), 1 out (count lanes). One invocation an element, 64 a workgroup.
// Overrides: X_WIDE, OUT_WIDE: lanes of two words. Twin: ReferenceKernels.shiftRight.
// uses: grid u64

struct Params { count: u32, shift: u32, mask: vec2<u32> }

override X_WIDE: bool;
override OUT_WIDE: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<u32>;
@group(1) @binding(1) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = 64u * group_number(group, groups) + lane;
  if (i >= params.count) { return; }
  var value = vec2<u32>(0u, 0u);
  if (X_WIDE) { value = vec2<u32>(x[2u * i], x[2u * i + 1u]); } else { value.x = x[i]; }
  value = u64_shr(value, params.shift) & params.mask;
  if (OUT_WIDE) {
    out[2u * i] = value.x;
    out[2u * i + 1u] = value.y;
  } else {
    out[i] = value.x;
  }
}
