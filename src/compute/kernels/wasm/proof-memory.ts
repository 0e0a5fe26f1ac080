/**
 * How operands of the proofs lie in the memory of an instance: structures of `wasm/src`, vectors in the lanes that
 * kernels read, and results on their way out.
 */
import { montgomery } from '../../field.ts';
import { type DigitStep, type IndexGroup, groupSize, unfolded } from '../../index-group.ts';
import { type Words, lengthOf } from '../../ring.ts';
import { reducedWords } from '../../words64.ts';
import { invariant } from '../../../core/errors.ts';
import { CLAIM_LIMBS, type FoldedTable, RADIX, type Term } from '../proof-types.ts';
import { type TableLayout, entryBits } from '../table-layout.ts';
import { type Memory, up } from './memory.ts';

/** Elements of a part: whole blocks of the tail, whole bytes of tables. */
export const PART = 1 << 16;

/** Of rows of one word, or of so many rows of more that what is made once for a part does not count. */
export function* parts(n: number, width = 1, part = PART): Generator<readonly [number, number]> {
  const step = width === 1 ? part : RADIX * Math.max(1, Math.floor((2 * PART) / width));
  for (let from = 0; from < n; from += step) yield [from, Math.min(n, from + step)];
}

/** What was made last for an instance: a proof has one modulus for thousands of operations, or two. */
const FIELDS = new WeakMap<Memory, BigUint64Array>();

/** q and what reduces modulo it, as `Field` of wasm/src/field.rs. */
export function fieldAt(memory: Memory, q: bigint): number {
  const known = FIELDS.get(memory);
  if (known?.[0] === q) return memory.copy(known);
  const { inverse, square } = montgomery(q);
  const field = BigUint64Array.of(q, inverse, (1n << 64n) % q, square, (1n << 192n) % q);
  FIELDS.set(memory, field);
  return memory.copy(field);
}

/** `Layout` of wasm/src/entries.rs. */
export function layoutAt(memory: Memory, layout: TableLayout): number {
  return memory.copy(Uint32Array.of(layout.n, layout.widths.length, entryBits(layout), ...layout.widths));
}

/** `Step` of wasm/src/lookup.rs. */
export function stepAt(memory: Memory, group: IndexGroup, step: DigitStep): number {
  const { at, width, xor } = step;
  const [all, low] = [groupSize(group) - 1, 2 ** group.xorBits - 1];
  return memory.copy(Uint32Array.of(all, low, at, width, xor ? 1 : 0, unfolded(group, step)));
}

/** Of every round RADIX words. */
export function coefficientsOf(rounds: readonly BigUint64Array[]): BigUint64Array {
  const out = new BigUint64Array(RADIX * rounds.length);
  for (const [r, of] of rounds.entries()) out.set(of, RADIX * r);
  return out;
}

/** Whole blocks, zeros behind the end: scratch is zero. */
export function blocksAt(memory: Memory, u: BigUint64Array): number {
  const at = memory.take(8 * up(u.length, RADIX));
  memory.write(at, u);
  return at;
}

/** In 64-bit lanes. */
export function copyWide(memory: Memory, x: Words, from = 0, to = lengthOf(x)): number {
  const { data } = x;
  if (data instanceof BigUint64Array) return memory.copy(data.subarray(from, to));
  // The upper halves are zero: scratch is.
  const at = memory.take(8 * (to - from));
  const halves = memory.indices(at, 2 * (to - from));
  for (let i = from; i < to; i++) halves[2 * (i - from)] = data[i];
  return at;
}

/** The same over what was there. */
function writeWide(memory: Memory, at: number, { data }: Words, from: number, to: number): void {
  if (data instanceof BigUint64Array) {
    memory.write(at, data.subarray(from, to));
    return;
  }
  const halves = memory.indices(at, 2 * (to - from));
  for (let i = from; i < to; i++) {
    halves[2 * (i - from)] = data[i];
    halves[2 * (i - from) + 1] = 0;
  }
}

/** In 32-bit lanes: indices, whatever their ring. */
export function copyNarrow(memory: Memory, x: Words, from = 0, to = lengthOf(x)): number {
  return memory.copy(x.data instanceof Uint32Array ? x.data.subarray(from, to) : narrow(x, from, to));
}

function narrow({ data }: Words, from: number, to: number): Uint32Array {
  return Uint32Array.from({ length: to - from }, (_, i) => Number(data[from + i]));
}

/** 64-bit or 32-bit lanes as words of Z_2^k. */
export function cut({ data }: Words, k: number): Words {
  if (data instanceof BigUint64Array) return reducedWords(data, k);
  if (k < 32) for (let i = 0; i < data.length; i++) data[i] &= 2 ** k - 1;
  return { k, data };
}

/** The product of factors mod 2^64, or null for ones. */
export function factorAt(memory: Memory, factors: readonly Words[]): number {
  const [first, second] = factors;
  if (first === undefined) return 0;
  const at = copyWide(memory, first);
  if (second === undefined) return at;
  const n = lengthOf(first);
  memory.exports.multiply64(at, copyWide(memory, second), n, at);
  return at;
}

export function words64(memory: Memory, at: number, count: number): BigUint64Array {
  return memory.read(at, 64, count).data as BigUint64Array;
}

/** Numbers of four limbs. */
export function integers(memory: Memory, at: number, count: number): bigint[] {
  const limbs = words64(memory, at, CLAIM_LIMBS * count);
  return Array.from({ length: count }, (_, i) => {
    let value = 0n;
    for (let l = CLAIM_LIMBS - 1; l >= 0; l--) value = (value << 64n) | limbs[CLAIM_LIMBS * i + l];
    return value;
  });
}

/** Where elements [from, to) of a term's scalars lie, until the next term is asked for. */
export function* termsAt(
  memory: Memory,
  bases: readonly BigUint64Array[],
  terms: readonly Term[],
  from: number,
  to: number,
  q: bigint,
): Generator<readonly [term: number, at: number]> {
  const field = fieldAt(memory, q);
  const held = bases.map((base) => memory.copy(base.subarray(from, to)));
  const [right, product] = [memory.take(8 * (to - from)), memory.take(8 * (to - from))];
  for (const [t, { base, factor }] of terms.entries()) {
    if (factor !== undefined) {
      writeWide(memory, right, factor, from, to);
      memory.exports.multiply(field, held[base], right, to - from, product);
    }
    yield [t, factor === undefined ? held[base] : product];
  }
}

/** Pairs of 32-bit lanes in the memory of the instance. */
export class WasmTable implements FoldedTable {
  readonly group: IndexGroup;
  readonly at: number;
  freed = false;

  constructor(group: IndexGroup, at: number) {
    this.group = group;
    this.at = at;
  }
}

export function placeOf(table: FoldedTable): number {
  invariant(table instanceof WasmTable && !table.freed, 'a table of these kernels, which is not freed');
  return table.at;
}
