// matmul and matmulMatrix: out_{b,r,c} = Σ_i x_{b,r,i} · y_{b,i,c} mod 2^k (y_{b,c,i} when TRANSPOSED), for a
// range of the inner dimension.
//
// group(0): params. group(1): 0 x (words), 1 y (words as u32 lanes; signed 32-bit entries with Y_I32), 2 out
// (words). Offsets and strides are in words. A workgroup of 16 × 16 makes a tile of 64 × 64, each invocation 4
// × 4: rows v + 16·r, columns u + 16·c, so that neighbours read and write neighbours. The inner dimension goes
// through workgroup memory in steps of TILE_DEPTH. With `slices` > 1 the groups also divide it, and out holds
// one product per slice. Overrides: TRANSPOSED, Y_I32. Twins: ReferenceKernels.matmul, matmulMatrix.
// uses: grid word

struct Params {
  mask: vec2<u32>,
  m: u32, n: u32, inner: u32, slices: u32, depth: u32,
  x_at: u32, x_batch: u32, x_row: u32,
  y_at: u32, y_batch: u32, y_row: u32,
  out_at: u32, out_batch: u32, out_slice: u32, out_row: u32,
  accumulate: u32,
  tiles_m: u32, tiles_n: u32, tiles: u32,
}

override TRANSPOSED: bool;
override Y_I32: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<Word>;
@group(1) @binding(1) var<storage, read> y: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<Word>;
// One word more than a column of the tile, so that neighbours who store along the inner dimension do not meet
// in one memory bank.
const COLUMN = 65u;
var<workgroup> left: array<Word, COLUMN * TILE_DEPTH>;
var<workgroup> right: array<Word, COLUMN * TILE_DEPTH>;

fn y_word(at: u32) -> Word {
  // The sign extension of an i32 is its high limb.
  if (Y_I32) {
    let entry = y[at];
    return word_of(vec2<u32>(entry, bitcast<u32>(bitcast<i32>(entry) >> 31u)));
  }
  if (WORD_BYTES == 4u) { return word_of(vec2<u32>(y[at], 0u)); }
  return word_of(vec2<u32>(y[2u * at], y[2u * at + 1u]));
}

@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>, @builtin(local_invocation_index) lane: u32,
) {
  let number = group_number(group, groups);
  if (number >= params.tiles) { return; }
  let tile_n = number % params.tiles_n;
  let tile_m = (number / params.tiles_n) % params.tiles_m;
  let slice = (number / (params.tiles_n * params.tiles_m)) % params.slices;
  let batch = number / (params.tiles_n * params.tiles_m * params.slices);
  let row0 = 64u * tile_m;
  let col0 = 64u * tile_n;
  let end = min((slice + 1u) * params.depth, params.inner);
  let zero = word_of(vec2<u32>(0u, 0u));
  // Four variables, not an array: a pointer to an array's element is not core WGSL.
  var sums0: Sums;
  var sums1: Sums;
  var sums2: Sums;
  var sums3: Sums;
  for (var begin = slice * params.depth; begin < end; begin += TILE_DEPTH) {
    for (var at = lane; at < 64u * TILE_DEPTH; at += 256u) {
      // x along the inner dimension, which is contiguous; stored by columns so that the loop below reads rows
      // side by side.
      let i = at % TILE_DEPTH;
      let r = at / TILE_DEPTH;
      var value = zero;
      if (row0 + r < params.m && begin + i < end) {
        value = x[params.x_at + batch * params.x_batch + (row0 + r) * params.x_row + begin + i];
      }
      left[COLUMN * i + r] = value;
    }
    for (var at = lane; at < 64u * TILE_DEPTH; at += 256u) {
      // y along whichever dimension is contiguous.
      var i = at / 64u;
      var c = at % 64u;
      if (TRANSPOSED) { i = at % TILE_DEPTH; c = at / TILE_DEPTH; }
      var value = zero;
      if (col0 + c < params.n && begin + i < end) {
        var place = (begin + i) * params.y_row + col0 + c;
        if (TRANSPOSED) { place = (col0 + c) * params.y_row + begin + i; }
        value = y_word(params.y_at + batch * params.y_batch + place);
      }
      right[COLUMN * i + c] = value;
    }
    workgroupBarrier();
    for (var i = 0u; i < TILE_DEPTH; i++) {
      let at = COLUMN * i + local.x;
      let b = array<Word, 4>(right[at], right[at + 16u], right[at + 32u], right[at + 48u]);
      let a = COLUMN * i + local.y;
      sums_add(&sums0, left[a], b);
      sums_add(&sums1, left[a + 16u], b);
      sums_add(&sums2, left[a + 32u], b);
      sums_add(&sums3, left[a + 48u], b);
    }
    workgroupBarrier();
  }
  let tile = array<array<Word, 4>, 4>(sums_words(sums0), sums_words(sums1), sums_words(sums2), sums_words(sums3));
  for (var r = 0u; r < 4u; r++) {
    let row = row0 + local.y + 16u * r;
    for (var c = 0u; c < 4u; c++) {
      let col = col0 + local.x + 16u * c;
      if (row < params.m && col < params.n) {
        let place = params.out_at + batch * params.out_batch + slice * params.out_slice + row * params.out_row + col;
        var value = tile[r][c];
        if (params.accumulate != 0u) { value = word_add(value, out[place]); }
        out[place] = word_and(value, params.mask);
      }
    }
  }
}
