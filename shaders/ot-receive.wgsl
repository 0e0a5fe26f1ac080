// otReceive, second half (PROTOCOL §4.12): the message d = u ⊕ c and the words w_c = H(v) of the receiver, from the
// matrix of ot-expand. One invocation an OT. Choices meet a mask and no branch.
//
// group(0): params: number of the first OT, nonce, tweak. group(1): 0 rows, 1 choice (one u32 each), 2 message,
// 3 words. Twin: ReferenceKernels.otReceive.
// uses: grid word chacha ot

struct Params { last: vec4<u32>, tweak: vec4<u32>, mask: vec2<u32>, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> rows: array<u32>;
@group(1) @binding(1) var<storage, read> choice: array<u32>;
@group(1) @binding(2) var<storage, read_write> message: array<u32>;
@group(1) @binding(3) var<storage, read_write> words: array<Word>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let j = 64u * group_number(group, groups) + lane;
  if (j >= params.count) { return; }
  message[j] = ot_column(128u, j) ^ (0u - choice[j]);
  let hash = ot_hash(ot_column4(j), params.tweak, params.last + vec4<u32>(j, 0u, 0u, 0u));
  words[j] = word_and(word_of(hash), params.mask);
}
