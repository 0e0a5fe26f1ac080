/** Functions in integers: within the last bits of those of the engine, and exact where that can be said. */
import { describe, expect, it } from 'vitest';
import { FRACTION, ONE, exponential, product, root, tanhOfSums } from '../../src/compute/fixed-functions.ts';

const fixed = (x: number): bigint => BigInt(x * 2 ** 20) * (ONE >> 20n);
const float = (x: bigint): number => Number(x) / Number(ONE);
const POINTS = Array.from({ length: 257 }, (_, i) => (i - 128) / 8);

describe('functions of integers', () => {
  it('a root is the largest integer whose square is not above', () => {
    const squares = [0n, 1n, 2n, 3n, 4n, 15n, 16n, 17n, ONE, 2n * ONE, 10n ** 80n - 1n, 10n ** 80n, (1n << 200n) - 1n];
    for (const x of squares) {
      const r = root(x);
      expect(r * r <= x && x < (r + 1n) * (r + 1n), `root of ${x}`).toBe(true);
    }
  });

  it('e^x is within 2^-50 of that of the engine, relative, and e^x · e^-x is one', () => {
    for (const x of POINTS) {
      expect(Math.abs(float(exponential(fixed(x))) / Math.exp(x) - 1), `e^${x}`).toBeLessThan(2 ** -50);
      const off = product(exponential(fixed(x)), exponential(fixed(-x))) - ONE;
      expect((off < 0n ? -off : off) < 1n << (FRACTION - 60n), `e^${x}`).toBe(true);
    }
  });

  it('tanh is within 2^-50 of that of the engine, odd, and the same however its argument is split', () => {
    const tanh = tanhOfSums();
    for (const x of POINTS) {
      expect(Math.abs(float(tanh(fixed(x), 0n)) - Math.tanh(x)), `tanh ${x}`).toBeLessThan(2 ** -50);
      for (const same of [tanh(fixed(x / 2), fixed(x / 2)), tanh(fixed(x - 1), ONE), -tanh(fixed(-x), 0n)])
        expect(Math.abs(float(same - tanh(fixed(x), 0n)))).toBeLessThan(2 ** -60);
    }
  });
});
