// pack: the wire form, k bits an element, the lowest first in a word and in a u32.
//
// group(0): params. group(1): 0 x (count words), 1 out (bytes, as u32). One invocation a u32 of the output, which
// gathers what overlaps it; 64 a workgroup. Bits of a dispatch are numbered in 32 bits. Twin: ReferenceKernels.pack.
// uses: grid u64 word

struct Params { count: u32, length: u32, k: u32 }

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
  let i = 32u * u / params.k;
  // The first word begins at or before the u32, every other one inside it.
  let before = 32u * u - params.k * i;
  var value = 0u;
  if (i < params.count) { value = u64_shr(word_wide(x[i]), before).x; }
  for (var w = 1u; params.k * w - before < 32u && i + w < params.count; w++) {
    value |= word_wide(x[i + w]).x << (params.k * w - before);
  }
  out[u] = value;
}
