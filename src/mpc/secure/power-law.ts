/**
 * A power law (1/z, z^-½) of one positive word over many octaves (PROTOCOL §7.4): windows of sixteen segments, each
 * four times finer than the one before.
 *
 * From a window to the next the law grows by a power of two. So one polynomial serves all of them, and a finer window
 * has that many bits less in its words. In every window a candidate by the polynomial; for every group of windows, on
 * one index, which of them holds the argument, and whether it lies above the group's last one. The first group that is
 * reached wins, else the last: its argument is at least two units, where the polynomial is good. Lower windows may
 * hold garbage; they are not looked at. Two rounds.
 *
 * A group has an argument of its own: z itself, or z in a coarser unit, where all of z would not fit its ring.
 */
import { FRACTION, root } from '../../compute/fixed-functions.ts';
import type { PiecewisePolynomial } from '../../compute/kernels/types.ts';
import { strided } from '../../compute/pattern.ts';
import { invariant } from '../../core/errors.ts';
import type { ExactTable, Gates } from '../protocol/types.ts';
import type { Wire } from '../share/wire.ts';
import { type Reading, counted, measured, unitTable } from './measure.ts';
import { piecewisePolynomial } from './polynomial.ts';

/** Bits below the unit that a polynomial sees. */
const T = 14;
/** log2 of the segments of a window, and of the ratio of two windows' units. */
const SEGMENT_BITS = 4;
const SEGMENTS = 1 << SEGMENT_BITS;
const RATIO_BITS = 2;
/**
 * A window is taken from this measured index on, so from one true unit less. The next one holds what is below: twelve
 * of its segments, and the rest are for the dither.
 */
const THRESHOLD = 3;
/** The first measured segment that is tabulated; zero below. */
const FIRST = 2;
/** True units that the widest window holds. */
export const HELD_UNITS = SEGMENTS - 2;
const DEGREE = 4;
/** Scales of the coefficients and of the basis. */
const S1 = 18;
const S2 = 11;
/** Bits of the coefficients below the words, so that these are rounded once. */
const GUARD = 6;

/** Bits of a candidate at one unit of its window. */
const RESULT_BITS = 18;
/** Fewest bits of a result at one unit of the widest window. */
const LEAST_RESULT_BITS = 9;

/** Windows that read one argument. */
export interface WindowGroup {
  readonly windows: number;
  /** log2 of the unit of the widest of them, in the group's argument. */
  readonly top: number;
}

export interface PowerLawOptions {
  /** log2 by which the law grows where its argument is four times smaller: 2 for 1/z, 1 for z^-½. */
  readonly growth: 1 | 2;
  /** The result at one unit of the widest window is √root·2^scale: above 2^8. Results have as many bits. */
  readonly root: number;
  readonly scale: number;
  /** Ring of the result. */
  readonly k: number;
  /** How the protocol reads an index. */
  readonly coins: Reading['coins'];
  /** From the widest window on. Their units follow one another without a gap. */
  readonly groups: readonly WindowGroup[];
}

/** A group, and what is done with its candidates: rounded to Z_2^k, they count 2^raise times. */
interface LawGroup extends WindowGroup {
  /** Of the candidates of the widest window; of every finer one they lose `growth` more. */
  readonly raise: number;
  /** Ring of the candidates, and the low bits that they lose. */
  readonly k: number;
  readonly drop: number;
}

/** A law in windows, tabulated: made once, used by every layer. */
export interface PowerLaw extends PowerLawOptions {
  readonly polynomial: PiecewisePolynomial;
  readonly groups: readonly LawGroup[];
}

/**
 * Tabulates a law. Takes milliseconds: for constants, or once for each width of a model. Relative error of the result
 * from two units of the last window on: 6e-4 for 1/z, rms 1e-4, and 2e-4 for z^-½, where the result has 18 bits or
 * more; below it is zero.
 */
export function tabulated(options: PowerLawOptions): PowerLaw {
  const { growth, k } = options;
  // √root·2^−shift is at most one.
  let shift = 0;
  while (4 ** shift < options.root) shift++;
  const first = options.scale + shift;
  /** √(root·4^−shift / x^growth), its square taken as an integer. */
  const square = BigInt(options.root) << (BigInt(2 + growth) * FRACTION - BigInt(2 * shift));
  let bits = first;
  const groups = options.groups.map((group): LawGroup => {
    // At one unit the law has `bits` bits now, of which a candidate has the upper ones.
    const kept = Math.min(RESULT_BITS, bits);
    const raise = bits - kept;
    bits += growth * group.windows;
    return { ...group, raise, k: k - raise, drop: S1 + S2 - kept };
  });
  invariant(first >= LEAST_RESULT_BITS && bits < k, 'a result of 9 bits or more, below its ring');
  invariant(
    groups.every((group) => group.k + group.drop <= 64),
    'a ring that has room for what candidates lose',
  );
  const polynomial = piecewisePolynomial((x, offset) => root(square / (x + offset) ** BigInt(growth)), {
    ...{ segments: SEGMENTS, degree: DEGREE, t: T, s1: S1, s2: S2, guard: GUARD, log2Width: 0 },
    centre: (i) => (i >= FIRST ? i : undefined),
    // With one coin a window's bit and its segment are one reading, so the first is hardly met. With two they are
    // apart; an argument is never read low, so what is measured there lies there.
    ...(options.coins === 1 ? {} : { interval: (i) => (i === FIRST ? [0, 1] : [-1, 1]) }),
  });
  return { ...options, polynomial, groups };
}

/** log2 of the unit of window i of a group, in the group's argument. */
function unitOf({ top }: WindowGroup, i: number): number {
  return top - RATIO_BITS * i;
}

/** log2 of the unit of the last window. */
export function lastUnit(groups: readonly WindowGroup[]): number {
  const group = groups[groups.length - 1];
  return unitOf(group, group.windows - 1);
}

/** Bits of the index of a group: all units of its last window that its widest one holds. */
function indexBits({ windows }: WindowGroup): number {
  return SEGMENT_BITS + RATIO_BITS * (windows - 1);
}

/** A bit of a group: its measured index lies in from … to − 1. */
interface GroupBit {
  readonly group: number;
  /** A window of the group, or undefined: whether any is reached. */
  readonly window: number | undefined;
  readonly bits: number;
  readonly from: number;
  readonly to: number;
}

/** All bits that a choice reads, those of one table side by side. A last window that is alone in its group has none. */
function groupBits(groups: readonly WindowGroup[]): readonly (readonly GroupBit[])[] {
  const buckets = new Map<string, GroupBit[]>();
  const last = groups.length - 1;
  for (const [g, group] of groups.entries()) {
    const bits = indexBits(group);
    const above = (i: number) => THRESHOLD * 2 ** (RATIO_BITS * (group.windows - 1 - i));
    const hot = Array.from({ length: group.windows }, (_, i) => ({
      window: i,
      from: g === last && i === group.windows - 1 ? 0 : above(i),
      to: i === 0 ? 2 ** bits : above(i - 1),
    }));
    const all = [...(g < last ? [{ window: undefined, from: THRESHOLD, to: 2 ** bits }] : []), ...hot];
    for (const bit of all) {
      if (bit.from === 0 && bit.to === 2 ** bits) continue;
      // One window and the group's bit are the same.
      if (bit.window !== undefined && group.windows === 1) continue;
      const key = `${bits} ${bit.from} ${bit.to}`;
      buckets.set(key, [...(buckets.get(key) ?? []), { ...bit, group: g, bits }]);
    }
  }
  return [...buckets.values()];
}

/** What a law selects, for each element: its terms of a price. */
export interface LawSelections {
  /** Entries of 5 words: how many an element, over which ring, and the bits that they lose. */
  readonly polynomials: readonly { readonly each: number; readonly k: number; readonly drop: number }[];
  readonly tables: readonly { readonly each: number; readonly bits: number }[];
  /** Bits of the tables of the choice. */
  readonly choice: readonly number[];
}

export const LAW_ENTRY = { entries: SEGMENTS, words: DEGREE + 1 } as const;

/** @example lawSelections(law).tables.length */
export function lawSelections({ groups, growth }: PowerLaw): LawSelections {
  const last = groups.length - 1;
  return {
    polynomials: groups.map(({ windows, k, drop }) => ({ each: windows, k: k + drop, drop })),
    tables: groupBits(groups).map((bucket) => ({ each: bucket.length, bits: bucket[0].bits })),
    choice: groups.flatMap(({ windows, k }, g) =>
      Array.from({ length: windows }, (_, i) => {
        const bits = windows === 1 && g === last ? g : g + 1;
        return 2 ** bits * 2 * (k - growth * i);
      }),
    ),
  };
}

const TABLES = new Map<string, ExactTable>();

/** 1 for the measured indices from … to − 1. Made once. */
function tableOf({ bits, from, to }: GroupBit): ExactTable {
  const key = `${bits} ${from} ${to}`;
  const table = TABLES.get(key) ?? {
    bits,
    entries: Array.from({ length: 2 ** bits }, (_, i) => (i >= from && i < to ? 1n : 0n)),
  };
  TABLES.set(key, table);
  return table;
}

/** Parts of a concatenation of wires of `count` elements. */
function part(gates: Gates, x: Wire, at: number, count: number): Wire {
  return gates.gather(x, strided(at * count, [count, 1]), [count]);
}

/** The candidates of a group, one for each window. */
function candidatesOf(gates: Gates, z: Wire, group: LawGroup, polynomial: PiecewisePolynomial): Wire[] {
  const { k, drop } = group;
  invariant(z.k >= group.top + SEGMENT_BITS, 'the argument of a group must hold its widest window');
  const places = Array.from({ length: group.windows }, (_, i) => {
    const unit = unitOf(group, i);
    // Never measured low: a window that is taken begins where the polynomial does.
    const index = unit >= T ? counted(gates, z, z.scale - (unit - T)) : gates.raise(z, T - unit, T + SEGMENT_BITS);
    return gates.reshape(gates.reduce(index, T + SEGMENT_BITS), [z.count], 0);
  });
  const all = gates.polynomial(gates.concat(places), polynomial, k + drop, { drop });
  return places.map((_, i) => part(gates, all, i, z.count));
}

/**
 * z in the units of each group → the law over Z_2^k. z is below `HELD_UNITS` units of the widest window. `reached`
 * holds, for all groups but the last, whether z is measured in the group or above it.
 */
export function powerLaw(
  gates: Gates,
  z: readonly Wire[],
  law: PowerLaw,
): { readonly value: Wire; readonly reached: readonly Wire[] } {
  const { groups, growth, k, polynomial } = law;
  invariant(z.length === groups.length, 'a law takes an argument for every group');
  const candidates = groups.map((group, g) => candidatesOf(gates, z[g], group, polynomial));
  const found = new Map<string, Wire>();
  for (const bucket of groupBits(groups)) {
    const index = bucket.map(({ group: g, bits }) => {
      const unit = unitOf(groups[g], groups[g].windows - 1);
      return gates.reshape(measured(gates, z[g], z[g].scale - unit, bits), [z[g].count], 0);
    });
    const bits = gates.table(gates.concat(index), unitTable(gates, tableOf(bucket[0])), 1);
    for (const [at, { group, window }] of bucket.entries())
      found.set(`${group} ${window}`, part(gates, bits, at, z[group].count));
  }
  const bitOf = (g: number, window: number | undefined) => found.get(`${g} ${window}`);
  const reached = groups.slice(0, -1).map((_, g) => bitOf(g, undefined) as Wire);
  const choices = candidates.flatMap((windows, g) =>
    windows.map((candidate, i) => {
      const raise = groups[g].raise + growth * i;
      const own = bitOf(g, groups[g].windows === 1 ? undefined : i);
      const bits = [...reached.slice(0, g), ...(own === undefined ? [] : [own])];
      const pick = new Uint8Array(1 << bits.length).fill(255);
      pick[own === undefined ? 0 : 1 << g] = 0;
      return { bits, values: [gates.reduce(gates.reshape(candidate, [candidate.count], 0), k - raise)], pick, raise };
    }),
  );
  return { value: gates.reshape(gates.chooseSum(choices), z[0].shape, 0), reached };
}
