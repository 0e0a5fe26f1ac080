// combineRows, combineColumns and tailFold: out_o = Σ_j coefficients_j · x[o · outer + j · inner − skip] mod q, with
// zeros around the `length` words of x.
//
// group(0): params. group(1): 0 x (words), 1 coefficients, 2 out (residues). One invocation an output, 64 a workgroup.
// Override: X_WIDE: lanes of two words. Twins: ReferenceProofKernels.combineRows, combineColumns, tailFold.
// uses: grid u64 u128 proof-field

struct Params { field: Field, outputs: u32, terms: u32, outer: u32, inner: u32, skip: u32, length: u32 }

override X_WIDE: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<u32>;
@group(1) @binding(1) var<storage, read> coefficients: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read_write> out: array<vec2<u32>>;

fn word_at(at: u32) -> vec2<u32> {
  if (X_WIDE) { return vec2<u32>(x[2u * at], x[2u * at + 1u]); }
  return vec2<u32>(x[at], 0u);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let o = 64u * group_number(group, groups) + lane;
  if (o >= params.outputs) { return; }
  var sum = FieldSum();
  for (var j = 0u; j < params.terms; j++) {
    // Before the first word this wraps to a large number.
    let at = o * params.outer + j * params.inner - params.skip;
    if (at < params.length) { field_accumulate(&sum, coefficients[j], word_at(at)); }
  }
  out[o] = field_value(sum);
}
