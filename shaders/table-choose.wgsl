// selectionTable of a choice among V values by B bits: with the joint bits j' = j ⊕ α (α from `bits`, bit b
// weighs 2^b) D_{j,0} = value pick[j'] (0 for none) and D_{j,1+v} = [v = pick[j']]. 2^B entries, 1 + V basis
// words. The pick follows P1's masked bits, known to P1: the look-up is by index.
//
// Uses the frame lib/table.wgsl. group(1): 1 pick (n u32; V stands for none), 2 bits (B vectors of `elements`
// lanes, one after the other), 3 values (V such vectors). Override: VALUE_WIDE: lanes of two words. Twin:
// tableEntry in reference/selection.ts.
// uses: grid u64 bytes chacha keystream layout table

struct Params {
  key0: vec4<u32>, key1: vec4<u32>, last: vec4<u32>, packing: array<vec4<u32>, 4>,
  lead: u32, entries: u32, groups: u32, elements: u32,
  bits: u32, values: u32,
}

override VALUE_WIDE: bool;
@group(1) @binding(1) var<storage, read> pick: array<u32>;
@group(1) @binding(2) var<storage, read> bits: array<u32>;
@group(1) @binding(3) var<storage, read> values: array<u32>;

fn table_word(r: u32) -> vec2<u32> {
  let p = r % (1u + params.values);
  let entry = r / (1u + params.values);
  let i = entry >> params.bits;
  var joint = entry & ((1u << params.bits) - 1u);
  for (var b = 0u; b < params.bits; b++) { joint ^= bits[b * params.elements + i] << b; }
  let chosen = pick[joint];
  if (p > 0u) { return vec2<u32>(u32(chosen == p - 1u), 0u); }
  if (chosen == params.values) { return vec2<u32>(0u, 0u); }
  let at = chosen * params.elements + i;
  if (VALUE_WIDE) { return vec2<u32>(values[2u * at], values[2u * at + 1u]); }
  return vec2<u32>(values[at], 0u);
}
