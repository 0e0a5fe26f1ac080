// dealSelection (P0, PROTOCOL §4.7): B_i = −Σ_p w_{i,c_i,p} φ_{i,p} − r0_i mod 2^k, the pads w generated here. A
// pad is the bits of the stream at the place of its word in the table.
//
// group(0): params; `last` holds the counter of the block with the first pad of the first element, `skip` that
// pad's bit in it. group(1): 0 index (lanes), 1 basis (P words an element; r0 again without one), 2 r0 (words),
// 3 out (words). One invocation an element, 64 a workgroup. Overrides: HAS_BASIS; INDEX_WIDE: lanes of two
// words; BLOCKS: how many blocks an entry's pads may touch. Twin: ReferenceKernels.dealSelection. Every element
// makes BLOCKS blocks and goes over all P words for each: the work does not depend on c_i, which is P0's
// secret. Which registers of a block are read does; they are private to the invocation.
// uses: grid u64 word bytes chacha layout

struct Params {
  key0: vec4<u32>, key1: vec4<u32>, last: vec4<u32>,
  packing: array<vec4<u32>, 4>,
  mask: vec2<u32>, count: u32, skip: u32, n: u32,
}

override BLOCKS: u32;
override HAS_BASIS: bool;
override INDEX_WIDE: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> index: array<u32>;
@group(1) @binding(1) var<storage, read> basis: array<Word>;
@group(1) @binding(2) var<storage, read> r0: array<Word>;
@group(1) @binding(3) var<storage, read_write> out: array<Word>;

fn block_at(number: u32) -> array<u32, 16> {
  let s = chacha_block(params.key0, params.key1, params.last + vec4<u32>(number, 0u, 0u, 0u));
  return array<u32, 16>(s.a.x, s.a.y, s.a.z, s.a.w, s.b.x, s.b.y, s.b.z, s.b.w,
    s.c.x, s.c.y, s.c.z, s.c.w, s.d.x, s.d.y, s.d.z, s.d.w);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = 64u * group_number(group, groups) + lane;
  if (i >= params.count) { return; }
  var c = index[i];
  if (INDEX_WIDE) { c = index[2u * i]; }
  let at = params.skip + (i * params.n + min(c, params.n - 1u)) * entry_bits();
  var sum = r0[i];
  // Two blocks side by side: a pad that begins in the first may end in the second.
  var window: array<u32, 34>;
  var next = block_at(at >> 9u);
  for (var block = 0u; block < BLOCKS; block++) {
    for (var w = 0u; w < 16u; w++) { window[w] = next[w]; }
    if (block + 1u < BLOCKS) {
      next = block_at((at >> 9u) + block + 1u);
      for (var w = 0u; w < 16u; w++) { window[16u + w] = next[w]; }
    }
    var bit = at & 511u;
    for (var p = 0u; p < entry_words(); p++) {
      let width = width_of(p);
      let word = (bit & 511u) >> 5u;
      var pad = bytes_word(window[word], window[word + 1u], window[word + 2u], bit & 31u) & u64_mask(width);
      pad &= vec2<u32>(0u - u32((bit >> 9u) == block));
      if (HAS_BASIS) { sum = word_add(sum, word_mul(word_of(pad), basis[i * entry_words() + p])); }
      else { sum = word_add(sum, word_of(pad)); }
      bit += width;
    }
  }
  out[i] = word_and(word_negate(sum), params.mask);
}
