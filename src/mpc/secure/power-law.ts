/**
 * A power law (1/z, z^-½) of one positive word over many octaves (PROTOCOL §7.4): windows of 128 segments,
 * each 16 times finer than the one before.
 *
 * In every window, on one index: a candidate by a cubic, and the bit [measured index ≥ 7]. The first window whose
 * bit is set wins, else the last: its argument is at least six units, where the cubic is good to 6^-4/8. Lower
 * windows may hold garbage; they are not looked at. Two rounds.
 */
import type { PiecewiseCubic } from '../../compute/kernels/types.ts';
import type { ExactTable, Gates } from '../protocol/types.ts';
import type { Wire } from '../share/wire.ts';
import { piecewiseCubic } from './cubic.ts';

/** Bits of a window's index; each window has segments of one unit. */
const INDEX_BITS = 7;
const SEGMENTS = 1 << INDEX_BITS;
/** log2 of the ratio of two windows: the next one is that much finer. */
const FINER = 4;
/** Bits below the unit that a cubic sees, and scale of its basis. */
const T = 14;
const S2 = 14;
/**
 * A window is taken from this measured index on, so from six true units. The next one must hold what is below:
 * 7 · 2^4 = 112 of its 128 units, and 16 are for the dither.
 */
const THRESHOLD = 7;
/** Units of the widest window that an argument may reach: as many as a finer one is asked for. */
export const WINDOW_UNITS = THRESHOLD << FINER;

/** Scale of `powerLaw`'s result, for tables of scale s1. */
export function powerLawScale(s1: number): number {
  return s1 + S2;
}

/** log2 of the unit of window w. */
function unitOf(top: number, w: number): number {
  return top - FINER * w;
}

/** log2 of the unit of the last window. */
export function lastUnit(top: number, windows: number): number {
  return unitOf(top, windows - 1);
}

const REACHED: ExactTable = {
  bits: INDEX_BITS,
  entries: Array.from({ length: SEGMENTS }, (_, i) => (i >= THRESHOLD ? 1n : 0n)),
};

/** A function in windows, tabulated: made once, used by every layer. */
export interface PowerLaw {
  /** log2 of the unit of the widest window; the others are `FINER` lower each. */
  readonly top: number;
  readonly cubics: readonly PiecewiseCubic[];
}

/**
 * Tabulates f in windows. Takes milliseconds: for constants, or once for each width of a model.
 *
 * @param f of the integer z, positive and smooth; below 3 units of the last window the result is zero.
 */
export function tabulated(
  f: (z: number) => number,
  options: { readonly top: number; readonly windows: number; readonly s1: number },
): PowerLaw {
  const { top, windows, s1 } = options;
  const cubics = Array.from({ length: windows }, (_, w) => {
    const unit = unitOf(top, w);
    return piecewiseCubic((x) => f(Math.max(x, 1) * 2 ** unit), {
      segments: SEGMENTS,
      t: T,
      s1,
      s2: S2,
      guard: 0,
      width: 1,
      centre: (i) => (i >= 3 ? i : undefined),
    });
  });
  return { top, cubics };
}

/**
 * z over Z_2^64, 0 ≤ z < `WINDOW_UNITS` · 2^top → f(z) at scale s1 + 14 over Z_2^64. `reached` holds, for all windows but the
 * last, the bit [measured index ≥ 7].
 */
export function powerLaw(
  gates: Gates,
  z: Wire,
  { top, cubics }: PowerLaw,
): { readonly value: Wire; readonly reached: readonly Wire[] } {
  const windows = cubics.length;
  const candidates: Wire[] = [];
  const reached: Wire[] = [];
  for (const [w, cubic] of cubics.entries()) {
    const unit = unitOf(top, w);
    const index = unit >= T ? gates.shift(z, unit - T) : gates.raise(z, T - unit, 64);
    candidates.push(gates.cubic(gates.reduce(index, T + INDEX_BITS), cubic, 64));
    if (w < windows - 1) reached.push(gates.table(gates.reduce(gates.shift(z, unit), INDEX_BITS), REACHED, 1));
  }
  const pick = Uint8Array.from({ length: 1 << reached.length }, (_, joint) => {
    const first = reached.findIndex((_bit, w) => ((joint >> w) & 1) === 1);
    return first === -1 ? windows - 1 : first;
  });
  return { value: gates.choose(reached, candidates, pick), reached };
}
