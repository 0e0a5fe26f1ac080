// draw: word i of Z_2^k is lane i of a ChaCha20 key stream (4 or 8 bytes, little-endian), masked to k bits.
//
// group(0): params: key, last row of the state (counter of the first block, nonce), `lead` lanes of that block
// to skip. group(1): 0 out (count words). A workgroup of 64 makes 64 blocks, one an invocation, and writes them
// in stream order. Twin: ReferenceKernels.draw.
// uses: grid word chacha keystream

struct Params { key0: vec4<u32>, key1: vec4<u32>, last: vec4<u32>, count: u32, lead: u32, mask: vec2<u32> }

@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read_write> out: array<Word>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let number = group_number(group, groups);
  let counter = params.last + vec4<u32>(64u * number + lane, 0u, 0u, 0u);
  keystream_fill(lane, chacha_block(params.key0, params.key1, counter));
  workgroupBarrier();
  const LANES = 4096u / WORD_BYTES;
  for (var e = lane; e < LANES; e += 64u) {
    let i = number * LANES + e - params.lead; // wraps to a large number inside the lead
    if (i < params.count) {
      var value = vec2<u32>(keystream_word(e), 0u);
      if (WORD_BYTES == 8u) { value = vec2<u32>(keystream_word(2u * e), keystream_word(2u * e + 1u)); }
      out[i] = word_and(word_of(value), params.mask);
    }
  }
}
