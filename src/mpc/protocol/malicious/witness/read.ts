/** How halves of relations are read at a party: messages as they were on a link, components, weights. */
import type { RingKernels } from '../../../../compute/kernels/types.ts';
import { type Vector, type Words, lengthOf, sliceWords, zeros } from '../../../../compute/ring.ts';
import { interleavedWide, lanesOf } from '../../../../compute/words64.ts';
import type { PartyId } from '../../../../net/wire/types.ts';
import type { Fetched, MatrixHalf } from '../../../proof/relations.ts';
import type { AffineTerm } from '../../types.ts';
import type { Phase, Seen } from '../../frame/gate.ts';
import type { Part } from '../../frame/party.ts';

/** The words of a message. */
export async function sent(
  seen: Seen,
  from: PartyId,
  to: PartyId,
  phase: Phase,
  k: number,
  count: number,
): Promise<Vector> {
  return seen.party.kernels.unpack(await seen.message(from, to, phase), k, count);
}

/** Σ ±x, of vectors of one ring and length. */
export async function summed(
  kernels: RingKernels,
  plus: readonly Vector[],
  minus: readonly Vector[] = [],
): Promise<Words> {
  const [first, ...others] = plus;
  let sum: Vector = first ?? zeros(lengthOf(minus[0]), minus[0].k);
  for (const x of others) sum = await kernels.add(sum, x);
  for (const x of minus) sum = await kernels.sub(sum, x);
  return kernels.read(sum);
}

/** What a function of a gate's messages gave for one look at them: halves of one gate share products. */
export function once<T>(make: (seen: Seen) => Promise<T>): (seen: Seen) => Promise<T> {
  const made = new WeakMap<Seen, Promise<T>>();
  return (seen) => {
    const known = made.get(seen) ?? make(seen);
    made.set(seen, known);
    return known;
  };
}

/** What several relations are cut from: the first that asks has it made. */
export function atMostOnce<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/**
 * A weight as a right factor: the words of a row stand on the diagonal of a square. It is read where it is used, so a
 * prover keeps no model beside the one that it has; what it is compressed to is what stays.
 */
export function weightOf(
  { party }: Seen,
  { weight, diagonal }: Pick<AffineTerm, 'weight' | 'diagonal'>,
  part: Part,
): Fetched {
  return async (columns) => {
    const { kernels, parameters } = party;
    const matrix = part === 'clear' && diagonal !== true;
    const { v, sigma } = columns ?? {};
    const compressed =
      matrix && v !== undefined && sigma !== undefined
        ? await parameters.columns?.(kernels, weight, v, sigma)
        : undefined;
    if (compressed !== undefined) return { compressed };
    const signed = matrix ? await parameters.signed?.(kernels, weight) : undefined;
    if (signed !== undefined) return { k: 64, signed };
    const words = await kernels.read(await parameters.words(kernels, weight, part));
    return diagonal === true ? { diagonal: words } : words;
  };
}

/** Every m × n words turned over to n × m. */
export function transposedWords({ k, data }: Words, m: number, n: number): Words {
  const out = zeros(data.length, k);
  // A BigInt for every word would take longer than all else.
  const [from, to] = [lanesOf(data), lanesOf(out.data)];
  const each = from.length / data.length;
  for (let b = 0; b < data.length; b += m * n)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++)
        for (let h = 0; h < each; h++) to[each * (b + j * m + i) + h] = from[each * (b + i * n + j) + h];
  return out;
}

/** The part of a batch that one of its relations is about. */
function partOf(words: Words, batch: number, index: number): Words {
  const size = words.data.length / batch;
  return batch === 1 ? words : sliceWords(words, index * size, (index + 1) * size);
}

/** Of the relations of a batch, one half. */
export function matrixPart(
  half: { linear: () => Promise<Words>; factors: readonly Words[] },
  batch: number,
  index: number,
): MatrixHalf {
  return {
    kind: 'matrix',
    linear: async () => partOf(await half.linear(), batch, index),
    factors: half.factors.map((factor) => partOf(factor, batch, index)),
  };
}

/** Reads a vector for one use. What is a copy goes into `copies`, for who lets go of it behind that. */
export async function readOnce(kernels: RingKernels, x: Vector, copies: Words[]): Promise<Words> {
  const words = await kernels.read(x);
  if (words !== x) copies.push(words);
  return words;
}

/** An elementwise half, as the columns of a choice of one entry. An element has `each` words of a column. */
export function interleaved(columns: readonly Words[], each = 1): Words {
  const [{ k, data }] = columns;
  const P = columns.length;
  if (P === 1) return columns[0];
  if (k > 32) return { k, data: interleavedWide(columns, 0, data.length / each, each) };
  const out = new Uint32Array(P * data.length);
  for (const [p, column] of columns.entries()) {
    const own = column.data as Uint32Array;
    for (let i = 0; i < own.length; i += each) for (let j = 0; j < each; j++) out[P * i + p * each + j] = own[i + j];
  }
  return { k, data: out };
}
