/** Weights of means: integers, so that all parties have the same. */
import { expect, it } from 'vitest';
import { meanWeights } from '../../src/compute/means.ts';
import { wordAt } from '../../src/compute/ring.ts';

it('row n − 1 has the nearest integer to one n-th on its first n places, and nothing behind them', () => {
  const places = 512;
  const weights = meanWeights(places, 24, 64);
  for (let n = 1; n <= places; n++) {
    const row = Array.from({ length: places }, (_, t) => wordAt(weights, (n - 1) * places + t));
    // No weight lies halfway between two integers, so whoever rounds gets the same.
    expect(row.slice(0, n)).toEqual(new Array<bigint>(n).fill(BigInt(Math.round(2 ** 24 / n))));
    expect(row.slice(n).every((word) => word === 0n)).toBe(true);
  }
});

it('are cut to the ring: of 24 bits a whole one is zero', () => {
  expect([...meanWeights(2, 24, 24).data]).toEqual([0, 0, 2 ** 23, 2 ** 23]);
  expect([...meanWeights(2, 24, 25).data]).toEqual([2 ** 24, 0, 2 ** 23, 2 ** 23]);
});
