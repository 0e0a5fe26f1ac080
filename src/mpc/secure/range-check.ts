/**
 * Whether values stay inside their gadgets' domains: one bit for each sequence, exact, opened to P0 alone (ADR 20).
 *
 * A check reads the coarse bits of a wire in a table of single bits, 1 where the value lies outside. All bits of a
 * tensor are joined by OR, so that neither their number nor their places survive. A wire is read in units that
 * overlap: its measured unit is the true one or the next, because of the dither of `shift`. So every check has
 * three zones: inside `accepted` a value always passes, outside the domain it never does, and in between it may be
 * refused although it is still right.
 *
 * A table reads residues, so it is exact for values below its `reach`, a power of two that the caller proves
 * (`ml/checked-plan.ts`); reach is public.
 */
import { strided } from '../../compute/pattern.ts';
import type { ExactTable, Gates } from '../protocol/types.ts';
import type { Wire } from '../share/wire.ts';
import { measured, unitTable } from './measure.ts';

/** A domain is read in eighths: fewer would refuse more of it, more would make the tables larger. */
export const EIGHTH = 3;

/** log2 of the unit in which a magnitude is read: an eighth of the power of two that covers the domain. */
function unitOf(domain: number): number {
  return Math.ceil(Math.log2(domain)) - EIGHTH;
}

/** Measured units −edge … edge pass: each lies, with the one below it, inside ±domain. */
function edgeOf(domain: number): number {
  return Math.floor(domain / 2 ** unitOf(domain)) - 1;
}

/** Below this magnitude a value of a gadget with that domain is never refused: 48 of 63, 192 of 255, 56 of 64. */
export function accepted(domain: number): number {
  return edgeOf(domain) * 2 ** unitOf(domain);
}

/** Index bits of a single table, and of the coarser ones behind it. */
const MOST_BITS = 7;
const STEP_BITS = 6;
/** log2 by which the unit of a coarser table is below the period of the finer one: ±1 measured is within ±2 units. */
const OVERLAP = 2;

/** Table on Z_2^bits: 0 for the residues from, from + 1, … to, 1 for the others. */
function outsideTable(bits: number, from: number, to: number): ExactTable {
  const n = 1 << bits;
  return { bits, entries: Array.from({ length: n }, (_, i) => ((((i - from) % n) + n) % n <= to - from ? 0n : 1n)) };
}

/** A table of a magnitude: log2 of its unit, bits of its index, and the measured units −edge … edge that pass. */
export interface MagnitudeTable {
  readonly unit: number;
  readonly bits: number;
  readonly edge: number;
}

/**
 * The tables for magnitudes up to 2^reach, of a wire with `room` bits before its point. One where its period holds
 * the reach, so that no unit beyond the edge comes back inside it; else coarser ones behind it, each of which holds
 * the one before inside its period: measured −1, 0 or 1 is less than two of its units.
 */
export function magnitudeTables(domain: number, reach: number, room = 32): MagnitudeTable[] {
  const table = (unit: number, edge: number): MagnitudeTable => {
    const units = 2 ** Math.max(reach - unit, Math.ceil(Math.log2(edge + 1)));
    // One unit is for the dither. All bits that there are lose nothing.
    return { unit, bits: Math.min(Math.ceil(Math.log2(units + edge + 2)), room - unit), edge };
  };
  const first = table(unitOf(domain), edgeOf(domain));
  if (first.bits <= MOST_BITS) return [first];
  const tables = [{ ...first, bits: STEP_BITS }];
  for (let unit = first.unit + STEP_BITS - OVERLAP; ; unit += STEP_BITS - OVERLAP) {
    const next = table(unit, 1);
    if (next.bits <= STEP_BITS) return [...tables, next];
    tables.push({ ...next, bits: STEP_BITS });
  }
}

/**
 * Arity of an OR by how many bits there are: tables of 2^arity bits are dear where there are many, rounds where
 * there are few.
 */
function arityFor(count: number): number {
  if (count > 1 << 14) return 4;
  return count > 1 << 11 ? 6 : 8;
}

/**
 * Tables by what they hold: constants, of which a circuit uses few, and whose form on the link is made once for
 * each.
 */
const TABLES = new Map<string, ExactTable>();
const ORS = new Map<string, readonly bigint[]>();

export class RangeChecks {
  readonly sequences: number;
  readonly #gates: Gates;
  /** One bit a sequence each. */
  readonly #found: Wire[] = [];

  constructor(gates: Gates, sequences: number) {
    this.#gates = gates;
    this.sequences = sequences;
  }

  /**
   * Checks |x| < domain, element by element, for a wire of which |x| ≤ 2^reach is known. Rows of one sequence
   * follow one another. Cost an element: a bit of P0 and 2^(bits − 3) bytes P1 → P2 for every table
   * (`magnitudeTables`), and about a byte and ⅓ bit for the OR.
   * @param rows 1 at rows that count, of shape (rows); all when absent.
   */
  magnitude(x: Wire, domain: number, reach: number, rows?: Wire): void {
    const gates = this.#gates;
    const width = x.shape[x.shape.length - 1];
    gates.section('range', () => {
      const tables = magnitudeTables(domain, reach, x.k - x.scale);
      // With one coin masked once for all tables. A unit read from a measured unit is still the true one or the next:
      // at the lower end of a unit there is nothing to round.
      const [{ unit: lowest }] = tables;
      const all = Math.max(...tables.map(({ unit, bits }) => unit + bits)) - lowest;
      const once = gates.rounding.coins === 1;
      const read = once ? gates.reshare(gates.reduce(gates.shift(x, x.scale + lowest), all)) : x;
      for (const { unit, bits, edge } of tables) {
        const index = gates.reshape(measured(gates, read, -unit, bits), [x.count / width, width], 0);
        this.outside(gates.table(index, unitTable(gates, this.table(bits, -edge, edge)), 1), { rows });
      }
    });
  }

  /**
   * Takes bits of elements that are outside, shape (rows, width) with the rows of one sequence after the other.
   * @param counts 1 at elements and at rows that count; those of padding may hold anything.
   */
  outside(x: Wire, counts: { readonly elements?: Wire | undefined; readonly rows?: Wire | undefined } = {}): void {
    const gates = this.#gates;
    const perRow = this.#anyInRow(x, counts.elements);
    const bySequence = [this.sequences, perRow.count / this.sequences];
    const marks = counts.rows === undefined ? undefined : gates.reshape(counts.rows, bySequence);
    this.#found.push(this.#anyInRow(gates.reshape(perRow, bySequence), marks));
  }

  /**
   * The bit of every sequence, (sequences); undefined when nothing was checked. What is there first is joined
   * first, so that the last check adds one round.
   */
  result(): Wire | undefined {
    const waiting = [...this.#found].sort((x, y) => x.readyA - y.readyA);
    while (waiting.length > 1) {
      // As in Huffman's tree: the first group is the odd one, so that the last is full.
      const arity = 2 + ((waiting.length - 2) % 7);
      const joined = this.#or(waiting.splice(0, arity));
      const at = waiting.findIndex(({ readyA }) => readyA > joined.readyA);
      waiting.splice(at === -1 ? waiting.length : at, 0, joined);
    }
    return waiting[0];
  }

  /** 0 for the residues from, from + 1, … to of Z_2^bits, 1 for the others. */
  table(bits: number, from: number, to: number): ExactTable {
    const key = `${bits} ${from} ${to}`;
    const table = TABLES.get(key) ?? outsideTable(bits, from, to);
    TABLES.set(key, table);
    return table;
  }

  /** OR of every row, (rows, width) → (rows); only elements with a 1 in `marks` count. */
  #anyInRow(x: Wire, marks: Wire | undefined): Wire {
    const gates = this.#gates;
    const rows = x.shape[0];
    let [current, marked] = [x, marks];
    while (current.shape[1] > 1 || marked !== undefined) {
      const arity = arityFor(rows * current.shape[1]);
      current = this.#level(current, marked, marked === undefined ? arity : arity >> 1);
      marked = undefined;
    }
    return gates.reshape(current, [rows]);
  }

  /**
   * One level: slices of every row side by side. The last one overlaps the one before it, which an OR does not
   * mind.
   */
  #level(x: Wire, marks: Wire | undefined, most: number): Wire {
    const width = x.shape[1];
    const each = Math.ceil(width / Math.min(most, width));
    const starts = Array.from({ length: Math.ceil(width / each) }, (_, i) => Math.min(i * each, width - each));
    const slices = (of: Wire) => starts.map((start) => this.#columns(of, start, each));
    return this.#or(slices(x), marks === undefined ? [] : slices(marks));
  }

  /** x_0 ∨ x_1 ∨ …, where there are marks (x_0 ∧ mark_0) ∨ …, of wires of the same shape. */
  #or(x: readonly Wire[], marks: readonly Wire[] = []): Wire {
    const bits = [...x, ...marks];
    const key = `${x.length} ${marks.length}`;
    const entries =
      ORS.get(key) ?? Array.from({ length: 1 << bits.length }, (_, joint) => anySet(joint, x.length, marks.length > 0));
    ORS.set(key, entries);
    return this.#gates.reshape(this.#gates.jointTable(bits, entries, 1), x[0].shape);
  }

  #columns(x: Wire, from: number, count: number): Wire {
    const [rows, width] = x.shape;
    return this.#gates.gather(x, strided(from, [rows, width], [count, 1]), [rows, count]);
  }
}

function anySet(joint: number, count: number, marked: boolean): bigint {
  const values = joint & ((1 << count) - 1);
  return (marked ? values & (joint >> count) : values) === 0 ? 0n : 1n;
}
