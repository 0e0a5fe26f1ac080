/**
 * Ring numbers: vectors over Z_2^k for 1 ≤ k ≤ 64, with k a property of the vector and never a global.
 *
 * Values are canonical residues in [0, 2^k). They are stored in 32-bit lanes for k ≤ 32 and in 64-bit lanes above,
 * so a ring narrower than its lane costs one mask per operation and nothing else.
 */
import { TercetError, invariant } from '../core/errors.ts';

/** A flat vector of ring elements. Immutable by convention: no kernel writes to its operands. */
export interface Words {
  /** Ring width in bits, 1 … 64. */
  readonly k: number;
  readonly data: Uint32Array | BigUint64Array;
}

/** A vector in the memory of a device. Only the kernels that made it can work on it or read it back. */
export interface DeviceWords {
  readonly k: number;
  readonly length: number;
}

/** What kernels work on: a vector here, or a handle of one on a device. */
export type Vector = Words | DeviceWords;

export function lengthOf(x: Vector): number {
  return 'data' in x ? x.data.length : x.length;
}

/** Bytes of one stored lane. */
export function laneBytes(k: number): 4 | 8 {
  return k <= 32 ? 4 : 8;
}

/** Bytes of `count` elements on a link, where they are packed to the bit. */
export function wireLength(k: number, count: number): number {
  return Math.ceil((k * count) / 8);
}

/** All-ones mask of k bits. */
export function ringMask(k: number): bigint {
  return (1n << BigInt(k)) - 1n;
}

export function checkRing(k: number): number {
  if (!Number.isInteger(k) || k < 1 || k > 64) {
    throw new TercetError(
      'ERR_RANGE',
      `"k" expected an integer in 1..64, got ${k}`,
      'use a ring width of at most 64 bits',
    );
  }
  return k;
}

/** A zero vector. */
export function zeros(count: number, k: number): Words {
  checkRing(k);
  return { k, data: k <= 32 ? new Uint32Array(count) : new BigUint64Array(count) };
}

/** Whether the bytes are seen by all threads: then they are neither copied nor handed over. */
export function isShared(view: ArrayBufferView): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && view.buffer instanceof SharedArrayBuffer;
}

/** The bytes behind a vector, without a copy. */
export function bytesOf(words: Words): Uint8Array {
  return new Uint8Array(words.data.buffer, words.data.byteOffset, words.data.byteLength);
}

/** A vector from signed or unsigned integers, reduced mod 2^k. */
export function wordsFrom(values: ArrayLike<number | bigint>, k: number): Words {
  const out = zeros(values.length, k);
  for (let i = 0; i < values.length; i++) {
    const v = BigInt.asUintN(k, BigInt(values[i]));
    if (out.data instanceof Uint32Array) out.data[i] = Number(v);
    else out.data[i] = v;
  }
  return out;
}

/** Where a vector that is written whole comes from. */
export interface Vectors {
  take(k: number, count: number): Words;
}

const FRESH: Vectors = { take: (k, count) => zeros(count, k) };

/** The vectors one after the other. */
export function concatWords(parts: readonly Words[], vectors: Vectors = FRESH): Words {
  const [first] = parts;
  invariant(first !== undefined && parts.every((part) => part.k === first.k), 'concat: vectors over one ring expected');
  const out = vectors.take(
    first.k,
    parts.reduce((total, part) => total + part.data.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    if (out.data instanceof Uint32Array) out.data.set(part.data as Uint32Array, at);
    else out.data.set(part.data as BigUint64Array, at);
    at += part.data.length;
  }
  return out;
}

/** Elements [from, to), copied. */
export function sliceWords({ k, data }: Words, from: number, to: number): Words {
  return { k, data: data.slice(from, to) };
}

/** Elements [from, to) where they are, without a copy. */
export function viewWords({ k, data }: Words, from: number, to: number): Words {
  return { k, data: data.subarray(from, to) };
}

/** Element i as an unsigned bigint. For oracles, tests and the edges; kernels do not use it. */
export function wordAt(words: Words, i: number): bigint {
  return BigInt(words.data[i]);
}

/** Element i as a signed bigint in [-2^(k-1), 2^(k-1)). */
export function signedAt(words: Words, i: number): bigint {
  return BigInt.asIntN(words.k, wordAt(words, i));
}

/** Throws unless both vectors are over the same ring and of the same length. */
export function sameShape(x: Words, y: Words): void {
  invariant(x.k === y.k, `operands over different rings: ${x.k} and ${y.k} bits`);
  invariant(x.data.length === y.data.length, `operands of different lengths: ${x.data.length} and ${y.data.length}`);
}
