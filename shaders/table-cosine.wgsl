// selectionTable of a gated sum of cosines (PROTOCOL §6.9): entry w is (gate ⊕ w) · (constant + a, −1, then for
// every term round(amplitude · cos) and the same of sin at 2π · frequency · a / 2^20), one entry without a gate. As
// many of the first two words as `leading` says. The gate selects by masking; the tables are looked up by a multiple
// of P1's masked value, known to P1.
//
// Uses the frame lib/table.wgsl. group(1): 1 a (lanes), 2 gate (lanes; a again without one), 3 tables (cosine.wgsl),
// 4 terms (frequency, amplitude, s1, s2, v). Overrides: A_WIDE, GATE_WIDE: lanes of two words; HAS_GATE. Twin:
// cosineEntry in reference/cosine.ts.
// uses: grid u64 bytes chacha keystream layout cosine table

struct Params {
  key0: vec4<u32>, key1: vec4<u32>, last: vec4<u32>, packing: array<vec4<u32>, 4>,
  lead: u32, entries: u32, groups: u32, element: u32,
  constant: vec2<u32>, p: u32, leading: u32,
  linear: u32, phase: u32,
}

override A_WIDE: bool;
override GATE_WIDE: bool;
override HAS_GATE: bool;
@group(1) @binding(1) var<storage, read> a: array<u32>;
@group(1) @binding(2) var<storage, read> gate: array<u32>;
@group(1) @binding(3) var<storage, read> tables: array<i32>;
@group(1) @binding(4) var<storage, read> terms: array<u32>;

fn table_word(r: u32) -> vec2<u32> {
  let p = r % params.p;
  var w = r / params.p;
  var i = params.element;
  var open = 1u;
  if (HAS_GATE) {
    i += w >> 1u;
    w &= 1u;
    open = gate[i];
    if (GATE_WIDE) { open = gate[2u * i]; }
    open = (open ^ w) & 1u;
  } else {
    i += w;
  }
  var value = vec2<u32>(0u, 0u);
  if (A_WIDE) { value = vec2<u32>(a[2u * i], a[2u * i + 1u]); } else { value.x = a[i]; }
  var word = vec2<u32>(0xffffffffu, 0xffffffffu);
  if (p < params.leading) {
    if (p == 0u) { word = u64_add(params.constant, value & vec2<u32>(0u - params.linear)); }
  } else {
    let term = 5u * ((p - params.leading) >> 1u);
    let angle = value.x * terms[term] - params.phase - QUARTER * ((p - params.leading) & 1u);
    word = i64_nearest(i32_product(bitcast<i32>(terms[term + 1u]), cosine_of(angle)), 54u - terms[term + 2u]);
  }
  return word & vec2<u32>(0u - open);
}
