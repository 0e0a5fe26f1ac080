/**
 * Tables of piecewise polynomials are fitted with integers. P1 makes its tables of them, and P0 proves and verifies
 * with the same integers, so no function of an engine decides one. Their hash is pinned.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { PiecewisePolynomial } from '../../src/compute/kernels/types.ts';
import { bytesOf } from '../../src/compute/ring.ts';
import { concatBytes, toHex } from '../../src/core/bytes.ts';

afterEach(() => void vi.restoreAllMocks());

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
  it('are those that are pinned', LONG, async () => {
    expect(await tables()).toBe(PINNED);
  });

  it(
    'follow from integers alone: the same where functions of Math are off by far more than any engine',
    LONG,
    async () => {
      const asked = new Map<string, number>();
      for (const name of [
        'sin',
        'cos',
        'tan',
        'sinh',
        'cosh',
        'tanh',
        'exp',
        'expm1',
        'sqrt',
        'cbrt',
        'pow',
      ] as const) {
        const real = Math[name] as (...x: number[]) => number;
        vi.spyOn(Math, name).mockImplementation((...x: number[]) => {
          asked.set(name, (asked.get(name) ?? 0) + 1);
          return real(...x) * (1 + 2 ** -16);
        });
      }
      expect(await tables()).toBe(PINNED);
      // Roots say how many bits an entry of a normalised row has. Nothing else is asked for.
      expect([...asked.keys()]).toEqual(['sqrt']);
      expect(Math.cos(0)).toBeGreaterThan(1);
    },
  );
});
