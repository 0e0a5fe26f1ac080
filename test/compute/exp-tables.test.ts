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
  const { coarse, fine, segments } = expTables();
  expect([coarse.length, fine.length]).toEqual([4097, 2048]);
  expect(Array.from(coarse)).toEqual(Array.from({ length: 4097 }, (_, i) => round(exp(BigInt(-i), 9n), 31n)));
  expect(Array.from(fine)).toEqual(Array.from({ length: 2048 }, (_, i) => round(exp(BigInt(-i), 20n), 31n)));
  expect(Array.from(segments[4].factor)).toEqual(
    [0n, -28n, -24n, -20n, -16n, -12n, -8n, -4n].map((start) => round(exp(start + 4n, 0n), 26n)),
  );
  expect(Array.from(segments[8].factor)).toEqual(
    [0n, -24n, -16n, -8n].map((start, i) => round(exp(start + 8n, 0n), BigInt(segments[8].scale[i]))),
  );
  expect([...segments[4].scale, ...segments[8].scale]).toEqual([...new Array(8).fill(26), 20, 32, 32, 31]);
});
