// The second half of lookupRound and choiceRound: z_{d,e} = Σ values_{i,e} mod q over the elements of a chunk whose
// index has the digit d. The index is one that its holder knows in the clear.
//
// group(0): params. group(1): 0 values (eight residues an element), 1 index (u32), 2 out (64 residues a chunk). A
// workgroup makes the 64 cells of one chunk. Override: TRANSPOSED: a cell of digit d and value e is at 8e + d.
// uses: grid u64 u128 proof-field

struct Params { field: Field, count: u32, chunk: u32, digit_at: u32, digit_mask: u32 }

override TRANSPOSED: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> values: array<vec2<u32>>;
@group(1) @binding(1) var<storage, read> index: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<vec2<u32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let number = group_number(group, groups);
  let begin = number * params.chunk;
  if (begin >= params.count) { return; }
  let d = lane / 8u;
  let e = lane % 8u;
  var sum = vec2<u32>(0u, 0u);
  for (var i = begin; i < min(begin + params.chunk, params.count); i++) {
    let digit = (index[i] >> params.digit_at) & params.digit_mask;
    let own = values[8u * i + e] & vec2<u32>(0u - u32(digit == d));
    sum = field_add(sum, own);
  }
  out[64u * number + select(lane, 8u * e + d, TRANSPOSED)] = sum;
}
