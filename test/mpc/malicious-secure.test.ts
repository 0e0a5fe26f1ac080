/**
 * The gadgets of `secure/` under complete sharing: their declared errors, where a rounding has two coins and a class is
 * read in half units. What they compute is tested in `secure.test.ts`; here are the edges that move.
 */
import { describe, expect, it } from 'vitest';
import { decodeFixed, encodeFixed } from '../../src/compute/fixed-point.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
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
import { isNegativeIn } from '../../src/mpc/secure/compare.ts';
import type { Gates, Wire } from '../../src/mpc/secure/gates.ts';
import { RangeChecks, accepted } from '../../src/mpc/secure/range-check.ts';
import { Random } from '../compute/kernels.suite.ts';
import { simulate } from '../support/simulate.ts';

const wasm = await createWasmKernels({ module: await loadNodeModule(), threads: 0 });
const SEED = 20261127;

interface Tensor {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** Runs `build` on inputs at scale 32 over Z_2^64. */
async function run(
  inputs: Readonly<Record<string, Tensor>>,
  build: (g: Gates, ...x: Wire[]) => Wire,
  more: Readonly<Record<string, Words>> = {},
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
    { sharing: 'complete', kernels: () => wasm, seed: SEED },
  );
  return decodeFixed(outputs.get('out') as Words, scale);
}

function worstOf(got: ArrayLike<number>, want: readonly number[]): number {
  expect(got.length).toBe(want.length);
  return want.reduce((worst, v, i) => Math.max(worst, Math.abs(got[i] - v)), 0);
}

/** Points of [−R, R], and every half with its neighbours. */
function grid(R: number): number[] {
  const points = Array.from({ length: 6000 }, (_, i) => -R + (2 * R * i) / 5999);
  for (let at = -Math.min(R, 16); at <= Math.min(R, 16); at += 0.5)
    for (const near of [0, 2 ** -20, -(2 ** -20)]) if (Math.abs(at + near) <= R) points.push(at + near);
  return points;
}

const one = (values: readonly number[], build: (g: Gates, x: Wire) => Wire) =>
  run({ x: { shape: [values.length], values } }, build);

describe('activations', () => {
  it.each(['narrow', 'wide', 'far'] as const)('GeLU, %s: the declared error as with one coin', async (range) => {
    const points = grid(GELU_DOMAIN[range]);
    expect(worstOf(await one(points, (g, x) => secureGelu(g, x, range)), points.map(gelu))).toBeLessThanOrEqual(
      GELU_ERROR[range],
    );
  });

  it('tanh: the declared error as with one coin', async () => {
    const points = grid(TANH_DOMAIN - 1);
    expect(worstOf(await one(points, secureTanh), points.map(Math.tanh))).toBeLessThanOrEqual(TANH_ERROR);
  });

  it('ReLU: its sign is read at a coarser scale', async () => {
    const points = [...grid(255), ...Array.from({ length: 400 }, (_, i) => (i - 200) * 2 ** -13)];
    const relu = points.map((x) => Math.max(x, 0));
    expect(worstOf(await one(points, secureRelu), relu)).toBeLessThanOrEqual(COARSE_RELU_ERROR);
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
