/**
 * Tables of piecewise polynomials are fitted in float64, with functions whose last bits engines may round otherwise. P1
 * makes its tables of them, and P0 proves and verifies with the same integers. So they are far from every tie, and
 * their hash is pinned: an engine that has others builds another circuit, which is refused by name.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { PiecewisePolynomial } from '../../src/compute/kernels/types.ts';
import { bytesOf } from '../../src/compute/ring.ts';
import { concatBytes, toHex } from '../../src/core/bytes.ts';

afterEach(() => void vi.restoreAllMocks());

/** More than functions of float64, and sums of 24 of them, are off by in any engine. */
const OFF = 2 ** -40;
/** With the load of a machine: modules are read anew for every look. */
const LONG = { timeout: 240_000 };

/** SHA-256 of the tables of tanh, 1/Σ and 1/√z, by one coin and by two, of modules that are loaded anew. */
async function tables(): Promise<string> {
  vi.resetModules();
  const { CircuitBuilder } = await import('../../src/mpc/protocol/semi-honest/circuit.ts');
  const { secureTanh } = await import('../../src/mpc/secure/activation.ts');
  const { reciprocalOf } = await import('../../src/mpc/secure/attention-form.ts');
  const { centredRootOf, rootOf } = await import('../../src/mpc/secure/normalise.ts');
  const all: PiecewisePolynomial[] = [];
  const builder = new CircuitBuilder('open');
  const made = builder.polynomial.bind(builder);
  builder.polynomial = (x, polynomial, ...rest) => {
    all.push(polynomial);
    return made(x, polynomial, ...rest);
  };
  secureTanh(builder, builder.input('x', [1], 64, 16));
  for (const coins of [1, 2] as const) {
    for (const d of [128, 768, 3072]) {
      all.push(rootOf(d, { coins }).polynomial);
      for (const range of ['fine', 'normal', 'coarse'] as const)
        all.push(centredRootOf(d, range, { coins }).polynomial);
    }
    for (const positions of [128, 896, 1024])
      all.push(reciprocalOf({ ...builder.rounding, coins }, positions).law.polynomial);
  }
  const words = all.map(({ coefficients: { buffer, byteOffset, length } }) =>
    bytesOf({ k: 64, data: new BigUint64Array(buffer, byteOffset, length) }),
  );
  return toHex(sha256(concatBytes(words)));
}

const PINNED = '14ad3377f4cf8c0649a5e23d63dbdcd5ba43191732e3494b45a9eeac5b785bc0';

describe('tables of piecewise polynomials', () => {
  it('are those that are pinned, each further from a tie than engines differ by', LONG, async () => {
    const near: number[] = [];
    let seen = 0;
    const round = Math.round;
    vi.spyOn(Math, 'round').mockImplementation((value) => {
      if (!Number.isInteger(value)) {
        seen++;
        const tie = Math.abs(value - Math.floor(value) - 0.5);
        if (tie < OFF * Math.max(1, Math.abs(value))) near.push(value);
      }
      return round(value);
    });
    expect(await tables()).toBe(PINNED);
    expect(seen).toBeGreaterThan(500);
    expect(near).toEqual([]);
  });

  it(
    'are the same where cosines and tanh end in other bits, and others where these are off by more',
    LONG,
    async () => {
      const off = async (by: number) => {
        const [cos, tanh] = [Math.cos, Math.tanh];
        vi.spyOn(Math, 'cos').mockImplementation((x) => cos(x) * (1 + (x > 1 ? by : -by)));
        vi.spyOn(Math, 'tanh').mockImplementation((x) => tanh(x) * (1 + (x > 1 ? by : -by)));
        const there = await tables();
        vi.restoreAllMocks();
        return there;
      };
      expect(await off(2 ** -50)).toBe(PINNED);
      expect(await off(2 ** -16)).not.toBe(PINNED);
    },
  );
});
