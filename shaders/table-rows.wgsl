// selectionTable of rows: D_{i,j} = table[row_i · stride + j], one basis word. The table is public and the row
// P1's masked value, known to P1: the look-up is by index.
//
// Uses the frame lib/table.wgsl. group(1): 1 table (lanes), 2 row (lanes, one an element), 3 status: set to 1
// where a row is outside the table. Overrides: TABLE_WIDE, ROW_WIDE: lanes of two words. Twin: tableEntry in
// reference/selection.ts.
// uses: grid u64 bytes chacha keystream layout table

struct Params {
  key0: vec4<u32>, key1: vec4<u32>, last: vec4<u32>, packing: array<vec4<u32>, 4>,
  lead: u32, entries: u32, groups: u32, element: u32,
  n: u32, stride: u32, rows: u32,
}

override TABLE_WIDE: bool;
override ROW_WIDE: bool;
@group(1) @binding(1) var<storage, read> table: array<u32>;
@group(1) @binding(2) var<storage, read> row: array<u32>;
@group(1) @binding(3) var<storage, read_write> status: atomic<u32>;

fn table_word(r: u32) -> vec2<u32> {
  let i = params.element + r / params.n;
  var index = row[i];
  var outside = index >= params.rows;
  if (ROW_WIDE) {
    index = row[2u * i];
    outside = index >= params.rows || row[2u * i + 1u] != 0u;
  }
  if (outside) {
    atomicStore(&status, 1u);
    index = 0u;
  }
  let at = index * params.stride + r % params.n;
  if (TABLE_WIDE) { return vec2<u32>(table[2u * at], table[2u * at + 1u]); }
  return vec2<u32>(table[at], 0u);
}
