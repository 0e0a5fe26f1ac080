/**
 * Attention of all heads of all sequences in one batch (PROTOCOL §7.6): exponentiate without widening Q·Kᵀ, which
 * its product rounds; multiply by V before normalising, one reciprocal per row.
 *
 * q (heads, R, D) scale 32 over Z_2^64, `keys` and `values` (heads, T, D) → context (heads, R, D) scale 16 over
 * Z_2^64. Heads are those of one sequence after the other. The factor 1/√D is in the weights of Q (as 8/√D; the 8
 * is three bits of scale). 13 rounds at T = 128. With `real`, padded keys get weight zero, exactly, and the result
 * is that of the text without padding; one round more. With `causal` (R = T) row i sees the
 * keys 0 … i: which ones is public, so the others cost nothing but the maximum's table. Domain (`ml/ranges.ts`):
 * |q·k|/√D < 4096, row spread ≤ 252 with 8 tree bits or 508 with 9, |v| · T < 2^16. Error: attention head ≤ 5e-3
 * absolute for |v| ≤ 6: two keys of one weight and values of ±6 (measured, like the usual 2e-3:
 * test/mpc/secure.test.ts).
 */
import { patternCount, strided, triangle } from '../../compute/pattern.ts';
import { invariant } from '../../core/errors.ts';
import type { ExactTable, Gates } from '../protocol/types.ts';
import type { Wire } from '../share/wire.ts';
import { isNegativeIn } from './compare.ts';
import { columnsOf, rowMaximum } from './maximum.ts';
import { counted, finerBits, measured, unitTable } from './measure.ts';
import type { RangeChecks } from './range-check.ts';
import {
  type LawOptions,
  type PowerLaw,
  RECIPROCAL_WINDOWS,
  lastUnit,
  powerLaw,
  powerLawScale,
  tabulated,
} from './power-law.ts';
import { rescale } from './rescale.ts';

/**
 * Scores err by less than 1½ · 2^-11. Where two keys share a row and their values differ by 12, three times the
 * difference of the two errors is seen.
 */
export const ATTENTION_ERROR = 5e-3;
/** The same where a rounding has two coins: scores err by less than 2 · 2^−11. */
export const WIDE_ATTENTION_ERROR = 8e-3;

/** log2 of the unit of the maximum: two logits. */
const UNIT = 1;
/** Scale of Q and K as operands. */
const OPERAND = 16;
/** Scale of Q·Kᵀ: those of Q and K, and 3 bits for the factor 8 in Q. */
const SCORE_PRODUCT = 2 * OPERAND + 3;
/** Scale of scores: the product rounds them. Half an ulp of them changes a weight by a four-thousandth. */
const SCORE = 11;
/** Scale and ring of the exponential's argument: −32 … 0. */
const EXP_ARGUMENT = 20;
const EXP_BITS = 25;
/**
 * Scale of its words, of their basis and of the result. Where rounding keeps no zeros nothing is dropped, so that a key
 * that is gated out weighs exactly nothing.
 */
const EXP_WORDS = 17;
const EXP_SCALE = 19;
const WHOLE_EXP_SCALE = 2 * EXP_WORDS;
/** Scale and ring of V: with weights of scale 19, Σ E·V keeps 2^16 (|v| · T < 2^16) and the slack of `widen`. */
export const VALUE = { scale: 12, bits: 49 } as const;

/** Ring of V: that of the weights that it is multiplied with. */
export function valueBits({ rounding }: Gates): number {
  return rounding.keepsZero ? VALUE.bits : VALUE.bits + WHOLE_EXP_SCALE - EXP_SCALE;
}
/** Scale of Σ E·V as an operand, before it is divided by Z. */
const CONTEXT = 20;
/** Scale of the result. */
const OUT = 16;
/** log2 of the unit, in logits, in which the gate of the exponential reads its argument. */
const GATE_UNIT = 3;

/**
 * Largest row spread of scores for a number of tree bits: differences must stay inside the table, ±1 each for the
 * off-by-one.
 */
export const SPREAD: Record<8 | 9, number> = { 8: 252, 9: 508 };
/** The same where a rounding has two coins: a coarse score may be measured two units high. */
export const WIDE_SPREAD: Record<8 | 9, number> = { 8: 250, 9: 506 };

/**
 * log2 of the unit, in units of the maximum, in which a check reads how far a score lies below the maximum: 32
 * logits.
 */
const BELOW_UNIT = 4;
/** Bits of coarse scores: all that Z_2^48, where operands of 16 bits less meet, has above the unit of the maximum. */
const COARSE_BITS = 64 - OPERAND - SCORE_PRODUCT - UNIT;

/**
 * Measured units 0 … edge below the maximum pass: with the unit below them they span half of the tree's ring, so
 * that no two of them differ by more than it can tell.
 */
function belowEdge(treeBits: 8 | 9): number {
  return 2 ** (treeBits - 1 - BELOW_UNIT) - 2;
}

/**
 * Up to this row spread of scores a check never refuses: 188 of 252 with 8 tree bits, 444 of 508 with 9. Two units
 * of the maximum are for the off-by-one.
 */
export function acceptedSpread(treeBits: 8 | 9): number {
  return 2 * (belowEdge(treeBits) * 2 ** BELOW_UNIT - 2);
}

/**
 * Bits of the ring in which differences of coarse scores are checked, where scores of a row differ by at most
 * `reach`; undefined when 12 are too few. A true difference that is not among those that pass must not be equal to
 * one of them in that ring.
 */
export function spreadBits(reach: number, treeBits: 8 | 9): number | undefined {
  for (let bits: number = treeBits; bits <= COARSE_BITS; bits++)
    if (reach / 2 + 2 + 2 ** (treeBits - 1) < 2 ** bits) return bits;
  return undefined;
}

/** How the spread of every row is checked. */
export interface SpreadCheck {
  readonly checks: RangeChecks;
  /** `spreadBits`. */
  readonly bits: number;
  /** (sequences, R), 1 at rows that count; all when absent. */
  readonly rows?: Wire | undefined;
}

/**
 * How many units below zero the gate of the exponential keeps. The row's largest x is above −4, or with two coins above
 * −6; what is dropped is below e^−12 of it either way, and what is kept above −32.
 */
const nearUnits = ({ rounding }: Gates): 2 | 3 => (rounding.coins === 1 ? 2 : 3);

/** One for the measured index −near … 0, in units of 8 logits: with two of them keeps x ≥ −16 … −24. */
function nearTable(bits: number, near: 2 | 3): ExactTable {
  const n = 1 << bits;
  return { bits, entries: Array.from({ length: n }, (_, i) => (i === 0 || i >= n - near ? 1n : 0n)) };
}

/** Bits of the argument in units of the gate: the maximum's, less what the gate's unit is coarser. */
const gateBits = (treeBits: 8 | 9): number => treeBits + UNIT - GATE_UNIT;

/** The same on 2·index + real: zero at padding. */
function withReal({ bits, entries }: ExactTable): ExactTable {
  return { bits: bits + 1, entries: entries.flatMap((near) => [0n, near]) };
}

const NEAR_REAL = new Map<string, ExactTable>();

/** By units and bits: constants, whose form on the link is made once. */
function nearRealTable(gates: Gates, treeBits: 8 | 9): ExactTable {
  const near = nearUnits(gates);
  const key = `${treeBits} ${near}`;
  const table = NEAR_REAL.get(key) ?? withReal(unitTable(gates, nearTable(gateBits(treeBits), near)));
  NEAR_REAL.set(key, table);
  return table;
}

/**
 * Which of the T positions of every sequence hold text, as its owner shares it: (sequences, T), 1 there and 0 at
 * padding, once as bits (Z_2) and once as words (Z_2^8). How many there are stays secret.
 */
export interface RealPositions {
  readonly bits: Wire;
  readonly words: Wire;
}

/** Which keys a row sees; all of them when there is no mask. */
export type AttentionMask = { readonly real: RealPositions } | 'causal' | undefined;

/** The rows of (sequences, T), each repeated for its share of `rows`. */
function everyRow(gates: Gates, x: Wire, rows: number, T: number): Wire {
  const perSequence = rows / (x.count / T);
  return gates.gather(x, strided(0, [x.count / T, T], [perSequence, 0], [T, 1]), [rows, T]);
}

const WORD_OF_BIT = [0n, 1n] as const;

/** 2·index + real, exact: an even number and a bit. */
function markReal(gates: Gates, index: Wire, real: RealPositions): Wire {
  const [rows, T] = index.shape;
  const k = index.k + 1;
  // Where the owner may deviate the words are made of the bits, so that they cannot disagree.
  const marks =
    gates.rounding.coins === 1 ? gates.reduce(real.words, k) : gates.jointTable([real.bits], WORD_OF_BIT, k);
  const words = gates.reshape(everyRow(gates, marks, rows, T), index.shape, index.scale + 1);
  return gates.add(gates.raise(index, 1, k), words);
}

/**
 * Scores whose padded columns hold the row's first score instead: position 0 always is text, so the maximum is that
 * of the text, and no difference grows. x (rows, T) over Z_2^12 → Z_2^treeBits. One round.
 */
function withoutPadding(gates: Gates, x: Wire, treeBits: 8 | 9, real: RealPositions): Wire {
  const [rows, T] = x.shape;
  const first = gates.gather(x, strided(0, [rows, T], [T, 0]), [rows, T]);
  const difference = gates.sub(x, first);
  const bits = everyRow(gates, real.bits, rows, T);
  const kept = gates.choose([bits], [gates.reduce(difference, treeBits)], Uint8Array.of(255, 0));
  return gates.add(gates.reshape(kept, [rows, T], first.scale), gates.reduce(first, treeBits));
}

/** The same for a causal mask, which is public: columns behind the row's own position show its first score. */
function withoutFuture(gates: Gates, x: Wire): Wire {
  const [rows, T] = x.shape;
  return gates.gather(x, triangle('clamp', rows / T, T), [rows, T]);
}

/** Weights of the scores that a causal mask leaves → (rows, T), zero at the others. */
function spreadOut(gates: Gates, weights: Wire, rows: number, T: number): Wire {
  const one = gates.gather(weights, strided(0), [1]);
  const all = gates.concat([weights, gates.sub(one, one)]);
  return gates.gather(all, triangle('spread', rows / T, T), [rows, T]);
}

/** Keys for `attend`, of any shape: scale 32 → Z_2^48, scale 16. No message; for many queries lift it once. */
export function attentionKeys(gates: Gates, k: Wire): Wire {
  return rescale(gates, k, OPERAND);
}

/** Values for `attend`, of any shape: scale 32 → Z_2^49, scale 12. One round. */
export function attentionValues(gates: Gates, v: Wire): Wire {
  return gates.truncate(v, v.scale - VALUE.scale, valueBits(gates));
}

/**
 * The least Σ: a row's largest weight is e^−4 at least, because the maximum is at most one unit above its score and one
 * more is added. A hundredth is for rounding.
 */
const LEAST_TOTAL = 0.99 * Math.exp(-4) * 2 ** EXP_SCALE;

/**
 * 1/Σ in windows: T weights of at most one reach the widest, of 62 units of 2^top, and the last holds the least Σ, at
 * 2.3 of its units. The finer the scale of 1/Σ, the less room it leaves for |v|.
 */
function reciprocalLaw(top: number, windows: number, s1: number): LawOptions {
  const options = { top: EXP_SCALE + top, windows, s1, layout: RECIPROCAL_WINDOWS };
  return { ...options, least: LEAST_TOTAL / 2 ** lastUnit(options.top, windows, RECIPROCAL_WINDOWS) };
}

interface Reciprocal {
  readonly law: PowerLaw;
  readonly s1: number;
}

/** f of Σ · 2^EXP_SCALE: a law knows nothing of its argument's scale. */
export const reciprocalOf = (total: number) => 2 ** EXP_SCALE / total;

function reciprocal(options: LawOptions, f = reciprocalOf): Reciprocal {
  return { law: tabulated(f, options), s1: options.s1 };
}

/** How 1/Σ is tabulated, by the positions that Σ is over. */
export const RECIPROCAL_LAWS = { short: reciprocalLaw(2, 4, 23), long: reciprocalLaw(5, 5, 25) } as const;
const RECIPROCALS = { short: reciprocal(RECIPROCAL_LAWS.short), long: reciprocal(RECIPROCAL_LAWS.long) } as const;
/** Of weights at their whole scale. The largest one of a row is above e^−6: a window more. */
const wholeReciprocal = (top: number, windows: number, s1: number): Reciprocal =>
  reciprocal(
    { ...reciprocalLaw(top, windows, s1), top: WHOLE_EXP_SCALE + top },
    (total) => 2 ** WHOLE_EXP_SCALE / total,
  );
const WHOLE_RECIPROCALS = { short: wholeReciprocal(2, 5, 23), long: wholeReciprocal(5, 6, 25) } as const;
/** Positions up to which the short one is enough. */
export const SHORT_ATTENTION = 128;

function reciprocalFor(T: number, keepsZero = true): Reciprocal {
  return (keepsZero ? RECIPROCALS : WHOLE_RECIPROCALS)[T <= SHORT_ATTENTION ? 'short' : 'long'];
}

/** Most positions that attention takes: 62 · 2^5 is above it, and |v| · T ≤ 2^16 leaves |v| < 64. */
export const MAX_ATTENTION = 1024;

/**
 * Largest |v| that attention holds (PROTOCOL §7.6): 256 for up to 128 positions, else 64. O'·r stays below 2^62 at
 * its full scale, as `widen` needs behind the rounding. With that |v| · T ≤ 2^16, so Σ E·V has its slack as well.
 */
export function valueDomain(positions: number): number {
  return 2 ** (64 - 2 - CONTEXT - powerLawScale(reciprocalFor(positions).s1, RECIPROCAL_WINDOWS));
}

/**
 * Bits of the scores that lie too far from their row's maximum, one round beside the exponential.
 *
 * Let c_j be the coarse scores, as exact integers, and b the tree's bits. A step of the tree picks one of its two
 * operands even where their difference wraps, so M ≡ c_m mod 2^b for some m of the row, and T = c_0 + ((M − c_0)
 * mod 2^b) is the maximum itself if no two scores differ by 2^(b−1). Checked is that every T − c_j mod 2^bits lies
 * in an interval of 2^(b−1) integers. Whatever T is, then all differences of the row are below 2^(b−1) in that
 * ring, by `bits` also as integers, and so the tree was right.
 */
function checkSpread(
  gates: Gates,
  coarse: Wire,
  maximum: Wire,
  treeBits: 8 | 9,
  mask: AttentionMask,
  R: number,
  check: SpreadCheck,
): void {
  const { checks, bits } = check;
  const [rows, T] = coarse.shape;
  const first = gates.reshape(columnsOf(gates, coarse, 0, 1), [rows], maximum.scale);
  const quarter = 1n << BigInt(treeBits - 2);
  // Half of the ring below zero is none: 0 … 2^(b−1) is what a maximum can be above the first score, and what
  // `widen` keeps.
  const offset = gates.offset(gates.sub(maximum, gates.reduce(first, treeBits)), -quarter);
  // Masked before it is repeated: a word for every row, not for every score.
  const above = gates.reshare(gates.widen(offset, COARSE_BITS));
  const top = gates.add(gates.reduce(gates.offset(above, quarter), bits), gates.reduce(first, bits));
  const below = gates.sub(gates.repeat(top, T), gates.reshape(gates.reduce(coarse, bits), [rows, T], top.scale));
  const inside = checks.table(bits - BELOW_UNIT, 0, belowEdge(treeBits));
  const outside = (x: Wire) =>
    gates.table(measured(gates, x, x.scale - BELOW_UNIT, bits - BELOW_UNIT), unitTable(gates, inside), 1);
  const realRows = check.rows === undefined ? undefined : everyRow(gates, check.rows, rows / R, R);
  if (mask !== 'causal') {
    const real = mask === undefined ? undefined : everyRow(gates, mask.real.bits, rows, T);
    checks.outside(outside(below), { elements: real, rows: realRows });
    return;
  }
  // A row sees what comes before it, so its own mark is enough.
  const past = triangle('pack', rows / T, T);
  const count = patternCount(past);
  const seen = (x: Wire) => gates.reshape(gates.gather(x, past, [count]), [checks.sequences, count / checks.sequences]);
  const marks =
    realRows === undefined ? undefined : gates.reshape(gates.repeat(gates.reshape(realRows, [rows]), T), [rows, T]);
  checks.outside(outside(seen(below)), { elements: marks === undefined ? undefined : seen(marks) });
}

export function attend(
  gates: Gates,
  q: Wire,
  keys: Wire,
  values: Wire,
  treeBits: 8 | 9,
  mask?: AttentionMask,
  check?: SpreadCheck,
): Wire {
  const [heads, R, D] = q.shape;
  const T = keys.shape[1];
  invariant(T <= MAX_ATTENTION, `attention: at most ${MAX_ATTENTION} positions`);
  const causal = mask === 'causal';
  invariant(!causal || R === T, 'attention: a causal mask has a row for every key');
  const real = mask === undefined || mask === 'causal' ? undefined : mask.real;
  const rows = heads * R;
  const xBits = SCORE + UNIT + treeBits;

  const scores = gates.section('scores', () => {
    const drop = SCORE_PRODUCT - SCORE;
    return gates.reshape(gates.matmul(rescale(gates, q, OPERAND), keys, { transposed: true, drop }), [rows, T], SCORE);
  });

  // x = score − 2·(maximum + 1 unit) < 0: the maximum on a few bits is enough, softmax is shift invariant.
  const x = gates.section('maximum', () => {
    const shifted = counted(gates, scores, -UNIT);
    const reduced = () => gates.reduce(causal ? withoutFuture(gates, shifted) : shifted, treeBits);
    const coarse = real === undefined ? reduced() : withoutPadding(gates, shifted, treeBits, real);
    const largest = rowMaximum(gates, coarse, treeBits);
    if (check !== undefined)
      gates.section('range', () => checkSpread(gates, shifted, largest, treeBits, mask, R, check));
    const maximum = gates.offset(largest, 1n);
    const shift = gates.reshape(gates.repeat(gates.raise(maximum, SCORE + UNIT, xBits), T), [rows, T], SCORE);
    const all = gates.sub(gates.reduce(scores, xBits), shift);
    if (!causal) return all;
    const past = triangle('pack', rows / T, T);
    return gates.gather(all, past, [patternCount(past)]);
  });

  const weights = gates.section('exponential', () => {
    // Below −16 … −24, e^x is less than 2^-17 of the row's largest weight (which is at least e^-4).
    const near = measured(gates, x, -GATE_UNIT);
    const gate =
      real === undefined
        ? gates.offset(isNegativeIn(gates, gates.offset(near, BigInt(nearUnits(gates) << finerBits(gates)))), 1n)
        : gates.table(markReal(gates, near, real), nearRealTable(gates, treeBits), 1);
    const argument = gates.raise(x, EXP_ARGUMENT - SCORE, EXP_BITS);
    const drop = gates.rounding.keepsZero ? WHOLE_EXP_SCALE - EXP_SCALE : 0;
    const exponentials = gates.exponential(argument, gate, EXP_WORDS, EXP_WORDS, { drop });
    return causal ? spreadOut(gates, exponentials, rows, T) : exponentials;
  });

  return gates.section('context', () => {
    const drop = weights.scale + values.scale - CONTEXT;
    const sum = gates.matmul(gates.reshape(weights, [heads, R, T]), values, { drop });
    const context = gates.reshape(gates.widen(sum, 64), [rows, D]);
    const total = gates.sumRows(weights);
    const { value: inverse } = powerLaw(gates, total, reciprocalFor(T, gates.rounding.keepsZero).law);
    const scaled = gates.mul(context, gates.repeat(inverse, D), { drop: context.scale + inverse.scale - OUT });
    return gates.reshape(gates.widen(scaled, 64), [heads, R, D]);
  });
}
