// Words of packed tables times 2^(64 − their width), side by side: what digestEntries compresses.
//
// group(0): params. group(1): 0 table (bytes as u32), 1 out (words of 64 bits). One invocation an entry, 64 a
// workgroup. Twin: a part of ReferenceProofKernels.digestEntries.
// uses: grid u64 bytes layout proof-entry

struct Params { packing: array<vec4<u32>, 4>, entries: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> table: array<u32>;
@group(1) @binding(1) var<storage, read_write> out: array<vec2<u32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let e = 64u * group_number(group, groups) + lane;
  if (e >= params.entries) { return; }
  var bit = e * entry_bits();
  for (var p = 0u; p < entry_words(); p++) {
    let width = width_of(p);
    out[e * entry_words() + p] = u64_shl(entry_at(bit, width), 64u - width);
    bit += width;
  }
}
