// tailRound, for a chunk of blocks: z_{a,b} = Σ_i u_{8i+a} w_{8i+b} mod q, with zeros behind both.
//
// group(0): params. group(1): 0 u, 1 w (`length` residues each), 2 out (64 residues a chunk). A workgroup makes the 64
// cells of one chunk. Twin: ReferenceProofKernels.tailRound.
// uses: grid u64 u128 proof-field

struct Params { field: Field, length: u32, blocks: u32, chunk: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> u: array<vec2<u32>>;
@group(1) @binding(1) var<storage, read> w: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read_write> out: array<vec2<u32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let number = group_number(group, groups);
  let begin = number * params.chunk;
  if (begin >= params.blocks) { return; }
  var sum = FieldSum();
  for (var i = begin; i < min(begin + params.chunk, params.blocks); i++) {
    let at = 8u * i + lane / 8u;
    let other = 8u * i + lane % 8u;
    if (at < params.length && other < params.length) { field_accumulate(&sum, u[at], w[other]); }
  }
  out[64u * number + lane] = field_value(sum);
}
