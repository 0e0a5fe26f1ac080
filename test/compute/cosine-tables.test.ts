/** The integer tables of the cosine against another series, and the addition theorem against float64 on whole turns. */
import { expect, it } from 'vitest';
import { COSINE_SCALE, cosineTables } from '../../src/compute/cosine-tables.ts';
import { cosineOf } from '../../src/compute/kernels/reference/cosine.ts';

const BITS = 200n;
/** π with 200 fractional bits: the arctangents of 1/2 and 1/3 (Euler). */
const PI = 4n * (arctan(2n) + arctan(3n));

function arctan(n: bigint): bigint {
  let sum = 0n;
  for (let i = 0n; (1n << BITS) / n ** (2n * i + 1n) !== 0n; i++)
    sum += (i % 2n === 0n ? 1n : -1n) * ((1n << BITS) / (n ** (2n * i + 1n) * (2n * i + 1n)));
  return sum;
}

/** cos of any angle with 200 fractional bits: halved six times below one, and doubled back by 2 cos² − 1. */
function cos(angle: bigint): bigint {
  const x = angle >> 6n;
  let term = 1n << BITS;
  let value = 0n;
  for (let n = 1n; term !== 0n; n += 2n) {
    value += term;
    term = -((term * ((x * x) >> BITS)) >> BITS) / (n * (n + 1n));
  }
  for (let i = 0; i < 6; i++) value = ((2n * value * value) >> BITS) - (1n << BITS);
  return value;
}

function rounded(value: bigint): number {
  const drop = BITS - BigInt(COSINE_SCALE);
  return Number((value + (1n << (drop - 1n))) >> drop);
}

it('cosine tables are correctly rounded', () => {
  const { coarse, fineCos, fineSin } = cosineTables();
  const at = (i: number, steps: bigint) => (2n * PI * BigInt(i)) / steps;
  const list = (f: (i: number) => number) => Array.from({ length: 1024 }, (_, i) => f(i));
  expect(Array.from(coarse)).toEqual(list((i) => rounded(cos(at(i, 1024n))) + 0));
  expect(Array.from(fineCos)).toEqual(list((i) => rounded(cos(at(i, 1n << 20n)))));
  expect(Array.from(fineSin)).toEqual(list((i) => rounded(cos(at(i, 1n << 20n) - PI / 2n))));
});

it('the addition theorem is within two units of 2^−30 of the cosine, on every angle of an odd stride', () => {
  const tables = cosineTables();
  let worst = 0;
  for (let angle = 0; angle < 1 << 20; angle += 7) {
    const exact = 2 ** COSINE_SCALE * Math.cos((2 * Math.PI * angle) / 2 ** 20);
    worst = Math.max(worst, Math.abs(Number(cosineOf(tables, BigInt(angle))) - exact));
  }
  expect(worst).toBeLessThan(2);
  expect(worst).toBeGreaterThan(0.5);
});
