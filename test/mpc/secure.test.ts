/**
 * The functions of `mpc/secure` among three parties, against float64, inside their declared domains and past them.
 * Every bound is the constant that the module declares, or derived next to its use. `MEASURE=1` prints the measured
 * errors.
 */
import { SEMI_HONEST } from '../../src/mpc/protocol/registry.ts';
import { describe, expect, it } from 'vitest';
import { decodeFixed, encodeFixed } from '../../src/compute/fixed-point.ts';
import { erf, gelu, geluNew } from '../../src/compute/special-functions.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { type Words, signedAt, wordsFrom } from '../../src/compute/ring.ts';
import {
  GELU_DOMAIN,
  GELU_ERROR,
  type GeluRange,
  RELU_DOMAIN,
  RELU_ERROR,
  TANH_ERROR,
  geluRange,
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
import { reciprocalOf } from '../../src/mpc/secure/attention-form.ts';
import { isNegative, select } from '../../src/mpc/secure/compare.ts';
import type { Gates, Wire } from '../../src/mpc/secure/gates.ts';
import type { Widening } from '../../src/mpc/protocol/types.ts';
import {
  NORMALISE_ERROR,
  NORMALISE_RELATIVE_ERROR,
  centredRing,
  isCentred,
  levelsOf,
  rootOf,
  normalise,
  normaliseCentred,
  normaliseLoss,
  normaliseShift,
  varianceDomain,
} from '../../src/mpc/secure/normalise.ts';
import { type PowerLawOptions, powerLaw, tabulated } from '../../src/mpc/secure/power-law.ts';
import { Random } from '../compute/kernels.suite.ts';
import { failure } from '../failure.ts';
import { type SimulationOptions, simulate } from '../support/simulate.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
const SEED = 20261122;

interface Tensor {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** Runs `build` on inputs at scale 32 over Z_2^64 and decodes its one output. */
async function run(
  inputs: Readonly<Record<string, Tensor>>,
  build: (g: Gates, ...x: Wire[]) => Wire,
  seed = SEED,
  more: Readonly<Record<string, Words>> = {},
  { widening, weights }: Pick<SimulationOptions, 'widening' | 'weights'> = {},
): Promise<Float64Array> {
  let scale = 0;
  const { outputs } = await simulate(
    (g) => {
      const out = build(g, ...Object.entries(inputs).map(([name, { shape }]) => g.input(name, shape, 64, 32)));
      scale = out.scale;
      g.output('out', out);
    },
    {
      tensors: {
        ...Object.fromEntries(Object.entries(inputs).map(([name, { values }]) => [name, encodeFixed(values, 32, 64)])),
        ...more,
      },
      indices: {},
    },
    { kernels: () => wasm, seed, widening, weights: weights ?? 'open' },
  );
  return decodeFixed(outputs.get('out') as Words, scale);
}

function worstOf(got: ArrayLike<number>, want: ArrayLike<number>): number {
  expect(got.length).toBe(want.length);
  let worst = 0;
  for (let i = 0; i < want.length; i++) worst = Math.max(worst, Math.abs(got[i] - want[i]));
  return worst;
}

/** Holds the bound, and a floor far below it so that a bound that says nothing is noticed. */
function within(what: string, worst: number, bound: number): void {
  if (process.env['MEASURE'] !== undefined)
    console.log(`${what}: ${worst.toExponential(3)} of ${bound.toExponential(3)}`);
  expect(worst, `${what}: measured ${worst}, bound ${bound}, seed ${SEED}`).toBeLessThanOrEqual(bound);
  expect(worst, `${what}: the bound is more than 100 times what is measured`).toBeGreaterThan(bound / 100);
}

function normals(random: Random, count: number, sigma = 1): Float64Array {
  const uniform = () => (Number(random.word(52)) + 1) / 2 ** 52;
  return Float64Array.from(
    { length: count },
    () => sigma * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

/** `count` points of [−R, R], then every multiple of `width` in it with its neighbours at ± 2^-32 and ± 2^-20. */
function grid(R: number, count: number, width: number): number[] {
  const points = Array.from({ length: count }, (_, i) => -R + (2 * R * i) / (count - 1));
  for (let border = -R; border <= R; border += width) {
    for (const near of [0, 2 ** -32, -(2 ** -32), 2 ** -20, -(2 ** -20)])
      if (Math.abs(border + near) <= R) points.push(border + near);
  }
  return points;
}

describe('erf', () => {
  it('agrees with published values to 1e-12', () => {
    // From the C library.
    const known = [
      [0, 0],
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [2, 0.9953222650189527],
      [2.9375, 0.9999673647128524],
      [3, 0.9999779095030014],
      [3.5, 0.9999992569016276],
      [4.5, 0.9999999998033839],
      [7, 1],
    ];
    for (const [x, y] of known) {
      expect(Math.abs(erf(x) - y), `erf ${x} = ${erf(x)}`).toBeLessThan(1e-12);
      expect(erf(-x)).toBe(-erf(x));
    }
  });
});

describe('GeLU', () => {
  const one = (range: GeluRange, x: readonly number[], seed?: number) =>
    run({ x: { shape: [x.length], values: x } }, (g, w) => secureGelu(g, w, range), seed);

  it.each(['narrow', 'wide', 'far'] as const)(
    '%s: within its declared error of erf-GeLU on its whole domain, with both ends and every segment border',
    async (range) => {
      const R = GELU_DOMAIN[range];
      const points = [...grid(Math.min(R, 12), 12_000, 0.5), ...(R > 12 ? grid(R, 6000, 1) : [])];
      within(`gelu ${range}`, worstOf(await one(range, points), points.map(gelu)), GELU_ERROR[range]);
    },
  );

  it.each(['narrow', 'wide', 'far'] as const)(
    '%s: past the domain the result is wrong by more than 1 in both forms, so the tests could see it',
    async (range) => {
      const past = { narrow: 20, wide: 70, far: 300 }[range];
      const points = [past, -past];
      for (const form of ['gelu', 'gelu_new'] as const) {
        const got = await run({ x: { shape: [2], values: points } }, (g, w) => secureGelu(g, w, range, form));
        const errors = [...got].map((y, i) => Math.abs(y - gelu(points[i])));
        expect(Math.max(...errors), form).toBeGreaterThan(1);
      }
    },
  );

  it.each(['narrow', 'wide', 'far'] as const)(
    '%s, the tanh form: within the same error of it, and not of the exact form',
    async (range) => {
      const R = GELU_DOMAIN[range];
      const points = [...grid(Math.min(R, 12), 6000, 0.5), ...(R > 12 ? grid(R, 3000, 1) : [])];
      const got = await run({ x: { shape: [points.length], values: points } }, (g, w) =>
        secureGelu(g, w, range, 'gelu_new'),
      );
      within(`gelu_new ${range}`, worstOf(got, points.map(geluNew)), GELU_ERROR[range]);
      // Control: the two forms differ by about 5e-4 near ±2, which this test would see if the bound were tight; far
      // from it they are told apart in the polynomial itself.
      expect(worstOf(points.map(geluNew), points.map(gelu))).toBeGreaterThan(4e-4);
    },
  );

  it.each(['dealer', 'ot'] as const)(
    'widened by %s: at its minimum, at zero, at the classes and at both ends of every range, for many masks',
    async (widening) => {
      for (const range of ['narrow', 'wide', 'far'] as const) {
        const R = GELU_DOMAIN[range];
        const points = [-0.7518, 0, 2 ** -13, -4.5, -3.5, 3.5, 4.5, R, -R].flatMap((x) =>
          new Array<number>(64).fill(x),
        );
        const got = await run(
          { x: { shape: [points.length], values: points } },
          (g, w) => secureGelu(g, w, range),
          2,
          {},
          { widening },
        );
        within(`gelu ${range} by ${widening}`, worstOf(got, points.map(gelu)), GELU_ERROR[range]);
      }
    },
  );

  it('chooses the narrowest variant for a bound, and refuses one beyond the widest with ERR_RANGE', async () => {
    expect([0, 12, 12.001, 58, 58.001, 250].map(geluRange)).toEqual(['narrow', 'narrow', 'wide', 'wide', 'far', 'far']);
    await failure('ERR_RANGE', () => geluRange(250.001));
    await failure('ERR_RANGE', () => geluRange(Number.NaN));
    await failure('ERR_RANGE', () => geluRange(Number.POSITIVE_INFINITY));
  });
});

describe('tanh', () => {
  const one = (x: readonly number[]) => run({ x: { shape: [x.length], values: x } }, (g, w) => secureTanh(g, w));

  it(`is within ${TANH_ERROR} on |x| ≤ 63, with every segment border near zero`, async () => {
    const points = [...grid(8, 12_000, 0.125), ...grid(63, 4000, 1)];
    within('tanh', worstOf(await one(points), points.map(Math.tanh)), TANH_ERROR);
  });

  it('past 64 the sign is wrong, so the test above could see it', async () => {
    const [above, below] = await one([66, -66]);
    expect(above).toBeLessThan(-0.9);
    expect(below).toBeGreaterThan(0.9);
  });
});

describe('normalise', () => {
  function exact(rows: number, d: number, x: ArrayLike<number>, epsilon: number): Float64Array {
    const out = new Float64Array(rows * d);
    for (let r = 0; r < rows; r++) {
      let mean = 0;
      for (let c = 0; c < d; c++) mean += x[r * d + c] / d;
      let variance = 0;
      for (let c = 0; c < d; c++) variance += (x[r * d + c] - mean) ** 2 / d;
      for (let c = 0; c < d; c++) out[r * d + c] = (x[r * d + c] - mean) / Math.sqrt(variance + epsilon);
    }
    return out;
  }
  type Range = 'fine' | 'normal' | 'coarse' | 'broad';
  const one = (rows: number, d: number, x: Float64Array, epsilon: number, range: Range, centred = false) =>
    run({ x: { shape: [rows, d], values: x } }, (g, w) =>
      (centred ? normaliseCentred : normalise)(g, w, epsilon, range),
    );

  function meanAt(x: Float64Array, d: number, i: number): number {
    return x.subarray(i - (i % d), i - (i % d) + d).reduce((sum, each) => sum + each, 0) / d;
  }

  /** Rows without their means, but for what roundings leave of them. */
  function withoutMeans(d: number, x: Float64Array): Float64Array {
    return x.map((value, i) => value - meanAt(x, d, i) + 2 ** -13 * (Math.floor(i / d) % 3));
  }

  /**
   * Standard deviations in units of the smallest that the domain allows; `scale` of V is c, so one ulp of V is
   * 1/(c·σ) after normalising.
   */
  function rows(d: number, sigmas: readonly number[]): Float64Array {
    const random = new Random(SEED + d);
    return Float64Array.from(sigmas.flatMap((sigma) => [...normals(random, d, sigma)].map((v) => v + 2 * sigma)));
  }

  const bothOf = (d: number, x: Float64Array, centred: boolean) => (centred ? withoutMeans(d, x) : x);
  const VARIANTS: [number, Range, boolean][] = [
    [768, 'normal', false],
    [768, 'fine', false],
    [128, 'normal', false],
    [768, 'normal', true],
    [768, 'fine', true],
    [128, 'normal', true],
    [64, 'coarse', true],
    [768, 'broad', true],
  ];

  it.each(VARIANTS)(
    `d = %i, %s, centred %s: within ${NORMALISE_ERROR} for rows of ordinary variance`,
    async (d, range, centred) => {
      const sigmas = { fine: [0.05, 0.1, 1], normal: [0.3, 1, 3, 10, 30], coarse: [3, 30], broad: [30, 300] }[range];
      const x = bothOf(d, rows(d, sigmas), centred);
      within(
        `normalise ${d} ${range} ${centred}`,
        worstOf(await one(sigmas.length, d, x, 1e-12, range, centred), exact(sigmas.length, d, x, 1e-12)),
        NORMALISE_ERROR,
      );
    },
  );

  it.each([false, true])(
    `with outliers of 3000 among 768, centred %s: within ${NORMALISE_RELATIVE_ERROR} of the largest entry`,
    async (centred) => {
      const d = 768;
      // √768, where one entry holds all of the variance.
      const bound = NORMALISE_RELATIVE_ERROR * Math.sqrt(d);
      // Sums of squares at several places of a window.
      const outliers = [500, 700, 1000, 1400, 2000, 3000, -3000];
      const R = outliers.length;
      const raw = rows(d, new Array(R).fill(1));
      for (const [r, outlier] of outliers.entries()) raw[r * d + 5 + 100 * r] = outlier;
      raw[9] = -300;
      const x = bothOf(d, raw, centred);
      const got = await one(R, d, x, 1e-5, 'normal', centred);
      within(`normalise outliers, centred ${centred}`, worstOf(got, exact(R, d, x, 1e-5)), bound);
    },
  );

  const ENDS: [number, Range, boolean][] = [
    ...VARIANTS,
    [64, 'fine', false],
    [64, 'fine', true],
    [24, 'normal', true],
    [768, 'coarse', true],
  ];

  it.each(ENDS)(
    `d = %i, %s, centred %s: at both ends of the variance domain within ${NORMALISE_ERROR}, one ulp of V, and what r loses where it is small`,
    async (d, range, centred) => {
      const { min, max } = varianceDomain(d, range);
      const apart = centred && isCentred(range);
      const c = apart ? 2 ** (centredRing(range) - 32) : d * 2 ** (32 - normaliseShift(d, range));
      for (const variance of [1.1 * min, 100 * min, 0.01 * max, 0.9 * max]) {
        const sigma = Math.sqrt(variance);
        const x = rows(d, [sigma, sigma]);
        // The rows are random: their own variance may leave the domain by a little. Bring it to exactly the wanted one.
        const unit = exact(2, d, x, 0);
        const scaled = unit.map((v) => v * sigma);
        const largest = Math.max(...unit.map(Math.abs));
        const small = apart ? normaliseLoss(sigma) : (3 * c * sigma) / 2 ** 40;
        const bound = NORMALISE_ERROR + (NORMALISE_RELATIVE_ERROR + small) * largest + 1 / (c * sigma);
        within(
          `normalise ${d} ${range} ${centred} variance ${variance.toExponential(2)}`,
          worstOf(await one(2, d, scaled, 1e-12, range, centred), exact(2, d, scaled, 1e-12)),
          bound,
        );
      }
    },
  );

  it.each(['fine', 'normal', 'coarse'] as const)(
    'of centred rows, %s, has no window that its S does not hold, and none between two that both are wrong',
    async (range) => {
      const d = 96;
      const { min, max } = varianceDomain(d, range);
      const count = 64;
      const unit = exact(1, d, rows(d, [1]), 0);
      const sigmas = Array.from({ length: count }, (_, i) =>
        Math.sqrt(1.05 * min * (max / min / 1.1) ** (i / (count - 1))),
      );
      const x = Float64Array.from(sigmas.flatMap((sigma) => [...unit.map((v) => v * sigma)]));
      const got = await one(count, d, x, 1e-12, range, true);
      const want = exact(count, d, x, 1e-12);
      const c = 2 ** (centredRing(range) - 32);
      for (const [r, sigma] of sigmas.entries()) {
        const [own, right] = [got, want].map((all) => all.slice(r * d, (r + 1) * d));
        const most = NORMALISE_ERROR + 3 * (NORMALISE_RELATIVE_ERROR + normaliseLoss(sigma)) + 1 / (c * sigma);
        expect(worstOf(own, right), `σ = ${sigma}`).toBeLessThan(most);
      }
    },
  );

  it('of centred rows meets the rounding of what is left of a mean: more than one ulp of V, and never two', async () => {
    const [d, count] = [768, 24];
    const sigma = Math.sqrt(1.1 * varianceDomain(d, 'normal').min);
    const ulp = 2 ** -(centredRing('normal') - 32);
    const unit = exact(count, d, rows(d, new Array(count).fill(1)), 0);
    // Means between two ulps: one is rounded to either, whole rows at once.
    const x = unit.map((v, i) => v * sigma + (ulp * Math.floor(i / d)) / count);
    const [got, want] = [await one(count, d, x, 1e-12, 'normal', true), exact(count, d, x, 1e-12)];
    const without = (y: number) => NORMALISE_ERROR + NORMALISE_RELATIVE_ERROR * Math.abs(y) + ulp / sigma;
    const past = (more: number) => got.filter((y, i) => Math.abs(y - want[i]) > without(want[i]) + more).length;
    within('rest of a mean', worstOf(got, want), NORMALISE_ERROR + (2 * ulp) / sigma);
    expect(past(0), 'past what V alone may err').toBeGreaterThan(0);
    expect(past(ulp / sigma), 'past both roundings').toBe(0);
  });

  it('of centred rows meets the noise of coarse squares: r errs by the declared share, and by more than without it', async () => {
    const [d, count, range] = [24, 400, 'coarse'] as const;
    // The lowest window that reads squares of V at the coarsest scale, 2.7 units into it.
    const [{ top, windows, scale }] = levelsOf(d, range);
    const squares = 2.7 * 2 ** (top - 2 * (windows - 1));
    const sigma = Math.sqrt(squares / d) / 2 ** scale;
    // Entries between two units of that scale, where a rounding is noisiest; in pairs, so that there is no mean.
    const half = exact(1, d / 2, rows(d / 2, [1]), 0).map(
      (v) => (Math.floor(v * sigma * 2 ** scale) + 0.5) / 2 ** scale,
    );
    const row = Float64Array.from({ length: d }, (_, i) => (i % 2 === 0 ? 1 : -1) * half[i >> 1]);
    const want = exact(1, d, row, 0);
    /** 1/(√(3d)·ρ) with ρ the root mean square in units of that scale. */
    const share = 1 / Math.sqrt(3 * row.reduce((sum, v) => sum + (v * 2 ** scale) ** 2, 0));
    const x = Float64Array.from({ length: count * d }, (_, i) => row[i % d]);
    const got = await one(count, d, x, 1e-12, range, true);
    const shares = Array.from({ length: count }, (_, r) =>
      want.reduce((sum, y, i) => sum + (got[r * d + i] * y) / d, -1),
    );
    const rms = Math.sqrt(shares.reduce((sum, each) => sum + each * each, 0) / count);
    within('noise of coarse squares, rms', rms, share + NORMALISE_RELATIVE_ERROR);
    expect(rms, 'the noise is met').toBeGreaterThan(0.7 * share);
    const without = NORMALISE_RELATIVE_ERROR + normaliseLoss(sigma);
    const worst = Math.max(...shares.map(Math.abs));
    within('noise of coarse squares, worst of 400', worst, without + 4 * share);
    expect(worst, 'past what r may err without it').toBeGreaterThan(without);
  });

  it('of rows that are not centred is too small in one form and right in the other', async () => {
    const d = 128;
    const x = rows(d, [1, 1]).map((v) => v + 0.5);
    expect(worstOf(await one(2, d, x, 1e-12, 'normal'), exact(2, d, x, 1e-12))).toBeLessThan(NORMALISE_ERROR);
    expect(worstOf(await one(2, d, x, 1e-12, 'normal', true), exact(2, d, x, 1e-12))).toBeGreaterThan(0.1);
  });

  const FAR = (['fine', 'normal', 'coarse', 'broad'] as const).flatMap((range) =>
    [false, true].map((centred) => [range, centred] as const),
  );
  it.each(FAR)(
    'fades to zero far below its domain and is garbage far above it, so the edges above are edges: %s, centred %s',
    async (range, centred) => {
      const d = 128;
      const { min, max } = varianceDomain(d, range);
      const x = bothOf(d, rows(d, [Math.sqrt(min / 100)]), false).map(
        (v, i, all) => v - (centred ? meanAt(all, d, i) : 0),
      );
      const low = await one(1, d, x, 1e-12, range, centred);
      expect(worstOf(low, new Float64Array(d))).toBeLessThan(0.01);
      const y = bothOf(d, rows(d, [Math.sqrt(16 * max)]), centred);
      expect(worstOf(await one(1, d, y, 1e-12, range, centred), exact(1, d, y, 1e-12))).toBeGreaterThan(0.1);
    },
  );
});

describe('ReLU', () => {
  const one = (x: readonly number[]) => run({ x: { shape: [x.length], values: x } }, (g, w) => secureRelu(g, w));

  it('is exact but for its rounding on its whole domain, also next to zero', async () => {
    const points = [
      ...grid(RELU_DOMAIN, 3000, 1),
      ...grid(2, 2000, 0.5),
      0,
      2 ** -16,
      -(2 ** -16),
      2 ** -20,
      -(2 ** -20),
    ];
    within(
      'relu',
      worstOf(
        await one(points),
        points.map((x) => Math.max(x, 0)),
      ),
      RELU_ERROR,
    );
  });

  it('past the domain the sign is wrong, so the test above could see it', async () => {
    const [y] = await one([300]);
    expect(Math.abs(y - 300)).toBeGreaterThan(1);
  });
});

// With secret weights the maximum and the gate are others, up to 192 keys.
describe.each(['open', 'secret'] as const)('attention, %s weights', (weights) => {
  /** Error of heads of random keys: rows in which two of them share all weight and have the largest values are rare. */
  const USUAL = 2e-3;

  interface Heads {
    readonly H: number;
    readonly R: number;
    readonly T: number;
    readonly D: number;
    readonly q: Float64Array;
    readonly k: Float64Array;
    readonly v: Float64Array;
  }

  function exact({ H, R, T, D, q, k, v }: Heads): Float64Array {
    const out = new Float64Array(H * R * D);
    for (let h = 0; h < H; h++) {
      for (let r = 0; r < R; r++) {
        const scores = Array.from({ length: T }, (_, t) => {
          let sum = 0;
          for (let c = 0; c < D; c++) sum += (q[(h * R + r) * D + c] * k[(h * T + t) * D + c]) / 8;
          return sum;
        });
        const top = Math.max(...scores);
        const weights = scores.map((s) => Math.exp(s - top));
        const total = weights.reduce((a, b) => a + b, 0);
        for (let c = 0; c < D; c++)
          out[(h * R + r) * D + c] = weights.reduce((sum, w, t) => sum + w * v[(h * T + t) * D + c], 0) / total;
      }
    }
    return out;
  }

  const one = ({ H, R, T, D, q, k, v }: Heads, bits: 8 | 9, seed?: number, widening?: Widening) =>
    run(
      { q: { shape: [H, R, D], values: q }, k: { shape: [H, T, D], values: k }, v: { shape: [H, T, D], values: v } },
      (g, a, b, c) => attend(g, a, attentionKeys(g, b), attentionValues(g, c), bits),
      seed,
      {},
      { widening, weights },
    );

  function heads(H: number, R: number, T: number, D: number, sigma: number): Heads {
    const random = new Random(SEED + T);
    const v = normals(random, H * T * D).map((x) => Math.max(-6, Math.min(6, x)));
    for (let c = 0; c < D; c++) v[c] = c % 2 === 0 ? 6 : -6;
    return { H, R, T, D, q: normals(random, H * R * D, sigma), k: normals(random, H * T * D, sigma), v };
  }

  for (const bits of [8, 9] as const) {
    it.each([
      ['flat', 0.02],
      ['mild', 1],
      ['sharp', 2.4],
    ])(`%s, ${bits} tree bits: within ${USUAL} for |v| ≤ 6 at 1, 2, 7 and 64 positions`, async (name, sigma) => {
      let worst = 0;
      for (const T of [1, 2, 7, 64]) {
        // Many rows of few keys: there the maximum is measured too low most often.
        const input = heads(T < 10 ? 30 : 1, T < 10 ? T : 8, T, 64, sigma);
        worst = Math.max(worst, worstOf(await one(input, bits), exact(input)));
      }
      within(`attention ${name} ${bits}`, worst, USUAL);
    });
  }

  it('widened by ot: the same bound, for few keys and for many', async () => {
    for (const T of [2, 64]) {
      const input = heads(2, 4, T, 64, 1.5);
      within(`attention by ot ${T}`, worstOf(await one(input, 8, 7, 'ot'), exact(input)), USUAL);
    }
  });

  it.each(['dealer', 'ot'] as const)(
    'widened by %s: a weight as near to one as there is, of the largest score under a coarse maximum, wraps for no mask',
    async (widening) => {
      // One key: the answer is its value, if its weight is what the sum has. Scores are next below an even number.
      const scores = [-200, -2, 0, 2, 100].flatMap((even) => [0, 1, 2, 3].map((ulps) => even - ulps * 2 ** -11));
      const H = 40 * scores.length;
      const fill = (of: (h: number) => number) => Float64Array.from({ length: H }, (_, h) => of(h));
      const input = {
        H,
        R: 1,
        T: 1,
        D: 1,
        q: fill((h) => 8 * scores[h % scores.length]),
        k: fill(() => 1),
        v: fill(() => 3),
      };
      within(`one key by ${widening}`, worstOf(await one(input, 8, 9, widening), exact(input)), USUAL);
    },
  );

  it(`128 positions, more keys than rows: within ${USUAL}`, async () => {
    const input = heads(1, 5, 128, 64, 1.5);
    within('attention 128', worstOf(await one(input, 8), exact(input)), USUAL);
  });

  it.each([
    [8, 7],
    [8, 64],
    [9, 33],
  ] as const)(
    `causal, %i tree bits, %i positions: each row is attention over the keys up to its own, within ${USUAL}`,
    async (bits, T) => {
      const [H, D] = [2, 64];
      const input = heads(H, T, T, D, 1.5);
      const got = await run(
        {
          q: { shape: [H, T, D], values: input.q },
          k: { shape: [H, T, D], values: input.k },
          v: { shape: [H, T, D], values: input.v },
        },
        (g, a, b, c) => attend(g, a, attentionKeys(g, b), attentionValues(g, c), bits, 'causal'),
        undefined,
        {},
        { weights },
      );
      const part = (x: Float64Array, h: number, from: number, to: number) =>
        x.slice((h * T + from) * D, (h * T + to) * D);
      const want = new Float64Array(H * T * D);
      for (let h = 0; h < H; h++) {
        for (let t = 0; t < T; t++) {
          const row = exact({
            H: 1,
            R: 1,
            T: t + 1,
            D,
            q: part(input.q, h, t, t + 1),
            k: part(input.k, h, 0, t + 1),
            v: part(input.v, h, 0, t + 1),
          });
          want.set(row, (h * T + t) * D);
        }
      }
      within(`attention causal ${bits} ${T}`, worstOf(got, want), USUAL);
      // Control: with the future in it the result is another one.
      expect(worstOf(exact(input), want)).toBeGreaterThan(10 * USUAL);
    },
  );

  it(`129 and 200 positions take the wider reciprocal: within ${USUAL}`, async () => {
    for (const T of [129, 200]) {
      const input = heads(1, 2, T, 16, 1);
      within(`attention ${T}`, worstOf(await one(input, 9), exact(input)), USUAL);
    }
  });

  /** One row whose scores are given: q = (1, 0, …), k_t = (8·s_t, 0, …). */
  function rowOf(scores: readonly number[]): Heads {
    const [T, D] = [scores.length, 2];
    const k = new Float64Array(T * D);
    scores.forEach((s, t) => {
      k[t * D] = 8 * s;
    });
    const v = Float64Array.from({ length: T * D }, (_, i) => (i % D === 0 ? ((i / D) % 7) - 3 : (i % 3) - 1));
    return { H: 1, R: 1, T, D, q: Float64Array.of(1, 0), k, v };
  }

  const marks = (T: number, length: number, k: number): Words =>
    wordsFrom(
      Array.from({ length: T }, (_, t) => (t < length ? 1 : 0)),
      k,
    );

  /** Attention over the first `length` of T keys, the rest marked as padding. */
  const padded = ({ H, R, T, D, q, k, v }: Heads, length: number, bits: 8 | 9, marked = true) =>
    run(
      {
        q: { shape: [H, R, D], values: q },
        k: { shape: [H, T, D], values: k },
        v: { shape: [H, T, D], values: v },
      },
      (g, a, b, c) => {
        const real = { bits: g.input('real bits', [1, T], 1, 0), words: g.input('real words', [1, T], 8, 0) };
        return attend(g, a, attentionKeys(g, b), attentionValues(g, c), bits, { real });
      },
      undefined,
      { 'real bits': marks(T, marked ? length : T, 1), 'real words': marks(T, marked ? length : T, 8) },
      { weights },
    );

  /** The first keys alone. */
  function truncated({ H, R, T, D, q, k, v }: Heads, length: number): Heads {
    const first = (x: Float64Array) =>
      Float64Array.from(
        { length: H * length * D },
        (_, i) => x[(Math.floor(i / (length * D)) * T + (Math.floor(i / D) % length)) * D + (i % D)],
      );
    return { H, R, T: length, D, q, k: first(k), v: first(v) };
  }

  it.each([
    [8, 16, 1],
    [8, 16, 9],
    [9, 32, 20],
    [8, 33, 33],
  ] as const)(
    `%i tree bits, %i positions of which %i are text: padding with larger scores and values changes nothing beyond ${USUAL}`,
    async (bits, T, length) => {
      const input = heads(2, 4, T, 64, 1);
      // Hostile padding: every padded key scores far above the text in half of the rows and far below in the other,
      // and carries the largest values.
      for (let h = 0; h < input.H; h++)
        for (let t = length; t < T; t++)
          for (let c = 0; c < input.D; c++) {
            input.k[(h * T + t) * input.D + c] = 6 * Math.sign(input.q[h * input.R * input.D + c]);
            input.v[(h * T + t) * input.D + c] = 6;
          }
      const want = exact(truncated(input, length));
      within(`attention ${length} of ${T}`, worstOf(await padded(input, length, bits), want), USUAL);
      // Positive control: without the marks the same padding takes over.
      if (length < T) expect(worstOf(await padded(input, length, bits, false), want)).toBeGreaterThan(0.5);
    },
  );

  it(`two keys of equal scores with values of ±6, the worst: within ${ATTENTION_ERROR}, of which more than the usual is met`, async () => {
    const [H, R, T, D] = [1, 3000, 2, 2];
    const random = new Random(SEED);
    const q = normals(random, R * D, 2);
    const k = Float64Array.of(3, 4, 4, 3);
    // Queries on the diagonal, so that both keys score alike.
    for (let r = 0; r < R; r++) q[r * D + 1] = q[r * D];
    const input: Heads = { H, R, T, D, q, k, v: Float64Array.of(6, 6, -6, -6) };
    const worst = worstOf(await one(input, 8), exact(input));
    within('attention worst', worst, ATTENTION_ERROR);
    expect(worst).toBeGreaterThan(USUAL);
  });

  it('values up to 255 keep their slack at 128 positions, and 300 wraps in some output', async () => {
    const [T, D] = [128, 64];
    // All scores are equal and just below a unit of the maximum: the sum over keys is as large as the domain lets
    // it be.
    const first = (rows: number, value: number) =>
      Float64Array.from({ length: rows * D }, (_, i) => (i % D === 0 ? value : 0));
    const flat = (v: number): Heads => ({
      H: 1,
      R: 4,
      T,
      D,
      q: first(4, 1),
      k: first(T, 15.2),
      v: new Float64Array(T * D).fill(v),
    });
    for (const v of [255, -255])
      within(`attention |v| ${v}`, worstOf(await one(flat(v), 8), exact(flat(v))), 255 * 3e-4 + USUAL);
    expect(worstOf(await one(flat(300), 8), exact(flat(300)))).toBeGreaterThan(100);
  });

  it.each([8, 9] as const)(
    '%i tree bits: right up to the declared spread for 20 seeds and several shapes, garbage at 1.2 times',
    async (bits) => {
      const S = spreadDomain(bits, SEMI_HONEST.truncation);
      const shapes = (spread: number): number[][] => [
        [spread / 2, -spread / 2],
        [-spread / 2, spread / 2],
        [-spread / 2, spread / 2, -spread / 2, spread / 2 - 1, 0],
        [spread / 2, spread / 2, -spread / 2],
        [spread, 0, spread - 0.3, 0.1, spread / 2, spread - 3, 0],
      ];
      let worst = 0;
      for (let seed = 0; seed < 20; seed++) {
        for (const scores of shapes(S))
          worst = Math.max(worst, worstOf(await one(rowOf(scores), bits, seed), exact(rowOf(scores))));
      }
      within(`attention at spread ${S}`, worst, USUAL);
      let bad = 0;
      for (let seed = 0; seed < 20; seed++) {
        for (const scores of shapes(1.2 * S))
          bad = Math.max(bad, worstOf(await one(rowOf(scores), bits, seed), exact(rowOf(scores))));
      }
      expect(bad).toBeGreaterThan(0.5);
    },
  );
});

describe('power laws by windows', () => {
  interface Law extends PowerLawOptions {
    f(z: number): number;
  }

  async function relative(zs: readonly bigint[], law: Law): Promise<number[]> {
    const { outputs } = await simulate(
      (g) => {
        const z = g.input('z', [zs.length], 64, 0);
        g.output(
          'out',
          powerLaw(
            g,
            law.groups.map(() => z),
            tabulated(law),
          ).value,
        );
      },
      { tensors: { z: wordsFrom(zs, 64) }, indices: {} },
      { kernels: () => wasm, seed: SEED },
    );
    const out = outputs.get('out') as Words;
    return zs.map((z, i) => Math.abs(Number(signedAt(out, i)) / law.f(Number(z)) - 1));
  }

  /** Groups of so many windows each, the widest of 16 units of 2^top. */
  const groups = (top: number, ...sizes: number[]) =>
    sizes.map((windows, g) => ({ windows, top: top - 2 * sizes.slice(0, g).reduce((a, b) => a + b, 0) }));

  const LAWS: [string, number, number, Law, number, number][] = [
    [
      '1/Z of weights at scale 17, up to 128 keys',
      2 ** 17 * Math.exp(-4.06),
      2 ** 17 * 120.5,
      { growth: 2, coins: 1, root: 1, scale: 17, k: 50, groups: groups(21, 3, 3, 1), f: (z) => 2 ** 38 / z },
      6e-4,
      1e-4,
    ],
  ];

  /** A law that a gadget uses: f from its own growth and value at its widest unit. */
  function used(name: string, law: PowerLawOptions, low: number, high: number): (typeof LAWS)[number] {
    const { growth, root, scale, groups: own } = law;
    const f = (z: number) => Math.sqrt(root) * 2 ** scale * (2 ** own[0].top / z) ** (growth / 2);
    return [name, low, high, { ...law, f }, growth === 2 ? 6e-4 : 2e-4, growth === 2 ? 1e-4 : 5e-5];
  }
  const USED = [
    // Weights at scale 19, the largest e^−4.06 or more, each below e^−0.06.
    ...[128, 896, 1024].map((T) =>
      used(
        `1/Z of ${T} keys`,
        reciprocalOf(SEMI_HONEST.truncation, T).law,
        2 ** 19 * Math.exp(-4.06),
        2 ** 19 * T * Math.exp(-0.06),
      ),
    ),
    ...[64, 768].map((d) =>
      used(`√(d/S) of any rows, d = ${d}`, rootOf(d, SEMI_HONEST.truncation), 3 * 2 ** 23, 2 ** 60.9),
    ),
  ];

  it.each([...LAWS, ...USED])('%s: within the declared relative error', async (name, low, high, law, most, typical) => {
    const points = Array.from({ length: 6000 }, (_, i) => low * (high / low) ** (i / 5999));
    for (const { windows, top } of law.groups)
      for (let w = 0; w < windows; w++) for (const units of [2, 2.999, 3, 12]) points.push(units * 2 ** (top - 2 * w));
    const errors = await relative(
      points.filter((z) => z >= low && z <= high).map((z) => BigInt(Math.round(z))),
      law,
    );
    within(name, Math.max(...errors), most);
    within(`${name}, rms`, Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length), typical);
  });

  it('a result of too few bits, or of more than its ring has, is refused', () => {
    const [, , , law] = LAWS[0];
    expect(() => tabulated({ ...law, scale: 8 })).toThrow('9 bits');
    expect(() => tabulated({ ...law, k: 29 })).toThrow('9 bits');
    expect(() => tabulated({ ...law, k: 63 })).toThrow('has room');
  });

  it.each([LAWS[0], ...USED])(
    '%s: is zero or wrong outside, at a thirtieth of the lowest input and at eight times the highest',
    async (_name, low, high, law) => {
      expect((await relative([BigInt(Math.round(low / 30))], law))[0]).toBeGreaterThan(0.9);
      expect((await relative([BigInt(Math.round(8 * high))], law))[0]).toBeGreaterThan(0.5);
    },
  );
});

describe('comparison', () => {
  const EDGES = [0, 1, 2, 127, 128, 255, 256, 257, 65535, 65536, 65537, 2 ** 23 - 1, 2 ** 23, 2 ** 24 - 2, 2 ** 24 - 1];
  const VALUES = [...EDGES, ...EDGES.map((v) => -v), -(2 ** 24)];

  async function signs(values: readonly number[], seed: number): Promise<{ bits: number[]; absolute: bigint[] }> {
    const { outputs } = await simulate(
      (g) => {
        const x = g.input('x', [values.length], 25, 0);
        const wide = g.input('w', [values.length], 64, 0);
        const negative = isNegative(g, x);
        g.output('bit', negative);
        g.output('abs', select(g, negative, g.scale(wide, -1n), wide));
      },
      { tensors: { x: wordsFrom(values, 25), w: wordsFrom(values, 64) }, indices: {} },
      { kernels: () => wasm, seed },
    );
    const absolute = outputs.get('abs') as Words;
    return {
      bits: [...(outputs.get('bit') as Words).data].map(Number),
      absolute: values.map((_, i) => signedAt(absolute, i)),
    };
  }

  it('isNegative is exact at every edge of a byte and of the ring, for 40 maskings each, and select follows it', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const { bits, absolute } = await signs(VALUES, seed);
      expect(bits, `seed ${seed}`).toEqual(VALUES.map((v) => (v < 0 ? 1 : 0)));
      expect(absolute, `seed ${seed}`).toEqual(VALUES.map((v) => BigInt(Math.abs(v))));
    }
  });

  it('isNegative is exact on 20000 random values', async () => {
    const random = new Random(SEED);
    const values = Array.from({ length: 20_000 }, () => Number(random.word(25)) - 2 ** 24);
    const { bits } = await signs(values, 1);
    expect(bits.findIndex((bit, i) => bit !== (values[i] < 0 ? 1 : 0))).toBe(-1);
  });

  it('a value past the ring is read mod 2^25, so its sign is that of the residue', async () => {
    expect((await signs([2 ** 24, -(2 ** 24) - 1], 3)).bits).toEqual([1, 0]);
  });
});
