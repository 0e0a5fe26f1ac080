// sumRows: out_r = Σ_c x_{r,c} mod 2^k.
//
// group(0): params. group(1): 0 x (rows × cols words), 1 out (rows words). A row is summed by SPAN invocations
// (a power of two), 64 invocations a workgroup, so 64 / SPAN rows. Twin: ReferenceKernels.sumRows.
// uses: grid word

struct Params { rows: u32, cols: u32, mask: vec2<u32> }

override SPAN: u32;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<Word>;
@group(1) @binding(1) var<storage, read_write> out: array<Word>;
var<workgroup> partial: array<Word, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group_number(group, groups) * (64u / SPAN) + lane / SPAN;
  var sum = word_of(vec2<u32>(0u, 0u));
  if (row < params.rows) {
    for (var c = lane % SPAN; c < params.cols; c += SPAN) { sum = word_add(sum, x[row * params.cols + c]); }
  }
  partial[lane] = sum;
  for (var half = SPAN / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane % SPAN < half) { partial[lane] = word_add(partial[lane], partial[lane + half]); }
  }
  if (row < params.rows && lane % SPAN == 0u) { out[row] = word_and(partial[lane], params.mask); }
}
