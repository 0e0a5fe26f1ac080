/** Shapes and scales of selections, the same for every back end. */
import { TercetError, invariant } from '../../core/errors.ts';
import { type ExpTables, type ExpWidth, expSegments } from '../exp-tables.ts';
import { type Vector, lengthOf } from '../ring.ts';
import { checkCosine, basisWords } from './cosine-sum.ts';
import type { TableLayout } from './table-layout.ts';
import type { Choice, CosineSum, Degree, SelectionTable } from './types.ts';

export interface TableShape {
  /** Entries of an element. */
  readonly n: number;
  /** Words of an entry. */
  readonly P: number;
  /** Elements. */
  readonly count: number;
}

export function tableShape(table: SelectionTable): TableShape {
  switch (table.kind) {
    case 'rows':
      return { n: table.n, P: 1, count: lengthOf(table.row) };
    case 'polynomial':
      return { n: table.polynomial.segments, P: table.polynomial.degree + 1, count: lengthOf(table.a) };
    case 'exp':
      return { n: 2 * expSegments(table.width), P: 1, count: lengthOf(table.a) };
    case 'cosine':
      return {
        n: table.gate === undefined ? 1 : 2,
        P: basisWords(table.sum),
        count: lengthOf(table.a),
      };
    case 'choose':
      return { n: 1 << table.bits.length, P: 1 + table.values.length, count: lengthOf(table.bits[0]) };
  }
}

/** Throws unless the layout is one of this table. */
export function checkTable(table: SelectionTable, { n, widths }: TableLayout): void {
  const shape = tableShape(table);
  invariant(shape.n === n && shape.P === widths.length, 'selectionTable: the layout is not that of the table');
}

/** Throws unless choice, basis and words (one an element) are of one selection. */
export function checkChoice({ index, basis, cosines }: Choice, { k, widths }: TableLayout, words: Vector): void {
  const [P, count] = [widths.length, lengthOf(index)];
  let fits = P === 1;
  if (cosines !== undefined) {
    checkCosine(cosines.sum);
    fits = basis === undefined && basisWords(cosines.sum) === P && lengthOf(cosines.l) === count;
  } else if (basis !== undefined) fits = basis.k === k && lengthOf(basis) === P * count;
  invariant(
    fits && words.k === k && lengthOf(words) === count,
    'selection: choice, basis, words and layout do not match',
  );
}

/** The same choice with a basis as a whole. */
export async function withBasis<V extends Vector>(
  kernels: { cosineBasis(l: V, sum: CosineSum, k: number): Promise<V> },
  choice: Choice<V>,
  k: number,
): Promise<Choice<V>> {
  const { index, cosines } = choice;
  return cosines === undefined ? choice : { index, basis: await kernels.cosineBasis(cosines.l, cosines.sum, k) };
}

/** @throws {TercetError} ERR_RANGE when the highest power does not fit 128 bits. */
export function checkPowers(t: number, degree: Degree): void {
  if (degree * t < 128) return;
  throw new TercetError(
    'ERR_RANGE',
    `segments of 2^${t} ulps for a polynomial of degree ${degree}`,
    `shift the input down: segments have at most 2^${Math.floor(127 / degree)} ulps`,
  );
}

/** Bits that a table word of the exponential drops in every segment. */
export function expDrops(tables: ExpTables, width: ExpWidth, s1: number): readonly number[] {
  return Array.from(tables.segments[width].scale, (scale) => rounding(31 + scale - s1)[1]);
}

/**
 * Rounding shift of a product of the exponential: half of what is dropped, and how many bits.
 * @throws {TercetError} ERR_RANGE for a scale at which nothing is dropped
 */
export function rounding(bits: number): [half: bigint, drop: number] {
  if (bits < 0)
    throw new TercetError(
      'ERR_RANGE',
      'scale of an exponential too large',
      'use at most 57 for the table (51 with segments of 8) and 62 for the basis',
    );
  return [bits === 0 ? 0n : 1n << BigInt(bits - 1), bits];
}
