// expandPoint: the tree of a distributed point function over ChaCha20 (layout and PRG:
// src/compute/kernels/point-key.ts). An invocation walks from the ancestor of its node `steps` levels down;
// with LEAF it makes the leaf word ±(output word + bit · last) instead of storing the node. Node bits and seeds
// are secret: corrections are applied by masking. Which way to go follows from the node's number, which is
// public.
//
// group(0): params: tweak, root seed, up to eight corrections (seed and the two bits in `flips`), last word.
// group(1): 0 from (nodes at level `level`, five u32 each: seed and bit; not read at the root), 1 out (nodes,
// or leaf words as two u32). One invocation a node, 64 a workgroup. Twin: expandPointKey in reference/point.ts.
// uses: grid u64 chacha

struct Params {
  tweak: vec4<u32>, root: vec4<u32>,
  fix: array<vec4<u32>, 8>, flips: array<vec4<u32>, 2>,
  last: vec2<u32>, party: u32, level: u32,
  count: u32, first: u32, steps: u32, above: u32,
}

override LEAF: bool;
override ROOT: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> parents: array<u32>;
@group(1) @binding(1) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let local = 64u * group_number(group, groups) + lane;
  if (local >= params.count) { return; }
  let node = params.first + local;
  var seed = params.root;
  var bit = params.party;
  if (!ROOT) {
    let at = 5u * ((node >> params.steps) - params.above);
    seed = vec4<u32>(parents[at], parents[at + 1u], parents[at + 2u], parents[at + 3u]);
    bit = parents[at + 4u];
  }
  for (var s = 0u; s < params.steps; s++) {
    let side = (node >> (params.steps - 1u - s)) & 1u;
    let block = chacha_block(seed, params.tweak, vec4<u32>(0u, params.level + s, 0u, 0u));
    seed = select(block.a, block.b, side == 1u) ^ (params.fix[s] & vec4<u32>(0u - bit));
    bit = ((block.c.x >> (8u * side)) & 1u) ^ ((params.flips[s >> 2u][s & 3u] >> side) & bit);
  }
  if (LEAF) {
    let block = chacha_block(seed, params.tweak, vec4<u32>(0u, params.level + params.steps, 0u, 0u));
    let word = u64_add(block.c.zw, params.last & vec2<u32>(0u - bit));
    let sign = vec2<u32>(0u - params.party);
    let signed = u64_sub(word ^ sign, sign);
    out[2u * local] = signed.x;
    out[2u * local + 1u] = signed.y;
  } else {
    out[5u * local] = seed.x;
    out[5u * local + 1u] = seed.y;
    out[5u * local + 2u] = seed.z;
    out[5u * local + 3u] = seed.w;
    out[5u * local + 4u] = bit;
  }
}
