// digest and columns: sums of those words whose challenge has a bit, mod 2^k, for a range of the inner dimension.
// DIGEST: out_{t,c} = Σ_i X_{i,t} rows_{i,c}, else out_{i,t} = Σ_c rows_{i,c} V_{c,t}. Bits are masks and no
// branches.
//
// group(0): params; `width` words a row, `slices` times `count` outputs, each a sum over `depth` of all `terms`.
// group(1): 0 rows (lanes, as u32), 1 bits (a word of σ bits for each term), 2 out (words). One invocation an
// output and slice, 64 a workgroup. Overrides: DIGEST; ROWS_I32: signed 32-bit entries. Twins:
// ReferenceProofKernels.digest, columns.
// uses: grid word

struct Params {
  mask: vec2<u32>, count: u32, width: u32, sigma: u32, terms: u32, slices: u32, depth: u32,
}

override DIGEST: bool;
override ROWS_I32: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> rows: array<u32>;
@group(1) @binding(1) var<storage, read> bits: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read_write> out: array<Word>;

fn row_word(at: u32) -> vec2<u32> {
  // The sign extension of an i32 is its high limb.
  if (ROWS_I32) { return vec2<u32>(rows[at], bitcast<u32>(bitcast<i32>(rows[at]) >> 31u)); }
  if (WORD_BYTES == 4u) { return vec2<u32>(rows[at], 0u); }
  return vec2<u32>(rows[2u * at], rows[2u * at + 1u]);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let number = 64u * group_number(group, groups) + lane;
  if (number >= params.count * params.slices) { return; }
  let o = number % params.count;
  let begin = (number / params.count) * params.depth;
  let end = min(begin + params.depth, params.terms);
  var t = o % params.sigma;
  var first = (o / params.sigma) * params.width;
  var step = 1u;
  if (DIGEST) {
    t = o / params.width;
    first = o % params.width;
    step = params.width;
  }
  var sum = word_of(vec2<u32>(0u, 0u));
  for (var j = begin; j < end; j++) {
    let bit = (bits[j][t >> 5u] >> (t & 31u)) & 1u;
    sum = word_add(sum, word_of(row_word(first + j * step) & vec2<u32>(0u - bit)));
  }
  out[number] = word_and(sum, params.mask);
}
