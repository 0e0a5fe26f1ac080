// selectionTable of the exponential: D_{2j+w} = (gate ⊕ w) · round(2^s1 · exp(start_i + a_lo)), i = (a_hi − j)
// mod 8, sixteen entries, one basis word. From integer tables (exp-tables.ts), with `below` = 2^22 − a_lo:
// ((coarse · fine + 2^30 >> 31) · segment + half) >> (57 − s1). The gate selects by masking; the tables are
// looked up by P1's masked value, known to P1.
//
// Uses the frame lib/table.wgsl. group(1): 1 a (lanes), 2 gate (lanes), 3 tables (coarse 2049, fine 2048,
// segment 8, as u32). Overrides: A_WIDE, GATE_WIDE: lanes of two words. Twin: expEntry in
// reference/selection.ts.
// uses: grid u64 bytes chacha keystream layout table

struct Params {
  key0: vec4<u32>, key1: vec4<u32>, last: vec4<u32>, packing: array<vec4<u32>, 4>,
  lead: u32, entries: u32, groups: u32, element: u32,
  half: vec2<u32>, drop: u32,
}

override A_WIDE: bool;
override GATE_WIDE: bool;
@group(1) @binding(1) var<storage, read> a: array<u32>;
@group(1) @binding(2) var<storage, read> gate: array<u32>;
@group(1) @binding(3) var<storage, read> tables: array<u32>;

fn table_word(r: u32) -> vec2<u32> {
  let i = params.element + (r >> 4u);
  let j = r & 15u;
  var value = vec2<u32>(0u, 0u);
  if (A_WIDE) { value = vec2<u32>(a[2u * i], a[2u * i + 1u]); } else { value.x = a[i]; }
  var open = gate[i];
  if (GATE_WIDE) { open = gate[2u * i]; }
  let segment = (u64_shr(value, 22u).x - (j >> 1u)) & 7u;
  let below = (1u << 22u) - (value.x & 0x3fffffu);
  let exact = u32_product(tables[below >> 11u], tables[2049u + (below & 2047u)]);
  let fraction = u64_shr(u64_add(exact, vec2<u32>(1u << 30u, 0u)), 31u).x;
  let entry = u64_shr(u64_add(u32_product(fraction, tables[4097u + segment]), params.half), params.drop);
  return entry & vec2<u32>(0u - ((open ^ j) & 1u));
}
