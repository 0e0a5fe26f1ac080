// lookUp: out_i = G[⊖ν_i]. ROUND: the first half of lookupRound, out_{i,b} = f_i G[μ'_i ⊖ ν_i ⊕ b] mod q, with μ' the
// bits of μ behind this digit; proof-buckets adds up by digit. Indices are ones that their holder knows in the clear:
// they are addresses.
//
// group(0): params. group(1): 0 table (residues), 1 mu (u32), 2 nu (u32), 3 f (residues), 4 out (residues); mu and f
// without ROUND are any. One invocation a result, 64 a workgroup. Twins: ReferenceProofKernels.lookUp, lookupRound.
// uses: grid u64 u128 proof-field proof-index

struct Params {
  field: Field, count: u32, all: u32, low: u32, digit_at: u32, blocks: u32, digit_xor: u32, behind: u32,
}

override ROUND: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> table: array<vec2<u32>>;
@group(1) @binding(1) var<storage, read> mu: array<u32>;
@group(1) @binding(2) var<storage, read> nu: array<u32>;
@group(1) @binding(3) var<storage, read> f: array<vec2<u32>>;
@group(1) @binding(4) var<storage, read_write> out: array<vec2<u32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let o = 64u * group_number(group, groups) + lane;
  if (!ROUND) {
    if (o < params.count) { out[o] = table[index_difference(0u, nu[o])]; }
    return;
  }
  if (o >= 8u * params.count) { return; }
  let i = o / 8u;
  let b = o % 8u;
  var value = vec2<u32>(0u, 0u);
  if (b < params.blocks) {
    value = field_mul(f[i], table[index_stepped(index_difference(mu[i] & params.behind, nu[i]), b)]);
  }
  out[o] = value;
}
