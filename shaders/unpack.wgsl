// unpack: words from the wire form, k bits an element.
//
// group(0): params. group(1): 0 bytes (as u32), 1 out (count words). One invocation an element, 64 a workgroup.
// Bits of a dispatch are numbered in 32 bits. Twin: ReferenceKernels.unpack.
// uses: grid u64 word bytes

struct Params { count: u32, k: u32, mask: vec2<u32> }

@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> bytes: array<u32>;
@group(1) @binding(1) var<storage, read_write> out: array<Word>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = 64u * group_number(group, groups) + lane;
  if (i >= params.count) { return; }
  let at = (params.k * i) >> 5u;
  let value = bytes_word(bytes[at], bytes[at + 1u], bytes[at + 2u], (params.k * i) & 31u);
  out[i] = word_and(word_of(value), params.mask);
}
