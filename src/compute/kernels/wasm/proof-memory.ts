/**
 * How operands of the proofs lie in the memory of an instance: structures of `wasm/src`, vectors in the lanes that
 * kernels read, and results on their way out.
 */
import { montgomery } from '../../field.ts';
import { type DigitStep, type IndexGroup, groupSize, unfolded } from '../../index-group.ts';
import { type Words, lengthOf } from '../../ring.ts';
import { reducedWords } from '../../words64.ts';
import { CLAIM_LIMBS, RADIX } from '../proof-types.ts';
import { type TableLayout, entryBits } from '../table-layout.ts';
import { type Memory, up } from './memory.ts';

/** q and what reduces modulo it, as `Field` of wasm/src/field.rs. */
export function fieldAt(memory: Memory, q: bigint): number {
  const { inverse, square } = montgomery(q);
  return memory.copy(BigUint64Array.of(q, inverse, (1n << 64n) % q, square, (1n << 192n) % q));
}

/** `Layout` of wasm/src/entries.rs. */
export function layoutAt(memory: Memory, layout: TableLayout): number {
  return memory.copy(Uint32Array.of(layout.n, layout.widths.length, entryBits(layout), ...layout.widths));
}

/** `Step` of wasm/src/proof.rs. */
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
