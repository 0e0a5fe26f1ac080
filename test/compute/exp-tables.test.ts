/**
 * The integer tables of the exponential against values of 300 bits, computed another way: one Taylor series per
 * entry.
 */
import { expect, it } from 'vitest';
import { expTables } from '../../src/compute/exp-tables.ts';

const BITS = 300n;

/**
 * exp(numerator / 2^shift) with 300 fractional bits, for an argument of any size: by halving it below one and
 * squaring back.
 */
function exp(numerator: bigint, shift: bigint): bigint {
  const halvings = 8n;
  const x = (numerator << BITS) >> (shift + halvings);
  let term = 1n << BITS;
  let sum = term;
  for (let n = 1n; term > 1n || term < -1n; n++) {
    term = ((term * x) >> BITS) / n;
    sum += term;
  }
  for (let i = 0n; i < halvings; i++) sum = (sum * sum) >> BITS;
  return sum;
}

/** round(value · 2^bits) for a value with 300 fractional bits. */
function round(value: bigint, bits: bigint): number {
  return Number((value + (1n << (BITS - bits - 1n))) >> (BITS - bits));
}

it('exp tables are correctly rounded', () => {
  const { coarse, fine, segment } = expTables();
  expect([coarse.length, fine.length, segment.length]).toEqual([2049, 2048, 8]);
  expect(Array.from(coarse)).toEqual(Array.from({ length: 2049 }, (_, i) => round(exp(BigInt(-i), 9n), 31n)));
  expect(Array.from(fine)).toEqual(Array.from({ length: 2048 }, (_, i) => round(exp(BigInt(-i), 20n), 31n)));
  expect(Array.from(segment)).toEqual(
    [0n, -28n, -24n, -20n, -16n, -12n, -8n, -4n].map((start) => round(exp(start + 4n, 0n), 26n)),
  );
});
