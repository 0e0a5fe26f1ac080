// evaluateSelection (P2, PROTOCOL §4.7): y_i = Σ_p e_{i,c_i,p} φ_{i,p} + B_i mod 2^k, with the entries e packed to
// the bit. P2 reads the entry of its own choice c_i: a look-up by index is what the gate is.
//
// group(0): params; operands begin at the given elements of their bindings. group(1): 0 index (lanes), 1 basis
// (P words an element; B again without one), 2 table (bytes as u32), 3 B (words), 4 out (words). One invocation
// an element, 64 a workgroup. Overrides: HAS_BASIS; INDEX_WIDE: lanes of two words. Twin:
// ReferenceKernels.evaluateSelection.
// uses: grid u64 word bytes layout

struct Params {
  packing: array<vec4<u32>, 4>,
  mask: vec2<u32>, count: u32, n: u32,
  index_at: u32, basis_at: u32, word_at: u32,
}

override HAS_BASIS: bool;
override INDEX_WIDE: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> index: array<u32>;
@group(1) @binding(1) var<storage, read> basis: array<Word>;
@group(1) @binding(2) var<storage, read> table: array<u32>;
@group(1) @binding(3) var<storage, read> words: array<Word>;
@group(1) @binding(4) var<storage, read_write> out: array<Word>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = 64u * group_number(group, groups) + lane;
  if (i >= params.count) { return; }
  var c = index[params.index_at + i];
  if (INDEX_WIDE) { c = index[2u * (params.index_at + i)]; }
  var bit = (i * params.n + min(c, params.n - 1u)) * entry_bits();
  var sum = words[params.word_at + i];
  for (var p = 0u; p < entry_words(); p++) {
    let width = width_of(p);
    let at = bit >> 5u;
    let entry = bytes_word(table[at], table[at + 1u], table[at + 2u], bit & 31u) & u64_mask(width);
    bit += width;
    if (HAS_BASIS) {
      sum = word_add(sum, word_mul(word_of(entry), basis[params.basis_at + i * entry_words() + p]));
    } else {
      sum = word_add(sum, word_of(entry));
    }
  }
  out[i] = word_and(sum, params.mask);
}
