/**
 * LayerNorm without its affine part (PROTOCOL §7.5): (x − μ) / √(σ² + ε) per row; γ and β are folded into the
 * consumers.
 *
 * x (rows, d) scale 32 over Z_2^64 → (rows, d) scale 16 over Z_2^64. V = trunc(d·x − Σx) needs no division for the
 * mean, S = Σ V² is one word per row, r = 2^16·√(d/S) by windows, V·r short, widened. 4 rounds.
 * Domain: variance + ε = σ² between 2^24.6 / (d·c²) and 2^60.9 / (d·c²) with c = d·2^(32−e), and below 2^60 / d³,
 * where one entry may hold all of it (`varianceDomain`). Below it the result fades to zero, above it S wraps;
 * `ml/ranges.ts` excludes it, or a check finds it. Error ≤ 5e-4 (1.8e-4·|y| from |y| = 2 on) + 1/(c·σ) +
 * 3·|y|·c·σ/2^40 absolute: the resolutions of V and of r matter at the two ends of the domain only (measured:
 * test/mpc/secure.test.ts).
 */
import type { Gates } from '../protocol/types.ts';
import type { Wire } from '../share/wire.ts';
import { measured, unitTable } from './measure.ts';
import { EIGHTH, type RangeChecks } from './range-check.ts';
import { type PowerLaw, ROOT_WINDOWS, lastUnit, powerLaw, powerLawScale, tabulated } from './power-law.ts';

/** Windows of 1/√S, and log2 of the unit of the widest: it reaches 62 · 2^55, nearly all of Z_2^62. */
export const ROOT_COUNT = 9;
const TOP = 55;
/** log2 of the largest S: the units of the widest window, to a tenth below 2^60.954. */
const LARGEST = Math.floor(10 * (TOP + Math.log2(ROOT_WINDOWS.widest - 2))) / 10;
/** log2 of the unit of the last window. */
const LAST = lastUnit(TOP, ROOT_COUNT, ROOT_WINDOWS);
const UNIT = 2 ** LAST;
/** log2 of a factor in r, and the scale of its table: V·r then has 52 bits below the point. */
const ROOT_FACTOR = 16;
const ROOT_SCALE = 25;
/** Scale of the input, and of the result. */
const IN_SCALE = 32;
const OUT_SCALE = 16;
/** Units of the last window from which a row is inside the domain. */
const LEAST_UNITS = 3;

/** Declared error of a normalised row of ordinary variance, absolute, for |entries| ≤ 2 after normalisation. */
export const NORMALISE_ERROR = 5e-4;
/** The same of a larger entry, relative: that of 1/√S two units above the start of its window. */
export const NORMALISE_RELATIVE_ERROR = 1.8e-4;

/**
 * Resolution of d·x − Σx: c = d·2^(32−e) near 2^19, 2^15, 2^11 or 2^7. Fine for rows of small variance
 * (embeddings), coarse where it may be large, broad for the residual stream of a deep model whose norm no bound
 * holds down.
 */
export type NormaliseRange = 'fine' | 'normal' | 'coarse' | 'broad';

const DROP: Record<NormaliseRange, number> = { fine: 13, normal: 17, coarse: 21, broad: 25 };

/** Bits e dropped from d·x − Σx. */
export function normaliseShift(d: number, range: NormaliseRange): number {
  return Math.floor(Math.log2(d)) + DROP[range];
}

/** The finest range that holds rows of a variance up to `bound`, undefined when none does. */
export function normaliseRange(d: number, bound: number): NormaliseRange | undefined {
  return (['fine', 'normal', 'coarse', 'broad'] as const).find((range) => bound < varianceDomain(d, range).max);
}

/** V of an entry that lies 1 from its row's mean. */
function resolution(d: number, e: number): number {
  return d * 2 ** (IN_SCALE - e);
}

/** S of a row of variance 1. */
function squaresOf(d: number, range: NormaliseRange): number {
  return d * resolution(d, normaliseShift(d, range)) ** 2;
}

/** Smallest and largest variance (plus ε) that a row may have. */
export function varianceDomain(d: number, range: NormaliseRange): { min: number; max: number } {
  const squares = squaresOf(d, range);
  return { min: (LEAST_UNITS * UNIT) / squares, max: Math.min(2 ** LARGEST / squares, wholeVariance(d)) };
}

/**
 * Below this variance the truncation of d·x − Σx keeps its slack even where one entry holds all of it. At scale 32
 * |d·(x − μ)| < 2^30 is a quarter of Z_2^64, and that entry is √(d · variance) from the mean.
 */
export function wholeVariance(d: number): number {
  return 2 ** 60 / d ** 3;
}

/** From here S of a row comes too close to 2^64 for a check: 13 % are for a coarse unit of it, an eighth. */
export function wrappingVariance(d: number, range: NormaliseRange): number {
  return 2 ** 63.8 / squaresOf(d, range);
}

/**
 * S is read in units of an eighth of the power of two below its largest value; measured units up to `edge` are
 * inside.
 */
function topUnit(d: number, range: NormaliseRange): { readonly unit: number; readonly edge: number } {
  const largest = varianceDomain(d, range).max * squaresOf(d, range);
  const unit = Math.floor(Math.log2(largest)) - EIGHTH;
  return { unit, edge: Math.floor(largest / 2 ** unit) - 1 };
}

/** Variances (plus ε) between which a check never refuses a row. */
export function acceptedVariance(d: number, range: NormaliseRange): { min: number; max: number } {
  const { unit, edge } = topUnit(d, range);
  return { min: ((LEAST_UNITS + 1) * UNIT) / squaresOf(d, range), max: (edge * 2 ** unit) / squaresOf(d, range) };
}

/** Whether ε alone keeps every row above the least variance, so that no row can fade. */
export function holdsLeast(d: number, range: NormaliseRange, epsilon: number): boolean {
  return epsilon >= varianceDomain(d, range).min;
}

/** Where bits go that say which rows left the domain, which rows count, and what of the domain is not proved. */
export interface VarianceCheck {
  readonly checks: RangeChecks;
  readonly rows?: Wire | undefined;
  readonly ends?: 'both' | 'lower' | 'upper';
}

/** By width: a pure function of it, and a process serves models of few widths. */
const INVERSE_ROOTS = new Map<number, PowerLaw>();

/** 2^16·√(d/S). */
function inverseRoot(d: number): PowerLaw {
  const known = INVERSE_ROOTS.get(d);
  if (known !== undefined) return known;
  const made = tabulated((z) => (Math.sqrt(d) * 2 ** ROOT_FACTOR) / Math.sqrt(z), {
    top: TOP,
    windows: ROOT_COUNT,
    s1: ROOT_SCALE,
    layout: ROOT_WINDOWS,
    least: LEAST_UNITS,
  });
  INVERSE_ROOTS.set(d, made);
  return made;
}

/**
 * @param check reads both ends of the domain, for a variance below `wrappingVariance` and `wholeVariance`. About
 * 100 bytes P1 → P2 and 4 bits of P0 a row.
 */
export function normalise(gates: Gates, x: Wire, epsilon: number, range: NormaliseRange, check?: VarianceCheck): Wire {
  const [rows, d] = x.shape;
  const e = normaliseShift(d, range);
  const mean = gates.repeat(gates.sumRows(x), d);
  const centred = gates.truncate(gates.sub(gates.scale(x, BigInt(d)), mean), e);
  // Read as scale-free integers from here: the scale of V cancels in V·r.
  const v = gates.reshape(centred, [rows, d], 0);
  const row = gates.reshape(v, [rows, 1, d]);
  const squares = gates.reshape(gates.matmul(row, row, { transposed: true }), [rows]);
  const c = resolution(d, e);
  const sum = gates.offset(squares, BigInt(Math.round(d * epsilon * c * c)));
  const { value: r, reached } = powerLaw(gates, sum, inverseRoot(d));
  if (check !== undefined) gates.section('range', () => checkVariance(gates, sum, reached, topUnit(d, range), check));
  // V has no scale of its own, so that of V·r is the table's and the factor in r.
  const drop = ROOT_FACTOR + powerLawScale(ROOT_SCALE, ROOT_WINDOWS) - OUT_SCALE;
  const scaled = gates.mul(v, gates.repeat(r, d), { drop });
  return gates.reshape(gates.widen(scaled, 64), [rows, d], OUT_SCALE);
}

/**
 * Joint bits: those of the wider windows, at most `LEAST_UNITS` of the last one, and, where it is read, above the
 * top. One table, for a round less than an OR before it.
 */
function outsideEntries(windows: number, above: boolean): bigint[] {
  const [low, top] = [1 << windows, 2 << windows];
  return Array.from({ length: above ? 2 * top : top }, (_, j) => (j >= top || j === low ? 1n : 0n));
}

/** Index bits of a table on the top of S, and the fewest: an eighth of the ring is kept free for a unit of dither. */
const TOP_BITS = 7;
const LEAST_BITS = 4;
/** log2 of the period by which a coarser table overlaps the finer one: measured 0 or 1 is below 2 of its units. */
const OVERLAP = 2;

/**
 * A row is above when S lies in a measured unit above `edge`; it is below when no wider window is reached, so that
 * S is inside the last one, and the unit there is small.
 */
function checkVariance(
  gates: Gates,
  sum: Wire,
  reached: readonly Wire[],
  { unit, edge }: ReturnType<typeof topUnit>,
  { checks, rows, ends = 'both' }: VarianceCheck,
): void {
  const column = (x: Wire) => gates.reshape(x, [sum.count, 1]);
  /** 0 where S lies in the units from … to of 2^at. */
  const read = (at: number, bits: number, from: number, to: number) =>
    gates.table(measured(gates, sum, sum.scale - at, bits), unitTable(gates, checks.table(bits, from, to)), 1);
  const bits = ends === 'upper' ? [] : [...reached, read(LAST, TOP_BITS, LEAST_UNITS + 1, 2 ** TOP_BITS - 1)];
  if (ends !== 'lower') {
    // A table of 7 bits, and where S may be larger coarser ones, each of which holds the one before inside its
    // period: measured 0 or 1 is below 64 of its units.
    bits.push(read(unit, Math.min(TOP_BITS, sum.k - unit), 0, edge));
    for (let at = unit; at + TOP_BITS < sum.k; ) {
      at = Math.min(at + TOP_BITS - OVERLAP, sum.k - LEAST_BITS);
      checks.outside(column(read(at, Math.min(TOP_BITS, sum.k - at), 0, 1)), { rows });
    }
  }
  const outside =
    ends === 'upper' ? bits[0] : gates.jointTable(bits, outsideEntries(reached.length, ends === 'both'), 1);
  checks.outside(column(outside), { rows });
}
