/**
 * How large the sums of Horner's rule on a piecewise polynomial become: what decides in how many bits a back end
 * may compute it.
 *
 * With 0 ≤ u < 2^t and |v| ≤ M, |⌊v·u / 2^t⌋| ≤ M (for v < 0, v ≤ v·u/2^t, and v is an integer). So after some steps
 * the sum of lane p is at most the sum of the |C_q|·binom(q,p) taken in so far, and each product at most (the sum
 * before it)·(2^t − 1). C_p enters lane p only at the end and is never multiplied.
 */
import { TercetError } from '../../core/errors.ts';
import { ringMask } from '../ring.ts';
import type { PiecewisePolynomial } from './types.ts';

/** binom(q, p) at [q][p], up to the largest degree. */
export const BINOMIAL = [[1n], [1n, 1n], [1n, 2n, 1n], [1n, 3n, 3n, 1n], [1n, 4n, 6n, 4n, 1n]] as const;

export interface PolynomialBound {
  /** No product is larger, in magnitude. */
  readonly product: bigint;
  /** No sum is larger, in magnitude, with half of the guard bits added. */
  readonly sum: bigint;
}

const magnitude = (c: bigint): bigint => (c < 0n ? -c : c);

/**
 * @throws {TercetError} ERR_RANGE when the sums do not fit 64 signed bits, or t is above 62: no back end computes
 * such a polynomial.
 */
export function polynomialBound({ segments, degree, t, guard, coefficients }: PiecewisePolynomial): PolynomialBound {
  const u = ringMask(t);
  const half = guard > 0 ? 1n << BigInt(guard - 1) : 0n;
  let product = 0n;
  let sum = 0n;
  for (let i = 0; i < segments; i++) {
    for (let p = 0; p <= degree; p++) {
      let before = 0n;
      for (let q = degree; q > p; q--) before += magnitude(coefficients[(degree + 1) * i + q]) * BINOMIAL[q][p];
      const after = before + magnitude(coefficients[(degree + 1) * i + p]) + half;
      if (before * u > product) product = before * u;
      if (after > sum) sum = after;
    }
  }
  if (t < 63 && sum < 1n << 63n) return { product, sum };
  throw new TercetError(
    'ERR_RANGE',
    'coefficients of a piecewise polynomial above 63 bits',
    'use a smaller scale or fewer guard bits',
  );
}
