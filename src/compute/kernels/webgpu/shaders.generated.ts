/** Generated from shaders/ by scripts/build-shaders.mjs. Do not edit. */

export interface ShaderSource {
  readonly uses: readonly string[];
  readonly source: string;
}

export const SHADERS: Readonly<Record<string, ShaderSource>> = {
  'binary': {
    uses: ['grid', 'word'],
    source: `struct Params { count: u32, first: u32, cols: u32, unused: u32, mask: vec2<u32>, constant: vec2<u32> }
override OP: u32;
override OPERAND: u32;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<Word>;
@group(1) @binding(1) var<storage, read> y: array<Word>;
@group(1) @binding(2) var<storage, read_write> out: array<Word>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let i = 64u * group_number(group, groups) + lane;
if (i >= params.count) { return; }
var right = word_of(params.constant);
if (OPERAND == 0u) { right = y[i]; }
if (OPERAND == 1u) { right = y[(params.first + i) % params.cols]; }
var value = word_add(x[i], right);
if (OP == 1u) { value = word_sub(x[i], right); }
if (OP == 2u) { value = word_mul(x[i], right); }
out[i] = word_and(value, params.mask);
}
`,
  },
  'choose-basis': {
    uses: ['grid', 'word'],
    source: `struct Params { mask: vec2<u32>, count: u32, first: u32, elements: u32, values: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> values: array<Word>;
@group(1) @binding(1) var<storage, read_write> out: array<Word>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let local = 64u * group_number(group, groups) + lane;
if (local >= params.count) { return; }
let at = params.first + local;
let p = at % (1u + params.values);
var word = word_of(vec2<u32>(1u, 0u));
if (p > 0u) { word = word_negate(values[(p - 1u) * params.elements + at / (1u + params.values)]); }
out[local] = word_and(word, params.mask);
}
`,
  },
  'convert': {
    uses: ['grid', 'u64'],
    source: `struct Params { count: u32, shift: u32, mask: vec2<u32> }
override X_WIDE: bool;
override OUT_WIDE: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<u32>;
@group(1) @binding(1) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let i = 64u * group_number(group, groups) + lane;
if (i >= params.count) { return; }
var value = vec2<u32>(0u, 0u);
if (X_WIDE) { value = vec2<u32>(x[2u * i], x[2u * i + 1u]); } else { value.x = x[i]; }
value = u64_shr(value, params.shift) & params.mask;
if (OUT_WIDE) {
out[2u * i] = value.x;
out[2u * i + 1u] = value.y;
} else {
out[i] = value.x;
}
}
`,
  },
  'cosine-basis': {
    uses: ['grid', 'u64', 'word', 'cosine'],
    source: `struct Params { mask: vec2<u32>, count: u32, p: u32, leading: u32, shift: u32 }
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
`,
  },
  'deal': {
    uses: ['grid', 'u64', 'word', 'bytes', 'chacha', 'layout'],
    source: `struct Params {
key0: vec4<u32>, key1: vec4<u32>, last: vec4<u32>,
packing: array<vec4<u32>, 4>,
mask: vec2<u32>, count: u32, skip: u32, n: u32,
}
override BLOCKS: u32;
override HAS_BASIS: bool;
override INDEX_WIDE: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> index: array<u32>;
@group(1) @binding(1) var<storage, read> basis: array<Word>;
@group(1) @binding(2) var<storage, read> r0: array<Word>;
@group(1) @binding(3) var<storage, read_write> out: array<Word>;
fn block_at(number: u32) -> array<u32, 16> {
let s = chacha_block(params.key0, params.key1, params.last + vec4<u32>(number, 0u, 0u, 0u));
return array<u32, 16>(s.a.x, s.a.y, s.a.z, s.a.w, s.b.x, s.b.y, s.b.z, s.b.w,
s.c.x, s.c.y, s.c.z, s.c.w, s.d.x, s.d.y, s.d.z, s.d.w);
}
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let i = 64u * group_number(group, groups) + lane;
if (i >= params.count) { return; }
var c = index[i];
if (INDEX_WIDE) { c = index[2u * i]; }
let at = params.skip + (i * params.n + min(c, params.n - 1u)) * entry_bits();
var sum = r0[i];
var window: array<u32, 34>;
var next = block_at(at >> 9u);
for (var block = 0u; block < BLOCKS; block++) {
for (var w = 0u; w < 16u; w++) { window[w] = next[w]; }
if (block + 1u < BLOCKS) {
next = block_at((at >> 9u) + block + 1u);
for (var w = 0u; w < 16u; w++) { window[16u + w] = next[w]; }
}
var bit = at & 511u;
for (var p = 0u; p < entry_words(); p++) {
let width = width_of(p);
let word = (bit & 511u) >> 5u;
var pad = bytes_word(window[word], window[word + 1u], window[word + 2u], bit & 31u) & u64_mask(width);
pad &= vec2<u32>(0u - u32((bit >> 9u) == block));
if (HAS_BASIS) { sum = word_add(sum, word_mul(word_of(pad), basis[i * entry_words() + p])); }
else { sum = word_add(sum, word_of(pad)); }
bit += width;
}
}
out[i] = word_and(word_negate(sum), params.mask);
}
`,
  },
  'draw': {
    uses: ['grid', 'word', 'chacha', 'keystream'],
    source: `struct Params { key0: vec4<u32>, key1: vec4<u32>, last: vec4<u32>, count: u32, lead: u32, mask: vec2<u32> }
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
let i = number * LANES + e - params.lead;
if (i < params.count) {
var value = vec2<u32>(keystream_word(e), 0u);
if (WORD_BYTES == 8u) { value = vec2<u32>(keystream_word(2u * e), keystream_word(2u * e + 1u)); }
out[i] = word_and(word_of(value), params.mask);
}
}
}
`,
  },
  'evaluate': {
    uses: ['grid', 'u64', 'word', 'bytes', 'layout'],
    source: `struct Params {
packing: array<vec4<u32>, 4>,
mask: vec2<u32>, count: u32, n: u32,
index_at: u32, basis_at: u32, word_at: u32,
}
override HAS_BASIS: bool;
override INDEX_WIDE: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> index: array<u32>;
@group(1) @binding(1) var<storage, read> basis: array<Word>;
@group(1) @binding(2) var<storage, read> table: array<u32>;
@group(1) @binding(3) var<storage, read> words: array<Word>;
@group(1) @binding(4) var<storage, read_write> out: array<Word>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let i = 64u * group_number(group, groups) + lane;
if (i >= params.count) { return; }
var c = index[params.index_at + i];
if (INDEX_WIDE) { c = index[2u * (params.index_at + i)]; }
var bit = (i * params.n + min(c, params.n - 1u)) * entry_bits();
var sum = words[params.word_at + i];
for (var p = 0u; p < entry_words(); p++) {
let width = width_of(p);
let at = bit >> 5u;
let entry = bytes_word(table[at], table[at + 1u], table[at + 2u], bit & 31u) & u64_mask(width);
bit += width;
if (HAS_BASIS) {
sum = word_add(sum, word_mul(word_of(entry), basis[params.basis_at + i * entry_words() + p]));
} else {
sum = word_add(sum, word_of(entry));
}
}
out[i] = word_and(sum, params.mask);
}
`,
  },
  'exp-basis': {
    uses: ['grid', 'u64', 'word'],
    source: `struct Params { mask: vec2<u32>, half: vec2<u32>, count: u32, drop: u32, bits: u32 }
override X_WIDE: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<u32>;
@group(1) @binding(1) var<storage, read> tables: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<Word>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let i = 64u * group_number(group, groups) + lane;
if (i >= params.count) { return; }
var low = x[i];
if (X_WIDE) { low = x[2u * i]; }
low &= (1u << params.bits) - 1u;
let product = u32_product(tables[low >> 11u], tables[4097u + (low & 2047u)]);
out[i] = word_and(word_of(u64_shr(u64_add(product, params.half), params.drop)), params.mask);
}
`,
  },
  'gather': {
    uses: ['grid', 'word'],
    source: `struct Params { count: u32, first: u32, length: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<Word>;
@group(1) @binding(1) var<storage, read> index: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<Word>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let i = 64u * group_number(group, groups) + lane;
if (i >= params.count) { return; }
let at = index[i] - params.first;
if (at < params.length) { out[i] = x[at]; }
}
`,
  },
  'lib/bytes': {
    uses: [],
    source: `fn bytes_word(first: u32, second: u32, third: u32, bit: u32) -> vec2<u32> {
return vec2<u32>((first >> bit) | ((second << 1u) << (31u - bit)), (second >> bit) | ((third << 1u) << (31u - bit)));
}
`,
  },
  'lib/chacha': {
    uses: [],
    source: `struct ChaChaBlock { a: vec4<u32>, b: vec4<u32>, c: vec4<u32>, d: vec4<u32> }
fn chacha_rotate(x: vec4<u32>, n: u32) -> vec4<u32> {
return (x << vec4<u32>(n)) | (x >> vec4<u32>(32u - n));
}
fn chacha_block(key0: vec4<u32>, key1: vec4<u32>, last: vec4<u32>) -> ChaChaBlock {
let sigma = vec4<u32>(0x61707865u, 0x3320646eu, 0x79622d32u, 0x6b206574u);
var a = sigma;
var b = key0;
var c = key1;
var d = last;
for (var round = 0u; round < 20u; round++) {
a += b; d = chacha_rotate(d ^ a, 16u);
c += d; b = chacha_rotate(b ^ c, 12u);
a += b; d = chacha_rotate(d ^ a, 8u);
c += d; b = chacha_rotate(b ^ c, 7u);
if ((round & 1u) == 0u) { b = b.yzwx; c = c.zwxy; d = d.wxyz; } else { b = b.wxyz; c = c.zwxy; d = d.yzwx; }
}
return ChaChaBlock(a + sigma, b + key0, c + key1, d + last);
}
`,
  },
  'lib/cosine': {
    uses: [],
    source: `const QUARTER = 262144u;
fn i32_product(x: i32, y: i32) -> vec2<u32> {
let product = u32_product(bitcast<u32>(x), bitcast<u32>(y));
let excess = (bitcast<u32>(y) & bitcast<u32>(x >> 31u)) + (bitcast<u32>(x) & bitcast<u32>(y >> 31u));
return vec2<u32>(product.x, product.y - excess);
}
fn i64_nearest(v: vec2<u32>, drop: u32) -> vec2<u32> {
var half = u64_shl(vec2<u32>(1u, 0u), drop);
half = u64_shr(half, 1u);
return i64_shr(u64_add(v, half), drop);
}
fn cosine_of(angle: u32) -> i32 {
let high = (angle >> 10u) & 1023u;
let low = angle & 1023u;
let exact = u64_sub(
i32_product(tables[high], tables[1024u + low]),
i32_product(tables[(high + 768u) & 1023u], tables[2048u + low]));
return bitcast<i32>(i64_nearest(exact, 30u).x);
}
`,
  },
  'lib/grid': {
    uses: [],
    source: `fn group_number(group: vec3<u32>, groups: vec3<u32>) -> u32 {
return group.y * groups.x + group.x;
}
`,
  },
  'lib/keystream': {
    uses: [],
    source: `var<workgroup> keystream: array<u32, 1040>;
fn keystream_fill(t: u32, block: ChaChaBlock) {
for (var w = 0u; w < 4u; w++) {
keystream[65u * w + t] = block.a[w];
keystream[65u * (w + 4u) + t] = block.b[w];
keystream[65u * (w + 8u) + t] = block.c[w];
keystream[65u * (w + 12u) + t] = block.d[w];
}
}
fn keystream_word(m: u32) -> u32 {
return keystream[65u * (m & 15u) + (m >> 4u)];
}
`,
  },
  'lib/layout': {
    uses: [],
    source: `fn entry_bits() -> u32 { return params.packing[0].x; }
fn entry_words() -> u32 { return params.packing[0].y; }
fn width_of(p: u32) -> u32 {
let byte = 8u + p;
return (params.packing[byte >> 4u][(byte >> 2u) & 3u] >> (8u * (byte & 3u))) & 255u;
}
`,
  },
  'lib/ot': {
    uses: [],
    source: `const OT_ROWS = 160u;
fn ot_column(row: u32, j: u32) -> u32 {
let at = ((j >> 9u) * OT_ROWS + row) * 16u + ((j & 511u) >> 5u);
var bits = 0u;
for (var r = 0u; r < 32u; r++) { bits |= ((rows[at + 16u * r] >> (j & 31u)) & 1u) << r; }
return bits;
}
fn ot_column4(j: u32) -> vec4<u32> {
return vec4<u32>(ot_column(0u, j), ot_column(32u, j), ot_column(64u, j), ot_column(96u, j));
}
fn ot_hash(q: vec4<u32>, tweak: vec4<u32>, last: vec4<u32>) -> vec2<u32> {
return chacha_block(q, tweak, last).a.xy;
}
`,
  },
  'lib/table': {
    uses: [],
    source: `@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read_write> out: array<u32>;
const WINDOW = 1008u;
var<workgroup> sums: array<atomic<u32>, WINDOW>;
fn pad_at(at: u32) -> vec2<u32> {
let u = at >> 5u;
return bytes_word(
keystream_word(u), keystream_word(min(u + 1u, 1023u)), keystream_word(min(u + 2u, 1023u)), at & 31u);
}
fn put(u: u32, bits: u32) {
if (u >= 16u && u < 1024u && bits != 0u) { atomicOr(&sums[u - 16u], bits); }
}
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let number = group_number(group, groups);
if (number >= params.groups) { return; }
let counter = params.last + vec4<u32>(63u * number + lane - 1u, 0u, 0u, 0u);
keystream_fill(lane, chacha_block(params.key0, params.key1, counter));
for (var u = lane; u < WINDOW; u += 64u) { atomicStore(&sums[u], 0u); }
workgroupBarrier();
let entry = entry_bits();
if (entry == 1u) {
for (var u = lane; u < WINDOW; u += 64u) {
var bits = 0u;
for (var b = 0u; b < 32u; b++) {
let r = 32u * (WINDOW * number + u) + b - params.lead;
if (r < params.entries) { bits |= (((keystream_word(16u + u) >> b) ^ table_word(r).x) & 1u) << b; }
}
out[WINDOW * number + u] = bits;
}
return;
}
let begin = 32u * WINDOW * number - min(params.lead, 32u * WINDOW * number);
let end = 32u * WINDOW * (number + 1u) - params.lead;
for (var e = begin / entry + lane; e < params.entries && e * entry < end; e += 64u) {
var at = 512u + params.lead + e * entry - 32u * WINDOW * number;
for (var p = 0u; p < entry_words(); p++) {
let width = width_of(p);
let ends = at + width;
if (at < 32768u && ends > 512u) {
let sum = u64_add(pad_at(at), table_word(e * entry_words() + p)) & u64_mask(width);
let low = u64_shl(sum, at & 31u);
put(at >> 5u, low.x);
put((at >> 5u) + 1u, low.y);
put((at >> 5u) + 2u, (sum.y >> 1u) >> (31u - (at & 31u)));
}
at = ends;
}
}
workgroupBarrier();
for (var u = lane; u < WINDOW; u += 64u) { out[WINDOW * number + u] = atomicLoad(&sums[u]); }
}
`,
  },
  'lib/u128': {
    uses: [],
    source: `fn u64_product(x: vec2<u32>, y: vec2<u32>) -> vec4<u32> {
let low = u32_product(x.x, y.x);
let high = u32_product(x.y, y.y);
let a = u32_product(x.x, y.y);
let b = u32_product(x.y, y.x);
let first = u64_add(vec2<u32>(low.y, 0u), a);
let second = u64_add(vec2<u32>(first.x, 0u), b);
let rest = u64_add(u64_add(high, vec2<u32>(first.y, 0u)), vec2<u32>(second.y, 0u));
return vec4<u32>(low.x, second.x, rest.x, rest.y);
}
fn u128_mul(x: vec4<u32>, y: vec2<u32>) -> vec4<u32> {
let low = u64_product(x.xy, y);
return vec4<u32>(low.xy, u64_add(low.zw, u64_mul(x.zw, y)));
}
fn u128_shr(x: vec4<u32>, s: u32) -> vec4<u32> {
var v = x;
if (s >= 128u) { return vec4<u32>(0u); }
if ((s & 64u) != 0u) { v = vec4<u32>(v.zw, 0u, 0u); }
if ((s & 32u) != 0u) { v = vec4<u32>(v.yzw, 0u); }
let rest = s & 31u;
if (rest == 0u) { return v; }
return (v >> vec4<u32>(rest)) | (vec4<u32>(v.yzw, 0u) << vec4<u32>(32u - rest));
}
`,
  },
  'lib/u64': {
    uses: [],
    source: `fn u64_add(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
let lo = x.x + y.x;
return vec2<u32>(lo, x.y + y.y + u32(lo < x.x));
}
fn u64_sub(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
return vec2<u32>(x.x - y.x, x.y - y.y - u32(x.x < y.x));
}
fn u64_negate(x: vec2<u32>) -> vec2<u32> {
return vec2<u32>(0u - x.x, 0u - x.y - u32(x.x != 0u));
}
fn u32_product(x: u32, y: u32) -> vec2<u32> {
let x0 = x & 0xffffu;
let x1 = x >> 16u;
let y0 = y & 0xffffu;
let y1 = y >> 16u;
let a = x1 * y0 + ((x0 * y0) >> 16u);
let b = x0 * y1 + (a & 0xffffu);
return vec2<u32>(x * y, x1 * y1 + (a >> 16u) + (b >> 16u));
}
fn u64_mul(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
let low = u32_product(x.x, y.x);
return vec2<u32>(low.x, low.y + x.x * y.y + x.y * y.x);
}
fn u64_shl(x: vec2<u32>, s: u32) -> vec2<u32> {
if (s >= 64u) { return vec2<u32>(0u, 0u); }
if (s >= 32u) { return vec2<u32>(0u, x.x << (s - 32u)); }
if (s == 0u) { return x; }
return vec2<u32>(x.x << s, (x.y << s) | (x.x >> (32u - s)));
}
fn u64_shr(x: vec2<u32>, s: u32) -> vec2<u32> {
if (s >= 64u) { return vec2<u32>(0u, 0u); }
if (s >= 32u) { return vec2<u32>(x.y >> (s - 32u), 0u); }
if (s == 0u) { return x; }
return vec2<u32>((x.x >> s) | (x.y << (32u - s)), x.y >> s);
}
fn i64_shr(x: vec2<u32>, s: u32) -> vec2<u32> {
let sign = bitcast<u32>(bitcast<i32>(x.y) >> 31u);
if (s >= 32u) { return vec2<u32>(bitcast<u32>(bitcast<i32>(x.y) >> (s - 32u)), sign); }
if (s == 0u) { return x; }
return vec2<u32>((x.x >> s) | (x.y << (32u - s)), bitcast<u32>(bitcast<i32>(x.y) >> s));
}
fn u64_mask(k: u32) -> vec2<u32> {
return u64_sub(u64_shl(vec2<u32>(1u, 0u), k), vec2<u32>(1u, 0u));
}
`,
  },
  'lib/word32': {
    uses: [],
    source: `alias Word = u32;
const WORD_BYTES = 4u;
const TILE_DEPTH = 16u;
fn word_add(x: Word, y: Word) -> Word { return x + y; }
fn word_sub(x: Word, y: Word) -> Word { return x - y; }
fn word_mul(x: Word, y: Word) -> Word { return x * y; }
fn word_negate(x: Word) -> Word { return 0u - x; }
fn word_and(x: Word, mask: vec2<u32>) -> Word { return x & mask.x; }
fn word_of(v: vec2<u32>) -> Word { return v.x; }
fn word_wide(x: Word) -> vec2<u32> { return vec2<u32>(x, 0u); }
struct Sums { lo: vec4<u32> }
fn sums_add(sums: ptr<function, Sums>, a: Word, b: array<Word, 4>) {
(*sums).lo += a * vec4<u32>(b[0], b[1], b[2], b[3]);
}
fn sums_words(sums: Sums) -> array<Word, 4> {
return array<Word, 4>(sums.lo.x, sums.lo.y, sums.lo.z, sums.lo.w);
}
`,
  },
  'lib/word64': {
    uses: [],
    source: `alias Word = vec2<u32>;
const WORD_BYTES = 8u;
const TILE_DEPTH = 8u;
fn word_add(x: Word, y: Word) -> Word { return u64_add(x, y); }
fn word_sub(x: Word, y: Word) -> Word { return u64_sub(x, y); }
fn word_mul(x: Word, y: Word) -> Word { return u64_mul(x, y); }
fn word_negate(x: Word) -> Word { return u64_negate(x); }
fn word_and(x: Word, mask: vec2<u32>) -> Word { return x & mask; }
fn word_of(v: vec2<u32>) -> Word { return v; }
fn word_wide(x: Word) -> vec2<u32> { return x; }
struct Sums { lo: vec4<u32>, hi: vec4<u32> }
fn sums_add(sums: ptr<function, Sums>, a: Word, b: array<Word, 4>) {
let lo = vec4<u32>(b[0].x, b[1].x, b[2].x, b[3].x);
let hi = vec4<u32>(b[0].y, b[1].y, b[2].y, b[3].y);
let b0 = lo & vec4<u32>(0xffffu);
let b1 = lo >> vec4<u32>(16u);
let a0 = a.x & 0xffffu;
let a1 = a.x >> 16u;
let first = a1 * b0 + ((a0 * b0) >> vec4<u32>(16u));
let second = a0 * b1 + (first & vec4<u32>(0xffffu));
let product = a.x * lo;
let sum = (*sums).lo + product;
(*sums).lo = sum;
(*sums).hi += a1 * b1 + (first >> vec4<u32>(16u)) + (second >> vec4<u32>(16u)) + a.x * hi + a.y * lo
+ select(vec4<u32>(0u), vec4<u32>(1u), sum < product);
}
fn sums_words(sums: Sums) -> array<Word, 4> {
return array<Word, 4>(
vec2<u32>(sums.lo.x, sums.hi.x), vec2<u32>(sums.lo.y, sums.hi.y),
vec2<u32>(sums.lo.z, sums.hi.z), vec2<u32>(sums.lo.w, sums.hi.w));
}
`,
  },
  'matmul': {
    uses: ['grid', 'word'],
    source: `struct Params {
mask: vec2<u32>,
m: u32, n: u32, inner: u32, slices: u32, depth: u32,
x_at: u32, x_batch: u32, x_row: u32,
y_at: u32, y_batch: u32, y_row: u32,
out_at: u32, out_batch: u32, out_slice: u32, out_row: u32,
accumulate: u32,
tiles_m: u32, tiles_n: u32, tiles: u32,
}
override TRANSPOSED: bool;
override Y_I32: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<Word>;
@group(1) @binding(1) var<storage, read> y: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<Word>;
const COLUMN = 65u;
var<workgroup> left: array<Word, COLUMN * TILE_DEPTH>;
var<workgroup> right: array<Word, COLUMN * TILE_DEPTH>;
fn y_word(at: u32) -> Word {
if (Y_I32) {
let entry = y[at];
return word_of(vec2<u32>(entry, bitcast<u32>(bitcast<i32>(entry) >> 31u)));
}
if (WORD_BYTES == 4u) { return word_of(vec2<u32>(y[at], 0u)); }
return word_of(vec2<u32>(y[2u * at], y[2u * at + 1u]));
}
@compute @workgroup_size(16, 16)
fn main(
@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_id) local: vec3<u32>, @builtin(local_invocation_index) lane: u32,
) {
let number = group_number(group, groups);
if (number >= params.tiles) { return; }
let tile_n = number % params.tiles_n;
let tile_m = (number / params.tiles_n) % params.tiles_m;
let slice = (number / (params.tiles_n * params.tiles_m)) % params.slices;
let batch = number / (params.tiles_n * params.tiles_m * params.slices);
let row0 = 64u * tile_m;
let col0 = 64u * tile_n;
let end = min((slice + 1u) * params.depth, params.inner);
let zero = word_of(vec2<u32>(0u, 0u));
var sums0: Sums;
var sums1: Sums;
var sums2: Sums;
var sums3: Sums;
for (var begin = slice * params.depth; begin < end; begin += TILE_DEPTH) {
for (var at = lane; at < 64u * TILE_DEPTH; at += 256u) {
let i = at % TILE_DEPTH;
let r = at / TILE_DEPTH;
var value = zero;
if (row0 + r < params.m && begin + i < end) {
value = x[params.x_at + batch * params.x_batch + (row0 + r) * params.x_row + begin + i];
}
left[COLUMN * i + r] = value;
}
for (var at = lane; at < 64u * TILE_DEPTH; at += 256u) {
var i = at / 64u;
var c = at % 64u;
if (TRANSPOSED) { i = at % TILE_DEPTH; c = at / TILE_DEPTH; }
var value = zero;
if (col0 + c < params.n && begin + i < end) {
var place = (begin + i) * params.y_row + col0 + c;
if (TRANSPOSED) { place = (col0 + c) * params.y_row + begin + i; }
value = y_word(params.y_at + batch * params.y_batch + place);
}
right[COLUMN * i + c] = value;
}
workgroupBarrier();
for (var i = 0u; i < TILE_DEPTH; i++) {
let at = COLUMN * i + local.x;
let b = array<Word, 4>(right[at], right[at + 16u], right[at + 32u], right[at + 48u]);
let a = COLUMN * i + local.y;
sums_add(&sums0, left[a], b);
sums_add(&sums1, left[a + 16u], b);
sums_add(&sums2, left[a + 32u], b);
sums_add(&sums3, left[a + 48u], b);
}
workgroupBarrier();
}
let tile = array<array<Word, 4>, 4>(sums_words(sums0), sums_words(sums1), sums_words(sums2), sums_words(sums3));
for (var r = 0u; r < 4u; r++) {
let row = row0 + local.y + 16u * r;
for (var c = 0u; c < 4u; c++) {
let col = col0 + local.x + 16u * c;
if (row < params.m && col < params.n) {
let place = params.out_at + batch * params.out_batch + slice * params.out_slice + row * params.out_row + col;
var value = tile[r][c];
if (params.accumulate != 0u) { value = word_add(value, out[place]); }
out[place] = word_and(value, params.mask);
}
}
}
}
`,
  },
  'ot-expand': {
    uses: ['grid', 'chacha'],
    source: `struct Params { last: vec4<u32>, blocks: u32 }
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
`,
  },
  'ot-receive': {
    uses: ['grid', 'word', 'chacha', 'ot'],
    source: `struct Params { last: vec4<u32>, tweak: vec4<u32>, mask: vec2<u32>, count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> rows: array<u32>;
@group(1) @binding(1) var<storage, read> choice: array<u32>;
@group(1) @binding(2) var<storage, read_write> message: array<u32>;
@group(1) @binding(3) var<storage, read_write> words: array<Word>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let j = 64u * group_number(group, groups) + lane;
if (j >= params.count) { return; }
message[j] = ot_column(128u, j) ^ (0u - choice[j]);
let hash = ot_hash(ot_column4(j), params.tweak, params.last + vec4<u32>(j, 0u, 0u, 0u));
words[j] = word_and(word_of(hash), params.mask);
}
`,
  },
  'ot-send': {
    uses: ['grid', 'word', 'chacha', 'ot'],
    source: `struct Params { last: vec4<u32>, tweak: vec4<u32>, delta: vec4<u32>, mask: vec2<u32>, count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> rows: array<u32>;
@group(1) @binding(1) var<storage, read> message: array<u32>;
@group(1) @binding(2) var<storage, read_write> zero: array<Word>;
@group(1) @binding(3) var<storage, read_write> one: array<Word>;
fn nibbles(d: u32) -> vec4<u32> {
var x = (vec4<u32>(d) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu);
x = (x | (x << vec4<u32>(12u))) & vec4<u32>(0x000f000fu);
x = (x | (x << vec4<u32>(6u))) & vec4<u32>(0x03030303u);
x = (x | (x << vec4<u32>(3u))) & vec4<u32>(0x11111111u);
return (x << vec4<u32>(4u)) - x;
}
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let j = 64u * group_number(group, groups) + lane;
if (j >= params.count) { return; }
let q = ot_column4(j) ^ (nibbles(message[j]) & params.delta);
let last = params.last + vec4<u32>(j, 0u, 0u, 0u);
zero[j] = word_and(word_of(ot_hash(q, params.tweak, last)), params.mask);
one[j] = word_and(word_of(ot_hash(q ^ params.delta, params.tweak, last)), params.mask);
}
`,
  },
  'pack': {
    uses: ['grid', 'u64', 'word'],
    source: `struct Params { count: u32, length: u32, k: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<Word>;
@group(1) @binding(1) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let u = 64u * group_number(group, groups) + lane;
if (u >= params.length) { return; }
let i = 32u * u / params.k;
let before = 32u * u - params.k * i;
var value = 0u;
if (i < params.count) { value = u64_shr(word_wide(x[i]), before).x; }
for (var w = 1u; params.k * w - before < 32u && i + w < params.count; w++) {
value |= word_wide(x[i + w]).x << (params.k * w - before);
}
out[u] = value;
}
`,
  },
  'point': {
    uses: ['grid', 'u64', 'chacha'],
    source: `struct Params {
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
`,
  },
  'powers': {
    uses: ['grid', 'u64', 'u128', 'word'],
    source: `struct Params { mask: vec2<u32>, low: vec2<u32>, count: u32, t: u32, s2: u32, p: u32 }
override X_WIDE: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<u32>;
@group(1) @binding(1) var<storage, read_write> out: array<Word>;
fn placed(power: vec4<u32>, down: u32) -> vec2<u32> {
if (down < params.s2) { return u64_shl(power.xy, params.s2 - down); }
return u128_shr(power, down - params.s2).xy;
}
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let i = 64u * group_number(group, groups) + lane;
if (i >= params.count) { return; }
var l = vec2<u32>(0u, 0u);
if (X_WIDE) { l = vec2<u32>(x[2u * i], x[2u * i + 1u]); } else { l.x = x[i]; }
l &= params.low;
var power = vec4<u32>(1u, 0u, 0u, 0u);
for (var p = 0u; p < params.p; p++) {
out[params.p * i + p] = word_and(word_of(placed(power, p * params.t)), params.mask);
power = u128_mul(power, l);
}
}
`,
  },
  'repeat': {
    uses: ['grid', 'word'],
    source: `struct Params { count: u32, first: u32, cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<Word>;
@group(1) @binding(1) var<storage, read_write> out: array<Word>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let i = 64u * group_number(group, groups) + lane;
if (i >= params.count) { return; }
out[i] = x[(params.first + i) / params.cols];
}
`,
  },
  'sum-parts': {
    uses: ['grid', 'word'],
    source: `struct Params { count: u32, slices: u32, mask: vec2<u32> }
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> parts: array<Word>;
@group(1) @binding(1) var<storage, read_write> out: array<Word>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let i = 64u * group_number(group, groups) + lane;
if (i >= params.count) { return; }
var sum = word_of(vec2<u32>(0u, 0u));
for (var s = 0u; s < params.slices; s++) { sum = word_add(sum, parts[s * params.count + i]); }
out[i] = word_and(sum, params.mask);
}
`,
  },
  'sum-rows': {
    uses: ['grid', 'word'],
    source: `struct Params { rows: u32, cols: u32, mask: vec2<u32> }
override SPAN: u32;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<Word>;
@group(1) @binding(1) var<storage, read_write> out: array<Word>;
var<workgroup> partial: array<Word, 64>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let row = group_number(group, groups) * (64u / SPAN) + lane / SPAN;
var sum = word_of(vec2<u32>(0u, 0u));
if (row < params.rows) {
for (var c = lane % SPAN; c < params.cols; c += SPAN) { sum = word_add(sum, x[row * params.cols + c]); }
}
partial[lane] = sum;
for (var half = SPAN / 2u; half > 0u; half /= 2u) {
workgroupBarrier();
if (lane % SPAN < half) { partial[lane] = word_add(partial[lane], partial[lane + half]); }
}
if (row < params.rows && lane % SPAN == 0u) { out[row] = word_and(partial[lane], params.mask); }
}
`,
  },
  'table-choose': {
    uses: ['grid', 'u64', 'bytes', 'chacha', 'keystream', 'layout', 'table'],
    source: `struct Params {
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
`,
  },
  'table-cosine': {
    uses: ['grid', 'u64', 'bytes', 'chacha', 'keystream', 'layout', 'cosine', 'table'],
    source: `struct Params {
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
`,
  },
  'table-exp': {
    uses: ['grid', 'u64', 'bytes', 'chacha', 'keystream', 'layout', 'table'],
    source: `struct Params {
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
`,
  },
  'table-polynomial': {
    uses: ['grid', 'u64', 'u128', 'bytes', 'chacha', 'keystream', 'layout', 'table'],
    source: `struct Params {
key0: vec4<u32>, key1: vec4<u32>, last: vec4<u32>, packing: array<vec4<u32>, 4>,
lead: u32, entries: u32, groups: u32, element: u32,
segments: u32, t: u32, guard: u32, degree: u32,
low: vec2<u32>, half: vec2<u32>,
}
override A_WIDE: bool;
override NARROW: bool;
@group(1) @binding(1) var<storage, read> a: array<u32>;
@group(1) @binding(2) var<storage, read> coefficients: array<vec2<u32>>;
const BINOMIAL = array<u32, 25>(
1u, 0u, 0u, 0u, 0u, 1u, 1u, 0u, 0u, 0u, 1u, 2u, 1u, 0u, 0u, 1u, 3u, 3u, 1u, 0u, 1u, 4u, 6u, 4u, 1u);
fn scaled(v: vec2<u32>, u: vec2<u32>) -> vec2<u32> {
var product = u64_product(v, u);
let excess = u & vec2<u32>(bitcast<u32>(bitcast<i32>(v.y) >> 31u));
let high = u64_sub(product.zw, excess);
if (params.t == 0u) { return product.xy; }
return u64_shr(product.xy, params.t) | u64_shl(high, 64u - params.t);
}
fn table_word(r: u32) -> vec2<u32> {
let words = params.degree + 1u;
let p = r % words;
let j = (r / words) % params.segments;
let i = params.element + (r / words) / params.segments;
var value = vec2<u32>(0u, 0u);
if (A_WIDE) { value = vec2<u32>(a[2u * i], a[2u * i + 1u]); } else { value.x = a[i]; }
let u = value & params.low;
let segment = (u64_shr(value, params.t).x + params.segments - j) % params.segments;
if (NARROW) {
var sum = 0i;
for (var q = params.degree; q + 1u > p; q--) {
let next = bitcast<i32>(coefficients[words * segment + q].x * BINOMIAL[5u * q + p]);
sum = ((sum * bitcast<i32>(u.x)) >> params.t) + next;
}
if ((p & 1u) == 1u) { sum = -sum; }
sum = (sum + bitcast<i32>(params.half.x)) >> params.guard;
return vec2<u32>(bitcast<u32>(sum), bitcast<u32>(sum >> 31u));
}
var sum = vec2<u32>(0u, 0u);
for (var q = params.degree; q + 1u > p; q--) {
sum = u64_add(scaled(sum, u), u64_mul(coefficients[words * segment + q], vec2<u32>(BINOMIAL[5u * q + p], 0u)));
}
if ((p & 1u) == 1u) { sum = u64_negate(sum); }
return i64_shr(u64_add(sum, params.half), params.guard);
}
`,
  },
  'table-rows': {
    uses: ['grid', 'u64', 'bytes', 'chacha', 'keystream', 'layout', 'table'],
    source: `struct Params {
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
`,
  },
  'unpack': {
    uses: ['grid', 'u64', 'word', 'bytes'],
    source: `struct Params { count: u32, k: u32, mask: vec2<u32> }
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> bytes: array<u32>;
@group(1) @binding(1) var<storage, read_write> out: array<Word>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let i = 64u * group_number(group, groups) + lane;
if (i >= params.count) { return; }
let at = (params.k * i) >> 5u;
let value = bytes_word(bytes[at], bytes[at + 1u], bytes[at + 2u], (params.k * i) & 31u);
out[i] = word_and(word_of(value), params.mask);
}
`,
  },
};
