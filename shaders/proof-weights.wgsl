// weights: F_i = Σ_t X_{i,t} coefficients_t mod q. Bits are masks and no branches.
//
// group(0): params. group(1): 0 x (a word of σ bits a row), 1 coefficients, 2 out (residues). One invocation a row, 64
// a workgroup. Twin: ReferenceProofKernels.weights.
// uses: grid u64 u128 proof-field

struct Params { field: Field, count: u32, sigma: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<vec2<u32>>;
@group(1) @binding(1) var<storage, read> coefficients: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read_write> out: array<vec2<u32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = 64u * group_number(group, groups) + lane;
  if (i >= params.count) { return; }
  let bits = x[i];
  var sum = vec2<u32>(0u, 0u);
  for (var t = 0u; t < params.sigma; t++) {
    let bit = (bits[t >> 5u] >> (t & 31u)) & 1u;
    sum = field_add(sum, coefficients[t] & vec2<u32>(0u - bit));
  }
  out[i] = sum;
}
