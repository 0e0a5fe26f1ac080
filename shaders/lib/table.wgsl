// selectionTable, the frame (P1, PROTOCOL §4.7): wire bytes of e_r = D_r + w_r mod 2^(8·WIDTH), where r numbers
// the words of a range of elements (element-major, then entry, then basis word) and w is the key stream in wire
// form. WIDTH = 0 stands for single bits: e_r = D_r ⊕ w_r. D comes from `table_word(r)` of the file that uses
// this one: table-rows, table-polynomial, table-exp or table-choose.
//
// group(0): params (declared there). group(1): 0 out (the blocks of the stream that hold the range, as u32);
// more bindings there. A workgroup of 64 makes GROUP blocks, one an invocation, and then adds: GROUP is 64, or
// the most that hold whole words where WIDTH has an odd part (63 for 3, 6 and 7; 60 for 5). Four words are
// WIDTH u32, so an invocation adds four words at a time and shares no u32 with another. Overrides: WIDTH,
// GROUP. Twin: ReferenceKernels.selectionTable.
// Needs grid, u64, bytes, chacha and keystream.

override WIDTH: u32;
override GROUP: u32;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read_write> out: array<u32>;

// Pads outside the range get nothing added; the host does not send them.
fn masked_word(r: u32) -> vec2<u32> {
  if (r < params.words) { return table_word(r); }
  return vec2<u32>(0u, 0u);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let number = group_number(group, groups);
  if (number >= params.groups) { return; }
  let counter = params.last + vec4<u32>(GROUP * number + lane, 0u, 0u, 0u);
  keystream_fill(lane, chacha_block(params.key0, params.key1, counter));
  workgroupBarrier();
  let first = 16u * GROUP * number;
  if (WIDTH == 0u) {
    for (var u = lane; u < 1024u; u += 64u) {
      var bits = 0u;
      for (var b = 0u; b < 32u; b++) { bits |= (masked_word(params.base + 32u * (first + u) + b).x & 1u) << b; }
      out[first + u] = keystream_word(u) ^ bits;
    }
    return;
  }
  let mask = u64_mask(8u * WIDTH);
  // One u32 more than a quad has, for the word that ends one. Zeroed by an assignment: Tint zeroes a variable
  // declared in a loop only once (webgpu 0.6.2).
  var sums: array<u32, 10>;
  for (var quad = lane; quad * WIDTH < 16u * GROUP; quad += 64u) {
    let at = quad * WIDTH;
    let word = params.base + 4u * (first / max(WIDTH, 1u) + quad);
    sums = array<u32, 10>();
    for (var v = 0u; v < 4u; v++) {
      let place = at + ((v * WIDTH) >> 2u);
      let skip = (v * WIDTH) & 3u;
      // What is read beyond the quad (in the last one: beyond the blocks, at an index kept in range) is masked off.
      let one = keystream_word(min(place + 1u, 1023u));
      let two = keystream_word(min(place + 2u, 1023u));
      let pad = bytes_word(keystream_word(place), one, two, skip);
      let sum = u64_add(pad, masked_word(word + v)) & mask;
      let shifted = u64_shl(sum, 8u * skip);
      let local = (v * WIDTH) >> 2u;
      sums[local] |= shifted.x;
      sums[local + 1u] |= shifted.y;
      if (skip != 0u) { sums[local + 2u] |= sum.y >> (32u - 8u * skip); }
    }
    for (var u = 0u; u < WIDTH; u++) { out[first + at + u] = sums[u]; }
  }
}
