// add, sub, mul, scale, offset, addRow, mulRow: out_i = x_i ∘ y mod 2^k, with y a vector, a row repeated every
// `cols` elements, or a constant.
//
// group(0): params. group(1): 0 x (count words), 1 y (count words, `cols` words, or x again where the operand
// is a constant), 2 out (count words). One invocation an element, 64 a workgroup. Overrides: OP 0 +, 1 −, 2 ·;
// OPERAND 0 vector, 1 row, 2 constant. Twin: ReferenceKernels.
// uses: grid word

struct Params { count: u32, first: u32, cols: u32, unused: u32, mask: vec2<u32>, constant: vec2<u32> }

override OP: u32;
override OPERAND: u32;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<Word>;
@group(1) @binding(1) var<storage, read> y: array<Word>;
@group(1) @binding(2) var<storage, read_write> out: array<Word>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = 64u * group_number(group, groups) + lane;
  if (i >= params.count) { return; }
  var right = word_of(params.constant);
  if (OPERAND == 0u) { right = y[i]; }
  if (OPERAND == 1u) { right = y[(params.first + i) % params.cols]; }
  var value = word_add(x[i], right);
  if (OP == 1u) { value = word_sub(x[i], right); }
  if (OP == 2u) { value = word_mul(x[i], right); }
  out[i] = word_and(value, params.mask);
}
