/**
 * The gadgets of `secure/` under complete sharing: their declared errors, where a rounding has two coins and a class is
 * read in half units. What they compute is tested in `secure.test.ts`; here are the edges that move.
 */
import { describe, expect, it } from 'vitest';
import { decodeFixed, encodeFixed } from '../../src/compute/fixed-point.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { type Words, wordsFrom } from '../../src/compute/ring.ts';
import { gelu } from '../../src/compute/special-functions.ts';
import {
  COARSE_RELU_ERROR,
  GELU_DOMAIN,
  GELU_ERROR,
  TANH_DOMAIN,
  TANH_ERROR,
  secureGelu,
  secureRelu,
  secureTanh,
} from '../../src/mpc/secure/activation.ts';
import {
  ATTENTION_ERROR,
  attend,
  attentionKeys,
  attentionValues,
  spreadDomain,
} from '../../src/mpc/secure/attention.ts';
import { isNegativeIn } from '../../src/mpc/secure/compare.ts';
import type { Gates, Wire } from '../../src/mpc/secure/gates.ts';
import {
  NORMALISE_ERROR,
  NORMALISE_RELATIVE_ERROR,
  centredRing,
  isCentred,
  normalise,
  normaliseCentred,
  normaliseLoss,
  normaliseShift,
  varianceDomain,
} from '../../src/mpc/secure/normalise.ts';
import { COMPLETE_ROUNDING } from '../../src/mpc/protocol/malicious/rounding.ts';
import { RangeChecks, accepted } from '../../src/mpc/secure/range-check.ts';
import { Random } from '../compute/kernels.suite.ts';
import { simulate } from '../support/simulate.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
const SEED = 20261127;

type Weights = 'open' | 'secret';
const BOTH = ['open', 'secret'] as const;

interface Tensor {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** Runs `build` on inputs at scale 32 over Z_2^64. */
async function run(
  inputs: Readonly<Record<string, Tensor>>,
  build: (g: Gates, ...x: Wire[]) => Wire,
  more: Readonly<Record<string, Words>> = {},
  weights: Weights = 'open',
): Promise<Float64Array> {
  let scale = 0;
  const tensors = Object.entries(inputs).map(([name, { values }]) => [name, encodeFixed(values, 32, 64)] as const);
  const { outputs } = await simulate(
    (g) => {
      const out = build(g, ...Object.entries(inputs).map(([name, { shape }]) => g.input(name, shape, 64, 32)));
      scale = out.scale;
      g.output('out', out);
    },
    { tensors: { ...Object.fromEntries(tensors), ...more }, indices: {} },
    { sharing: 'complete', kernels: () => wasm, seed: SEED, weights },
  );
  return decodeFixed(outputs.get('out') as Words, scale);
}

/** Holds the bound. `MEASURE=1` prints what is measured. */
function within(what: string, worst: number, bound: number): void {
  if (process.env['MEASURE'] !== undefined)
    console.log(`${what}: ${worst.toExponential(2)} of ${bound.toExponential(2)}`);
  expect(worst, what).toBeLessThanOrEqual(bound);
}

function worstOf(got: ArrayLike<number>, want: readonly number[]): number {
  expect(got.length).toBe(want.length);
  return want.reduce((worst, v, i) => Math.max(worst, Math.abs(got[i] - v)), 0);
}

/** Points of [−R, R], and every half with its neighbours. */
function grid(R: number): number[] {
  const points = Array.from({ length: 2000 }, (_, i) => -R + (2 * R * i) / 1999);
  for (let at = -Math.min(R, 16); at <= Math.min(R, 16); at += 0.5)
    for (const near of [0, 2 ** -20, -(2 ** -20)]) if (Math.abs(at + near) <= R) points.push(at + near);
  return points;
}

const one = (values: readonly number[], build: (g: Gates, x: Wire) => Wire, weights: Weights) =>
  run({ x: { shape: [values.length], values } }, build, {}, weights);

describe.each(BOTH)('activations, %s weights', (weights) => {
  it.each(['narrow', 'wide', 'far'] as const)(
    'GeLU, %s: the declared error as with one coin, and wrong past its domain',
    async (range) => {
      const points = grid(GELU_DOMAIN[range]);
      const apply = (x: readonly number[]) => one(x, (g, w) => secureGelu(g, w, range), weights);
      within(`${weights} gelu ${range}`, worstOf(await apply(points), points.map(gelu)), GELU_ERROR[range]);
      const past = [1, -1].map((sign) => sign * { narrow: 20, wide: 70, far: 300 }[range]);
      expect(worstOf(await apply(past), past.map(gelu))).toBeGreaterThan(1);
    },
  );

  it('tanh: the declared error as with one coin, and wrong past its domain', async () => {
    const points = grid(TANH_DOMAIN - 1);
    within(`${weights} tanh`, worstOf(await one(points, secureTanh, weights), points.map(Math.tanh)), TANH_ERROR);
    expect(worstOf(await one([67, -67], secureTanh, weights), [1, -1])).toBeGreaterThan(1);
  });

  it('ReLU: its sign is read at a coarser scale, and wrong past its domain', async () => {
    const points = [...grid(255), ...Array.from({ length: 400 }, (_, i) => (i - 200) * 2 ** -13)];
    const relu = (x: number) => Math.max(x, 0);
    within(`${weights} relu`, worstOf(await one(points, secureRelu, weights), points.map(relu)), COARSE_RELU_ERROR);
    expect(worstOf(await one([300], secureRelu, weights), [300])).toBeGreaterThan(1);
  });
});

describe('comparison', () => {
  it.each([2, 6, 8, 9, 10])('the sign of Z_2^%i is exact for every residue', async (k) => {
    const values = Array.from({ length: 2 ** k * Math.max(1, 64 >> k) }, (_, i) => i % 2 ** k);
    const { outputs } = await simulate(
      (g) => g.output('out', isNegativeIn(g, g.input('x', [values.length], k, 0))),
      { tensors: { x: wordsFrom(values, k) }, indices: {} },
      { sharing: 'complete', kernels: () => wasm, seed: k },
    );
    expect([...(outputs.get('out') as Words).data].map(Number)).toEqual(values.map((v) => (v < 2 ** (k - 1) ? 0 : 1)));
  });
});

describe('attention', () => {
  /** Rows of one query each whose scores are given; value t is v[t]. */
  function context(rows: readonly (readonly number[])[], values: (t: number) => number): number[] {
    return rows.map((scores) => {
      const top = Math.max(...scores);
      const weights = scores.map((s) => Math.exp(s - top));
      const total = weights.reduce((a, b) => a + b, 0);
      return weights.reduce((sum, w, t) => sum + w * values(t), 0) / total;
    });
  }
  const value = (t: number) => (t % 2 === 0 ? 6 : -6) + (t % 5) / 5;
  const inputs = (rows: readonly (readonly number[])[]): Readonly<Record<string, Tensor>> => ({
    q: { shape: [rows.length, 1, 1], values: rows.map(() => 1) },
    k: { shape: [rows.length, rows[0].length, 1], values: rows.flatMap((row) => row.map((s) => 8 * s)) },
    v: { shape: [rows.length, rows[0].length, 1], values: rows.flatMap((row) => row.map((_, t) => value(t))) },
  });
  const random = new Random(SEED);
  const uniform = () => Number(random.word(30)) / 2 ** 30;
  const error = async (rows: readonly (readonly number[])[], bits: 8 | 9, weights: Weights) => {
    const got = await run(
      inputs(rows),
      (g, q, k, v) => attend(g, q, attentionKeys(g, k), attentionValues(g, v), bits),
      {},
      weights,
    );
    return worstOf(got, context(rows, value));
  };

  it.each(BOTH.flatMap((weights) => ([8, 9] as const).map((bits) => [weights, bits] as const)))(
    '%s weights, %i tree bits: within its error for many rows, up to the declared spread, and garbage beyond it',
    async (weights, bits) => {
      const of = (spread: number) =>
        Array.from({ length: 60 }, (_, i) => {
          const scores = Array.from({ length: 7 }, () => (uniform() - 0.5) * spread);
          [scores[i % 7], scores[(i + 3) % 7]] = [spread / 2, -spread / 2];
          return scores;
        });
      const domain = spreadDomain(bits, COMPLETE_ROUNDING);
      for (const spread of [6, domain])
        within(`${weights} ${bits} spread ${spread}`, await error(of(spread), bits, weights), ATTENTION_ERROR);
      expect(await error(of(1.2 * domain), bits, weights)).toBeGreaterThan(0.5);
    },
  );

  it.each([
    ['open', 1],
    ['open', 128],
    ['open', 1000],
    ['secret', 2],
    ['secret', 1000],
  ] as const)('%s weights, %i keys: within its error, mild and sharp', async (weights, T) => {
    for (const sigma of [1, 6]) {
      const rows = Array.from({ length: Math.ceil(300 / T) }, () =>
        Array.from({ length: T }, () => sigma * (uniform() + uniform() + uniform() + uniform() - 2) * 1.7),
      );
      within(`${weights} T ${T} sigma ${sigma}`, await error(rows, 8, weights), ATTENTION_ERROR);
    }
  });

  it.each(BOTH)('%s weights: two keys of equal scores with values of ±6, the worst', async (weights) => {
    const rows = Array.from({ length: 1000 }, () => {
      const score = 60 * (uniform() - 0.5);
      return [score, score];
    });
    within(`${weights} two keys`, await error(rows, 8, weights), ATTENTION_ERROR);
  });

  it.each(BOTH.flatMap((weights) => ([8, 9] as const).map((bits) => [weights, bits] as const)))(
    '%s weights, %i tree bits: padding weighs nothing, whatever it holds, and something without its marks',
    async (weights, bits) => {
      const [T, length] = [16, 9];
      const edge = spreadDomain(bits, COMPLETE_ROUNDING) / 2;
      const rows = Array.from({ length: 60 }, (_, i) =>
        Array.from({ length: T }, (_key, t) =>
          t < length ? (i % 2 === 0 ? ((i * t) % 7) - 3 : t === i % length ? -edge : edge - t / 4) : 40,
        ),
      );
      const marks = (upTo: number, k: number) =>
        wordsFrom(
          Array.from({ length: T }, (_, t) => (t < upTo ? 1 : 0)),
          k,
        );
      const padded = (upTo: number) =>
        run(
          inputs(rows),
          (g, q, k, v) => {
            const real = { bits: g.input('bits', [1, T], 1, 0), words: g.input('words', [1, T], 8, 0) };
            return attend(g, q, attentionKeys(g, k), attentionValues(g, v), bits, { real });
          },
          { bits: marks(upTo, 1), words: marks(upTo, 8) },
          weights,
        );
      const want = context(
        rows.map((row) => row.slice(0, length)),
        value,
      );
      within(`${weights} ${bits} padded`, worstOf(await padded(length), want), ATTENTION_ERROR);
      expect(worstOf(await padded(T), want)).toBeGreaterThan(0.5);
    },
  );

  it.each(BOTH)('%s weights, causal: each row is attention over the keys up to its own', async (weights) => {
    const [H, T] = [4, 21];
    const scores = Array.from({ length: H * T }, () => 30 * (uniform() - 0.5));
    const tensors = {
      q: { shape: [H, T, 1], values: new Array<number>(H * T).fill(1) },
      k: { shape: [H, T, 1], values: scores.map((s) => 8 * s) },
      v: { shape: [H, T, 1], values: scores.map((_, t) => value(t % T)) },
    };
    const got = await run(
      tensors,
      (g, q, k, v) => attend(g, q, attentionKeys(g, k), attentionValues(g, v), 8, 'causal'),
      {},
      weights,
    );
    const want = scores.flatMap((_, i) => context([scores.slice(i - (i % T), i + 1)], value));
    within(`${weights} causal`, worstOf(got, want), ATTENTION_ERROR);
  });
});

describe('a normalised row', () => {
  function exact(rows: number, d: number, x: ArrayLike<number>, epsilon: number): number[] {
    return Array.from({ length: rows }, (_, r) => {
      const row = Array.from({ length: d }, (_x, c) => x[r * d + c]);
      const mean = row.reduce((a, b) => a + b, 0) / d;
      const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / d;
      return row.map((v) => (v - mean) / Math.sqrt(variance + epsilon));
    }).flat();
  }

  it.each([
    ['open', 768, 'normal', false],
    ['open', 768, 'normal', true],
    ['open', 128, 'fine', true],
    ['open', 64, 'coarse', true],
    ['secret', 96, 'broad', true],
    ['secret', 128, 'normal', true],
  ] as const)(
    '%s weights, d = %i, %s, centred %s: over its whole domain, and wrong past both ends',
    async (weights, d, range, centred) => {
      const { min, max } = varianceDomain(d, range);
      const count = 20;
      const sigmas = Array.from({ length: count }, (_, i) =>
        Math.sqrt(1.05 * min * ((0.95 * max) / min / 1.1) ** (i / (count - 1))),
      );
      const random = new Random(d);
      const unit = exact(
        1,
        d,
        Array.from({ length: d }, () => Number(random.word(20)) / 2 ** 19 - 1),
        0,
      );
      const of = (all: readonly number[]) => all.flatMap((sigma) => unit.map((v) => v * sigma));
      const apply = (all: readonly number[]) =>
        run(
          { x: { shape: [all.length, d], values: of(all) } },
          (g, x) => (centred ? normaliseCentred : normalise)(g, x, 1e-12, range),
          {},
          weights,
        );
      const got = await apply(sigmas);
      const want = exact(count, d, of(sigmas), 1e-12);
      const apart = centred && isCentred(range);
      const c = apart ? 2 ** (centredRing(range) - 32) : d * 2 ** (32 - normaliseShift(d, range));
      const shares = sigmas.map((sigma, r) => {
        const worst = worstOf(got.slice(r * d, (r + 1) * d), want.slice(r * d, (r + 1) * d));
        const small = apart ? normaliseLoss(sigma) : (3 * c * sigma) / 2 ** 40;
        return worst / (NORMALISE_ERROR + (NORMALISE_RELATIVE_ERROR + small) * 1.8 + (apart ? 3 : 1.5) / (c * sigma));
      });
      within(`${weights} ${d} ${range} ${centred}`, Math.max(...shares), 1);
      expect(worstOf(await apply([Math.sqrt(min / 100)]), exact(1, d, of([Math.sqrt(min / 100)]), 0))).toBeGreaterThan(
        0.5,
      );
    },
  );
});

describe('a range check', () => {
  it.each([63, 250])(
    'of |x| < %i: passes what is accepted, refuses what is outside, up to its reach',
    async (domain) => {
      const random = new Random(SEED);
      const reach = 12;
      const inside = accepted(domain);
      const values = Array.from({ length: 4000 }, (_, i) => {
        const fraction = Number(random.word(30)) / 2 ** 30;
        const size = i % 2 === 0 ? fraction * inside : domain + fraction * (2 ** reach - domain);
        return i % 4 < 2 ? size : -size;
      });
      const { outputs } = await simulate(
        (g) => {
          const checks = new RangeChecks(g, values.length);
          checks.magnitude(g.input('x', [values.length, 1], 64, 32), domain, reach);
          g.output('out', checks.result() as Wire);
        },
        { tensors: { x: encodeFixed(values, 32, 64) }, indices: {} },
        { sharing: 'complete', kernels: () => wasm, seed: SEED },
      );
      const bits = [...(outputs.get('out') as Words).data].map(Number);
      expect(bits.findIndex((bit, i) => bit !== i % 2)).toBe(-1);
    },
  );
});
