/**
 * Attention of all heads of all sequences in one batch (PROTOCOL §7.6): exponentiate without widening Q·Kᵀ, which
 * its product rounds; multiply by V before normalising, one reciprocal per row.
 *
 * q (heads, R, D) scale 32 over Z_2^64, `keys` and `values` (heads, T, D) → context (heads, R, D) scale 16 over
 * Z_2^64. Heads are those of one sequence after the other. The factor 1/√D is in the weights of Q (as 8/√D; the 8
 * is three bits of scale). 12 rounds at T = 128. With `real`, padded keys get weight zero, exactly, and the result
 * is that of the text without padding; one round more. With `causal` (R = T) row i sees the
 * keys 0 … i: which ones is public, so the others cost nothing but the maximum's table. Domain (`ml/ranges.ts`):
 * |q·k|/√D < 4096, row spread ≤ 252 with 8 tree bits or 508 with 9 (`spreadDomain`), |v| · T < 2^16. Error:
 * attention head ≤ 5e-3 absolute for |v| ≤ 6: two keys of one weight and values of ±6. Measured, like the usual 2e-3,
 * or 3e-3 with two coins: test/mpc/secure.test.ts, malicious-secure.test.ts.
 */
import { patternCount, strided, triangle } from '../../compute/pattern.ts';
import { invariant } from '../../core/errors.ts';
import type { ExactTable, Gates } from '../protocol/types.ts';
import type { Wire } from '../share/wire.ts';
import { isNegativeIn, isNegativeLifted } from './compare.ts';
import {
  CONTEXT_BITS,
  CONTEXT_OUT,
  CONTEXT_SCALE,
  MAX_ATTENTION,
  VALUE_SCALE,
  reciprocalOf,
  valueRing,
  weightForm,
} from './attention-form.ts';
import { columnsOf, rowMaximum } from './maximum.ts';
import { isQuick, quickMaximum } from './quick-maximum.ts';
import { type Reading, counted, measured, unitTable } from './measure.ts';
import type { RangeChecks } from './range-check.ts';
import { powerLaw } from './power-law.ts';
import { rescale } from './rescale.ts';

/**
 * Scores err by less than 1½ · 2^-11. Where two keys share a row and their values differ by 12, three times the
 * difference of the two errors is seen.
 */
export const ATTENTION_ERROR = 5e-3;

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
 * Units of two logits below the largest that the gate lets through where a reading has two coins: a score that it keeps
 * is less than 9 + 3 units down, so x ≥ −24; one that it drops is below e^-14 of the largest.
 */
const KEPT_UNITS = 9n;
/** log2 of the unit, in logits, in which the gate of the exponential reads its argument. */
const GATE_UNIT = 3;

/**
 * Largest row spread of scores for a number of tree bits: differences must stay inside the table, off by a unit for
 * every coin of a reading. 252 and 508, or 250 and 506.
 */
export function spreadDomain(treeBits: 8 | 9, { coins }: Reading): number {
  return 2 * (2 ** (treeBits - 1) - 1 - coins);
}

/**
 * log2 of the unit, in units of the maximum, in which a check reads how far a score lies below the maximum: 32
 * logits.
 */
const BELOW_UNIT = 4;
/** Ring of Q and K as operands: Z_2^64 less what lies below their scale. */
export const KEY_BITS = 64 - OPERAND;
/** Bits of coarse scores: all that ring has above the unit of the maximum. */
const COARSE_BITS = KEY_BITS - SCORE_PRODUCT - UNIT;

/** Ring in which Q·Kᵀ is computed, where so many bits of coarse scores are read: the maximum's, or a check's. */
export function scoreRing(bits: number): number {
  return SCORE_PRODUCT + UNIT + bits;
}

/**
 * Measured units 0 … edge below the maximum pass: with the unit below them they span half of the tree's ring, so
 * that no two of them differ by more than it can tell.
 */
function belowEdge(treeBits: 8 | 9): number {
  return 2 ** (treeBits - 1 - BELOW_UNIT) - 2;
}

/**
 * Up to this row spread of scores a check never refuses: 188 of 252 with 8 tree bits, 444 of 508 with 9, or with two
 * coins 186 and 442. One unit of the maximum, and one for every coin, are for what is measured high.
 */
export function acceptedSpread(treeBits: 8 | 9, { coins }: Reading): number {
  return 2 * (belowEdge(treeBits) * 2 ** BELOW_UNIT - 1 - coins);
}

/**
 * Bits of the ring in which differences of coarse scores are checked, where scores of a row differ by at most
 * `reach`; undefined when 12 are too few. A true difference that is not among those that pass must not be equal to
 * one of them in that ring.
 */
export function spreadBits(reach: number, treeBits: 8 | 9, { coins }: Reading): number | undefined {
  for (let bits: number = treeBits; bits <= COARSE_BITS; bits++)
    if (reach / 2 + 1 + coins + 2 ** (treeBits - 1) < 2 ** bits) return bits;
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

/** One for the measured index −2, −1 or 0, in units of 8 logits: keeps x ≥ −16 … −24. */
function nearTable(bits: number): ExactTable {
  const n = 1 << bits;
  return { bits, entries: Array.from({ length: n }, (_, i) => (i === 0 || i >= n - 2 ? 1n : 0n)) };
}

/** Bits of the argument in units of the gate: the maximum's, less what the gate's unit is coarser. */
const gateBits = (treeBits: 8 | 9): number => treeBits + UNIT - GATE_UNIT;

/** The same on 2·index + real: zero at padding. */
function nearRealTable(bits: number): ExactTable {
  return { bits: bits + 1, entries: nearTable(bits).entries.flatMap((near) => [0n, near]) };
}

const NEAR_REAL: Record<8 | 9, ExactTable> = { 8: nearRealTable(gateBits(8)), 9: nearRealTable(gateBits(9)) };

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

/** 2·index + real, exact: an even number and a bit. */
function markReal(gates: Gates, index: Wire, real: RealPositions): Wire {
  const [rows, T] = index.shape;
  const k = index.k + 1;
  const words = gates.reshape(everyRow(gates, gates.reduce(real.words, k), rows, T), index.shape, index.scale + 1);
  return gates.add(gates.raise(index, 1, k), words);
}

/**
 * Whether a key counts, where a reading has one coin. Below −16 … −24, e^x is less than 2^-17 of the row's largest
 * weight (which is at least e^-4).
 */
function gateOfOne(gates: Gates, x: Wire, treeBits: 8 | 9, real: RealPositions | undefined): Wire {
  const near = rescale(gates, x, -GATE_UNIT);
  if (real !== undefined) return gates.table(markReal(gates, near, real), NEAR_REAL[treeBits], 1);
  return gates.offset(isNegativeIn(gates, gates.offset(near, 2n)), 1n);
}

/** A key's place by either column of the last level of a maximum, and the bit that says which of them won. */
interface EitherPlace {
  readonly places: readonly Wire[];
  readonly bit: Wire;
}

/** `gateOfOne` by both columns at once, in the round in which the bit is found: it lets one of the two answers through. */
function gateOfEither(
  gates: Gates,
  { places, bit }: EitherPlace,
  treeBits: 8 | 9,
  real: RealPositions | undefined,
): Wire {
  const [left, right] = places.map((x) => {
    const near = rescale(gates, x, -GATE_UNIT);
    if (real !== undefined) return gates.table(markReal(gates, near, real), NEAR_REAL[treeBits], 1);
    return gates.reshape(gates.offset(isNegativeLifted(gates, gates.offset(near, 2n)), 1n), x.shape, 0);
  });
  return gates.add(left, gates.mul(bit, gates.add(left, right)));
}

const WORD_OF_BIT = [0n, 1n] as const;

/**
 * Whether a key counts, where a reading has two coins, by its units below the largest: −1 − half … −1. A padded one is
 * moved below all of them. Its words are made of the bits, so that an owner who deviates cannot let the two disagree.
 */
function gateOfTwo(gates: Gates, below: Wire, real: RealPositions | undefined): Wire {
  const moved = KEPT_UNITS + 1n;
  if (real === undefined) return gates.offset(isNegativeIn(gates, gates.offset(below, moved)), 1n);
  const [rows, T] = below.shape;
  const words = everyRow(gates, gates.jointTable([real.bits], WORD_OF_BIT, below.k), rows, T);
  const shown = gates.add(below, gates.reshape(gates.scale(words, moved), below.shape, below.scale));
  return gates.offset(isNegativeIn(gates, shown), 1n);
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

/** Values for `attend`, of any shape: scale 32 → scale 12 over the ring of `valueRing`. One round. */
export function attentionValues(gates: Gates, v: Wire): Wire {
  return gates.truncate(v, v.scale - VALUE_SCALE, valueRing(gates.rounding));
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
  const [top] = gates.block(`top ${treeBits} ${bits}`, [first, maximum], () => {
    // Half of the ring below zero is none: 0 … 2^(b−1) is what a maximum can be above the first score, and what
    // `widen` keeps.
    const offset = gates.offset(gates.sub(maximum, gates.reduce(first, treeBits)), -quarter);
    // Masked before it is repeated: a word for every row, not for every score.
    const above = gates.reshare(gates.widen(offset, COARSE_BITS));
    return [gates.add(gates.reduce(gates.offset(above, quarter), bits), gates.reduce(first, bits))];
  });
  const below = gates.sub(gates.repeat(top, T), gates.reshape(gates.reduce(coarse, bits), [rows, T], top.scale));
  const outside = (x: Wire) => belowOutside(gates, x, treeBits, bits, checks);
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

/**
 * Bits of differences that are outside. A table of the tree's ring lets −16 … half − 17 pass and what comes back to it,
 * half = 2^(b−1); behind it one in units of `half`, 16 below, lets −half − 16 … 2·half − 17 pass. In both lies the
 * first interval alone, of `half` integers.
 */
function belowOutside(gates: Gates, below: Wire, treeBits: 8 | 9, bits: number, checks: RangeChecks): Wire[] {
  const table = (x: Wire) => {
    const inside = checks.table(x.k - BELOW_UNIT, 0, belowEdge(treeBits));
    return gates.table(measured(gates, x, x.scale - BELOW_UNIT), unitTable(gates, inside), 1);
  };
  // Two coins read a second table too far up for the first one's edges.
  if (bits === treeBits || gates.rounding.coins > 1) return [table(below)];
  const found = [table(gates.reduce(below, treeBits))];
  const unit = treeBits - 1;
  const far = gates.shift(gates.offset(below, 1n << BigInt(BELOW_UNIT)), unit);
  return [...found, far.k === 2 ? isNegativeIn(gates, far) : gates.table(far, checks.table(far.k, 0, 1), 1)];
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
    // The bits of a score above its row's spread are read by a check alone.
    const ring = scoreRing(check?.bits ?? treeBits);
    const [left, right] = [rescale(gates, q, OPERAND, ring), gates.reduce(keys, ring)];
    return gates.reshape(gates.matmul(left, right, { transposed: true, drop }), [rows, T], SCORE);
  });

  // x = score − 2·(maximum + 1 unit) < 0: the maximum on a few bits is enough, softmax is shift invariant.
  const { x, below, either } = gates.section('maximum', () => {
    const shifted = counted(gates, scores, -UNIT);
    const reduced = () => gates.reduce(causal ? withoutFuture(gates, shifted) : shifted, treeBits);
    const coarse = real === undefined ? reduced() : withoutPadding(gates, shifted, treeBits, real);
    const quick = isQuick(gates, T) ? quickMaximum(gates, coarse, treeBits) : undefined;
    const largest = quick?.maximum ?? rowMaximum(gates, coarse, treeBits);
    if (check !== undefined)
      gates.section('range', () => checkSpread(gates, shifted, largest, treeBits, mask, R, check));
    const maximum = gates.offset(largest, 1n);
    const behind = (column: Wire) => {
      const shift = gates.reshape(gates.repeat(gates.raise(column, SCORE + UNIT, xBits), T), [rows, T], SCORE);
      return gates.sub(gates.reduce(scores, xBits), shift);
    };
    const all = behind(maximum);
    const past = causal ? triangle('pack', rows / T, T) : undefined;
    const seen = (of: Wire) => (past === undefined ? of : gates.gather(of, past, [patternCount(past)]));
    // Exact, so an index that is there already: how many units a key is measured below the largest.
    const units = () => gates.sub(coarse, gates.reshape(gates.repeat(maximum, T), [rows, T], coarse.scale));
    const either = quick && {
      places: [quick.left, quick.right].map((column) => seen(behind(gates.offset(column, 1n)))),
      bit: seen(gates.repeat(quick.bit, T)),
    };
    return { x: seen(all), below: gates.rounding.coins === 1 ? undefined : seen(units()), either };
  });

  const gateOf = () => {
    if (either !== undefined) return gateOfEither(gates, either, treeBits, real);
    return below === undefined ? gateOfOne(gates, x, treeBits, real) : gateOfTwo(gates, below, real);
  };
  const weights = gates.section('exponential', () => {
    const gate = gateOf();
    const argument = gates.raise(x, EXP_ARGUMENT - SCORE, EXP_BITS);
    const { words, basis, width, ring, drop, sums } = weightForm(gates.rounding, T);
    const widen = ring - drop < sums ? { widen: sums } : {};
    const how = { width, k: ring, drop, ...widen } as const;
    // Lifted before a causal mask spreads them out: where it leaves zeros nothing is sent.
    const exponentials = gates.lift(gates.exponential(argument, gate, words, basis, how));
    return causal ? spreadOut(gates, exponentials, rows, T) : exponentials;
  });

  return gates.section('context', () => {
    const drop = weights.scale + values.scale - CONTEXT_SCALE;
    const sum = gates.matmul(gates.reshape(weights, [heads, R, T]), gates.reduce(values, weights.k), { drop });
    const total = gates.sumRows(weights);
    const { key, law, scale } = reciprocalOf(gates.rounding, T);
    // Of as many words however many positions there are.
    const [scaled] = gates.block(`1/Σ ${key} ${scale}`, [sum, total], () => {
      const context = gates.reshape(gates.widen(sum, CONTEXT_BITS), [rows, D]);
      const { value } = powerLaw(
        gates,
        law.groups.map(() => total),
        law,
      );
      const inverse = gates.reshape(value, value.shape, scale);
      const product = gates.mul(context, gates.repeat(inverse, D), { drop: context.scale + scale - CONTEXT_OUT });
      return [gates.reshape(gates.widen(product, 64), [heads, R, D])];
    });
    return scaled;
  });
}
