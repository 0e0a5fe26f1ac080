/**
 * The maximum of every row, in levels that each leave one of several columns.
 *
 * A level compares all pairs of r columns at once, by a sign bit each, and then sums r − 1 choices: column k wins if
 * it is larger than those before it and no smaller than those behind it. So M = c_0 + Σ_k win_k · (c_k − c_0). At
 * most one column wins, since a pair has one comparison. Where differences wrap there may be no winner, and M is c_0:
 * always one of the columns, which the check of a row's spread relies on. r = 2 is max(x, y) = y + relu(x − y), one
 * round instead of two.
 */
import { strided } from '../../compute/pattern.ts';
import type { Choosing, ExactTable, Gates } from '../protocol/types.ts';
import type { Wire } from '../share/wire.ts';
import { isNegativeIn } from './compare.ts';

/** One level: columns of a row that are compared at a time, and how many columns it leaves. */
export interface MaximumLevel {
  readonly radix: number;
  readonly columns: number;
}

/** Most columns at a time: a winner's table has 2^(r−1) entries. */
const MOST = 8;

/** Bits P1 → P2 of a level, a column that it leaves. */
function bitsOf(radix: number, bits: 8 | 9): number {
  if (radix === 2) return 2 ** bits * bits;
  return (radix * (radix - 1) * 2 ** (bits - 1)) / 2 + (radix - 1) * 2 ** (radix - 1) * 2 * bits;
}

interface Plan {
  readonly cost: number;
  readonly levels: readonly MaximumLevel[];
}

const PLANS = new Map<string, Plan | undefined>();

/** The cheapest levels for a width within so many rounds; undefined where there are none. */
function planFor(width: number, bits: 8 | 9, rounds: number): Plan | undefined {
  if (rounds < 0) return undefined;
  if (width === 1) return { cost: 0, levels: [] };
  const key = `${width} ${bits} ${rounds}`;
  if (PLANS.has(key)) return PLANS.get(key);
  let best: Plan | undefined;
  for (let most = 2; most <= MOST; most++) {
    const columns = Math.ceil(width / most);
    const radix = Math.ceil(width / columns);
    const rest = planFor(columns, bits, rounds - (radix === 2 ? 1 : 2));
    if (rest === undefined) continue;
    const cost = rest.cost + columns * bitsOf(radix, bits);
    if (best === undefined || cost < best.cost) best = { cost, levels: [{ radix, columns }, ...rest.levels] };
  }
  PLANS.set(key, best);
  return best;
}

/** Columns up to which three levels are cheap: with 512 they would take seven times the bytes of four. */
const FEW = 192;

/** Most rounds of a maximum: two for a level of several columns. */
function mostRounds(width: number): number {
  return Math.min(width <= FEW ? 6 : 8, Math.ceil(Math.log2(width)));
}

/** The levels of a row's maximum: no more rounds than a tree of pairs has, ⌈log2 width⌉, and six up to 192 columns. */
export function maximumLevels(width: number, bits: 8 | 9): readonly MaximumLevel[] {
  return planFor(width, bits, mostRounds(width))?.levels ?? [];
}

function reluTable(bits: 8 | 9): ExactTable {
  const n = 1 << bits;
  return { bits, entries: Array.from({ length: n }, (_, i) => (i < n / 2 ? BigInt(i) : 0n)) };
}

const RELU: Record<8 | 9, ExactTable> = { 8: reluTable(8), 9: reluTable(9) };

/** Columns [from, from + count) of a (rows, width) wire. */
export function columnsOf(gates: Gates, x: Wire, from: number, count: number): Wire {
  const [rows, width] = x.shape;
  return gates.gather(x, strided(from, [rows, width], [count, 1]), [rows, count]);
}

/** (rows, width) over Z_2^bits → (rows). Differences of a row stay below 2^(bits−1). */
export function rowMaximum(gates: Gates, x: Wire, bits: 8 | 9): Wire {
  let current = x;
  for (const level of maximumLevels(x.shape[1], bits)) {
    const ofSlices = (slices: readonly Wire[]) =>
      level.radix === 2 ? larger(gates, slices, bits) : largest(gates, slices);
    current = levelOf(gates, current, level, bits, (slices) => [ofSlices(slices)], current === x)[0];
  }
  return gates.reshape(current, [x.shape[0]]);
}

/**
 * A level as a block of its slices of columns. Of the first level these are what it depends on: texts that differ in
 * length by less than the radix have slices of one width.
 */
export function levelOf(
  gates: Gates,
  x: Wire,
  { radix, columns }: MaximumLevel,
  bits: 8 | 9,
  build: (slices: readonly Wire[]) => readonly Wire[],
  first: boolean,
): readonly Wire[] {
  // The last slice overlaps the one before it where the width is no multiple, which a maximum does not mind.
  const width = x.shape[1];
  const slices = () =>
    Array.from({ length: radix }, (_, i) => columnsOf(gates, x, Math.min(i * columns, width - columns), columns));
  const key = `level ${radix} ${columns} ${bits}`;
  if (!first) return gates.block(key, [x], () => build(slices()));
  const operands = slices();
  return gates.block(key, operands, () => build(operands));
}

function larger(gates: Gates, [left, right]: readonly Wire[], bits: 8 | 9): Wire {
  const above = gates.table(gates.sub(left, right), RELU[bits], bits);
  return gates.add(gates.reshape(above, right.shape, right.scale), right);
}

/** The bit [c_i < c_j] of every pair i < j, element by element: one table of signs for all pairs. */
function lessOf(gates: Gates, c: readonly Wire[]): (i: number, j: number) => Wire {
  const pairs = c.flatMap((_, i) => c.slice(i + 1).map((_column, at) => [i, i + 1 + at] as const));
  const side = (of: 0 | 1) => gates.concat(pairs.map((pair) => c[pair[of]]));
  const less = isNegativeIn(gates, gates.sub(side(0), side(1)));
  const [{ count, shape }] = c;
  const each = pairs.map((_, p) => gates.gather(less, strided(p * count, [count, 1]), shape));
  return (i, j) => each[pairs.findIndex(([left, right]) => left === Math.min(i, j) && right === Math.max(i, j))];
}

function largest(gates: Gates, c: readonly Wire[]): Wire {
  const r = c.length;
  const less = lessOf(gates, c);
  const choices = c.slice(1).map((column, at): Choosing => {
    const k = at + 1;
    const others = Array.from({ length: r }, (_, j) => j).filter((j) => j !== k);
    // Of the joint bits, those of columns before k are set and those behind it are not.
    const pick = new Uint8Array(1 << (r - 1)).fill(255);
    pick[(1 << k) - 1] = 0;
    return {
      bits: others.map((j) => less(j, k)),
      values: [gates.sub(column, c[0])],
      pick,
    };
  });
  return gates.add(gates.reshape(gates.chooseSum(choices), c[0].shape, c[0].scale), c[0]);
}
