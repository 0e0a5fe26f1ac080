/**
 * Conformance of a protocol: every operation of `Gates` against the plaintext oracle, over several rings, with its
 * declared cost. Called once per protocol.
 *
 * Exact operations are compared word for word. The rounding ones against their declared model: ⌊(x + ρ)/2^s⌋ with a
 * uniform ρ, so an error of 0 or +1 relative to the floor, and no bias. Randomness is seeded; a failing case names
 * its seed.
 */
import { describe, expect, it } from 'vitest';
import type { PiecewisePolynomial } from '../../src/compute/kernels/types.ts';
import { patternCount, strided, triangle } from '../../src/compute/pattern.ts';
import { type Words, ringMask, signedAt, wordAt, wordsFrom } from '../../src/compute/ring.ts';
import { PlaintextGates } from '../../src/testing/oracle.ts';
import type { ProtocolInfo } from '../../src/mpc/protocol/registry.ts';
import type { Gates, Inputs, Parameter, TruncationModel, Widening } from '../../src/mpc/protocol/types.ts';
import { Random } from '../compute/kernels.suite.ts';
import { type ClearParameter, clearOf } from '../support/parameters.ts';
import type { ProtocolRun } from '../support/simulate.ts';

/** What a protocol brings to the suite. Another protocol is one more of these. */
export interface ProtocolRunner {
  readonly info: Pick<ProtocolInfo, 'id' | 'truncation'>;
  /** How its builder rounds with such weights: no worse than `info.truncation`. */
  rounding(weights: 'open' | 'secret'): TruncationModel;
  readonly widenings: readonly Widening[];
  /** Half-rounds behind the last product in which P2 gets its result, in rounds. */
  readonly behind: 0 | 1;
  run(build: (gates: Gates) => void, inputs: Inputs, options: RunOptions): Promise<ProtocolRun>;
}

interface RunOptions {
  readonly weights: 'open' | 'secret';
  readonly parameters: readonly ClearParameter[];
  readonly seed: number;
  /** For long vectors: a fast backend. */
  readonly fast?: boolean;
  readonly widening?: Widening;
}

interface Case {
  readonly name: string;
  build(gates: Gates): void;
  readonly inputs: Inputs;
  readonly parameters?: readonly ClearParameter[];
}

const RINGS = [1, 7, 8, 16, 25, 32, 33, 35, 48, 64];
const WEIGHTS = ['open', 'secret'] as const;

/** Edge values of Z_2^k, then random ones. */
function vector(random: Random, count: number, k: number): Words {
  const top = 1n << BigInt(k - 1);
  const edges = [0n, 1n, ringMask(k), top, top - 1n, ringMask(k) - 1n].map((v) => v & ringMask(k));
  return wordsFrom(
    Array.from({ length: count }, (_, i) => (i < edges.length ? edges[i] : random.word(k))),
    k,
  );
}

const tensors = (all: Readonly<Record<string, Words>>): Inputs => ({ tensors: all, indices: {} });

/** Local operations and products: any ring. */
function ringCases(k: number): Case[] {
  const random = new Random(1000 + k);
  const [x, y, square] = [vector(random, 15, k), vector(random, 15, k), vector(random, 12, k)];
  const unary = (name: string, op: (g: Gates, w: ReturnType<Gates['input']>) => ReturnType<Gates['input']>): Case => ({
    name,
    build: (g) => g.output('out', op(g, g.input('x', [3, 5], k, 4))),
    inputs: tensors({ x }),
  });
  const binary = (
    name: string,
    op: (g: Gates, a: ReturnType<Gates['input']>, b: ReturnType<Gates['input']>) => ReturnType<Gates['input']>,
  ): Case => ({
    name,
    build: (g) => g.output('out', op(g, g.input('x', [3, 5], k, 4), g.input('y', [3, 5], k, 4))),
    inputs: tensors({ x, y }),
  });
  return [
    unary('input and output', (_g, w) => w),
    binary('add', (g, a, b) => g.add(a, b)),
    binary('sub', (g, a, b) => g.sub(a, b)),
    unary('scale', (g, w) => g.scale(w, -12345678901234567n)),
    unary('offset', (g, w) => g.offset(w, -987654321n)),
    ...[1, Math.ceil(k / 2), k].map((narrow) => unary(`reduce to ${narrow}`, (g, w) => g.reduce(w, narrow))),
    unary('raise by 3', (g, w) => g.raise(w, 3, Math.min(64, k + 3))),
    unary('raise by 1 inside the ring', (g, w) => g.raise(w, 1, k)),
    unary('sumRows', (g, w) => g.sumRows(w)),
    unary('repeat', (g, w) => g.repeat(w, 3)),
    unary('means', (g, w) => g.means(w, 24)),
    unary('gather, strided', (g, w) => g.gather(w, strided(3, [2, 5], [2, 0], [2, 1]), [2, 4])),
    ...(['pack', 'spread', 'clamp'] as const).map((form) =>
      unary(`gather, triangle to ${form}`, (g, w) =>
        g.gather(w, triangle(form, 1, 3), [patternCount(triangle(form, 1, 3))]),
      ),
    ),
    unary('reshape', (g, w) => g.reshape(w, [15], 9)),
    binary('mul', (g, a, b) => g.mul(a, b)),
    unary('mul of a value with itself', (g, w) => g.mul(w, w)),
    binary('mul of sums, a product of products and a shown wire', (g, a, b) => {
      const p = g.mul(g.add(a, b), g.offset(b, 3n));
      return g.mul(g.reshape(p, [15]), g.reshape(g.sub(a, b), [15]));
    }),
    {
      name: 'matmul',
      build: (g) => g.output('out', g.matmul(g.input('x', [2, 3, 2], k, 0), g.input('y', [2, 2, 3], k, 0))),
      inputs: tensors({ x: square, y: vector(random, 12, k) }),
    },
    {
      name: 'matmul with a transposed operand, twice the same lift',
      build: (g) => {
        const [a, b] = [g.input('x', [2, 3, 2], k, 0), g.input('y', [2, 3, 2], k, 0)];
        g.output('out', g.add(g.matmul(a, b, { transposed: true }), g.matmul(b, a, { transposed: true })));
      },
      inputs: tensors({ x: square, y: vector(random, 12, k) }),
    },
  ];
}

/** Selections into Z_2^k. */
function selectionCases(k: number): Case[] {
  const random = new Random(2000 + k);
  const entries = (n: number) => Array.from({ length: n }, () => random.word(k));
  const cases: Case[] = [1, 2, 4, 7, 9].map((bits): Case => {
    const table = { bits, entries: entries(1 << bits) };
    const x = wordsFrom(
      Array.from({ length: 13 }, (_, i) =>
        i < 4 ? [0, 1, (1 << bits) - 1, 1 << (bits - 1)][i] : Number(random.word(bits)),
      ),
      bits,
    );
    return {
      name: `table of ${1 << bits}`,
      build: (g) => g.output('out', g.table(g.input('x', [13], bits, 0), table, k)),
      inputs: tensors({ x }),
    };
  });
  for (const count of [1, 3, 6]) {
    const joint = entries(1 << count);
    const bits = Object.fromEntries(Array.from({ length: count }, (_, b) => [`b${b}`, vector(random, 11, 1)]));
    cases.push({
      name: `jointTable of ${count} bits`,
      build: (g) =>
        g.output(
          'out',
          g.jointTable(
            Object.keys(bits).map((name) => g.input(name, [11], 1, 0)),
            joint,
            k,
          ),
        ),
      inputs: tensors(bits),
    });
  }
  const pick = Uint8Array.of(1, 255, 0, 2, 2, 0, 1, 255);
  const values = { v0: vector(random, 16, k), v1: vector(random, 16, k), v2: vector(random, 16, k) };
  const bits = Object.fromEntries(
    [0, 1, 2].map((b) => [
      `b${b}`,
      wordsFrom(
        Array.from({ length: 16 }, (_, i) => (i >> b) & 1),
        1,
      ),
    ]),
  );
  const choose = (g: Gates) =>
    g.choose(
      ['b0', 'b1', 'b2'].map((name) => g.input(name, [16], 1, 0)),
      ['v0', 'v1', 'v2'].map((name) => g.input(name, [16], k, 0)),
      pick,
    );
  cases.push({
    name: 'choose among three, for all joint bits',
    build: (g) => g.output('out', choose(g)),
    inputs: tensors({ ...values, ...bits }),
  });
  cases.push({
    name: 'a sum of choices, also of the same bits',
    build: (g) => {
      const names = ['b0', 'b1', 'b2'].map((name) => g.input(name, [16], 1, 0));
      const [v0, v1, v2] = ['v0', 'v1', 'v2'].map((name) => g.input(name, [16], k, 0));
      const sum = g.chooseSum([
        { bits: names, values: [v0, v1, v2], pick },
        { bits: names.slice(0, 2), values: [v1], pick: Uint8Array.of(255, 0, 255, 0) },
        { bits: names.slice(0, 2), values: [v1, v0], pick: Uint8Array.of(0, 255, 1, 0) },
      ]);
      g.output('out', g.mul(sum, sum));
    },
    inputs: tensors({ ...values, ...bits }),
  });
  if (k > 5)
    cases.push({
      name: 'a sum of choices of which one is raised: words of 5 bits less',
      build: (g) => {
        const names = ['b0', 'b1', 'b2'].map((name) => g.input(name, [16], 1, 0));
        const [v0, v1, v2] = ['v0', 'v1', 'v2'].map((name) => g.input(name, [16], k, 0));
        const narrow = [v1, v2].map((v) => g.reduce(v, k - 5));
        const sum = g.chooseSum([
          { bits: names.slice(0, 1), values: [g.reshape(v0, [16], 5)], pick: Uint8Array.of(0, 255) },
          { bits: names.slice(1), values: narrow, pick: Uint8Array.of(255, 0, 1, 0), raise: 5 },
        ]);
        g.output('out', sum);
      },
      inputs: tensors({ ...values, ...bits }),
    });
  cases.push({
    name: 'a product of a selection, which needs no lift',
    build: (g) => {
      const chosen = choose(g);
      g.output('out', g.mul(chosen, chosen));
    },
    inputs: tensors({ ...values, ...bits }),
  });
  return cases;
}

/** Widening, exact for |x| ≤ 2^(k−2) including both edges. */
function widenCases(): Case[] {
  return [
    [8, 16],
    [9, 64],
    [25, 32],
    [32, 64],
    [48, 64],
    [63, 64],
  ].map(([k, k2]) => {
    const random = new Random(3000 + k);
    const edge = 1n << BigInt(k - 2);
    const values = [
      0n,
      1n,
      -1n,
      edge - 1n,
      -edge,
      edge - 2n,
      ...Array.from({ length: 30 }, () => random.word(k - 1) - edge),
    ];
    return {
      name: `widen ${k} → ${k2}`,
      build: (g: Gates) => {
        const wide = g.widen(g.input('x', [values.length], k, 0), k2);
        g.output('out', wide);
        // Both ways in which a widened value enters a product: lifted with its table, and shown through a reshape.
        g.output('square', g.mul(g.reshape(wide, [1, values.length]), g.reshape(wide, [1, values.length])));
        // What is read of it: in a smaller ring, beside a masked value, by a selection, and masked for both.
        const read = g.reduce(wide, k2 - 1);
        const mixed = g.sub(g.scale(read, 5n), g.reduce(g.reshare(wide), k2 - 1));
        g.output('mixed', mixed);
        g.output('product', g.mul(mixed, read));
        const even = { bits: 2, entries: [1n, 0n, 1n, 0n] };
        g.output('chosen', g.choose([g.table(g.reduce(mixed, 2), even, 1)], [mixed], Uint8Array.of(255, 0)));
      },
      inputs: tensors({ x: wordsFrom(values, k) }),
    };
  });
}

/** Selections that are widened at once, exact for 0 ≤ f ≤ 2^(k−2) including both edges. */
function widenedCases(): Case[] {
  return [
    [8, 16],
    [21, 46],
    [32, 64],
    [35, 64],
  ].map(([k, k2]) => {
    const random = new Random(3500 + k);
    const values = [0n, 1n, 1n << BigInt(k - 2), ...Array.from({ length: 20 }, () => random.word(k - 2))];
    const bits = wordsFrom(
      values.map((_, i) => i % 2),
      1,
    );
    return {
      name: `choice over Z_2^${k} widened to ${k2} at once`,
      build: (g: Gates) => {
        const [x, bit] = [g.input('x', [values.length], k, 0), g.input('bit', [values.length], 1, 0)];
        const wide = g.choose([bit], [x], Uint8Array.of(0, 255), { widen: k2 });
        g.output('out', wide);
        g.output('square', g.mul(wide, wide));
        const choices = [0, 1].map((at) => ({
          bits: [bit],
          values: [x],
          pick: Uint8Array.of(at === 0 ? 0 : 255, at === 1 ? 0 : 255),
        }));
        g.output('sum', g.chooseSum(choices, { widen: k2 }));
      },
      inputs: tensors({ x: wordsFrom(values, k), bit: bits }),
    };
  });
}

/** Parameters and everything that uses one, over Z_2^64. */
function parameterCases(): Case[] {
  const random = new Random(4000);
  const parameter = (name: string, rows: number, cols: number, scale: number): ClearParameter => ({
    parameter: { name, rows, cols, scale },
    values: Array.from({ length: rows * cols }, (_, i) =>
      i % 7 === 0 ? BigInt.asIntN(64, random.word()) : BigInt.asIntN(32, random.word(32)),
    ),
  });
  const w = parameter('w', 4, 3, 16);
  const w2 = parameter('w2', 5, 3, 16);
  const row = parameter('row', 1, 3, 16);
  const bias = parameter('bias', 1, 3, 32);
  const flat = parameter('flat', 1, 8, 16);
  const table = parameter('table', 23, 5, 24);
  const single = parameter('single', 1, 2, 24);
  const all = [w, w2, row, bias, flat, table, single];
  const p = (c: ClearParameter): Parameter => c.parameter;
  const x = vector(random, 8, 64);
  const z = vector(random, 10, 64);
  const d = vector(random, 6, 64);
  const one = (g: Gates) => g.input('x', [2, 4], 64, 16);
  const of = (name: string, inputs: Inputs, build: (g: Gates) => void): Case => ({
    name,
    build,
    inputs,
    parameters: all,
  });
  const lookup = (indices: readonly number[]): Inputs => ({ tensors: {}, indices: { t: indices } });
  return [
    of('addParameter, one row for all', tensors({ d }), (g) =>
      g.output('out', g.addParameter(g.input('d', [2, 3], 64, 32), p(bias))),
    ),
    of('addParameter, a word for each', tensors({ x }), (g) => g.output('out', g.addParameter(one(g), p(flat)))),
    of('a product of a value with an added parameter', tensors({ x }), (g) => {
      const sum = g.addParameter(one(g), p(flat));
      g.output('out', g.mul(sum, sum));
    }),
    of('an added parameter on a wire that was lifted before', tensors({ x }), (g) => {
      const first = one(g);
      const product = g.mul(first, first);
      g.output('out', g.mul(g.addParameter(g.reshape(product, [2, 4], 16), p(flat)), first));
    }),
    of(
      'an added parameter on a selection, which both compute parties hold already',
      { tensors: { c: wordsFrom([0, 1, 2, 3, 3, 0, 1, 2], 2) }, indices: {} },
      (g) => {
        const chosen = g.table(
          g.input('c', [2, 4], 2, 0),
          { bits: 2, entries: [5n, 1n << 63n, 77n, ringMask(64)] },
          64,
        );
        const sum = g.addParameter(g.reshape(chosen, [2, 4], 16), p(flat));
        g.output('out', g.mul(sum, sum));
      },
    ),
    of('affine', tensors({ x }), (g) => g.output('out', g.affine([{ x: one(g), weight: p(w) }]))),
    of('affine with bias', tensors({ x }), (g) => g.output('out', g.affine([{ x: one(g), weight: p(w) }], p(bias)))),
    of('affine, diagonal', tensors({ d }), (g) =>
      g.output('out', g.affine([{ x: g.input('d', [2, 3], 64, 16), weight: p(row), diagonal: true }])),
    ),
    of('affine of three terms with diagonal and bias', tensors({ x, z, d }), (g) =>
      g.output(
        'out',
        g.affine(
          [
            { x: one(g), weight: p(w) },
            { x: g.input('z', [2, 5], 64, 16), weight: p(w2) },
            { x: g.input('d', [2, 3], 64, 16), weight: p(row), diagonal: true },
          ],
          p(bias),
        ),
      ),
    ),
    of('affine of an affine map', tensors({ z }), (g) => {
      const inner = g.affine([{ x: g.input('z', [2, 5], 64, 16), weight: p(w2) }]);
      g.output('out', g.affine([{ x: g.reshape(inner, [2, 3], 16), weight: p(row), diagonal: true }], p(bias)));
    }),
    of('one value in two affine maps and a product', tensors({ x }), (g) => {
      const value = one(g);
      const [a, b] = [g.affine([{ x: value, weight: p(w) }]), g.affine([{ x: value, weight: p(w) }], p(bias))];
      g.output('out', g.mul(a, b));
      g.output('x²', g.mul(value, value));
    }),
    of('lookup of rows, with the first, the last and a repeated one', lookup([0, 22, 7, 7, 16]), (g) =>
      g.output('out', g.lookup('t', p(table), 5)),
    ),
    of('lookup in a table of one row', lookup([0, 0]), (g) => g.output('out', g.lookup('t', p(single), 2))),
    of('a product of two looked-up rows', lookup([3, 9]), (g) => {
      const rows = g.lookup('t', p(table), 2);
      g.output('out', g.mul(rows, rows));
    }),
  ];
}

export function protocolConformance(runner: ProtocolRunner): void {
  const { info } = runner;
  let seed = 0;

  async function check(
    test: Case,
    weights: 'open' | 'secret' = 'open',
    widening: Widening = 'dealer',
  ): Promise<ProtocolRun> {
    const parameters = test.parameters ?? [];
    const oracle = new PlaintextGates(test.inputs, clearOf(parameters));
    test.build(oracle);
    const run = await runner.run(test.build, test.inputs, { weights, parameters, seed: ++seed, widening });
    const where = `${test.name}, ${weights} weights, seed ${seed}`;
    expect([...run.outputs.keys()].sort(), where).toEqual([...oracle.outputs.keys()].sort());
    for (const [name, words] of oracle.outputs) {
      expect(run.outputs.get(name)?.k, where).toBe(words.k);
      expect([...(run.outputs.get(name)?.data ?? [])], `${where}, output ${name}`).toEqual([...words.data]);
    }
    checkCost(run, where);
    return run;
  }

  describe(`${info.id}: exact operations equal the plaintext oracle at the declared bytes and rounds`, () => {
    for (const k of RINGS)
      for (const test of ringCases(k)) it(`${test.name} over Z_2^${k}`, () => check(test).then(() => undefined));
    for (const k of [1, 8, 9, 21, 32, 35, 64])
      for (const test of selectionCases(k)) it(`${test.name} into Z_2^${k}`, () => check(test).then(() => undefined));
    for (const widening of runner.widenings)
      for (const test of [...widenCases(), ...widenedCases()])
        it(`${test.name} by ${widening}, with both edges of its domain`, () =>
          check(test, 'open', widening).then(() => undefined));
    for (const weights of WEIGHTS)
      for (const test of parameterCases())
        it(`${test.name}, ${weights} weights`, () => check(test, weights).then(() => undefined));

    it('independent gates share a round, and dependent ones do not', async () => {
      const x = vector(new Random(5), 4, 32);
      const square = (g: Gates, depth: number) => {
        let value = g.input('x', [4], 32, 0);
        for (let i = 0; i < depth; i++) value = g.mul(value, value);
        return value;
      };
      const wide = await check({
        name: 'three products side by side',
        build: (g) => {
          const w = g.input('x', [4], 32, 0);
          g.output('out', g.add(g.add(g.mul(w, w), g.mul(g.offset(w, 1n), w)), g.mul(w, g.offset(w, 2n))));
        },
        inputs: tensors({ x }),
      });
      const deep = await check({
        name: 'three products in a chain',
        build: (g) => g.output('out', square(g, 3)),
        inputs: tensors({ x }),
      });
      expect([wide.rounds, deep.rounds]).toEqual([1 + runner.behind, 3 + runner.behind]);
    });

    it('a table longer than one part of a message travels whole: 1200 elements of 512 words, 4.9 MB', async () => {
      const random = new Random(6);
      const table = { bits: 9, entries: Array.from({ length: 512 }, () => random.word()) };
      const x = wordsFrom(
        Array.from({ length: 1200 }, (_, i) => i % 512),
        9,
      );
      const run = await runner.run(
        (g) => g.output('out', g.table(g.input('x', [1200], 9, 0), table, 64)),
        tensors({ x }),
        {
          weights: 'open',
          parameters: [],
          seed: 6,
          fast: true,
        },
      );
      expect([...(run.outputs.get('out')?.data ?? [])]).toEqual(
        Array.from({ length: 1200 }, (_, i) => table.entries[i % 512]),
      );
      checkCost(run, 'long table');
    });
  });

  describe(`${info.id}: rounding follows the declared model (${info.truncation.rounding}, ≤ ${info.truncation.maxErrorUlp} ulp, wrap probability ${info.truncation.wrapProbability})`, () => {
    const SHIFTS = [
      [8, 3],
      [17, 1],
      [32, 16],
      [64, 16],
      [64, 38],
    ] as const;

    const { coins } = info.truncation;
    /** Output minus ⌊x/2^s⌋ in ulps, as it may be, and where x/2^s is whole. */
    const NEAR = coins === 1 ? [0, 1] : [-1, 0, 1, 2];
    const WHOLE = coins === 1 ? [0] : [-1, 0, 1];
    /** Two coins of one bit each, less half a unit, never add up to 1½ ulps. */
    const nearOf = (s: number) => (s === 1 ? NEAR.filter((e) => e < 2) : NEAR);
    const sorted = (found: readonly bigint[]) => [...new Set(found.map(Number))].sort((a, b) => a - b);

    /** Output minus ⌊x/2^s⌋ for every element, in ulps. */
    async function errors(
      values: readonly bigint[],
      k: number,
      s: number,
      op: 'shift' | 'truncate',
      k2 = k,
    ): Promise<bigint[]> {
      const run = await runner.run(
        (g) => {
          const x = g.input('x', [values.length], k, s);
          g.output('out', op === 'shift' ? g.shift(x, s) : g.truncate(x, s, k2));
        },
        tensors({ x: wordsFrom(values, k) }),
        { weights: 'open', parameters: [], seed: ++seed, fast: true },
      );
      const out = run.outputs.get('out') as Words;
      checkCost(run, `${op} by ${s}`);
      return values.map((v, i) => BigInt.asIntN(out.k, wordAt(out, i) - (v >> BigInt(s))));
    }

    it.each(SHIFTS)(
      `shift of Z_2^%i by %i errs by ${NEAR.join(', ')} ulp, and by ${WHOLE.join(', ')} on multiples, for every residue`,
      async (k, s) => {
        const random = new Random(k * 100 + s);
        const found = await errors([...vector(random, 3000, k).data].map(BigInt), k, s, 'shift');
        expect(sorted(found)).toEqual(nearOf(s));
        const exact = await errors(
          Array.from({ length: 500 }, () => random.word(k - s) << BigInt(s)),
          k,
          s,
          'shift',
        );
        expect(sorted(exact)).toEqual(s === 1 ? WHOLE.filter((e) => e < 1) : WHOLE);
      },
    );

    it.each(SHIFTS)(
      `truncate in Z_2^%i by %i errs by ${NEAR.join(', ')} ulp up to the edge of its domain: wrap rate 0 of 4000 there`,
      async (k, s) => {
        if (k - s < 3) return;
        const random = new Random(k * 100 + s + 1);
        // The rounded value may lie beyond the exact one by what a shift errs.
        const edge = (1n << BigInt(k - 2)) - (coins === 1 ? 0n : 2n << BigInt(s));
        const found = await errors(
          Array.from({ length: 4000 }, (_, i) =>
            i % 4 === 0 ? edge - 1n : i % 4 === 1 ? 1n - edge : random.word(k - 2) - (edge >> 1n),
          ),
          k,
          s,
          'truncate',
          64,
        );
        expect(sorted(found)).toEqual(nearOf(s));
      },
    );

    it('truncate is wrong past its domain, in a quarter of cases at 3·2^(k−3), or an eighth with two coins: the edge test can fail', async () => {
      for (const [k, s] of [
        [32, 16],
        [64, 16],
      ] as const) {
        const found = await errors(new Array<bigint>(4000).fill(3n << BigInt(k - 3)), k, s, 'truncate', 64);
        const wrong = found.filter((e) => !NEAR.includes(Number(e))).length / 4000;
        // A standard deviation of 4000 trials is below 0.007. And the error is a whole wrap of the ring that the shift
        // left.
        expect(Math.abs(wrong - (coins === 1 ? 1 / 4 : 1 / 8)), `k ${k}: ${wrong}`).toBeLessThan(0.04);
        const wrap = 1n << BigInt(k - s);
        expect(found.every((e) => NEAR.includes(Number(e)) || NEAR.includes(Number(e + wrap)))).toBe(true);
      }
    });

    it('shift is unbiased: the mean of 20000 roundings is within 5σ = 0.018 ulp of x/2^s, for eight fractions', async () => {
      for (const eighths of [0, 1, 2, 3, 4, 5, 6, 7]) {
        const x = 12345n * 65536n + BigInt(eighths * 8192);
        const found = await errors(new Array<bigint>(20_000).fill(x), 64, 16, 'shift');
        const mean = found.reduce((sum, e) => sum + Number(e), 0) / 20_000;
        expect(Math.abs(mean - eighths / 8), `fraction ${eighths}/8: mean ${mean}`).toBeLessThan(0.018);
      }
    });

    describe('a gate with `drop`: its neighbours of the exact result, at the declared bytes, in the ring of what is left', () => {
      const [count, edge] = [3000, 1n << 29n];
      const random = new Random(77);
      const words = () =>
        wordsFrom(
          Array.from({ length: count }, (_, i) => (i < 3 ? [0n, edge, -edge][i] : random.word(30) - (1n << 29n))),
          32,
        );
      const bits = (seed: number) => vector(new Random(seed), count, 1);
      const inputs = tensors({ x: words(), y: words(), bit: bits(1), gate: bits(2) });
      const [x, y, bit, gate] = [
        (g: Gates) => g.input('x', [count], 32, 20),
        (g: Gates) => g.input('y', [count], 32, 20),
        (g: Gates) => g.input('bit', [count], 1, 0),
        (g: Gates) => g.input('gate', [count], 1, 0),
      ];
      const rows = (g: Gates, w: ReturnType<Gates['input']>) => g.reshape(w, [count / 20, 4, 5]);
      const pick = Uint8Array.of(0, 1);
      type Bound = 'maxSelectionErrorUlp' | 'maxProductErrorUlp';
      it.each<[string, Bound, (g: Gates) => ReturnType<Gates['input']>]>([
        ['mul', 'maxProductErrorUlp', (g) => g.mul(x(g), y(g), { drop: 11 })],
        ['matmul', 'maxProductErrorUlp', (g) => g.matmul(rows(g, x(g)), rows(g, y(g)), { transposed: true, drop: 8 })],
        ['choose', 'maxSelectionErrorUlp', (g) => g.choose([bit(g)], [x(g), y(g)], pick, { drop: 9 })],
        [
          'chooseSum',
          'maxSelectionErrorUlp',
          (g) => {
            const values = [x(g), y(g)];
            const choices = [bit(g), gate(g)].map((b) => ({ bits: [b], values, pick }));
            return g.chooseSum(choices, { drop: 16 });
          },
        ],
      ])('%s', async (name, bound, build) => {
        for (const weights of WEIGHTS) {
          const declared = runner.rounding(weights);
          expect(declared[bound]).toBeLessThanOrEqual(info.truncation[bound]);
          const out = (g: Gates) => g.output('out', build(g));
          const oracle = new PlaintextGates(inputs, clearOf([]));
          out(oracle);
          const want = oracle.outputs.get('out') as Words;
          const run = await runner.run(out, inputs, { weights, parameters: [], seed: ++seed, fast: true });
          const got = run.outputs.get('out') as Words;
          checkCost(run, name);
          expect(got.k).toBe(want.k);
          const found = Array.from({ length: want.data.length }, (_, i) =>
            Number(BigInt.asIntN(got.k, wordAt(got, i) - wordAt(want, i))),
          );
          expect([...new Set(found)].sort((a, b) => a - b)).toEqual(declared[bound] === 1 ? [0, 1] : [-1, 0, 1, 2]);
        }
      });
    });

    it('polynomial: a global polynomial is met within the rounding bound of PROTOCOL §6.3 on every segment, whichever of two neighbours is measured', async () => {
      for (const { k, s1, s2, t, guard } of [
        { k: 32, s1: 12, s2: 12, t: 12, guard: 2 },
        { k: 64, s1: 22, s2: 14, t: 14, guard: 0 },
        { k: 32, s1: 10, s2: 10, t: 9, guard: 2 },
      ]) {
        const segments = 16;
        // f(z) = z³/64 − z²/8 + z/2 + 1 in units of a segment, centred at each segment start: exact coefficients in
        // δ/2^t.
        const f = (z: number) => z ** 3 / 64 - z ** 2 / 8 + z / 2 + 1;
        const coefficients = new BigInt64Array(4 * segments);
        const rounded = (value: number) => BigInt(Math.round(value * 2 ** (s1 + guard)));
        for (let i = 0; i < segments; i++) {
          const c = i < segments / 2 ? i : i - segments;
          [f(c), (3 * c ** 2) / 64 - c / 4 + 0.5, (3 * c) / 64 - 1 / 8, 1 / 64].forEach((value, q) => {
            coefficients[4 * i + q] = rounded(value);
          });
        }
        const polynomial: PiecewisePolynomial = { segments, degree: 3, t, s1, s2, guard, coefficients };
        const random = new Random(t + k);
        // Keep one segment free at the upper end: there the measured segment may wrap.
        const span = 2 ** t * (segments - 1);
        const values = Array.from({ length: 800 }, (_, i) =>
          i < 2
            ? [-(2 ** t) * (segments / 2), span - 2 ** t * (segments / 2) - 1][i]
            : Number(random.word(40) % BigInt(span)) - (2 ** t * segments) / 2,
        );
        const run = await runner.run(
          (g) => g.output('out', g.polynomial(g.input('x', [values.length], t + 4, 0), polynomial, k)),
          tensors({ x: wordsFrom(values, t + 4) }),
          {
            weights: 'open',
            parameters: [],
            seed: ++seed,
            fast: true,
          },
        );
        checkCost(run, 'polynomial');
        // Table words: ½ ulp of rounding and, before the guard bits go, four coefficients of ½ and three floors of
        // 1, each times at most C(3,p); all times φ ≤ 2^s2. Basis: one ulp times |D_p|.
        const size = 2 ** s1 * 12;
        const bound = (4 * (0.5 + (4 * 0.5 + 3) * 3 * 2 ** -guard) * 2 ** s2 + 3 * size) / 2 ** (s1 + s2);
        const out = run.outputs.get('out') as Words;
        const worst = Math.max(
          ...values.map((v, i) => Math.abs(Number(signedAt(out, i)) / 2 ** (s1 + s2) - f(v / 2 ** t))),
        );
        expect(worst, `k ${k}, s1 ${s1}: ${worst} against ${bound}`).toBeLessThan(bound);
        expect(bound).toBeLessThan(0.06);
      }
    });

    it('polynomial is wrong where its declared domain ends: the last segment is measured as the first of the period', async () => {
      const coefficients = BigInt64Array.from({ length: 64 }, (_, at) => (at % 4 === 0 ? BigInt(at) * 1000n : 0n));
      const values = new Array<number>(400).fill(2 ** 12 * 16 - 2 ** 11);
      const run = await runner.run(
        (g) =>
          g.output(
            'out',
            g.polynomial(
              g.input('x', [400], 16, 0),
              { segments: 16, degree: 3, t: 12, s1: 0, s2: 12, guard: 0, coefficients },
              32,
            ),
          ),
        tensors({ x: wordsFrom(values, 16) }),
        { weights: 'open', parameters: [], seed: ++seed, fast: true },
      );
      expect(new Set([...(run.outputs.get('out')?.data ?? [])].map((v) => Number(v) / 4096))).toEqual(
        new Set([60_000, 0]),
      );
    });

    it('exponential: e^x on [−20, 0) within 2.2e-4 absolute (½ ulp of a basis word of 2^17·e^-4), and zero where the gate is zero', async () => {
      const random = new Random(8);
      const N = 4000;
      const values = Array.from({ length: N }, (_, i) =>
        i < 3 ? [-1, -(2 ** 13), -20 * 2 ** 13][i] : -1 - Number(random.word(40) % BigInt(20 * 2 ** 13)),
      );
      const gate = Array.from({ length: N }, (_, i) => (i % 8 === 7 ? 0 : 1));
      const run = await runner.run(
        // With few bits, as where a table must be proved.
        (g) =>
          g.output('out', g.exponential(g.raise(g.input('x', [N], 18, 13), 7, 25), g.input('gate', [N], 1, 0), 17, 17)),
        tensors({ x: wordsFrom(values, 18), gate: wordsFrom(gate, 1) }),
        { weights: 'open', parameters: [], seed: ++seed, fast: true },
      );
      checkCost(run, 'exponential');
      const out = run.outputs.get('out') as Words;
      const real = values.map((_, i) => Number(signedAt(out, i)) / 2 ** 34);
      expect(real.filter((_, i) => gate[i] === 0).every((v) => v === 0)).toBe(true);
      const worst = Math.max(...real.map((v, i) => (gate[i] === 0 ? 0 : Math.abs(v - Math.exp(values[i] / 2 ** 13)))));
      expect(worst, `worst ${worst}`).toBeLessThan(2.2e-4);
      expect(worst, 'the bound is not far above what is met').toBeGreaterThan(2e-5);
    });
  });
}

/** Bytes on every link and rounds between P1 and P2: measured = declared, to the byte. */
export function checkCost(run: ProtocolRun, where: string): void {
  expect(run.sent, `${where}: bytes`).toEqual(run.declared);
  expect(run.rounds, `${where}: rounds`).toBe(run.declaredRounds);
  expect(run.owner[0], `${where}: rounds of P0`).toBe(run.owner[1]);
}
