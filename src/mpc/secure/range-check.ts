/**
 * Whether values stay inside their gadgets' domains: one bit for each sequence, exact, opened to P0 alone (ADR 20,
 * ADR 33).
 *
 * A check reads the coarse bits of a wire in a table of single bits, 1 where the value lies outside. All bits of a
 * tensor are joined by OR, so that neither their number nor their places survive. A wire is read in units that
 * overlap: its measured unit is the true one or the next, because of the dither of `shift`. So every check has
 * three zones: inside `accepted` a value always passes, outside the domain it never does, and in between it may be
 * refused although it is still right.
 *
 * A table reads residues. What comes back to one that passes is refused by a coarser table behind it, up to a
 * `reach`, a power of two that the caller proves (`ml/checked-plan.ts`); reach is public. Where half of a table's
 * residues pass, the table is a sign, and half as large.
 */
import { strided } from '../../compute/pattern.ts';
import { invariant } from '../../core/errors.ts';
import type { ExactTable, Gates } from '../protocol/types.ts';
import type { Wire } from '../share/wire.ts';
import { isNegativeIn } from './compare.ts';
import { measured, unitTable } from './measure.ts';

/** log2 of the parts of a LayerNorm's top unit: fewer would refuse more, more would make the table larger. */
export const EIGHTH = 3;

/**
 * A table of a magnitude. It reads factor · x in units of 2^unit, `offset` units higher, and passes the measured units
 * 0 … pass − 1 of 2^bits. So the `pass` − 1 true units 0 … pass − 2 always pass, and besides them at most −1 and
 * pass − 1 do.
 */
export interface MagnitudeTable {
  readonly factor: number;
  /** log2 */
  readonly unit: number;
  readonly bits: number;
  readonly pass: number;
  /** In units; of the finest table a whole number and a half. */
  readonly offset: number;
}

/** The finest table: 8 of 16 units pass, which half of the ring is. */
const FINEST = { bits: 4, pass: 8 } as const;
/** A multiple of x lets its units, powers of two, fit any domain: within a part in so many. */
const FACTOR = 64;

/** log2 of the finest unit, and by what x is multiplied so that 9 halves of the unit are just inside the domain. */
function finestOf(domain: number): { readonly unit: number; readonly factor: number } {
  const half = (FINEST.pass + 1) / 2;
  const unit = Math.ceil(Math.log2((FACTOR * domain) / half));
  return { unit, factor: Math.floor((half * 2 ** unit) / domain) + 1 };
}

/** Below this magnitude a value of a gadget with that domain is never refused: seven ninths of it, less a hundredth. */
export function accepted(domain: number): number {
  const { unit, factor } = finestOf(domain);
  return (((FINEST.pass - 1) / 2) * 2 ** unit) / factor;
}

/** Sizes of coarser tables: what passes half of the ring is a sign. In bits from P1 to P2 an element. */
const COARSER = [
  { bits: 2, pass: 2, cost: 2 },
  { bits: 3, pass: 4, cost: 4 },
  { bits: 4, pass: 8, cost: 8 },
  { bits: 3, pass: 3, cost: 8 },
  { bits: 4, pass: 3, cost: 16 },
  { bits: 4, pass: 5, cost: 16 },
  { bits: 5, pass: 3, cost: 32 },
  { bits: 5, pass: 5, cost: 32 },
  { bits: 6, pass: 3, cost: 64 },
  { bits: 6, pass: 5, cost: 64 },
] as const;
/** What one more table costs beside its entries: the OR, and a bit of P0, whose link is the thin one. */
const OR_COST = 24;
/** Less than that is not worth a table. */
const GROWTH = 1.5;

interface Ladder {
  readonly cost: number;
  readonly tables: readonly MagnitudeTable[];
}

/** Places of an octave at which coarser tables are planned: rounded down, so that a few plans serve for all. */
const PLACES = 16;

/**
 * Plans the tables behind the finest one.
 * @param safe what every table must always pass
 */
function planner(finest: MagnitudeTable, safe: number, reach: number, room: number) {
  // A multiple that wraps has another period.
  const factor = reach * finest.factor < 2 ** (room - 1) ? finest.factor : 1;
  const shared = factor === finest.factor;
  const known = new Map<number, Ladder | undefined>();

  /** The cheapest tables, where those before let nothing from the domain up to `held` pass. */
  function behind(held: number): Ladder | undefined {
    if (held > reach) return { cost: 0, tables: [] };
    const place = Math.floor(Math.log2(held) * PLACES);
    if (!known.has(place)) known.set(place, cheapest(2 ** (place / PLACES)));
    return known.get(place);
  }

  function cheapest(held: number): Ladder | undefined {
    let best: Ladder | undefined;
    for (const { bits, pass, cost } of COARSER) {
      // The largest unit of which what may pass ends where the tables before it stop; the next one where that is too
      // coarse for what must pass, or for the offset.
      const largest = Math.floor(Math.log2((2 * held * factor) / (pass + 1)));
      for (const unit of [largest, largest - 1]) {
        if (unit + bits > room || (shared && unit <= finest.unit)) continue;
        const size = 2 ** unit / factor;
        const middle = (pass - 1) / 2;
        // From one reading of finest units all tables are made, so their offsets differ by whole ones.
        const fine = 2 ** (finest.unit - unit);
        const aside = shared ? (middle - finest.offset * fine) % fine : 0;
        const passes = (middle - Math.abs(aside)) * size;
        const stops = (middle + 1 + Math.abs(aside)) * size;
        // All bits that there are have no period.
        const next = unit + bits === room ? Number.POSITIVE_INFINITY : 2 ** bits * size - stops;
        if (passes < safe || stops > held || next < GROWTH * held) continue;
        const rest = behind(next);
        if (rest === undefined) continue;
        const all = cost + OR_COST + rest.cost;
        if (best !== undefined && all >= best.cost) continue;
        best = { cost: all, tables: [{ factor, unit, bits, pass, offset: middle - aside }, ...rest.tables] };
      }
    }
    return best;
  }

  return behind;
}

const LADDERS = new Map<string, readonly MagnitudeTable[]>();

/** The tables for magnitudes up to 2^reach, of a wire with `room` bits before its point. */
export function magnitudeTables(domain: number, reach: number, room = 32): readonly MagnitudeTable[] {
  const key = `${domain} ${reach} ${room}`;
  const known = LADDERS.get(key);
  if (known !== undefined) return known;
  const { unit, factor } = finestOf(domain);
  const finest: MagnitudeTable = { factor, unit, ...FINEST, offset: (FINEST.pass - 1) / 2 };
  const size = 2 ** unit / factor;
  const held = 2 ** FINEST.bits * size - ((FINEST.pass + 1) / 2) * size;
  const coarser = planner(finest, accepted(domain), 2 ** reach, room)(held);
  invariant(coarser !== undefined, `no tables hold a reach of 2^${reach} for a domain of ${domain}`);
  const tables = [finest, ...coarser.tables];
  LADDERS.set(key, tables);
  return tables;
}

/** Table on Z_2^bits: 0 for the residues from, from + 1, … to, 1 for the others. */
function outsideTable(bits: number, from: number, to: number): ExactTable {
  const n = 1 << bits;
  return { bits, entries: Array.from({ length: n }, (_, i) => ((((i - from) % n) + n) % n <= to - from ? 0n : 1n)) };
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
   * follow one another. Cost an element, for every table (`magnitudeTables`): a bit of P0 and 2^(bits − 3) bytes P1 →
   * P2, half of them for a sign, and about a byte and ⅓ bit for the OR.
   * @param rows 1 at rows that count, of shape (rows); all when absent.
   */
  magnitude(x: Wire, domain: number, reach: number, rows?: Wire): void {
    const gates = this.#gates;
    gates.section('range', () => {
      const tables = magnitudeTables(domain, reach, x.k - x.scale);
      const [finest] = tables;
      const { unit: lowest, factor } = finest;
      const read = this.#raised(x, finest);
      // With one coin masked once for all tables of one multiple. A unit read from a measured unit is still the true
      // one or the next: at the lower end of a unit there is nothing to round.
      const once = gates.rounding.coins === 1;
      const shared = tables.filter((table) => table.factor === factor);
      const all = Math.max(...shared.map(({ unit, bits }) => unit + bits)) - lowest;
      const coarse = once ? gates.reshare(gates.reduce(gates.shift(read, x.scale + lowest), all)) : read;
      for (const table of tables) {
        if (table.factor !== factor) {
          this.#units(this.#raised(x, table), table, rows);
          continue;
        }
        const more = table.offset * 2 ** (table.unit - lowest) - finest.offset;
        this.#units(gates.offset(coarse, BigInt(more) << BigInt(coarse.scale + lowest)), table, rows);
      }
    });
  }

  /** A multiple of x, by the offset of a table further up. */
  #raised(x: Wire, { factor, unit, offset }: MagnitudeTable): Wire {
    const multiple = factor === 1 ? x : this.#gates.scale(x, BigInt(factor), x.scale);
    return this.#gates.offset(multiple, BigInt(offset * 2 ** (x.scale + unit)));
  }

  /** One table on x, whose offset has been added. */
  #units(x: Wire, { unit, bits, pass }: MagnitudeTable, rows: Wire | undefined): void {
    const gates = this.#gates;
    const width = x.shape[x.shape.length - 1];
    const index = gates.reshape(measured(gates, x, -unit, bits), [x.count / width, width], 0);
    const outside =
      pass === 2 ** (bits - 1)
        ? isNegativeIn(gates, index)
        : gates.table(index, unitTable(gates, this.table(bits, 0, pass - 1)), 1);
    this.outside(gates.reshape(outside, index.shape, 0), { rows });
  }

  /**
   * Takes bits of elements that are outside, shape (rows, width) with the rows of one sequence after the other.
   * @param x one wire, or several of one shape: an element is outside where any of them says so
   * @param counts 1 at elements and at rows that count; those of padding may hold anything.
   */
  outside(
    x: Wire | readonly Wire[],
    { elements, rows }: { readonly elements?: Wire | undefined; readonly rows?: Wire | undefined } = {},
  ): void {
    const several = 'shape' in x ? [x] : x;
    if (elements === undefined || several.length === 1) for (const one of several) this.#take(one, elements, rows);
    // The mark of an element is read once for all of them.
    else this.#take(this.#anyMarked(several, elements), undefined, rows);
  }

  #take(x: Wire, elements: Wire | undefined, rows: Wire | undefined): void {
    const perRow = this.#anyInRow(x, elements);
    const bySequence = [this.sequences, perRow.count / this.sequences];
    const marks = rows === undefined ? undefined : this.#gates.reshape(rows, bySequence);
    this.#found.push(this.#anyInRow(this.#gates.reshape(perRow, bySequence), marks));
  }

  /** Results, and behind them what `build` finds outside: not taken yet. */
  apart(build: () => readonly Wire[]): readonly Wire[] {
    const before = this.#found.length;
    const results = build();
    return [...results, ...this.#found.splice(before)];
  }

  /** Takes what was found apart. */
  take(found: readonly Wire[]): void {
    this.#found.push(...found);
  }

  /**
   * The bit of every sequence, (sequences); undefined when nothing was checked. What is there first is joined
   * first, so that the last check adds one round.
   */
  result(): Wire | undefined {
    if (this.#found.length < 2) return this.#found[0];
    return this.#gates.block('all', [...this.#found], () => [this.#joined()])[0];
  }

  #joined(): Wire {
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
    const [rows, width] = x.shape;
    const arity = arityFor(rows * width);
    if (marks === undefined && width === 1) return gates.reshape(x, [rows]);
    const first = this.#level(x, marks, marks === undefined ? arity : arity >> 1);
    if (first.shape[1] === 1) return gates.reshape(first, [rows]);
    // How wide x is changes with a text's length, and less often what the first level leaves of it.
    const [any] = gates.block('any', [first], () => {
      let current = first;
      while (current.shape[1] > 1) current = this.#level(current, undefined, arityFor(rows * current.shape[1]));
      return [gates.reshape(current, [rows])];
    });
    return any;
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
    const [bits, counted] = [slices(x), marks === undefined ? [] : slices(marks)];
    return this.#gates.block(`or ${bits.length}`, [...bits, ...counted], () => [this.#or(bits, counted)])[0];
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

  /** (x_0 ∨ x_1 ∨ …) ∧ mark, element by element. */
  #anyMarked(x: readonly Wire[], mark: Wire): Wire {
    const values = 1 << x.length;
    const key = `${x.length} any marked`;
    const entries = ORS.get(key) ?? Array.from({ length: 2 * values }, (_, joint) => (joint > values ? 1n : 0n));
    ORS.set(key, entries);
    return this.#gates.reshape(this.#gates.jointTable([...x, mark], entries, 1), x[0].shape);
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
