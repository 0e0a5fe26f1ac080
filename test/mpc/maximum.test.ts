/** The maximum of rows: exact while no difference wraps, one of the columns whatever wraps, and in no more rounds. */
import { describe, expect, it } from 'vitest';
import { wordAt, wordsFrom } from '../../src/compute/ring.ts';
import { CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import { maximumLevels, rowMaximum } from '../../src/mpc/secure/maximum.ts';
import { PlaintextGates } from '../../src/testing/oracle.ts';
import { quickLevels, quickMaximum } from '../../src/mpc/secure/quick-maximum.ts';
import { Random } from '../compute/kernels.suite.ts';
import { simulate } from '../support/simulate.ts';

const WIDTHS = [1, 2, 3, 4, 5, 6, 7, 9, 11, 16, 23, 33, 64, 100, 128, 129];

function oracle(rows: readonly (readonly number[])[], bits: 8 | 9): number[] {
  const x = wordsFrom(rows.flat(), bits);
  const gates = new PlaintextGates({ tensors: { x }, indices: {} }, () => []);
  gates.output('m', rowMaximum(gates, gates.input('x', [rows.length, rows[0].length], bits, 0), bits));
  const m = gates.outputs.get('m');
  return rows.map((_, r) => (m === undefined ? -1 : Number(wordAt(m, r))));
}

describe.each([8, 9] as const)('of %i bits', (bits) => {
  const n = 2 ** bits;
  const half = n / 2;
  const random = new Random(bits);
  const below = (limit: number) => Number(random.word(32) % BigInt(limit));

  it.each(WIDTHS)('%i columns whose differences do not wrap: exact, wherever the row lies in the ring', (width) => {
    const rows = Array.from({ length: 40 }, () => {
      const base = below(n);
      return Array.from({ length: width }, () => [base, below(half)] as const);
    });
    const residues = rows.map((row) => row.map(([base, above]) => (base + above) % n));
    const largest = rows.map((row) => (row[0][0] + Math.max(...row.map(([, above]) => above))) % n);
    expect(oracle(residues, bits)).toEqual(largest);
  });

  it.each(WIDTHS)('%i columns of any words: one of them, also where comparisons run in a circle', (width) => {
    const rows = Array.from({ length: 60 }, () => Array.from({ length: width }, () => below(n)));
    const maxima = oracle(rows, bits);
    for (const [r, row] of rows.entries()) expect(row).toContain(maxima[r]);
  });

  it.each(WIDTHS)(
    '%i columns take no more rounds than a tree of pairs, six at most up to 192, and eight up to 512',
    (width) => {
      const builder = new CircuitBuilder('open');
      builder.output('m', rowMaximum(builder, builder.input('x', [2, width], bits, 0), bits));
      const most = Math.ceil(Math.log2(width));
      expect(builder.finish().cost.rounds).toBeLessThanOrEqual(
        width <= 192 ? Math.min(6, most) : width <= 512 ? Math.min(8, most) : most,
      );
      expect(maximumLevels(width, bits).at(-1)?.columns ?? 1).toBe(1);
    },
  );

  it('among three parties it is the oracle’s, for transitive rows and for others', async () => {
    const rows = Array.from({ length: 12 }, () => Array.from({ length: 23 }, () => below(n)));
    const { outputs } = await simulate(
      (g) => g.output('m', rowMaximum(g, g.input('x', [12, 23], bits, 0), bits)),
      { tensors: { x: wordsFrom(rows.flat(), bits) }, indices: {} },
      { seed: bits },
    );
    const m = outputs.get('m');
    expect(rows.map((_, r) => (m === undefined ? -1 : Number(wordAt(m, r))))).toEqual(oracle(rows, bits));
  });
});

describe.each([8, 9] as const)('by gated sums, of %i bits', (bits) => {
  const n = 2 ** bits;
  const random = new Random(bits + 2);
  const below = (limit: number) => Number(random.word(32) % BigInt(limit));
  const widths = [...WIDTHS.filter((width) => width > 1), 17, 192];

  function quickly(rows: readonly (readonly number[])[]): number[] {
    const x = wordsFrom(rows.flat(), bits);
    const gates = new PlaintextGates({ tensors: { x }, indices: {} }, () => []);
    const { maximum, left, right, bit } = quickMaximum(
      gates,
      gates.input('x', [rows.length, rows[0].length], bits, 0),
      bits,
    );
    for (const [name, wire] of Object.entries({ maximum, left, right, bit })) gates.output(name, wire);
    const read = (name: string) => rows.map((_, r) => Number(wordAt(gates.outputs.get(name) ?? x, r)));
    const [m, l, r, chose] = ['maximum', 'left', 'right', 'bit'].map(read);
    expect(m).toEqual(chose.map((won, i) => (won === 1 ? r[i] : l[i])));
    return m;
  }

  it.each(widths)(
    '%i columns whose differences do not wrap: that of the other levels, and of any words one of them',
    (width) => {
      const near = Array.from({ length: 30 }, () => {
        const base = below(n);
        return Array.from({ length: width }, () => (base + below(n / 2)) % n);
      });
      expect(quickly(near)).toEqual(oracle(near, bits));
      const any = Array.from({ length: 60 }, () => Array.from({ length: width }, () => below(n)));
      for (const [r, m] of quickly(any).entries()) expect(any[r]).toContain(m);
    },
  );

  it.each(widths)(
    '%i columns take no more rounds than a tree of pairs, and five at most; the last level has two',
    (width) => {
      const builder = new CircuitBuilder('secret');
      const { maximum, left, bit } = quickMaximum(builder, builder.input('x', [2, width], bits, 0), bits);
      builder.output('m', maximum);
      const { rounds } = builder.finish().cost;
      expect(rounds).toBeLessThanOrEqual(Math.min(5, Math.ceil(Math.log2(width))));
      expect(quickLevels(width, bits).at(-1)).toEqual({ radix: 2, columns: 1, rounds: 1 });
      // Both columns are there a round before the maximum, and the bit half a one.
      expect([left.readyA, bit.readyY]).toEqual([2 * rounds - 2, 2 * rounds - 1]);
    },
  );

  it('among three parties it is the oracle’s, for transitive rows and for others', async () => {
    for (const width of [2, 3, 23, 128]) {
      const rows = Array.from({ length: 12 }, () => Array.from({ length: width }, () => below(n)));
      const { outputs } = await simulate(
        (g) => g.output('m', quickMaximum(g as CircuitBuilder, g.input('x', [12, width], bits, 0), bits).maximum),
        { tensors: { x: wordsFrom(rows.flat(), bits) }, indices: {} },
        { weights: 'secret', seed: bits },
      );
      const m = outputs.get('m');
      expect(rows.map((_, r) => (m === undefined ? -1 : Number(wordAt(m, r))))).toEqual(quickly(rows));
    }
  });

  it('is of 2 to 192 columns', () => {
    for (const width of [1, 193]) expect(() => quickLevels(width, bits)).toThrow('2 to 192 columns');
  });
});

it('at 128 columns it costs less than a third of a tree of pairs, and P0 less than seven tenths', () => {
  const builder = new CircuitBuilder('open');
  builder.output('m', rowMaximum(builder, builder.input('x', [8, 128], 8, 0), 8));
  const { p1ToP2, p0ToP2Ahead } = builder.finish().cost;
  // The tree: 127 tables of 256 bytes and 127 words a row.
  expect(p1ToP2 / 8).toBeLessThan((127 * 256) / 3);
  expect(p0ToP2Ahead / 8).toBeLessThan(0.7 * 127);
});
