/**
 * Piecewise polynomials for the normalised basis (PROTOCOL §6.3): coefficients in δ/2^t, fitted on the doubled
 * interval (−1, 1) of every segment, so that the off-by-one of the measured segment costs nothing. Fitted in
 * float64 by P1 only; every party derives the same public segment layout.
 */
import type { Degree, PiecewisePolynomial } from '../../compute/kernels/types.ts';
import type { Gates, Wire } from './gates.ts';
import { rescale } from './rescale.ts';

const NODES = 24;

/**
 * Least-squares polynomial of f on [from, to] over Chebyshev nodes, as degree + 1 monomial coefficients: that of
 * (u − middle)/half on [−1, 1], multiplied out.
 */
function fitted(f: (u: number) => number, degree: Degree, [from, to]: Interval): number[] {
  const [middle, half] = [(from + to) / 2, (to - from) / 2];
  const inner = fittedOnUnit((w) => f(middle + half * w), degree);
  const c = [0, 0, 0, 0, 0];
  for (let q = 0; q <= degree; q++) {
    // binom(q, p) for p = q down to 0.
    let binomial = 1;
    for (let p = q; p >= 0; p--) {
      c[p] += (inner[q] / half ** q) * binomial * (-middle) ** (q - p);
      binomial = (binomial * p) / (q - p + 1);
    }
  }
  return c.slice(0, degree + 1);
}

/** The same on [−1, 1]: the truncated discrete Chebyshev series. */
function fittedOnUnit(f: (u: number) => number, degree: Degree): number[] {
  const c = [0, 0, 0, 0, 0];
  for (let i = 0; i < NODES; i++) {
    const angle = (Math.PI * (i + 0.5)) / NODES;
    const value = f(Math.cos(angle));
    for (let q = 0; q <= degree; q++) c[q] += ((q === 0 ? 1 : 2) / NODES) * value * Math.cos(q * angle);
  }
  return [c[0] - c[2] + c[4], c[1] - 3 * c[3], 2 * c[2] - 8 * c[4], 4 * c[3], 8 * c[4]].slice(0, degree + 1);
}

/** From and to, in segments from a centre. */
type Interval = readonly [from: number, to: number];
/** What a measured segment may hold: it is the true one or the next. */
const DOUBLED: Interval = [-1, 1];

export interface PolynomialOptions {
  readonly segments: number;
  readonly degree: Degree;
  readonly t: number;
  readonly s1: number;
  readonly s2: number;
  readonly guard: number;
  /**
   * Centre of the measured segment i in the function's own unit, or undefined where the function is not needed
   * (zero there).
   */
  centre(i: number): number | undefined;
  /** What the measured segment i is read for, where that is less than all it may hold. */
  interval?(i: number): Interval;
  /** Segment width in the function's own unit. */
  readonly width: number;
}

/** Tabulates f. The result is exact data: integers at scale 2^(s1 + guard). */
export function piecewisePolynomial(f: (x: number) => number, options: PolynomialOptions): PiecewisePolynomial {
  const { segments, degree, t, s1, s2, guard, width } = options;
  const coefficients = new BigInt64Array((degree + 1) * segments);
  for (let i = 0; i < segments; i++) {
    const centre = options.centre(i);
    if (centre === undefined) continue;
    const interval = options.interval?.(i) ?? DOUBLED;
    fitted((u) => f(centre + u * width), degree, interval).forEach((value, q) => {
      coefficients[(degree + 1) * i + q] = BigInt(Math.round(value * 2 ** (s1 + guard)));
    });
  }
  return { segments, degree, t, s1, s2, guard, coefficients };
}

/**
 * x as the argument of a polynomial whose segments are `width` wide: t bits inside a segment and log2(segments) above
 * them. Free.
 */
export function polynomialArgument(gates: Gates, x: Wire, { segments, t }: PiecewisePolynomial, width: number): Wire {
  return rescale(gates, x, t - Math.log2(width), t + Math.log2(segments));
}

/** Segments of a period [−R, R) in two's complement order: 0 … R, then −R … 0. */
export function signedCentre(i: number, segments: number, width: number): number {
  return (i < segments / 2 ? i : i - segments) * width;
}
