// selectionTable of the exponential: D_{2j+w} = (gate ⊕ w) · round(2^s1 · exp(start_i + a_lo)), i = (a_hi − j)
// mod `segments`, two entries a segment, one basis word. From integer tables (exp-tables.ts), with `below` = 2^bits −
// a_lo: ((coarse · fine + 2^30 >> 31) · factor + half) >> drop. The gate selects by masking; the tables are
// looked up by P1's masked value, known to P1.
//
// Uses the frame lib/table.wgsl. group(1): 1 a (lanes), 2 gate (lanes), 3 tables (coarse 4097, fine 2048,
// as u32), 4 factor and drop of every segment. Overrides: A_WIDE, GATE_WIDE: lanes of two words. Twin: expEntry in
// reference/selection.ts.
// uses: grid u64 bytes chacha keystream layout table

struct Params {
  key0: vec4<u32>, key1: vec4<u32>, last: vec4<u32>, packing: array<vec4<u32>, 4>,
  lead: u32, entries: u32, groups: u32, element: u32,
  segments: u32, bits: u32,
}

override A_WIDE: bool;
override GATE_WIDE: bool;
@group(1) @binding(1) var<storage, read> a: array<u32>;
@group(1) @binding(2) var<storage, read> gate: array<u32>;
@group(1) @binding(3) var<storage, read> tables: array<u32>;
@group(1) @binding(4) var<storage, read> factors: array<vec2<u32>>;

fn table_word(r: u32) -> vec2<u32> {
  let i = params.element + r / (2u * params.segments);
  let j = r % (2u * params.segments);
  var value = vec2<u32>(0u, 0u);
  if (A_WIDE) { value = vec2<u32>(a[2u * i], a[2u * i + 1u]); } else { value.x = a[i]; }
  var open = gate[i];
  if (GATE_WIDE) { open = gate[2u * i]; }
  let segment = (u64_shr(value, params.bits).x - (j >> 1u)) & (params.segments - 1u);
  let below = (1u << params.bits) - (value.x & ((1u << params.bits) - 1u));
  let exact = u32_product(tables[below >> 11u], tables[4097u + (below & 2047u)]);
  let fraction = u64_shr(u64_add(exact, vec2<u32>(1u << 30u, 0u)), 31u).x;
  let factor = factors[segment];
  let half = u64_shr(u64_shl(vec2<u32>(1u, 0u), factor.y), 1u);
  let entry = u64_shr(u64_add(u32_product(fraction, factor.x), half), factor.y);
  return entry & vec2<u32>(0u - ((open ^ j) & 1u));
}
