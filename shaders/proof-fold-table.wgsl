// foldTable: G'[s] = Σ_h β_h G[s ⊕ h at this digit] mod q, on the whole group.
//
// group(0): params. group(1): 0 table, 1 beta, 2 out (residues). One invocation an index, 64 a workgroup. Twin:
// ReferenceProofKernels.foldTable.
// uses: grid u64 u128 proof-field proof-index

struct Params {
  field: Field, count: u32, all: u32, low: u32, digit_at: u32, blocks: u32, digit_xor: u32, behind: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> table: array<vec2<u32>>;
@group(1) @binding(1) var<storage, read> beta: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read_write> out: array<vec2<u32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let s = 64u * group_number(group, groups) + lane;
  if (s >= params.count) { return; }
  var sum = FieldSum();
  for (var h = 0u; h < params.blocks; h++) { field_accumulate(&sum, beta[h], table[index_stepped(s, h)]); }
  out[s] = field_value(sum);
}
