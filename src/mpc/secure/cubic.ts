/**
 * Piecewise cubics for the normalised basis (PROTOCOL §6.3): coefficients in δ/2^t, fitted on the doubled
 * interval (−1, 1) of every segment, so that the off-by-one of the measured segment costs nothing. Fitted in
 * float64 by P1 only; every party derives the same public segment layout.
 */
import type { PiecewiseCubic } from '../../compute/kernels/types.ts';
import type { Gates, Wire } from './gates.ts';
import { rescale } from './rescale.ts';

const NODES = 24;

/**
 * Least-squares cubic of f on [−1, 1] over Chebyshev nodes: the truncated discrete Chebyshev series, as monomial
 * coefficients.
 */
function fitCubic(f: (u: number) => number): [number, number, number, number] {
  const c = [0, 0, 0, 0];
  for (let i = 0; i < NODES; i++) {
    const angle = (Math.PI * (i + 0.5)) / NODES;
    const value = f(Math.cos(angle));
    for (let q = 0; q < 4; q++) c[q] += ((q === 0 ? 1 : 2) / NODES) * value * Math.cos(q * angle);
  }
  return [c[0] - c[2], c[1] - 3 * c[3], 2 * c[2], 4 * c[3]];
}

export interface CubicOptions {
  readonly segments: number;
  readonly t: number;
  readonly s1: number;
  readonly s2: number;
  readonly guard: number;
  /**
   * Centre of the measured segment i in the function's own unit, or undefined where the function is not needed
   * (zero there).
   */
  centre(i: number): number | undefined;
  /** Segment width in the function's own unit. */
  readonly width: number;
}

/** Tabulates f. The result is exact data: integers at scale 2^(s1 + guard). */
export function piecewiseCubic(f: (x: number) => number, options: CubicOptions): PiecewiseCubic {
  const { segments, t, s1, s2, guard, width } = options;
  const coefficients = new BigInt64Array(4 * segments);
  for (let i = 0; i < segments; i++) {
    const centre = options.centre(i);
    if (centre === undefined) continue;
    fitCubic((u) => f(centre + u * width)).forEach((value, q) => {
      coefficients[4 * i + q] = BigInt(Math.round(value * 2 ** (s1 + guard)));
    });
  }
  return { segments, t, s1, s2, guard, coefficients };
}

/**
 * x as the argument of a cubic whose segments are `width` wide: t bits inside a segment and log2(segments) above
 * them. Free.
 */
export function cubicArgument(gates: Gates, x: Wire, { segments, t }: PiecewiseCubic, width: number): Wire {
  return rescale(gates, x, t - Math.log2(width), t + Math.log2(segments));
}

/** Segments of a period [−R, R) in two's complement order: 0 … R, then −R … 0. */
export function signedCentre(i: number, segments: number, width: number): number {
  return (i < segments / 2 ? i : i - segments) * width;
}
