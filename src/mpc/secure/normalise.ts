/**
 * LayerNorm without its affine part (PROTOCOL §7.5): (x − μ) / √(σ² + ε) per row; γ and β are folded into the
 * consumers.
 *
 * x (rows, d) scale 32 over Z_2^64 → (rows, d) scale 16 over Z_2^64: V·r with V = x − μ and r = √(d/S), S = Σ V², which
 * is one word per row, by windows.
 *
 * `normalise` takes any rows. V = trunc(d·x − Σx) is widened, so that S has room. 4 rounds. `normaliseCentred` takes
 * rows whose mean is zero but for roundings, as model weights can make them. V = x' − μ' needs no widening there, for
 * S is taken at several resolutions (`levelsOf`), and the little that is left of a mean is widened alone, one word per
 * row. 3 rounds, and a third less from P0.
 *
 * Domain of both: variance + ε = σ² between 2^24.6 / (d·c²) and 2^60.9 / (d·c²) with c = d·2^(32−e), and below
 * 2^60 / d³ (`varianceDomain`). Below it the result fades to zero, above it S wraps; `ml/ranges.ts` excludes it, or a
 * check finds it. Error ≤ 5e-4 (2e-4·|y| from |y| = 2 on) + 1/(c·σ) absolute, where the resolution of V matters. Of
 * centred rows 2/(2^v·σ), |y|·σ/2^24, where that of r does, and the noise of a coarsened S: a share of rms 1/(√(3d)·ρ),
 * ρ ≥ 64 the root mean square of V in its units (PROTOCOL §7.5). Where a rounding has two coins, 1½ for every 1/(c·σ).
 */
import type { Gates } from '../protocol/types.ts';
import type { Wire } from '../share/wire.ts';
import { type Reading, measured, unitTable } from './measure.ts';
import { type PowerLaw, type WindowGroup, HELD_UNITS, lastUnit, powerLaw, tabulated } from './power-law.ts';
import { EIGHTH, type RangeChecks } from './range-check.ts';
import { rescale } from './rescale.ts';

/** log2 of the largest S of `normalise`, and of the unit in which the least is counted. */
const LARGEST = 60.9;
const UNIT = 2 ** 23;
/** Units from which a row is inside the domain. */
const LEAST_UNITS = 3;
/** Scale of the input, and of the result. */
const IN_SCALE = 32;
const OUT_SCALE = 16;
/** Bits of the input before its point. */
const WHOLE_BITS = 64 - IN_SCALE;

/** Declared error of a normalised row of ordinary variance, absolute, for |entries| ≤ 2 after normalisation. */
export const NORMALISE_ERROR = 5e-4;
/** The same of a larger entry, relative: that of 1/√S two units above the start of its window. */
export const NORMALISE_RELATIVE_ERROR = 2e-4;

/**
 * What `normaliseCentred` adds to the relative error where σ is large: r has fewer bits then, and V is rounded to a
 * coarser unit for S.
 */
export function normaliseLoss(sigma: number): number {
  return sigma / 2 ** 24;
}

/**
 * Resolution of d·x − Σx: c = d·2^(32−e) near 2^19, 2^15, 2^11 or 2^7. Fine for rows of small variance
 * (embeddings), coarse where it may be large, broad for the residual stream of a deep model whose norm no bound
 * holds down.
 */
export type NormaliseRange = 'fine' | 'normal' | 'coarse' | 'broad';

const DROP: Record<NormaliseRange, number> = { fine: 13, normal: 17, coarse: 21, broad: 25 };
/** Scale of V of centred rows: even, so that a power of four is a shift of S. */
const CENTRED_SCALE: Record<NormaliseRange, number> = { fine: 20, normal: 16, coarse: 14, broad: 12 };

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

// ── the root ─────────────────────────────────────────────────────────────────

/** Bits before the point of a normalised entry, its sign aside: |y| ≤ √d, and some for its error. */
function entryBits(d: number): number {
  return Math.ceil(Math.log2(1.01 * Math.sqrt(d)));
}

/** Scale of V·r over Z_2^k, V and r as integers: |y| is below a quarter of the ring, as `widen` needs. */
function productScale(k: number, d: number): number {
  return k - 2 - entryBits(d);
}

/** Ring of a normalised entry at the scale of the result. */
export function entryRing(d: number): number {
  return OUT_SCALE + 2 + entryBits(d);
}

/** 2^s·√(d/S) over Z_2^k in windows of which the widest has units of 2^top. */
function inverseRoot(d: number, k: number, top: number, groups: readonly WindowGroup[], { coins }: Reading): PowerLaw {
  return tabulated({ growth: 1, coins, root: d, scale: productScale(k, d) - top / 2, k, groups });
}

/** By width, coins and more: pure functions of it, and a process serves models of few widths. */
const LAWS = new Map<string, PowerLaw>();

function once(key: string, make: () => PowerLaw): PowerLaw {
  const law = LAWS.get(key) ?? make();
  LAWS.set(key, law);
  return law;
}

/**
 * Windows of the next group, where so many are left: three, and two or three in the last one. So below the least S,
 * twelve units of the last window, no wider group can be reached.
 */
function groupSize(left: number): number {
  return left === 4 ? 2 : Math.min(3, left);
}

/**
 * Even exponents of the widest and of the last unit, for an S between `least` and `largest`: least is three units or
 * more, so that no measured index below 2 is read, and less than twelve.
 */
function units(least: number, largest: number): { readonly first: number; readonly last: number } {
  const even = (x: number) => 2 * Math.floor(x / 2);
  return { first: even(Math.log2(largest / HELD_UNITS) + 2 - 1e-9), last: even(Math.log2(least / LEAST_UNITS)) };
}

/** The law of `normalise`: all windows read one S over Z_2^64. */
export function rootOf(d: number, reading: Reading): PowerLaw {
  const { first, last } = units(LEAST_UNITS * UNIT, 2 ** LARGEST);
  const groups: WindowGroup[] = [];
  for (let top = first; top >= last; ) {
    const windows = groupSize((top - last) / 2 + 1);
    groups.push({ top, windows });
    top -= 2 * windows;
  }
  return once(`${d} ${reading.coins}`, () => inverseRoot(d, 64, first, groups, reading));
}

/** A group of windows, and the scale of the V whose squares it reads. */
interface Level extends WindowGroup {
  readonly scale: number;
}

/** Whether `normaliseCentred` differs from `normalise`: r would have too few bits for the largest rows of `broad`. */
export function isCentred(range: NormaliseRange): boolean {
  return range !== 'broad';
}

/** From this root mean square on, in its own units, the rounding of a coarser V does not matter. */
const ROUNDED_WELL = 64;

/**
 * V of scale s is over Z_2^(32+s), and so is S of scale 2s: every bit less of s is one more octave of variance. So each
 * group of windows reads an S of the finest scale whose ring holds its widest window. The last ones read S of V itself.
 */
export function levelsOf(d: number, range: NormaliseRange): readonly Level[] {
  const finest = CENTRED_SCALE[range];
  const { min, max } = varianceDomain(d, range);
  const { first, last } = units(min * d * 4 ** finest, max * d * 4 ** finest);
  const levels: Level[] = [];
  for (let next = first; next >= last; ) {
    const scale = Math.min(finest, WHOLE_BITS - 4 - next + 2 * finest);
    const top = next - 2 * (finest - scale);
    let windows = groupSize((next - last) / 2 + 1);
    const tooCoarse = () => scale < finest && 2 ** (top - 2 * (windows - 1) + 1) < d * ROUNDED_WELL ** 2;
    while (windows > 1 && tooCoarse()) windows--;
    levels.push({ windows, top, scale });
    next -= 2 * windows;
  }
  return levels;
}

/** Ring of V of centred rows. */
export function centredRing(range: NormaliseRange): number {
  return WHOLE_BITS + CENTRED_SCALE[range];
}

export function centredRootOf(d: number, range: NormaliseRange, reading: Reading): PowerLaw {
  const levels = levelsOf(d, range);
  const first = levels[0].top + 2 * (CENTRED_SCALE[range] - levels[0].scale);
  return once(`${d} ${range} ${reading.coins}`, () => inverseRoot(d, centredRing(range), first, levels, reading));
}

// ── any rows ─────────────────────────────────────────────────────────────────

/** Rows V → Σ V². */
function squaresSum(gates: Gates, v: Wire): Wire {
  const [rows, d] = v.shape;
  const row = gates.reshape(v, [rows, 1, d], 0);
  return gates.reshape(gates.matmul(row, row, { transposed: true }), [rows]);
}

/** V·r, rounded and widened. */
function scaledRows(gates: Gates, v: Wire, r: Wire): Wire {
  const [rows, d] = v.shape;
  const product = gates.mul(gates.reshape(v, [rows, d], 0), gates.repeat(r, d), {
    drop: productScale(v.k, d) - OUT_SCALE,
  });
  return gates.reshape(gates.widen(product, 64), [rows, d], OUT_SCALE);
}

/**
 * @param check reads both ends of the domain, for a variance below `wrappingVariance` and `wholeVariance`. About
 * 100 bytes P1 → P2 and 4 bits of P0 a row.
 */
export function normalise(gates: Gates, x: Wire, epsilon: number, range: NormaliseRange, check?: VarianceCheck): Wire {
  const d = x.shape[1];
  const e = normaliseShift(d, range);
  const mean = gates.repeat(gates.sumRows(x), d);
  const v = gates.truncate(gates.sub(gates.scale(x, BigInt(d)), mean), e);
  // Read as scale-free integers from here: the scale of V cancels in V·r.
  const c = resolution(d, e);
  const sum = gates.offset(squaresSum(gates, v), BigInt(Math.round(d * epsilon * c * c)));
  const law = rootOf(d, gates.rounding);
  const { value: r, reached } = powerLaw(
    gates,
    law.groups.map(() => sum),
    law,
  );
  if (check !== undefined) gates.section('range', () => checkVariance(gates, sum, reached, topUnit(d, range), check));
  return scaledRows(gates, v, r);
}

/** By number of groups, and whether what is above is read. */
const OUTSIDE = new Map<string, readonly bigint[]>();

/**
 * Joint bits: those of the wider groups, at most `LEAST_UNITS` of the last one, and, where it is read, above the top.
 * One table, for a round less than an OR before it. Made once: what is made of it has as many rows as entries.
 */
function outsideEntries(groups: number, above: boolean): readonly bigint[] {
  const [low, top] = [1 << groups, 2 << groups];
  const key = `${groups} ${above}`;
  const entries =
    OUTSIDE.get(key) ?? Array.from({ length: above ? 2 * top : top }, (_, j) => (j >= top || j === low ? 1n : 0n));
  OUTSIDE.set(key, entries);
  return entries;
}

/** Rows that are outside by these bits, of which each may be absent. */
function outsideOf(gates: Gates, reached: readonly Wire[], low: Wire | undefined, above: Wire | undefined): Wire {
  if (low === undefined) return above as Wire;
  const bits = [...reached, low, ...(above === undefined ? [] : [above])];
  return gates.jointTable(bits, outsideEntries(reached.length, above !== undefined), 1);
}

/** Index bits of a table on the top of S, and the fewest: an eighth of the ring is kept free for a unit of dither. */
const TOP_BITS = 7;
const LEAST_BITS = 4;
/** log2 of the period by which a coarser table overlaps the finer one: measured 0 or 1 is below 2 of its units. */
const OVERLAP = 2;

function column(gates: Gates, x: Wire): Wire {
  return gates.reshape(x, [x.count, 1]);
}

/** 0 where S lies in the measured units from … to of 2^at. */
function read(gates: Gates, checks: RangeChecks, sum: Wire, at: number, bits: number, from: number, to: number): Wire {
  return gates.table(measured(gates, sum, sum.scale - at, bits), unitTable(gates, checks.table(bits, from, to)), 1);
}

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
  // A table of 7 bits, and where S may be larger coarser ones, each of which holds the one before inside its
  // period: measured 0 or 1 is below 64 of its units.
  const above =
    ends === 'lower' ? undefined : read(gates, checks, sum, unit, Math.min(TOP_BITS, sum.k - unit), 0, edge);
  for (let at = unit; ends !== 'lower' && at + TOP_BITS < sum.k; ) {
    at = Math.min(at + TOP_BITS - OVERLAP, sum.k - LEAST_BITS);
    const bits = Math.min(TOP_BITS, sum.k - at);
    checks.outside(column(gates, read(gates, checks, sum, at, bits, 0, 1)), { rows });
  }
  const low =
    ends === 'upper'
      ? undefined
      : read(gates, checks, sum, Math.log2(UNIT), TOP_BITS, LEAST_UNITS + 1, 2 ** TOP_BITS - 1);
  checks.outside(column(gates, outsideOf(gates, reached, low, above)), { rows });
}

// ── rows of mean zero ────────────────────────────────────────────────────────

/** Scale at which a sum of a row is multiplied by 2^20/d, whole bits of what is left of a mean. */
const SUM_SCALE = 16;
const INVERSE_SCALE = 20;

/** Ring of what is left of a mean, before it is widened. */
export function restOfMeanBits(range: NormaliseRange): number {
  return 64 - (IN_SCALE - SUM_SCALE) - (SUM_SCALE + INVERSE_SCALE - CENTRED_SCALE[range]);
}

/** What is left of the mean of every row, as the integer at `scale` over Z_2^k: |mean| < 2^10. */
function restOfMean(gates: Gates, x: Wire, scale: number, k: number): Wire {
  const d = x.shape[1];
  const sum = rescale(gates, gates.sumRows(x), SUM_SCALE);
  const mean = gates.scale(sum, BigInt(Math.round(2 ** INVERSE_SCALE / d)), SUM_SCALE + INVERSE_SCALE);
  return gates.widen(rescale(gates, mean, scale), k);
}

/**
 * `normalise` of rows whose mean is zero but for roundings: below a hundredth of σ, which adds a ten-thousandth to S
 * and nothing else. Of x with other means S is too large, and the result as much too small. `broad` is `normalise`.
 * @param check as that of `normalise`
 */
export function normaliseCentred(
  gates: Gates,
  x: Wire,
  epsilon: number,
  range: NormaliseRange,
  check?: VarianceCheck,
): Wire {
  if (!isCentred(range)) return normalise(gates, x, epsilon, range, check);
  const d = x.shape[1];
  const scale = CENTRED_SCALE[range];
  const fine = gates.lift(rescale(gates, x, scale));
  const mean = gates.lift(restOfMean(gates, x, scale, fine.k));
  /** S + dε of V at a coarser scale. */
  const squares = (at: number) =>
    gates.offset(squaresSum(gates, gates.coarsen(fine, scale - at)), BigInt(Math.round(d * epsilon * 4 ** at)));
  const sums = levelsOf(d, range).reduce<Map<number, Wire>>((known, level) => {
    if (!known.has(level.scale)) known.set(level.scale, squares(level.scale));
    return known;
  }, new Map());
  const law = centredRootOf(d, range, gates.rounding);
  const z = levelsOf(d, range).map((level) => sums.get(level.scale) as Wire);
  const { value: r, reached } = powerLaw(gates, z, law);
  if (check !== undefined) {
    gates.section('range', () => {
      const { least, most } = centredCheckOf(d, range);
      checkCentred(gates, z[z.length - 1], least, () => squares(most.scale), most, reached, check);
    });
  }
  return scaledRows(gates, gates.sub(fine, gates.repeat(mean, d)), r);
}

/** A table of a check: its unit and bits, and the last measured unit that is below. */
interface Edge {
  readonly unit: number;
  readonly bits: number;
  readonly edge: number;
}

/** Index bits of the top of S. */
const CENTRED_TOP_BITS = 9;

/**
 * Between what `acceptedVariance` passes and the ends of the domain there are units for the dither. At the top S is
 * read at a scale of its own, whose ring holds `wrappingVariance`.
 */
function centredCheckOf(
  d: number,
  range: NormaliseRange,
): { readonly least: Edge; readonly most: Edge & { readonly scale: number } } {
  const finest = CENTRED_SCALE[range];
  const [passes, domain] = [acceptedVariance(d, range), varianceDomain(d, range)];
  const levels = levelsOf(d, range);
  const lowest = domain.min * d * 4 ** finest;
  const unit = Math.floor(Math.log2(lowest / LEAST_UNITS)) - 2;
  // All that no wider group has reached lies inside the table.
  const held = 12 * 4 ** (levels[levels.length - 1].windows - 1) * 2 ** lastUnit(levels);
  const bits = Math.ceil(Math.log2(held / 2 ** unit + 2));
  const wraps = Math.min(wrappingVariance(d, range), wholeVariance(d));
  const scale = Math.min(finest, Math.floor(WHOLE_BITS - 0.05 - Math.log2(wraps * d)));
  const top = WHOLE_BITS + scale - CENTRED_TOP_BITS;
  const middle = ((passes.max + domain.max) / 2) * d * 4 ** scale;
  return {
    least: { unit, bits, edge: Math.floor(lowest / 2 ** unit) + 1 },
    most: { scale, unit: top, bits: CENTRED_TOP_BITS, edge: Math.floor(middle / 2 ** top) },
  };
}

function checkCentred(
  gates: Gates,
  sum: Wire,
  least: Edge,
  coarse: () => Wire,
  most: Edge,
  reached: readonly Wire[],
  { checks, rows, ends = 'both' }: VarianceCheck,
): void {
  const above = ends === 'lower' ? undefined : read(gates, checks, coarse(), most.unit, most.bits, 0, most.edge);
  const from = least.edge + 1;
  const low =
    ends === 'upper' ? undefined : read(gates, checks, sum, least.unit, least.bits, from, 2 ** least.bits - 1);
  checks.outside(column(gates, outsideOf(gates, reached, low, above)), { rows });
}
