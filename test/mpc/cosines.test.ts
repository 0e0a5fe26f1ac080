/**
 * GeLU by sums of cosines among three parties, against float64: the error of the fit, of the words, and what class bits
 * that are off by one do. The constants are computed again.
 */
import { describe, expect, it } from 'vitest';
import type { CosineSum } from '../../src/compute/kernels/types.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { cosineExponents } from '../../src/compute/kernels/cosine-sum.ts';
import { type Words, signedAt, wordsFrom } from '../../src/compute/ring.ts';
import { gelu, geluNew } from '../../src/compute/special-functions.ts';
import type { Gates } from '../../src/mpc/protocol/types.ts';
import { COSINE_ARGUMENT, GELU_COSINES, GELU_NEAR_COSINES, IDENTITY_SUM } from '../../src/mpc/secure/cosines.ts';
import type { Wire } from '../../src/mpc/share/wire.ts';
import { Random } from '../compute/kernels.suite.ts';
import { cosineFit } from '../support/cosine-fit.ts';
import { simulate } from '../support/simulate.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
const SEED = 20261127;
const FORMS = [
  ['gelu', gelu],
  ['gelu_new', geluNew],
] as const;

it.each(FORMS)('the amplitudes of %s are the least squares of its fit', (form, f) => {
  for (const [sum, inner, outer] of [
    [GELU_COSINES[form], 3.5, 4.5],
    [GELU_NEAR_COSINES[form], 11, 12],
  ] as const) {
    const frequencies = sum.terms.map(({ frequency }) => frequency);
    const [constant, ...amplitudes] = cosineFit((x) => f(x) - x / 2, frequencies, inner, outer);
    // A unit for the last bits of this engine's Math.cos and Math.exp.
    expect(Math.abs(constant * 2 ** 14 - Number(sum.constant))).toBeLessThan(0.51);
    amplitudes.forEach((amplitude, k) => {
      expect(Math.abs(amplitude * 2 ** 24 - sum.terms[k].amplitude)).toBeLessThan(1.5);
    });
  }
});

it('words of the summed selection: 35 bits less the public exponent of each', () => {
  const widths = (sum: CosineSum) => cosineExponents(sum).map((v) => 8 + sum.scale - v);
  expect(widths(IDENTITY_SUM)).toEqual([21, 21]);
  expect(widths(GELU_COSINES.gelu)).toEqual([22, 22, 35, 35, 31, 31, 29, 29, 25, 25]);
  // Both entries of both tables.
  const bits = [IDENTITY_SUM, GELU_COSINES.gelu].flatMap(widths).reduce((sum, width) => sum + 2 * width, 0);
  expect(bits).toBe(652);
});

/** Uniform on the domain, the edges of the classes more densely, and inputs as models have them. */
function inputs(domain: number): number[] {
  const random = new Random(SEED);
  const uniform = (low: number, high: number) => low + (high - low) * (Number(random.word(40)) / 2 ** 40);
  const normal = () => Math.sqrt(-2 * Math.log(uniform(1e-9, 1))) * Math.cos(2 * Math.PI * uniform(0, 1));
  return [
    ...[0, 1, -1, domain, -domain],
    ...Array.from({ length: 4000 }, () => uniform(-domain, domain)),
    ...Array.from({ length: 2000 }, (_, i) => uniform(3.2, 4.8) * (i % 2 === 0 ? 1 : -1)),
    ...Array.from({ length: 4000 }, () => Math.min(domain, Math.max(-domain, 1.3 * normal() - 0.6))),
  ].map((x) => Math.round(x * 2 ** COSINE_ARGUMENT) / 2 ** COSINE_ARGUMENT);
}

/** Inputs of the last kind. */
const TYPICAL = 4000;

async function evaluate(
  xs: readonly number[],
  bits: Readonly<Record<string, readonly number[]>>,
  scale: number,
  build: (g: Gates, x: Wire, bits: Readonly<Record<string, Wire>>) => Wire,
): Promise<number[]> {
  const { outputs } = await simulate(
    (g) => {
      const x = g.input('x', [xs.length], 32, COSINE_ARGUMENT);
      const wires = Object.keys(bits).map((name) => [name, g.input(name, [xs.length], 1, 0)]);
      g.output('out', build(g, x, Object.fromEntries(wires) as Record<string, Wire>));
    },
    {
      tensors: {
        x: wordsFrom(
          xs.map((x) => BigInt(Math.round(x * 2 ** COSINE_ARGUMENT))),
          32,
        ),
        ...Object.fromEntries(Object.entries(bits).map(([name, values]) => [name, wordsFrom([...values], 1)])),
      },
      indices: {},
    },
    { kernels: () => wasm, seed: SEED },
  );
  const out = outputs.get('out') as Words;
  return xs.map((_, i) => Number(signedAt(out, i)) / 2 ** scale);
}

function measure(got: readonly number[], xs: readonly number[], f: (x: number) => number) {
  const errors = xs.map((x, i) => got[i] - f(x));
  const tail = errors.slice(-TYPICAL);
  return {
    most: Math.max(...errors.map(Math.abs)),
    rms: Math.sqrt(tail.reduce((sum, e) => sum + e * e, 0) / TYPICAL),
    bias: Math.abs(tail.reduce((sum, e) => sum + e, 0) / TYPICAL),
  };
}

describe.each(FORMS)('%s by cosines', (form, f) => {
  it('one summed selection with two gates: within 1.1e-3 (rms 1.5e-4) on |x| ≤ 58, whichever class 3.5 ≤ |x| < 4.5 is given', async () => {
    const xs = inputs(58);
    const random = new Random(3);
    // An edge that lies anywhere in its unit, for every element anew.
    const edge = () => 3.5 + Number(random.word(20)) / 2 ** 20;
    const above = xs.map((x) => Number(x >= edge()));
    const inside = xs.map((x, i) => Number(above[i] === 0 && x >= -edge()));
    const got = await evaluate(xs, { above, inside }, 27, (g, x, bit) =>
      g.cosines(
        [
          { x, sum: IDENTITY_SUM, gate: bit['above'] },
          { x, sum: GELU_COSINES[form], gate: bit['inside'] },
        ],
        40,
      ),
    );
    const { most, rms, bias } = measure(got, xs, f);
    expect(most).toBeLessThan(1.1e-3);
    expect(most).toBeGreaterThan(5e-4);
    expect(rms).toBeLessThan(1.5e-4);
    expect(bias).toBeLessThan(5e-5);
    // Outside, nothing is left of the words: exactly zero, and exactly x.
    xs.forEach((x, i) => {
      if (inside[i] === 0) expect(got[i]).toBe(above[i] === 1 ? x : 0);
    });
  });

  it('near: one entry and no bit, within 9e-4 (rms 1.8e-4) on |x| ≤ 12, and wrong at 24', async () => {
    const xs = inputs(12);
    const sum = GELU_NEAR_COSINES[form];
    const got = await evaluate([24, ...xs], {}, 28, (g, x) => g.cosines([{ x, sum }], 40));
    const { most, rms, bias } = measure(got.slice(1), xs, f);
    expect(most).toBeLessThan(9e-4);
    expect(most).toBeGreaterThan(3e-4);
    expect(rms).toBeLessThan(1.8e-4);
    expect(bias).toBeLessThan(5e-5);
    // The frequencies are odd multiples of 4: the sum turns back at 16.
    expect(Math.abs(got[0] - 24)).toBeGreaterThan(1);
  });
});

it('a gated exponential of segments of 8 over Z_2^48: within 7.2e-4·e^x on [−24, 0), half an ulp of a basis word of 2^21·e^-8, and exactly zero where the bit is', async () => {
  const random = new Random(5);
  const N = 4000;
  const xs = Array.from({ length: N }, (_, i) =>
    i < 4 ? [-1, -8, -24 * 2 ** 20, -16 * 2 ** 20][i] : -1 - random.below(24 * 2 ** 20),
  );
  const gate = xs.map((_, i) => Number(i % 8 !== 7));
  // Where the gate is closed, x may be anything.
  const values = xs.map((x, i) => (gate[i] === 0 ? x - 2 ** 24 * random.below(50) : x));
  const { outputs } = await simulate(
    (g) =>
      g.output(
        'out',
        g.exponential(g.input('x', [N], 25, 20), g.input('gate', [N], 1, 0), 19, 21, { width: 8, k: 48 }),
      ),
    { tensors: { x: wordsFrom(values, 25), gate: wordsFrom(gate, 1) }, indices: {} },
    { kernels: () => wasm, seed: SEED },
  );
  const out = outputs.get('out') as Words;
  expect(out.k).toBe(48);
  const got = xs.map((_, i) => Number(signedAt(out, i)) / 2 ** 40);
  const errors = xs.map((x, i) => got[i] - Math.exp(x / 2 ** 20)).filter((_, i) => gate[i] === 1);
  expect(got.filter((_, i) => gate[i] === 0).every((v) => v === 0)).toBe(true);
  expect(Math.max(...errors.map(Math.abs))).toBeLessThan(7.2e-4);
  expect(Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length)).toBeLessThan(5e-5);
  const relative = xs.flatMap((x, i) =>
    gate[i] === 1 && x > -4 * 2 ** 20 ? [got[i] / Math.exp(x / 2 ** 20) - 1] : [],
  );
  expect(Math.max(...relative.map(Math.abs))).toBeLessThan(7.2e-4);
  expect(Math.abs(relative.reduce((sum, e) => sum + e, 0) / relative.length)).toBeLessThan(5e-5);
});
