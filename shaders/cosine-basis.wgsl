// cosineBasis: φ of a sum of cosines, 2^shift and 2^shift · ℓ as far as `leading` goes, then for every term 2^v ·
// round(2^s2 · cos) and the same of sin at 2π · frequency · ℓ / 2^20. ℓ is a mask that P0 and P2 know: the tables are
// read by index.
//
// group(0): params. group(1): 0 ℓ (count lanes), 1 tables (cosine.wgsl), 2 terms (frequency, amplitude, s1, s2, v), 3
// out (count · P words). One invocation a word, 64 a workgroup. Override: X_WIDE: lanes of two words. Twin: cosinePhi
// in reference/cosine.ts.
// uses: grid u64 word cosine

struct Params { mask: vec2<u32>, count: u32, p: u32, leading: u32, shift: u32 }

override X_WIDE: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<u32>;
@group(1) @binding(1) var<storage, read> tables: array<i32>;
@group(1) @binding(2) var<storage, read> terms: array<u32>;
@group(1) @binding(3) var<storage, read_write> out: array<Word>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = 64u * group_number(group, groups) + lane;
  if (at >= params.count * params.p) { return; }
  let i = at / params.p;
  let p = at % params.p;
  var l = vec2<u32>(0u, 0u);
  if (X_WIDE) { l = vec2<u32>(x[2u * i], x[2u * i + 1u]); } else { l.x = x[i]; }
  var phi = vec2<u32>(1u, 0u);
  if (p < params.leading) {
    if (p == 1u) { phi = l; }
    phi = u64_shl(phi, params.shift);
  } else {
    let term = 5u * ((p - params.leading) >> 1u);
    let angle = l.x * terms[term] - QUARTER * ((p - params.leading) & 1u);
    let cosine = cosine_of(angle);
    phi = i64_nearest(vec2<u32>(bitcast<u32>(cosine), bitcast<u32>(cosine >> 31u)), 30u - terms[term + 3u]);
    phi = u64_shl(phi, terms[term + 4u]);
  }
  out[at] = word_and(word_of(phi), params.mask);
}
