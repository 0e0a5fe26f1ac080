/**
 * Piecewise polynomials for the normalised basis (PROTOCOL §6.3): coefficients in δ/2^t, fitted on the doubled
 * interval (−1, 1) of every segment, so that the off-by-one of the measured segment costs nothing. Fitted with
 * integers alone, so every engine has the same coefficients.
 */
import { FRACTION, ONE, product, root } from '../../compute/fixed-functions.ts';
import type { Degree, PiecewisePolynomial } from '../../compute/kernels/types.ts';
import type { Gates, Wire } from './gates.ts';
import { rescale } from './rescale.ts';

const NODES = 24;

/** T_q of the Chebyshev nodes cos(π·(i + ½)/24), by i and then q ≤ 4. */
function chebyshev(): readonly (readonly bigint[])[] {
  // From cos π/3 by halving the angle, to π/48; then cos (2i + 1)α from the two before.
  let [double, first] = [ONE, ONE / 2n];
  for (let n = 0; n < 4; n++) [double, first] = [first, root(((ONE + first) << FRACTION) / 2n)];
  let before = first;
  let node = first;
  return Array.from({ length: NODES }, () => {
    const t = [ONE, node];
    for (let q = 2; q <= 4; q++) t.push(2n * product(node, t[q - 1]) - t[q - 2]);
    [before, node] = [node, 2n * product(double, node) - before];
    return t;
  });
}

let nodes: ReturnType<typeof chebyshev> | undefined;

/**
 * Least-squares polynomial of f on [from, to] over Chebyshev nodes, as degree + 1 monomial coefficients: that of
 * w = (2u − from − to)/(to − from) on [−1, 1], the truncated discrete Chebyshev series, multiplied out.
 */
function fitted(f: (u: bigint) => bigint, degree: Degree, [from, to]: Interval): bigint[] {
  const [sum, length] = [BigInt(from + to), BigInt(to - from)];
  const c = [0n, 0n, 0n, 0n, 0n];
  nodes ??= chebyshev();
  for (const t of nodes) {
    const value = f((sum * ONE + length * t[1]) / 2n);
    for (let q = 0; q <= degree; q++) c[q] += product(value, t[q]);
  }
  for (let q = 0; q <= degree; q++) c[q] = ((q === 0 ? 1n : 2n) * c[q]) / BigInt(NODES);
  const inner = [c[0] - c[2] + c[4], c[1] - 3n * c[3], 2n * c[2] - 8n * c[4], 4n * c[3], 8n * c[4]];
  // Horner's rule, by polynomials in u.
  let out: bigint[] = [];
  for (let q = degree; q >= 0; q--) {
    const [last, next] = [
      [...out, 0n],
      [0n, ...out],
    ];
    out = last.map((one, p) => (2n * next[p] - sum * one) / length);
    out[0] += inner[q];
  }
  return out;
}

/** From and to, in whole segments from a centre. */
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
  /** Centre of the measured segment i in segments, or undefined where the function is not needed (zero there). */
  centre(i: number): number | undefined;
  /** What the measured segment i is read for, where that is less than all it may hold. */
  interval?(i: number): Interval;
  /** log2 of a segment's width in the function's own unit. */
  readonly log2Width: number;
}

/**
 * Tabulates f. The result is exact data: integers at scale 2^(s1 + guard).
 * @param f at centre + offset, all with `FRACTION` bits
 */
export function piecewisePolynomial(
  f: (centre: bigint, offset: bigint) => bigint,
  options: PolynomialOptions,
): PiecewisePolynomial {
  const { segments, degree, t, s1, s2, guard, log2Width } = options;
  const coefficients = new BigInt64Array((degree + 1) * segments);
  const wide = (u: bigint) => u << BigInt(log2Width);
  const drop = FRACTION - BigInt(s1 + guard);
  for (let i = 0; i < segments; i++) {
    const own = options.centre(i);
    if (own === undefined) continue;
    const centre = wide(BigInt(own) * ONE);
    const interval = options.interval?.(i) ?? DOUBLED;
    for (const [q, value] of fitted((u) => f(centre, wide(u)), degree, interval).entries())
      coefficients[(degree + 1) * i + q] = (value + (1n << (drop - 1n))) >> drop;
  }
  return { segments, degree, t, s1, s2, guard, coefficients };
}

/**
 * x as the argument of a polynomial whose segments are 2^log2Width wide: t bits inside a segment and log2(segments)
 * above them. Free.
 */
export function polynomialArgument(
  gates: Gates,
  x: Wire,
  { segments, t }: PiecewisePolynomial,
  log2Width: number,
): Wire {
  return rescale(gates, x, t - log2Width, t + Math.log2(segments));
}

/** Segments of a period in two's complement order: 0 … R, then −R … 0. */
export function signedCentre(i: number, segments: number): number {
  return i < segments / 2 ? i : i - segments;
}
