/**
 * A power law (1/z, z^-½) of one positive word over many octaves (PROTOCOL §7.4): windows of a few segments, each
 * finer than the one before by a constant ratio.
 *
 * In every window, on one index: a candidate by a polynomial, and the bit [measured index ≥ threshold]. The first
 * window whose bit is set wins, else the last: its argument is at least `threshold` − 1 units, where the polynomial
 * is good. Lower windows may hold garbage; they are not looked at. Two rounds.
 */
import type { Degree, PiecewisePolynomial } from '../../compute/kernels/types.ts';
import { invariant } from '../../core/errors.ts';
import type { ExactTable, Gates } from '../protocol/types.ts';
import type { Wire } from '../share/wire.ts';
import { DOUBLED, type Interval, piecewisePolynomial } from './polynomial.ts';

/** Bits below the unit that a polynomial sees. */
const T = 14;

/** How the windows of a law are cut. Each has segments of one unit. */
export interface WindowLayout {
  /** Segments of the widest window and of every finer one, powers of two. */
  readonly widest: number;
  readonly finer: number;
  /** log2 of the ratio of two windows' units. */
  readonly ratio: number;
  /**
   * A window is taken from this measured index on, so from one true unit less. The next one must hold what is below:
   * threshold · 2^ratio of its segments, and the rest are for the dither.
   */
  readonly threshold: number;
  /** The first measured segment that is tabulated; zero below. */
  readonly first: number;
  readonly degree: Degree;
  /** Scale of the basis. */
  readonly s2: number;
  /** Bits of the coefficients below the words, so that these are rounded once. */
  readonly guard: number;
}

/**
 * Degree 4 on windows of 64, 32, 32, … segments, 8 times finer each, for 1/z: relative error at most 6e-4, rms 1e-4,
 * from measured unit 3 on, and in the last window from `LawOptions.least` on.
 */
export const RECIPROCAL_WINDOWS: WindowLayout = {
  widest: 64,
  finer: 32,
  ratio: 3,
  threshold: 3,
  first: 2,
  degree: 4,
  s2: 11,
  guard: 6,
};

/** Degree 4 on windows of 64 segments, 16 times finer each, for z^-½: relative error at most 1.8e-4 from two units on. */
export const ROOT_WINDOWS: WindowLayout = { ...RECIPROCAL_WINDOWS, finer: 64, ratio: 4 };

/** Scale of `powerLaw`'s result, for tables of scale s1. */
export function powerLawScale(s1: number, layout: WindowLayout): number {
  return s1 + layout.s2;
}

/** log2 of the unit of window w. */
function unitOf(top: number, w: number, layout: WindowLayout): number {
  return top - layout.ratio * w;
}

/** log2 of the unit of the last window. */
export function lastUnit(top: number, windows: number, layout: WindowLayout): number {
  return unitOf(top, windows - 1, layout);
}

/** The bit [measured index ≥ threshold] of a window of so many segments. */
function reachedTable(segments: number, threshold: number): ExactTable {
  return {
    bits: Math.log2(segments),
    entries: Array.from({ length: segments }, (_, i) => (i >= threshold ? 1n : 0n)),
  };
}

/** A function in windows, tabulated: made once, used by every layer. */
export interface PowerLaw {
  /** log2 of the unit of the widest window; the others are `layout.ratio` lower each. */
  readonly top: number;
  readonly layout: WindowLayout;
  readonly polynomials: readonly PiecewisePolynomial[];
}

/** How a law is tabulated. */
export interface LawOptions {
  readonly top: number;
  readonly windows: number;
  readonly s1: number;
  readonly layout: WindowLayout;
  /**
   * The least z in units of the last window, at least `layout.first`. Below the threshold the first segment is fitted
   * from there on only: on all that a measured segment may hold it would be ten times worse.
   */
  readonly least: number;
}

/**
 * Tabulates f in windows. Takes milliseconds: for constants, or once for each width of a model.
 *
 * @param f of the integer z, positive and smooth; below `layout.first` units of the last window the result is zero.
 */
export function tabulated(f: (z: number) => number, options: LawOptions): PowerLaw {
  const { top, windows, s1, layout, least } = options;
  const { first, degree, s2, guard, threshold, ratio } = layout;
  invariant(
    threshold << ratio < layout.finer,
    'a finer window must hold what is below the threshold of the one before',
  );
  invariant(least >= first, 'the last window must hold the least argument');
  // Other windows are not taken at their first segments.
  const interval =
    (w: number) =>
    (i: number): Interval =>
      w === windows - 1 ? [Math.min(0.5, Math.max(-1, least - i)), 1] : DOUBLED;
  const polynomials = Array.from({ length: windows }, (_, w) => {
    const unit = unitOf(top, w, layout);
    return piecewisePolynomial((x) => f(Math.max(x, 1) * 2 ** unit), {
      segments: w === 0 ? layout.widest : layout.finer,
      degree,
      t: T,
      s1,
      s2,
      guard,
      width: 1,
      centre: (i) => (i >= first ? i : undefined),
      interval: interval(w),
    });
  });
  return { top, layout, polynomials };
}

/**
 * z, 0 ≤ z < u · 2^top → f(z) at scale s1 + s2 over Z_2^64. u is two less than the widest window's segments. `reached`
 * holds, for all windows but the last, the bit [measured index ≥ threshold].
 */
export function powerLaw(
  gates: Gates,
  z: Wire,
  { top, layout, polynomials }: PowerLaw,
): { readonly value: Wire; readonly reached: readonly Wire[] } {
  const windows = polynomials.length;
  const candidates: Wire[] = [];
  const reached: Wire[] = [];
  for (const [w, polynomial] of polynomials.entries()) {
    const unit = unitOf(top, w, layout);
    const bits = Math.log2(polynomial.segments);
    const index = unit >= T ? gates.shift(z, unit - T) : gates.raise(z, T - unit, T + bits);
    const argument = gates.reduce(index, T + bits);
    candidates.push(gates.polynomial(argument, polynomial, 64));
    if (w < windows - 1) {
      const table = reachedTable(polynomial.segments, layout.threshold);
      // The polynomial's segment and this bit must be measured with one coin.
      const once = gates.rounding.coins === 1;
      reached.push(
        once ? gates.table(gates.reduce(gates.shift(z, unit), bits), table, 1) : gates.segment(argument, T, table, 1),
      );
    }
  }
  // Window w is taken where its bit is the first that is set, the last one where none is: a table for each, so that a
  // window of few bits has few entries.
  const choices = candidates.map((candidate, w) => {
    const bits = reached.slice(0, w + 1);
    const pick = new Uint8Array(1 << bits.length).fill(255);
    pick[w < reached.length ? 1 << w : 0] = 0;
    return { bits, values: [candidate], pick };
  });
  return { value: gates.chooseSum(choices), reached };
}
