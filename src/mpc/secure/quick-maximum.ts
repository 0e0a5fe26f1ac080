/**
 * The maximum of every row in fewer rounds and bytes than `maximum.ts`, for words of the owner: with secret weights.
 *
 * A level leaves one of r columns, as there: M = c_0 + Σ_k win_k · (c_k − c_0). But win_k stays a bit, and a sum of
 * gated values takes it in the half-round in which P2 gets it (PROTOCOL §4.13, §7.6). So a level of two or three
 * columns is one round: its comparisons are the bits. One of more columns is two: a joint table makes win_k of the
 * comparisons, one bit an entry.
 *
 * The last level has two columns. Whoever reads the maximum may read both of them a round earlier, and let the bit
 * choose between what was found.
 */
import { strided } from '../../compute/pattern.ts';
import { invariant } from '../../core/errors.ts';
import type { Gated, Gates } from '../protocol/types.ts';
import type { Wire } from '../share/wire.ts';
import { isNegativeIn, isNegativeLifted } from './compare.ts';
import { levelOf } from './maximum.ts';

/** One level: columns of a row that are compared at a time, how many columns it leaves, and its rounds. */
export interface QuickLevel {
  readonly radix: number;
  readonly columns: number;
  readonly rounds: 1 | 2;
}

/** Widest rows: beyond them the owner's words would outweigh a round. */
const MOST_WIDTH = 192;
const MOST_ROUNDS = 5;
/** Most columns of a level of one round, for P0's words, and of two, for the entries of a table: both 2^(r−1). */
const MOST_AT_ONCE = 3;
const MOST_BY_TABLE = 11;
/** What a bit of the owner counts, in bits between the compute parties: its uplink is the thin one. */
const OWNER_BIT = 12;

/** What gates need for it. */
export type Gating = Gates & Required<Pick<Gates, 'gatedSum'>>;

/** Whether rows of this width take it under these gates. */
export function isQuick(gates: Gates, width: number): gates is Gating {
  return gates.weights === 'secret' && gates.gatedSum !== undefined && hasQuickLevels(width);
}

export function hasQuickLevels(width: number): boolean {
  return width >= 2 && width <= MOST_WIDTH;
}

/** Bits of a level between the compute parties and of the owner, weighed, a column that it leaves. */
function weightOf(radix: number, rounds: 1 | 2, bits: 8 | 9): number {
  const pairs = (radix * (radix - 1)) / 2;
  const others = radix - 1;
  const signs = pairs * (2 ** (bits - 1) + 1);
  const words = (others + 1) * bits;
  if (rounds === 1) return signs + words + OWNER_BIT * (pairs + others * 2 * (2 ** others - 1) * bits);
  return signs + words + others * (2 ** others + 1) + OWNER_BIT * (pairs + others * (2 * bits + 1));
}

interface Plan {
  readonly weight: number;
  readonly levels: readonly QuickLevel[];
}

const PLANS = new Map<string, Plan | undefined>();

/** The cheapest levels for a width within so many rounds, the last of two columns; undefined where there are none. */
function planFor(width: number, bits: 8 | 9, rounds: number): Plan | undefined {
  if (rounds < 1) return undefined;
  if (width === 2) return { weight: weightOf(2, 1, bits), levels: [{ radix: 2, columns: 1, rounds: 1 }] };
  const key = `${width} ${bits} ${rounds}`;
  if (PLANS.has(key)) return PLANS.get(key);
  let best: Plan | undefined;
  for (let most = 2; most <= MOST_BY_TABLE; most++) {
    const columns = Math.ceil(width / most);
    const radix = Math.ceil(width / columns);
    const own = radix <= MOST_AT_ONCE ? 1 : 2;
    const rest = columns < 2 ? undefined : planFor(columns, bits, rounds - own);
    if (rest === undefined) continue;
    const weight = rest.weight + columns * weightOf(radix, own, bits);
    if (best === undefined || weight < best.weight)
      best = { weight, levels: [{ radix, columns, rounds: own }, ...rest.levels] };
  }
  PLANS.set(key, best);
  return best;
}

/** The levels of a row's maximum: no more rounds than a tree of pairs has, and five. */
export function quickLevels(width: number, bits: 8 | 9): readonly QuickLevel[] {
  const plan = hasQuickLevels(width)
    ? planFor(width, bits, Math.min(MOST_ROUNDS, Math.ceil(Math.log2(width))))
    : undefined;
  invariant(plan !== undefined, 'a maximum of 2 to 192 columns');
  return plan.levels;
}

/** The maximum, and how its last level chose it: the left column, or where the bit is one the right one. */
export interface QuickMaximum {
  readonly maximum: Wire;
  readonly left: Wire;
  readonly right: Wire;
  /** Lifted, over Z_2. */
  readonly bit: Wire;
}

/** (rows, width) over Z_2^bits → (rows). Differences of a row stay below 2^(bits−1), else it is one of the columns. */
export function quickMaximum(gates: Gating, x: Wire, bits: 8 | 9): QuickMaximum {
  const rows = [x.shape[0]];
  let current = x;
  for (const level of quickLevels(x.shape[1], bits)) {
    const { radix, columns, rounds } = level;
    const build = (slices: readonly Wire[]): readonly Wire[] => {
      const less = lessOf(gates, slices, rounds === 1 ? isNegativeLifted : isNegativeIn);
      if (columns > 1)
        return [chosen(gates, slices, rounds === 1 ? beats(gates, radix, less) : winners(gates, radix, less))];
      const [left, right] = slices.map((column) => gates.reshape(column, rows));
      const bit = gates.reshape(less(0, 1), rows, 0);
      return [chosen(gates, [left, right], [[bit]]), left, right, bit];
    };
    const [larger, left, right, bit] = levelOf(gates, current, level, bits, build, current === x);
    if (columns === 1) return { maximum: larger, left, right, bit };
    current = larger;
  }
  return invariant(false, 'the last level leaves one column') as never;
}

type Less = (i: number, j: number) => Wire;

/** The bit [c_i < c_j] of every pair i < j, element by element: one gate for all pairs. */
function lessOf(gates: Gates, c: readonly Wire[], negative: (gates: Gates, x: Wire) => Wire): Less {
  const pairs = c.flatMap((_, i) => c.slice(i + 1).map((_column, at) => [i, i + 1 + at] as const));
  const side = (of: 0 | 1) => gates.concat(pairs.map((pair) => c[pair[of]]));
  const less = negative(gates, gates.sub(side(0), side(1)));
  const [{ count, shape }] = c;
  const each = pairs.map((_, p) => gates.gather(less, strided(p * count, [count, 1]), shape));
  return (i, j) => each[pairs.findIndex(([left, right]) => left === i && right === j)];
}

/** For each column but the first, bits that are all one where it wins: above those before it, not below those behind. */
function beats(gates: Gates, radix: number, less: Less): Wire[][] {
  return Array.from({ length: radix - 1 }, (_, at) => {
    const k = at + 1;
    const others = Array.from({ length: radix }, (_column, j) => j).filter((j) => j !== k);
    return others.map((j) => (j < k ? less(j, k) : gates.offset(less(k, j), 1n)));
  });
}

/** The same, all bits of a column in one: a table with a one where all of them are. */
function winners(gates: Gates, radix: number, less: Less): Wire[][] {
  const all = beats(gates, radix, less);
  const [[{ count, shape }]] = all;
  const joint = all[0].map((_, b) => gates.concat(all.map((bits) => bits[b])));
  const won = gates.jointTable(joint, allOnes(joint.length), 1);
  return all.map((_, at) => [gates.gather(won, strided(at * count, [count, 1]), shape)]);
}

const TABLES = new Map<number, readonly bigint[]>();

function allOnes(bits: number): readonly bigint[] {
  const table = TABLES.get(bits) ?? Array.from({ length: 1 << bits }, (_, j) => (j === (1 << bits) - 1 ? 1n : 0n));
  TABLES.set(bits, table);
  return table;
}

/** c_0 + Σ_k win_k · (c_k − c_0): at most one k has all its bits. */
function chosen(gates: Gating, c: readonly Wire[], bits: readonly (readonly Wire[])[]): Wire {
  const terms = c.slice(1).map((column, at): Gated => ({ bits: bits[at], value: gates.lift(gates.sub(column, c[0])) }));
  return gates.add(gates.gatedSum(terms), c[0]);
}
