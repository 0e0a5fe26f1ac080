// otSend, second half (PROTOCOL §4.12): the words w_0 = H(q) and w_1 = H(q ⊕ Δ) of the sender, q = v ⊕ Δ·d, from the
// matrix of ot-expand and the receiver's message. One invocation an OT. Δ meets masks and no branch.
//
// group(0): params: number of the first OT, nonce, tweak, Δ. group(1): 0 rows, 1 message, 2 zero, 3 one. Twin:
// ReferenceKernels.otSend.
// uses: grid word chacha ot

struct Params { last: vec4<u32>, tweak: vec4<u32>, delta: vec4<u32>, mask: vec2<u32>, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> rows: array<u32>;
@group(1) @binding(1) var<storage, read> message: array<u32>;
@group(1) @binding(2) var<storage, read_write> zero: array<Word>;
@group(1) @binding(3) var<storage, read_write> one: array<Word>;

// The bits of byte t of d, each in all four bits of a nibble, for t = 0 … 3.
fn nibbles(d: u32) -> vec4<u32> {
  var x = (vec4<u32>(d) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu);
  x = (x | (x << vec4<u32>(12u))) & vec4<u32>(0x000f000fu);
  x = (x | (x << vec4<u32>(6u))) & vec4<u32>(0x03030303u);
  x = (x | (x << vec4<u32>(3u))) & vec4<u32>(0x11111111u);
  return (x << vec4<u32>(4u)) - x;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let j = 64u * group_number(group, groups) + lane;
  if (j >= params.count) { return; }
  let q = ot_column4(j) ^ (nibbles(message[j]) & params.delta);
  let last = params.last + vec4<u32>(j, 0u, 0u, 0u);
  zero[j] = word_and(word_of(ot_hash(q, params.tweak, last)), params.mask);
  one[j] = word_and(word_of(ot_hash(q ^ params.delta, params.tweak, last)), params.mask);
}
