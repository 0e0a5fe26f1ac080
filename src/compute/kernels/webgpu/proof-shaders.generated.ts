/** Generated from shaders/ by scripts/build-shaders.mjs. Do not edit. */

import type { ShaderSource } from './shaders.generated.ts';

export const PROOF_SHADERS: Readonly<Record<string, ShaderSource>> = {
  'lib/proof-entry': {
    uses: [],
    source: `fn entry_at(bit: u32, width: u32) -> vec2<u32> {
let at = bit >> 5u;
return bytes_word(table[at], table[at + 1u], table[at + 2u], bit & 31u) & u64_mask(width);
}
`,
  },
  'lib/proof-field': {
    uses: [],
    source: `struct Field { q: vec2<u32>, inverse: vec2<u32>, square: vec2<u32>, cube: vec2<u32> }
struct FieldSum { low: vec4<u32>, top: u32 }
fn u64_less(x: vec2<u32>, y: vec2<u32>) -> u32 {
return u32(x.y < y.y) | (u32(x.y == y.y) & u32(x.x < y.x));
}
fn field_reduced(x: vec2<u32>) -> vec2<u32> {
let less = u64_sub(x, params.field.q);
let sign = bitcast<u32>(bitcast<i32>(less.y) >> 31u);
return u64_add(less, params.field.q & vec2<u32>(sign));
}
fn field_add(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> { return field_reduced(u64_add(x, y)); }
fn field_lift(x: vec2<u32>) -> vec2<u32> {
let more = u64_product(u64_mul(x, params.field.inverse), params.field.q).zw;
return u64_add(more, vec2<u32>(u32((x.x | x.y) != 0u), 0u));
}
fn field_mont(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> {
let product = u64_product(x, y);
return field_reduced(u64_add(product.zw, field_lift(product.xy)));
}
fn field_mul(x: vec2<u32>, y: vec2<u32>) -> vec2<u32> { return field_mont(field_mont(x, y), params.field.square); }
fn field_accumulate(sum: ptr<function, FieldSum>, x: vec2<u32>, y: vec2<u32>) {
let product = u64_product(x, y);
let low = u64_add((*sum).low.xy, product.xy);
let carry = u64_less(low, product.xy);
let above = u64_add((*sum).low.zw, product.zw);
let high = u64_add(above, vec2<u32>(carry, 0u));
(*sum).low = vec4<u32>(low, high);
(*sum).top += u64_less(above, product.zw) + u64_less(high, vec2<u32>(carry, 0u));
}
fn field_value(sum: FieldSum) -> vec2<u32> {
let first = field_lift(sum.low.xy);
let rest = u64_add(sum.low.zw, first);
let top = vec2<u32>(sum.top + u64_less(rest, first), 0u);
return field_mont(params.field.cube, u64_add(top, field_lift(rest)));
}
`,
  },
  'lib/proof-index': {
    uses: [],
    source: `fn index_difference(g: u32, h: u32) -> u32 {
return (((g & ~params.low) - (h & ~params.low)) & params.all) | ((g ^ h) & params.low);
}
fn index_stepped(g: u32, digit: u32) -> u32 {
let by = digit << params.digit_at;
if (params.digit_xor != 0u) { return g ^ by; }
return (g + by) & params.all;
}
`,
  },
  'proof-buckets': {
    uses: ['grid', 'u64', 'u128', 'proof-field'],
    source: `struct Params { field: Field, count: u32, chunk: u32, digit_at: u32, digit_mask: u32 }
override TRANSPOSED: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> values: array<vec2<u32>>;
@group(1) @binding(1) var<storage, read> index: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<vec2<u32>>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let number = group_number(group, groups);
let begin = number * params.chunk;
if (begin >= params.count) { return; }
let d = lane / 8u;
let e = lane % 8u;
var sum = vec2<u32>(0u, 0u);
for (var i = begin; i < min(begin + params.chunk, params.count); i++) {
let digit = (index[i] >> params.digit_at) & params.digit_mask;
let own = values[8u * i + e] & vec2<u32>(0u - u32(digit == d));
sum = field_add(sum, own);
}
out[64u * number + select(lane, 8u * e + d, TRANSPOSED)] = sum;
}
`,
  },
  'proof-choice': {
    uses: ['grid', 'u64', 'u128', 'bytes', 'layout', 'proof-field', 'proof-entry'],
    source: `struct Params {
field: Field, packing: array<vec4<u32>, 4>, count: u32, n: u32, below: u32, digit_at: u32, blocks: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> table: array<u32>;
@group(1) @binding(1) var<storage, read> choice: array<u32>;
@group(1) @binding(2) var<storage, read> f: array<vec2<u32>>;
@group(1) @binding(3) var<storage, read> low: array<vec2<u32>>;
@group(1) @binding(4) var<storage, read_write> out: array<vec2<u32>>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let o = 64u * group_number(group, groups) + lane;
if (o >= 8u * params.count) { return; }
let i = o / 8u;
let a = o % 8u;
if (a >= params.blocks) {
out[o] = vec2<u32>(0u, 0u);
return;
}
let digit = choice[i] >> params.digit_at;
let first = (digit - digit % params.blocks + a) * params.below;
let last = min(first + params.below, params.n);
var sum = FieldSum();
var before = 0u;
for (var p = 0u; p < entry_words(); p++) {
let width = width_of(p);
var own = FieldSum();
for (var j = first; j < last; j++) {
let bit = (i * params.n + j) * entry_bits() + before;
field_accumulate(&own, low[j - first], entry_at(bit, width));
}
field_accumulate(&sum, f[i * entry_words() + p], field_value(own));
before += width;
}
out[o] = field_value(sum);
}
`,
  },
  'proof-combine': {
    uses: ['grid', 'u64', 'u128', 'proof-field'],
    source: `struct Params { field: Field, outputs: u32, terms: u32, outer: u32, inner: u32, skip: u32, length: u32 }
override X_WIDE: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<u32>;
@group(1) @binding(1) var<storage, read> coefficients: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read_write> out: array<vec2<u32>>;
fn word_at(at: u32) -> vec2<u32> {
if (X_WIDE) { return vec2<u32>(x[2u * at], x[2u * at + 1u]); }
return vec2<u32>(x[at], 0u);
}
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let o = 64u * group_number(group, groups) + lane;
if (o >= params.outputs) { return; }
var sum = FieldSum();
for (var j = 0u; j < params.terms; j++) {
let at = o * params.outer + j * params.inner - params.skip;
if (at < params.length) { field_accumulate(&sum, coefficients[j], word_at(at)); }
}
out[o] = field_value(sum);
}
`,
  },
  'proof-compress': {
    uses: ['grid', 'word'],
    source: `struct Params {
mask: vec2<u32>, count: u32, width: u32, sigma: u32, terms: u32, slices: u32, depth: u32,
}
override DIGEST: bool;
override ROWS_I32: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> rows: array<u32>;
@group(1) @binding(1) var<storage, read> bits: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read_write> out: array<Word>;
fn row_word(at: u32) -> vec2<u32> {
if (ROWS_I32) { return vec2<u32>(rows[at], bitcast<u32>(bitcast<i32>(rows[at]) >> 31u)); }
if (WORD_BYTES == 4u) { return vec2<u32>(rows[at], 0u); }
return vec2<u32>(rows[2u * at], rows[2u * at + 1u]);
}
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let number = 64u * group_number(group, groups) + lane;
if (number >= params.count * params.slices) { return; }
let o = number % params.count;
let begin = (number / params.count) * params.depth;
let end = min(begin + params.depth, params.terms);
var t = o % params.sigma;
var first = (o / params.sigma) * params.width;
var step = 1u;
if (DIGEST) {
t = o / params.width;
first = o % params.width;
step = params.width;
}
var sum = word_of(vec2<u32>(0u, 0u));
for (var j = begin; j < end; j++) {
let bit = (bits[j][t >> 5u] >> (t & 31u)) & 1u;
sum = word_add(sum, word_of(row_word(first + j * step) & vec2<u32>(0u - bit)));
}
out[number] = word_and(sum, params.mask);
}
`,
  },
  'proof-digits': {
    uses: ['grid', 'u64', 'u128', 'proof-field'],
    source: `struct Params { field: Field, digits: array<vec4<u32>, 4>, count: u32, each: u32, rounds: u32 }
override WHOLE: bool;
override HAS_FACTOR: bool;
override FACTOR_WIDE: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> f: array<vec2<u32>>;
@group(1) @binding(1) var<storage, read> index: array<u32>;
@group(1) @binding(2) var<storage, read> coefficients: array<vec2<u32>>;
@group(1) @binding(3) var<storage, read> factor: array<u32>;
@group(1) @binding(4) var<storage, read_write> out: array<vec2<u32>>;
fn factor_at(at: u32) -> vec2<u32> {
if (FACTOR_WIDE) { return vec2<u32>(factor[2u * at], factor[2u * at + 1u]); }
return vec2<u32>(factor[at], 0u);
}
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let o = 64u * group_number(group, groups) + lane;
if (o >= params.count) { return; }
let i = o / params.each;
var value = f[select(i, o, WHOLE)];
for (var r = 0u; r < params.rounds; r++) {
let pair = params.digits[r >> 1u];
let place = select(pair.xy, pair.zw, (r & 1u) == 1u);
value = field_mul(value, coefficients[8u * r + ((index[i] >> place.x) & place.y)]);
}
if (HAS_FACTOR) { value = field_mul(value, factor_at(o)); }
out[o] = value;
}
`,
  },
  'proof-entries': {
    uses: ['grid', 'u64', 'u128', 'bytes', 'layout', 'proof-field', 'proof-entry'],
    source: `struct Params { field: Field, packing: array<vec4<u32>, 4>, count: u32, n: u32 }
override FOLD: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> table: array<u32>;
@group(1) @binding(1) var<storage, read> coefficients: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read> weights: array<vec2<u32>>;
@group(1) @binding(3) var<storage, read_write> out: array<vec2<u32>>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let o = 64u * group_number(group, groups) + lane;
if (o >= params.count) { return; }
var sum = FieldSum();
if (FOLD) {
let i = o / entry_words();
let p = o % entry_words();
var bit = i * params.n * entry_bits();
for (var before = 0u; before < p; before++) { bit += width_of(before); }
for (var j = 0u; j < params.n; j++) {
field_accumulate(&sum, coefficients[j], entry_at(bit, width_of(p)));
bit += entry_bits();
}
out[o] = field_mul(weights[i], field_value(sum));
return;
}
var bit = o * params.n * entry_bits();
for (var j = 0u; j < params.n; j++) {
for (var p = 0u; p < entry_words(); p++) {
let width = width_of(p);
field_accumulate(&sum, coefficients[j * entry_words() + p], entry_at(bit, width));
bit += width;
}
}
out[o] = field_value(sum);
}
`,
  },
  'proof-fold-table': {
    uses: ['grid', 'u64', 'u128', 'proof-field', 'proof-index'],
    source: `struct Params {
field: Field, count: u32, all: u32, low: u32, digit_at: u32, blocks: u32, digit_xor: u32, behind: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> table: array<vec2<u32>>;
@group(1) @binding(1) var<storage, read> beta: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read_write> out: array<vec2<u32>>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let s = 64u * group_number(group, groups) + lane;
if (s >= params.count) { return; }
var sum = FieldSum();
for (var h = 0u; h < params.blocks; h++) { field_accumulate(&sum, beta[h], table[index_stepped(s, h)]); }
out[s] = field_value(sum);
}
`,
  },
  'proof-look-up': {
    uses: ['grid', 'u64', 'u128', 'proof-field', 'proof-index'],
    source: `struct Params {
field: Field, count: u32, all: u32, low: u32, digit_at: u32, blocks: u32, digit_xor: u32, behind: u32,
}
override ROUND: bool;
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> table: array<vec2<u32>>;
@group(1) @binding(1) var<storage, read> mu: array<u32>;
@group(1) @binding(2) var<storage, read> nu: array<u32>;
@group(1) @binding(3) var<storage, read> f: array<vec2<u32>>;
@group(1) @binding(4) var<storage, read_write> out: array<vec2<u32>>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let o = 64u * group_number(group, groups) + lane;
if (!ROUND) {
if (o < params.count) { out[o] = table[index_difference(0u, nu[o])]; }
return;
}
if (o >= 8u * params.count) { return; }
let i = o / 8u;
let b = o % 8u;
var value = vec2<u32>(0u, 0u);
if (b < params.blocks) {
value = field_mul(f[i], table[index_stepped(index_difference(mu[i] & params.behind, nu[i]), b)]);
}
out[o] = value;
}
`,
  },
  'proof-sum': {
    uses: ['grid', 'u64', 'u128', 'proof-field'],
    source: `struct Params { field: Field, count: u32, slices: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> parts: array<vec2<u32>>;
@group(1) @binding(1) var<storage, read_write> out: array<vec2<u32>>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let c = 64u * group_number(group, groups) + lane;
if (c >= params.count) { return; }
var sum = vec2<u32>(0u, 0u);
for (var s = 0u; s < params.slices; s++) { sum = field_add(sum, parts[s * params.count + c]); }
out[c] = sum;
}
`,
  },
  'proof-tail': {
    uses: ['grid', 'u64', 'u128', 'proof-field'],
    source: `struct Params { field: Field, length: u32, blocks: u32, chunk: u32 }
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
`,
  },
  'proof-unpack': {
    uses: ['grid', 'u64', 'bytes', 'layout', 'proof-entry'],
    source: `struct Params { packing: array<vec4<u32>, 4>, entries: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> table: array<u32>;
@group(1) @binding(1) var<storage, read_write> out: array<vec2<u32>>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let e = 64u * group_number(group, groups) + lane;
if (e >= params.entries) { return; }
var bit = e * entry_bits();
for (var p = 0u; p < entry_words(); p++) {
let width = width_of(p);
out[e * entry_words() + p] = u64_shl(entry_at(bit, width), 64u - width);
bit += width;
}
}
`,
  },
  'proof-weights': {
    uses: ['grid', 'u64', 'u128', 'proof-field'],
    source: `struct Params { field: Field, count: u32, sigma: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> x: array<vec2<u32>>;
@group(1) @binding(1) var<storage, read> coefficients: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read_write> out: array<vec2<u32>>;
@compute @workgroup_size(64)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
let i = 64u * group_number(group, groups) + lane;
if (i >= params.count) { return; }
let bits = x[i];
var sum = vec2<u32>(0u, 0u);
for (var t = 0u; t < params.sigma; t++) {
let bit = (bits[t >> 5u] >> (t & 31u)) & 1u;
sum = field_add(sum, coefficients[t] & vec2<u32>(0u - bit));
}
out[i] = sum;
}
`,
  },
};
