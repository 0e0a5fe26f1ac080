/** A small circuit with every kind of gate that complete sharing has, its parameters and an input. */
import type { CosineSum, PiecewisePolynomial } from '../../src/compute/kernels/types.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import type { ClearParameter } from './parameters.ts';

const TABLE: ClearParameter = {
  parameter: { name: 'table', rows: 5, cols: 2, scale: 0, lookup: true },
  values: Array.from({ length: 10 }, (_, i) => BigInt(i)),
};
const W: ClearParameter = { parameter: { name: 'w', rows: 2, cols: 2, scale: 0 }, values: [1n, 2n, 3n, 4n] };
const ROW: ClearParameter = { parameter: { name: 'row', rows: 1, cols: 2, scale: 0 }, values: [1n, -1n] };
export const PARAMETERS_OF_ALL: readonly ClearParameter[] = [TABLE, W, ROW];

const CUBIC: PiecewisePolynomial = {
  ...{ segments: 16, degree: 3, t: 6, s1: 8, s2: 8, guard: 2 },
  coefficients: BigInt64Array.from({ length: 64 }, (_, i) => BigInt((i * 37) % 101) - 50n),
};
const COSINES: CosineSum = {
  ...{ odd: false, linear: true, scale: 16, shift: 4, constant: 7n },
  terms: [{ frequency: 5001, amplitude: 1 << 24, s1: 8, s2: 8 }],
};
const EXACT = { bits: 4, entries: Array.from({ length: 16 }, (_, i) => BigInt(i * i)) };
const HEAD = { bits: 2, entries: [3n, 5n, 8n, 13n] };

/** Sums of cosines have tables of 2^20 indices: a proof of them takes seconds. */
export function everyGate(g: Gates, cosines = false): void {
  const rows = g.lookup('t', TABLE.parameter, 2);
  const map = g.affine([
    { x: rows, weight: W.parameter },
    { x: rows, weight: ROW.parameter, diagonal: true },
  ]);
  const x = g.input('x', [2, 1, 2], 32, 0);
  g.output('picked', g.input('picks', [2, 3], 64, 0, 'units'));
  g.output('said', g.input('bits', [3], 16, 0, 'bits'));
  const square = g.reshape(g.matmul(x, x, { transposed: true }), [2]);
  const first = g.reduce(
    g.reshape(g.matmul(g.reshape(g.reduce(map, 32), [2, 1, 2]), g.reshape(x, [2, 2, 1])), [2]),
    24,
  );
  const small = g.truncate(g.mul(square, square), 4);
  const bit = g.sign(g.reduce(small, 4));
  const other = g.borrow(square, 2, 4, 'less');
  const narrow = g.reduce(small, 10);
  g.output('first', g.widen(first, 40));
  g.output('short', g.mul(square, square, { drop: 3 }));
  g.output('table', g.table(g.reduce(small, 4), EXACT, 8));
  g.output('segment', g.segment(narrow, 8, HEAD, 12));
  g.output('joint', g.jointTable([bit, other], [1n, 0n, 0n, 1n], 1));
  g.output('cubic', g.polynomial(narrow, CUBIC, 32, { drop: 2 }));
  g.output(
    'chosen',
    g.chooseSum([
      { bits: [bit], values: [small, square], pick: Uint8Array.of(0, 1) },
      { bits: [bit, other], values: [square], pick: Uint8Array.of(255, 0, 0, 255) },
    ]),
  );
  g.output('exp', g.exponential(g.raise(g.reduce(small, 10), 15, 25), bit, 17, 17));
  if (!cosines) return;
  const wide = g.reduce(small, 32);
  g.output(
    'cosines',
    g.cosines(
      [
        { x: wide, sum: COSINES, gate: bit },
        { x: wide, sum: COSINES },
      ],
      32,
    ),
  );
}

export const INPUTS_OF_ALL: Inputs = {
  tensors: {
    x: wordsFrom([3, -2, 1, 5], 32),
    picks: wordsFrom([0, 0, 1, 1, 0, 0], 64),
    bits: wordsFrom([1, 0, 1], 16),
  },
  indices: { t: [3, 1] },
};
