/** digest, digestEntries and columns: words under random bits, mod 2^k. */
import { invariant } from '../../../core/errors.ts';
import { type Words, laneBytes, lengthOf, ringMask } from '../../ring.ts';
import { addWords, reducedWords } from '../../words64.ts';
import { checkBytes } from '../proof-shape.ts';
import type { Signed } from '../proof-types.ts';
import { type TableLayout, elementBits, tableBytes } from '../table-layout.ts';
import { type Call, groupsOf, limbs, wide } from './call.ts';
import type { Binding } from './commands.ts';
import type { Block } from './pool.ts';
import { bound, residues, whole } from './proof-call.ts';
import { layoutParams } from './streams.ts';

/** Invocations that keep a device busy: so many slices a sum is divided into. */
const BUSY = 16384;
/** Fewest terms of a slice. */
const TERMS = 64;
/** Bytes of unpacked tables at a time. */
const UNPACKED_BYTES = 2 ** 25;
/** Bits of a table that a shader may address. */
export const TABLE_BITS = 2 ** 32 - 1;

interface Compression {
  readonly k: number;
  /** Rows are added up, else columns. */
  readonly digest: boolean;
  readonly signed?: boolean;
  readonly rows: Binding;
  readonly bits: Binding;
  readonly height: number;
  readonly width: number;
  readonly sigma: number;
}

/** Terms that one dispatch may take of sums with `count` results. */
function mostTerms(call: Call, count: number): number {
  return call.commands.limits.work / count;
}

/** The sums, in a buffer or into a binding of one. */
function compress(call: Call, of: Compression, into?: Binding): Block {
  const { k, digest, height, width, sigma } = of;
  const [count, terms] = digest ? [sigma * width, height] : [height * sigma, width];
  // Columns have rows enough. A slice of a digest is summed by itself.
  const slices = digest ? Math.max(1, Math.min(Math.ceil(BUSY / count), Math.ceil(terms / TERMS))) : 1;
  const bytes = laneBytes(k) * count;
  const parts = into?.block ?? call.scratch(slices * bytes);
  call.run({
    shader: 'proof-compress',
    wide: wide(k),
    constants: { DIGEST: Number(digest), ROWS_I32: Number(of.signed ?? false) },
    params: [...limbs(ringMask(k)), count, width, sigma, terms, slices, Math.ceil(terms / slices)],
    bindings: [of.rows, of.bits, into ?? call.range(parts, 0, slices * bytes)],
    groups: groupsOf(count * slices),
    work: count * terms,
  });
  if (slices === 1) return parts;
  const out = call.scratch(bytes);
  call.run({
    shader: 'sum-parts',
    wide: wide(k),
    constants: {},
    params: [count, slices, ...limbs(ringMask(k))],
    bindings: [call.range(parts, 0, slices * bytes), call.range(out, 0, bytes)],
    groups: groupsOf(count),
  });
  return out;
}

/** `count` words of Z_2^k. */
async function wordsBack(call: Call, block: Block, k: number, count: number): Promise<Words> {
  const bytes = await call.commands.read(block, 0, laneBytes(k) * count);
  return { k, data: wide(k) ? new BigUint64Array(bytes.buffer) : new Uint32Array(bytes.buffer) };
}

/** The sum of what parts of a long operand gave. */
function added(parts: readonly Words[], k: number): Words {
  const [first, ...rest] = parts;
  const { data } = first;
  for (const more of rest) {
    if (data instanceof BigUint64Array) addWords(data, more.data as BigUint64Array);
    else for (let i = 0; i < data.length; i++) data[i] = (data[i] + Number(more.data[i])) & Number(ringMask(k));
  }
  return data instanceof BigUint64Array ? reducedWords(data, k) : first;
}

export async function digest(call: Call, rows: Words, width: number, x: BigUint64Array, sigma: number): Promise<Words> {
  invariant(lengthOf(rows) === width * x.length, 'digest: a row of words for every row of challenges');
  const { k, data } = rows;
  const parts: Promise<Words>[] = [];
  for (const [from, to] of pieces(call, x.length, laneBytes(k) * width, mostTerms(call, sigma * width))) {
    const own = bound(call, data.subarray(from * width, to * width));
    const bits = bound(call, x.subarray(from, to));
    const out = compress(call, { k, digest: true, rows: own, bits, height: to - from, width, sigma });
    parts.push(wordsBack(call, out, k, sigma * width));
  }
  return added(await Promise.all(parts), k);
}

/** Of nothing there is one piece, whose sums are zeros. */
function* pieces(call: Call, n: number, bytes: number, most: number): Iterable<readonly [number, number]> {
  if (n === 0) yield [0, 0];
  else yield* call.pieces(n, bytes, TERMS, most);
}

export async function digestEntries(
  call: Call,
  bytes: Uint8Array,
  layout: TableLayout,
  x: BigUint64Array,
  v: BigUint64Array,
  sigma: number,
): Promise<BigUint64Array> {
  checkBytes(bytes, layout, x.length);
  const width = layout.n * layout.widths.length;
  invariant(v.length === width, 'digest: a challenge for every word of an element');
  const parts: Promise<Words>[] = [];
  const most = Math.min(mostTerms(call, sigma * width), TABLE_BITS / elementBits(layout), UNPACKED_BYTES / (8 * width));
  for (const [from, to] of pieces(call, x.length, 8 * width, most)) {
    const unpacked = call.scratch(8 * width * (to - from));
    const entries = (to - from) * layout.n;
    call.run({
      shader: 'proof-unpack',
      wide: false,
      constants: {},
      params: [...layoutParams(layout), entries],
      bindings: [
        bound(call, bytes.subarray(tableBytes(layout, from), tableBytes(layout, to))),
        whole(call, unpacked, width * (to - from)),
      ],
      groups: groupsOf(entries),
    });
    const rows = whole(call, unpacked, width * (to - from));
    const xs = bound(call, x.subarray(from, to));
    const sums = compress(call, { k: 64, digest: true, rows, bits: xs, height: to - from, width, sigma });
    // Mod 2^64 it is the same whether X or V comes first; a digest leaves less for the second product.
    const again = { rows: whole(call, sums, sigma * width), bits: bound(call, v), height: sigma, width, sigma };
    parts.push(wordsBack(call, compress(call, { k: 64, digest: false, ...again }), 64, sigma * sigma));
  }
  return added(await Promise.all(parts), 64).data as BigUint64Array;
}

export async function columns(
  call: Call,
  rows: Words | Signed,
  width: number,
  v: BigUint64Array,
  sigma: number,
): Promise<Words> {
  const signed = 'signed' in rows;
  const data = signed ? rows.signed : rows.data;
  const [k, n] = [rows.k, data.length / width];
  invariant(v.length === width && Number.isInteger(n), 'columns: whole rows expected');
  const out = call.scratch(laneBytes(k) * n * sigma);
  const bits = bound(call, v);
  const [most, each] = [mostTerms(call, sigma * width), Math.max(width, sigma) * laneBytes(k)];
  for (const [from, to] of call.pieces(n, each, TERMS, most)) {
    const lanes = laneBytes(k) * sigma;
    const into = call.range(out, from * lanes, to * lanes);
    const own = bound(call, data.subarray(from * width, to * width));
    compress(call, { k, digest: false, signed, rows: own, bits, height: to - from, width, sigma }, into);
  }
  return k === 64 ? { k, data: await residues(call, out, n * sigma) } : wordsBack(call, out, k, n * sigma);
}
