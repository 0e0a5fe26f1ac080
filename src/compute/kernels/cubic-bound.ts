/**
 * How large the sums of Horner's rule on a cubic become: what decides in how many bits a back end may compute it.
 *
 * With 0 ≤ u < 2^t and |v| ≤ M, |⌊v·u / 2^t⌋| ≤ M (for v < 0, v ≤ v·u/2^t, and v is an integer). So after some steps
 * the sum of lane p is at most the sum of the |C_q|·binom(q,p) taken in so far, and each product at most (the sum
 * before it)·(2^t − 1). Lane 0 takes 1, 1, 1, 1; lane 1 takes 3, 2, 1; lane 2 takes 3, 1; lane 3 takes 1. C_0 enters
 * only at the end and is never multiplied.
 */
import { TercetError } from '../../core/errors.ts';
import { ringMask } from '../ring.ts';
import type { PiecewiseCubic } from './types.ts';

export interface CubicBound {
  /** No product is larger, in magnitude. */
  readonly product: bigint;
  /** No sum is larger, in magnitude, with half of the guard bits added. */
  readonly sum: bigint;
}

/**
 * @throws {TercetError} ERR_RANGE when the sums do not fit 64 signed bits, or t is above 62: no back end computes
 * such a cubic.
 */
export function cubicBound(cubic: PiecewiseCubic): CubicBound {
  const u = ringMask(cubic.t);
  const half = cubic.guard > 0 ? 1n << BigInt(cubic.guard - 1) : 0n;
  let product = 0n;
  let sum = 0n;
  for (let i = 0; i < cubic.segments; i++) {
    const [c0, c1, c2, c3] = [0, 1, 2, 3].map((q) => {
      const c = cubic.coefficients[4 * i + q];
      return c < 0n ? -c : c;
    });
    for (const v of [c3 + c2 + c1, 3n * c3 + 2n * c2, 3n * c3]) if (v * u > product) product = v * u;
    for (const v of [c3 + c2 + c1 + c0, 3n * c3 + 2n * c2 + c1, 3n * c3 + c2]) if (v + half > sum) sum = v + half;
  }
  if (cubic.t < 63 && sum < 1n << 63n) return { product, sum };
  throw new TercetError(
    'ERR_RANGE',
    'coefficients of a piecewise cubic above 63 bits',
    'use a smaller scale or fewer guard bits',
  );
}
