// foldEntries and publicTable: sums over the words of packed tables mod q. FOLD: weights_i Σ_j coefficients_j
// E_{i,j,p}, else Σ_{j,p} coefficients_{j,p} E_{i,j,p}.
//
// group(0): params. group(1): 0 table (bytes as u32), 1 coefficients, 2 weights (coefficients again without FOLD),
// 3 out (residues). One invocation a result, 64 a workgroup. Twins: ReferenceProofKernels.foldEntries, publicTable.
// uses: grid u64 u128 bytes layout proof-field proof-entry

struct Params { field: Field, packing: array<vec4<u32>, 4>, count: u32, n: u32 }

override FOLD: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> table: array<u32>;
@group(1) @binding(1) var<storage, read> coefficients: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read> weights: array<vec2<u32>>;
@group(1) @binding(3) var<storage, read_write> out: array<vec2<u32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let o = 64u * group_number(group, groups) + lane;
  if (o >= params.count) { return; }
  var sum = FieldSum();
  if (FOLD) {
    let i = o / entry_words();
    let p = o % entry_words();
    var bit = i * params.n * entry_bits();
    for (var before = 0u; before < p; before++) { bit += width_of(before); }
    for (var j = 0u; j < params.n; j++) {
      field_accumulate(&sum, coefficients[j], entry_at(bit, width_of(p)));
      bit += entry_bits();
    }
    out[o] = field_mul(weights[i], field_value(sum));
    return;
  }
  var bit = o * params.n * entry_bits();
  for (var j = 0u; j < params.n; j++) {
    for (var p = 0u; p < entry_words(); p++) {
      let width = width_of(p);
      field_accumulate(&sum, coefficients[j * entry_words() + p], entry_at(bit, width));
      bit += width;
    }
  }
  out[o] = field_value(sum);
}
