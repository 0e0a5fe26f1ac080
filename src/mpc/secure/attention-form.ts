/**
 * How fine the weights of attention are, and how 1/Σ is found, by how a protocol rounds (PROTOCOL §7.6, §14.7).
 *
 * With one coin the largest weight of a row is above e^-4. With two a coarse score may be measured a unit higher, so it
 * is above e^-6: weights get two bits more, and 1/Σ a window more. Where what is rounded keeps its zeros, weights are
 * rounded. Where it does not they stay whole, because the noise of many keys that are gated out would count.
 */
import type { ExpWidth } from '../../compute/exp-tables.ts';
import type { TruncationModel } from '../protocol/types.ts';
import type { Reading } from './measure.ts';
import { type PowerLaw, tabulated } from './power-law.ts';

/** Scale of V. */
export const VALUE_SCALE = 12;
/** Scale of Σ E·V as an operand, before it is divided by Z. */
export const CONTEXT_SCALE = 20;
/** Ring of Σ E·V and of 1/Σ, where they meet. */
export const CONTEXT_BITS = 52;
/** Scale of the result. */
export const CONTEXT_OUT = 16;
/** Most positions that attention takes: 14 · 2^7 is above it, and |v| · T ≤ 2^16 leaves |v| < 64. */
export const MAX_ATTENTION = 1024;
/** Bits that a selection or a product needs above its values, for `widen`. */
const SLACK = 2;
const WIDEST = 64;

type Rounding = Pick<TruncationModel, 'coins' | 'keepsZero'>;

/** What e^x is made of. */
export interface WeightForm {
  /** Scales of its words and of their basis, and the units of its segments. */
  readonly words: number;
  readonly basis: number;
  readonly width: ExpWidth;
  /** Ring of the selection, the low bits that it loses, and the scale that is left. */
  readonly ring: number;
  readonly drop: number;
  readonly scale: number;
  /** Ring of E and V where they meet: Σ E·V over so many positions, with the slack of `widen`. Weights are below one. */
  readonly sums: number;
}

/** Four segments of 8 units hold −24 … 0, all that the gate lets through. Half an ulp of the basis is 2e-4 of it. */
const ROUNDED = { words: 17, basis: 23, width: 8, scale: 19 } as const;
/** Eight segments of 4 units, on a basis of as good words with fewer bits. */
const WHOLE = { basis: 17, width: 4 } as const;

export function weightForm({ coins, keepsZero }: Rounding, positions: number): WeightForm {
  const finer = coins === 1 ? 0 : 2;
  const above = VALUE_SCALE + Math.log2(valueDomain(positions)) + Math.ceil(Math.log2(positions)) + SLACK;
  if (keepsZero) {
    const [words, scale] = [ROUNDED.words + finer, ROUNDED.scale + finer];
    const all = words + ROUNDED.basis;
    return { ...ROUNDED, words, scale, ring: all + 1, drop: all - scale, sums: scale + above };
  }
  const words = Math.min(ROUNDED.words + finer, WIDEST - above - WHOLE.basis);
  return { ...WHOLE, words, ring: WIDEST, drop: 0, scale: words + WHOLE.basis, sums: WIDEST };
}

/** Ring of V, for any number of positions. */
export function valueRing(rounding: Rounding): number {
  return Math.max(...RECIPROCALS.map(({ positions }) => weightForm(rounding, positions).sums));
}

/**
 * 1/Σ in windows: T weights of at most one reach the widest, of 14 units of 2^top; the last is good from two of its
 * units on, below the largest weight of a row. The finer the scale of 1/Σ, the less room it leaves for |v|.
 */
interface ReciprocalForm {
  /** Positions up to which it is enough: 14 of its widest units. */
  readonly positions: number;
  readonly top: number;
  readonly scale: number;
  /** Windows of every group, where the largest weight is above e^-4, and above e^-6. */
  readonly windows: Record<1 | 2, readonly number[]>;
}

const RECIPROCALS: readonly ReciprocalForm[] = [
  { positions: 128, top: 4, scale: 22, windows: { 1: [3, 3, 1], 2: [3, 3, 2] } },
  { positions: 896, top: 6, scale: 24, windows: { 1: [3, 3, 2], 2: [3, 3, 3] } },
  { positions: MAX_ATTENTION, top: 7, scale: 24, windows: { 1: [3, 3, 3], 2: [3, 3, 2, 2] } },
];

function reciprocalFor(positions: number): ReciprocalForm {
  return RECIPROCALS.find((form) => positions <= form.positions) ?? RECIPROCALS[RECIPROCALS.length - 1];
}

/** By form: constants, of which a process uses few. */
const LAWS = new Map<string, PowerLaw>();

/** The law of 1/Σ over so many positions, its scale, and the ring of a context at the scale of the result. */
export function reciprocalOf(
  rounding: Rounding,
  positions: number,
): { readonly key: string; readonly law: PowerLaw; readonly scale: number; readonly bits: number } {
  const { top, scale, windows } = reciprocalFor(positions);
  const weights = weightForm(rounding, positions).scale;
  const key = `${rounding.coins} ${top} ${weights}`;
  const law = LAWS.get(key) ?? reciprocal(weights + top, scale - top, windows[rounding.coins], rounding);
  LAWS.set(key, law);
  return { key, law, scale, bits: CONTEXT_BITS - (CONTEXT_SCALE + scale - CONTEXT_OUT) };
}

/** A law knows nothing of its argument's scale: `top` is the widest unit as an integer. */
function reciprocal(top: number, scale: number, windows: readonly number[], { coins }: Reading): PowerLaw {
  const before = (g: number) => windows.slice(0, g).reduce((sum, count) => sum + count, 0);
  const groups = windows.map((count, g) => ({ windows: count, top: top - 2 * before(g) }));
  return tabulated({ growth: 2, coins, root: 1, scale, k: CONTEXT_BITS, groups });
}

/**
 * Largest |v| that attention holds (PROTOCOL §7.6): 256 for up to 128 positions, else 64. O'·r stays below a quarter
 * of its ring at its full scale, as `widen` needs behind the rounding. With that |v| · T ≤ 2^16, so Σ E·V has its
 * slack as well.
 */
export function valueDomain(positions: number): number {
  return 2 ** (CONTEXT_BITS - SLACK - CONTEXT_SCALE - reciprocalFor(positions).scale);
}
