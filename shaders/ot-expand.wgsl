// otReceive and otSend, first half: sums of the leaves' streams (layout: src/compute/kernels/ot-base.ts). An
// invocation makes one block of every leaf of one tree: 512 OTs. Rows 4i + b of a block's matrix: the leaves of
// tree i whose place has bit b; row 128 + i: all of them. Nothing depends on a secret: which leaf weighs what is
// the place of its key.
//
// group(0): params: number of the first block, nonce. group(1): 0 keys (512 of 32 bytes), 1 out (blocks × 160
// rows × 64 bytes). With FROM = 1 the leaf at place 0 is left out: the sender lacks it. Twin: OtRows in
// reference/ot.ts.
// uses: grid chacha

struct Params { last: vec4<u32>, blocks: u32 }

override FROM: u32;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> keys: array<vec4<u32>>;
@group(1) @binding(1) var<storage, read_write> out: array<vec4<u32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = 64u * group_number(group, groups) + lane;
  if (id >= 32u * params.blocks) { return; }
  let tree = id & 31u;
  let number = id >> 5u;
  let last = params.last + vec4<u32>(number, 0u, 0u, 0u);
  var sums: array<vec4<u32>, 20>;
  for (var leaf = FROM; leaf < 16u; leaf++) {
    let key = 2u * (16u * tree + leaf);
    let block = chacha_block(keys[key], keys[key + 1u], last);
    for (var b = 0u; b < 5u; b++) {
      if (b < 4u && ((leaf >> b) & 1u) == 0u) { continue; }
      sums[4u * b] ^= block.a;
      sums[4u * b + 1u] ^= block.b;
      sums[4u * b + 2u] ^= block.c;
      sums[4u * b + 3u] ^= block.d;
    }
  }
  for (var b = 0u; b < 5u; b++) {
    let row = 160u * number + select(4u * tree + b, 128u + tree, b == 4u);
    for (var w = 0u; w < 4u; w++) { out[4u * row + w] = sums[4u * b + w]; }
  }
}
