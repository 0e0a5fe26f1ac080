// pack: the wire form, WIDTH little-endian bytes an element; WIDTH = 0 stands for single bits, eight to a byte,
// lowest first.
//
// group(0): params. group(1): 0 x (count words), 1 out (bytes, as u32). One invocation a u32 of the output, 64
// a workgroup. Twin: ReferenceKernels.pack.
// uses: grid u64 word

struct Params { count: u32, length: u32 }

override WIDTH: u32;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<Word>;
@group(1) @binding(1) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let u = 64u * group_number(group, groups) + lane;
  if (u >= params.length) { return; }
  var value = 0u;
  if (WIDTH == 0u) {
    for (var b = 0u; b < 32u; b++) {
      if (32u * u + b < params.count) { value |= word_wide(x[32u * u + b]).x << b; }
    }
  } else {
    for (var b = 0u; b < 4u; b++) {
      let byte = 4u * u + b;
      let i = byte / max(WIDTH, 1u);
      if (i < params.count) { value |= (u64_shr(word_wide(x[i]), 8u * (byte % max(WIDTH, 1u))).x & 255u) << (8u * b); }
    }
  }
  out[u] = value;
}
