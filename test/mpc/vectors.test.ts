/**
 * The gadgets against an independent implementation: what `docs/checks` computes (`test/vectors/make_gadgets.py`).
 * The basis φ that P0 and P2 must agree on is compared word for word on every backend (PROTOCOL §6.8); table words
 * of P1 may be rounded another way, by the stated ulps.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { expTables } from '../../src/compute/exp-tables.ts';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { tableEntry } from '../../src/compute/kernels/reference/selection.ts';
import { type TableLayout, tableLayout } from '../../src/compute/kernels/table-layout.ts';
import type {
  Choice,
  PiecewisePolynomial,
  RingKernels,
  SelectionTable,
  Stream,
} from '../../src/compute/kernels/types.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { type Words, wordAt, wordsFrom } from '../../src/compute/ring.ts';
import { ONE } from '../../src/compute/fixed-functions.ts';
import { gelu } from '../../src/compute/special-functions.ts';
import { piecewisePolynomial, signedCentre } from '../../src/mpc/secure/polynomial.ts';

interface Vectors {
  readonly powers: readonly {
    readonly t: number;
    readonly s2: number;
    readonly l: readonly number[];
    readonly phi: readonly string[];
  }[];
  readonly exponential: { readonly s2: number; readonly l: readonly number[]; readonly phi: readonly string[] };
  readonly expTable: {
    readonly s1: number;
    readonly a: readonly number[];
    readonly rows: readonly (readonly number[])[];
  };
  readonly gelu: { readonly segments: number; readonly width: number; readonly coefficients: readonly number[] };
  readonly windows: readonly {
    readonly name: string;
    readonly first: number;
    readonly coefficients: readonly number[];
  }[];
  readonly selected: { readonly t: number; readonly s1: number; readonly s2: number } & Shares;
  readonly tables: readonly ({
    readonly bits: number;
    readonly k: number;
    readonly entries: readonly string[];
  } & Shares)[];
  readonly widened: readonly ({ readonly k: number; readonly k2: number } & Shares)[];
}

/** P1's a and P2's λ2 of every element, and the value that the gadget gives. */
interface Shares {
  readonly a: readonly string[];
  readonly l: readonly string[];
  readonly out: readonly string[];
}

const vectors = JSON.parse(readFileSync(new URL('../vectors/gadgets.json', import.meta.url), 'utf8')) as Vectors;
const BACKENDS: readonly RingKernels<Words>[] = [
  new ReferenceKernels(),
  await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 }),
];
const big = (values: readonly string[]): bigint[] => values.map(BigInt);
const list = (words: Words): bigint[] => Array.from({ length: words.data.length }, (_, i) => wordAt(words, i));

/** One selection with all its masks: pads and r0 drawn, dealt, sent and evaluated. Returns f itself. */
async function selected(
  kernels: RingKernels<Words>,
  table: SelectionTable<Words>,
  choice: Choice<Words>,
  layout: TableLayout,
): Promise<bigint[]> {
  const pads: Stream = { key: new Uint8Array(32).fill(9), nonce: new Uint8Array(12).fill(1) };
  const count = choice.index.data.length;
  const r0 = await kernels.draw({ ...pads, nonce: new Uint8Array(12).fill(2) }, layout.k, count);
  const word = await kernels.dealSelection(choice, layout, pads, r0);
  const y = await kernels.evaluateSelection(
    choice,
    layout,
    await kernels.selectionTable(table, layout, pads, 0, count),
    word,
    0,
    count,
  );
  return list(await kernels.add(y, r0));
}

describe.each(BACKENDS.map((kernels) => [kernels.name, kernels] as const))('the %s kernels', (_name, kernels) => {
  it.each(vectors.powers.map((v) => [v.t, v.s2, v] as const))(
    'φ of a polynomial with t = %i, s2 = %i is the same, word for word',
    async (t, s2, { l, phi }) => {
      expect(list(await kernels.powers(wordsFrom(l, t + 5), t, s2, 3, 64))).toEqual(big(phi));
      // Bits above t do not matter: they are the segment.
      const high = wordsFrom(
        l.map((v) => v + 2 ** t * 3),
        t + 5,
      );
      expect(list(await kernels.powers(high, t, s2, 3, 64))).toEqual(big(phi));
    },
  );

  it('φ of the exponential is the same for multiples of 4, and within 1 elsewhere: the check drops the two lowest bits, our tables do not', async () => {
    const { s2, l, phi } = vectors.exponential;
    const ours = list(await kernels.expBasis(wordsFrom(l, 25), s2, 4, 64));
    const differences = ours.map((v, i) => Number(v - BigInt(phi[i])));
    expect(differences.every((d, i) => (l[i] % 4 === 0 ? d === 0 : Math.abs(d) <= 1))).toBe(true);
    expect(l.filter((v) => v % 4 === 0).length).toBeGreaterThan(200);
    // Ours is the rounding of the true value.
    expect(ours.every((v, i) => Math.abs(Number(v) - 2 ** s2 * Math.exp(-l[i] / 2 ** 20)) < 0.5001)).toBe(true);
  });

  it.each(vectors.tables.map((v) => [1 << v.bits, v.k, v] as const))(
    'a table of %i entries into Z_2^%i selects the same words',
    async (n, k, { bits, entries, a, l, out }) => {
      const rows = Array.from({ length: n * n }, (_, i) => BigInt(entries[(Math.floor(i / n) - (i % n) + n) % n]));
      const table: SelectionTable<Words> = {
        kind: 'rows',
        table: wordsFrom(rows, k),
        n,
        stride: n,
        row: wordsFrom(big(a), bits),
      };
      expect(await selected(kernels, table, { index: wordsFrom(big(l), bits) }, tableLayout(n, k))).toEqual(big(out));
    },
  );

  it.each(vectors.widened.map((v) => [v.k, v.k2, v] as const))(
    'widening %i → %i finds the same wraps',
    async (k, k2, { a, l, out }) => {
      const offset = 1n << BigInt(k - 2);
      const [shared, mask] = [
        wordsFrom(
          big(a).map((v) => v + offset),
          k,
        ),
        wordsFrom(big(l), k),
      ];
      const table: SelectionTable<Words> = {
        kind: 'rows',
        table: wordsFrom([0, 1, 0, 0], 64),
        n: 2,
        stride: 2,
        row: await kernels.shiftRight(shared, k - 1, 1),
      };
      const wraps = await selected(
        kernels,
        table,
        { index: await kernels.shiftRight(mask, k - 1, 1) },
        tableLayout(2, 64),
      );
      const values = wraps.map((wrap, i) =>
        BigInt.asUintN(k2, wordAt(shared, i) - offset - wordAt(mask, i) + (wrap << BigInt(k))),
      );
      expect(values).toEqual(big(out));
      expect(new Set(wraps)).toEqual(new Set([0n, 1n]));
    },
  );

  it('a whole GeLU selection on given shares is within 2 ulps of a table word of each of its four words: 8·2^s2 of 2^(s1+s2)', async () => {
    const { t, s1, s2, a, l, out } = vectors.selected;
    const polynomial = geluCubic(s1);
    const mask = wordsFrom(big(l), 17);
    const choice: Choice<Words> = {
      index: await kernels.shiftRight(mask, t, 5),
      basis: await kernels.powers(mask, t, s2, 3, 32),
    };
    const table: SelectionTable<Words> = { kind: 'polynomial', polynomial, a: wordsFrom(big(a), 17) };
    const ours = await selected(kernels, table, choice, tableLayout(32, 32, 4));
    const worst = Math.max(...ours.map((v, i) => Math.abs(Number(BigInt.asIntN(32, v - BigInt(out[i]))))));
    expect(worst).toBeLessThanOrEqual(8 * 2 ** s2);
    // The values themselves are far apart: |GeLU| reaches 8 = 8·2^24 of these units.
    expect(new Set(out).size).toBeGreaterThan(40);
  });
});

/** A function of float64 as one of integers. */
function ofFloat(f: (x: number) => number): (centre: bigint, offset: bigint) => bigint {
  const bits = 2 ** 50;
  return (centre, offset) => (BigInt(Math.round(f(Number(centre + offset) / Number(ONE)) * bits)) * ONE) / BigInt(bits);
}

function geluCubic(s: number): PiecewisePolynomial {
  return piecewisePolynomial(ofFloat(gelu), {
    segments: 32,
    degree: 3,
    t: 12,
    s1: s,
    s2: s,
    guard: 2,
    log2Width: -1,
    centre: (i) => signedCentre(i, 32),
  });
}

describe('fitted coefficients', () => {
  it.each([11, 12, 13])('of GeLU are the rounded least-squares ones of the check at scale %i + 2 guard bits', (s) => {
    const { coefficients, segments, width } = vectors.gelu;
    expect([segments, width]).toEqual([32, 0.5]);
    const ours = geluCubic(s).coefficients;
    expect(ours.length).toBe(coefficients.length);
    // An exact tie may fall either way, hence the thousandth.
    expect(Math.max(...coefficients.map((c, i) => Math.abs(Number(ours[i]) - c * 2 ** (s + 2))))).toBeLessThan(0.501);
    expect(Math.max(...coefficients.map((c) => Math.abs(c)))).toBeGreaterThan(7);
  });

  it.each(vectors.windows.map((v) => [v.name, v] as const))(
    'of the %s over windows of 128 unit segments are the rounded ones of the check at scale 22',
    (name, { first, coefficients }) => {
      const f =
        name === 'reciprocal' ? (z: number) => 1 / Math.max(z, 1) : (z: number) => 1 / Math.sqrt(Math.max(z, 1));
      const ours = piecewisePolynomial(ofFloat(f), {
        segments: 128,
        degree: 3,
        t: 14,
        s1: 22,
        s2: 14,
        guard: 0,
        log2Width: 0,
        centre: (i) => (i >= first ? i : undefined),
      }).coefficients;
      expect([...ours.subarray(0, 4 * first)].every((c) => c === 0n)).toBe(true);
      expect(Math.max(...coefficients.map((c, i) => Math.abs(Number(ours[4 * first + i]) - c * 2 ** 22)))).toBeLessThan(
        0.501,
      );
    },
  );
});

describe('the table of the exponential', () => {
  it('has the rounded words of the check within 1, for every segment, and zeros on the side of the gate that is closed', () => {
    const { s1, a, rows } = vectors.expTable;
    const tables = expTables();
    for (const gate of [0, 1]) {
      const table: SelectionTable<Words> = {
        kind: 'exp',
        s1,
        width: 4,
        a: wordsFrom(a, 25),
        gate: wordsFrom(
          a.map(() => gate),
          1,
        ),
      };
      a.forEach((_, i) => {
        for (let j = 0; j < 8; j++) {
          const words = [0, 1].map((w) => Number(tableEntry(table, tables, i, 2 * j + w)[0]));
          expect(words[gate]).toBe(0);
          expect(Math.abs(words[1 - gate] - rows[i][j])).toBeLessThanOrEqual(1);
        }
      });
    }
    expect(Math.max(...rows.flat())).toBeGreaterThan(2 ** 20);
  });
});
