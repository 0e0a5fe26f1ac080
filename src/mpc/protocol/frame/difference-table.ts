/** Public tables in the form that a selection needs: by the row of P1's index, with the choice of P2 as the entry. */
import { type Vector, type Words, wordsFrom } from '../../../compute/ring.ts';
import type { Component, Wire } from '../../share/wire.ts';
import type { BorrowLeaf, ExactTable } from '../types.ts';
import type { Trait } from './traits.ts';
import type { Party } from './party.ts';

/** A table T as rows of T[a − j], with the row number of P1's a. */
export interface DifferenceTable {
  readonly table: Words;
  readonly stride: number;
  /** The table's entries, one array for all gates that use it. */
  readonly traits: Trait;
  row(p1: Party, a: Vector): Promise<Vector>;
}

/** By table and ring. Tables are constants of the gadgets, so every circuit that uses one shares what is made of it. */
const MADE = new WeakMap<ExactTable, Map<number, DifferenceTable>>();

/** The table in that form, made once for the process. */
export function differenceTable(exact: ExactTable, k: number): DifferenceTable {
  const byRing = MADE.get(exact) ?? new Map<number, DifferenceTable>();
  MADE.set(exact, byRing);
  const table = byRing.get(k) ?? make(exact, k);
  byRing.set(k, table);
  return table;
}

/**
 * Rows overlap: row a is the window of the reversed table, twice over, that starts at n − 1 − a. Single bits are
 * kept as whole rows, so that a row starts on a byte.
 */
function make({ bits, entries }: ExactTable, k: number): DifferenceTable {
  const n = 1 << bits;
  const traits = wordsFrom(entries, 64).data;
  if (k === 1) {
    const rows = Array.from({ length: n * n }, (_, i) => entries[(Math.floor(i / n) - (i % n) + n) % n]);
    return { table: wordsFrom(rows, 1), stride: n, traits, row: async (_p1, a) => a };
  }
  const reversed = Array.from({ length: 2 * n - 1 }, (_, i) => entries[(2 * n - 1 - i) % n]);
  return {
    table: wordsFrom(reversed, k),
    stride: 1,
    traits,
    row: async (p1, a) => p1.kernels.offset(await p1.kernels.scale(a, -1n), BigInt(n - 1)),
  };
}

const JOINT = new WeakMap<readonly bigint[], Map<number, Words>>();

/** Row α, entry j: the joint bits are α ⊕ j. Made once, like the difference tables. */
export function jointTableOf(entries: readonly bigint[], k: number): Words {
  const byRing = JOINT.get(entries) ?? new Map<number, Words>();
  JOINT.set(entries, byRing);
  const n = entries.length;
  const table =
    byRing.get(k) ??
    wordsFrom(
      Array.from({ length: n * n }, (_, i) => entries[Math.floor(i / n) ^ (i % n)]),
      k,
    );
  byRing.set(k, table);
  return table;
}

const LEAVES = new Map<string, Words>();

const HOLDS: Readonly<Record<BorrowLeaf, (a: number, l: number, n: number) => boolean>> = {
  less: (a, l) => a < l,
  equal: (a, l) => a === l,
  negative: (a, l, n) => (a - l + n) % n >= n / 2,
  below: (a, l, n) => (a - l - 1 + 2 * n) % n >= n / 2,
};

/** Row a, entry l: what the leaf says of a and l. Made once, for the few sizes that gadgets use. */
export function leafTable(leaf: BorrowLeaf, n: number): Words {
  const key = `${leaf} ${n}`;
  const holds = (a: number, l: number) => HOLDS[leaf](a, l, n);
  const table =
    LEAVES.get(key) ??
    wordsFrom(
      Array.from({ length: n * n }, (_, i) => (holds(Math.floor(i / n), i % n) ? 1 : 0)),
      1,
    );
  LEAVES.set(key, table);
  return table;
}

/** Row a of n, entry l of n/2: [a_low < l], turned over by the top bit of a. */
export function signTable(n: number): Words {
  const key = `sign ${n}`;
  const half = n / 2;
  const table =
    LEAVES.get(key) ??
    wordsFrom(
      Array.from({ length: n * half }, (_, i) => {
        const a = Math.floor(i / half);
        return Number(a % half < i % half) ^ (a < half ? 0 : 1);
      }),
      1,
    );
  LEAVES.set(key, table);
  return table;
}

/** A party's parts of several bits as one index, bit b weighing 2^b. */
export async function joint(party: Party, bits: readonly Wire[], component: Component): Promise<Vector> {
  const { kernels } = party;
  const B = bits.length;
  let index = await kernels.cast(await party.value(bits[0], component), B);
  for (let b = 1; b < B; b++)
    index = await kernels.add(
      index,
      await kernels.scale(await kernels.cast(await party.value(bits[b], component), B), 1n << BigInt(b)),
    );
  return index;
}
