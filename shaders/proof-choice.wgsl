// choiceRound, first half: out_{i,a} = Σ_p f_{i,p} Σ_l low_l E_{i,j,p} mod q, with j the choice with its digit replaced
// by a and the bits below by l; entries behind the last are zero. proof-buckets adds up by digit. A choice is one that
// its holder knows in the clear: it is an address.
//
// group(0): params. group(1): 0 table (bytes as u32), 1 choice (u32), 2 f (residues), 3 low (residues), 4 out (eight
// residues an element). One invocation a result, 64 a workgroup. Twin: ReferenceProofKernels.choiceRound.
// uses: grid u64 u128 bytes layout proof-field proof-entry

struct Params {
  field: Field, packing: array<vec4<u32>, 4>, count: u32, n: u32, below: u32, digit_at: u32, blocks: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> table: array<u32>;
@group(1) @binding(1) var<storage, read> choice: array<u32>;
@group(1) @binding(2) var<storage, read> f: array<vec2<u32>>;
@group(1) @binding(3) var<storage, read> low: array<vec2<u32>>;
@group(1) @binding(4) var<storage, read_write> out: array<vec2<u32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let o = 64u * group_number(group, groups) + lane;
  if (o >= 8u * params.count) { return; }
  let i = o / 8u;
  let a = o % 8u;
  if (a >= params.blocks) {
    out[o] = vec2<u32>(0u, 0u);
    return;
  }
  let digit = choice[i] >> params.digit_at;
  let first = (digit - digit % params.blocks + a) * params.below;
  let last = min(first + params.below, params.n);
  var sum = FieldSum();
  var before = 0u;
  for (var p = 0u; p < entry_words(); p++) {
    let width = width_of(p);
    // Said, because a driver was seen that does not clear it again in every turn.
    var own = FieldSum();
    for (var j = first; j < last; j++) {
      let bit = (i * params.n + j) * entry_bits() + before;
      field_accumulate(&own, low[j - first], entry_at(bit, width));
    }
    field_accumulate(&sum, f[i * entry_words() + p], field_value(own));
    before += width;
  }
  out[o] = field_value(sum);
}
