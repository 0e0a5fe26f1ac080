/** Dealer-assisted selection on one instance: tables, corrections, evaluation and bases. */
import { copyBytes } from '../../../core/bytes.ts';
import { invariant } from '../../../core/errors.ts';
import { cosineTables } from '../../cosine-tables.ts';
import { type ExpTables, type ExpWidth, expSegmentBits, expTables } from '../../exp-tables.ts';
import { type Words, isShared, ringMask, viewWords, wireLength } from '../../ring.ts';
import { checkCosine, basisWords, leadingWords, termWords } from '../cosine-sum.ts';
import { polynomialBound } from '../polynomial-bound.ts';
import { blockOf } from '../key-stream.ts';
import { checkPowers, expDrops, rounding } from '../selection-shape.ts';
import { type TableLayout, elementBits, entryBits, tableBytes } from '../table-layout.ts';
import type { Choice, CosineSum, Degree, PiecewisePolynomial, SelectionTable, Stream } from '../types.ts';
import type { Place } from './link.ts';
import { type Memory, SLACK } from './memory.ts';

/** Bytes of key stream that corrections are dealt from at a time. */
const SPAN = 4096;
/** Bytes of a table that is worth no memory of its own. */
const IN_SCRATCH = 1 << 15;
/** Bits of a block of key stream. */
const BLOCK_BITS = 512;

/**
 * Blocks that are made for the pads of one entry: as many as its bits may touch, or a divisor of four above that;
 * undefined where four are too few.
 */
function blocksOfEntry(bits: number): 1 | 2 | 4 | undefined {
  if (BLOCK_BITS % bits === 0) return 1;
  const touched = Math.floor((BLOCK_BITS - 2 + bits) / BLOCK_BITS) + 1;
  if (touched <= 2) return 2;
  return touched <= 4 ? 4 : undefined;
}

/**
 * How Horner's rule of a polynomial may be computed: 0 all products fit 32 signed bits, 1 all sums do, 2 all products
 * fit 64, 3 all sums do.
 */
function polynomialMode(polynomial: PiecewisePolynomial): number {
  const { product, sum } = polynomialBound(polynomial);
  const [small, large] = [1n << 31n, 1n << 63n];
  if (polynomial.t < 32 && sum < small) return product < small ? 0 : 1;
  return product < large ? 2 : 3;
}

/** The part of a selection table that elements [from, to) need. Views, no copies. */
export function sliceTable(table: SelectionTable<Words>, from: number, to: number): SelectionTable<Words> {
  const part = (x: Words): Words => viewWords(x, from, to);
  switch (table.kind) {
    case 'rows':
      return { ...table, row: part(table.row) };
    case 'polynomial':
      return { ...table, a: part(table.a) };
    case 'exp':
      return { ...table, a: part(table.a), gate: part(table.gate) };
    case 'cosine':
      return { ...table, a: part(table.a), gate: table.gate === undefined ? undefined : part(table.gate) };
    case 'choose':
      return { ...table, bits: table.bits.map(part), values: table.values.map(part) };
  }
}

/** Where a table is built: the stream, its first block, the buffer and the table's byte in it; the first pad's bit. */
interface Site {
  readonly stream: readonly [state: number, block: number, buf: Place, skip: number];
  readonly shift: number;
}

export class Selection {
  readonly #memory: Memory;
  #tables: { coarse: number; fine: number; words: ExpTables } | undefined;
  #cosines: number | undefined;
  readonly #wire = new WeakMap<object, { readonly k: number; readonly bytes: Uint8Array }>();

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /**
   * Table bytes of `count` elements that start at number `first`; `table` is already a slice (`sliceTable`). Without
   * pads its words are in the clear.
   */
  table(
    table: SelectionTable<Words>,
    layout: TableLayout,
    pads: Stream | undefined,
    first: number,
    count: number,
  ): Uint8Array {
    if (table.kind === 'exp') this.#loadExp();
    if (table.kind === 'cosine') this.#loadCosines();
    return this.#memory.run(() => {
      // The first pad, in bits of the stream.
      const position = first * elementBits(layout);
      const length = tableBytes(layout, count);
      const from = Math.floor(position / 8);
      const block = blockOf(from, Math.ceil((position + count * elementBits(layout)) / 8));
      const skip = from % 64;
      const bytes = skip + length + this.#memory.sizes.tableAhead + SLACK;
      // A long one where it stays, if that is possible.
      const own = this.#memory.direct && length > IN_SCRATCH ? new Uint8Array(bytes) : undefined;
      const buf = own === undefined ? this.#memory.take(bytes) : 0;
      const widths = this.#memory.copy(Uint32Array.from(layout.widths));
      const state = pads === undefined ? 0 : this.#memory.state(pads);
      const site: Site = { stream: [state, block, own ?? buf, skip], shift: position % 8 };
      this.#entries(table, layout, site, [...site.stream, widths, layout.widths.length, site.shift, count]);
      if (own === undefined) return copyBytes(this.#memory.bytes(buf + skip, length));
      // SECURITY: pads of other elements.
      own.fill(0, 0, skip).fill(0, skip + length);
      return own.subarray(skip, skip + length);
    });
  }

  /** `head` are the arguments with which every kind of table begins (`begin` in `wasm/src/table.rs`), and the count. */
  #entries(table: SelectionTable<Words>, layout: TableLayout, site: Site, head: readonly Place[]): void {
    const count = head[head.length - 1] as number;
    switch (table.kind) {
      case 'rows': {
        const { n, stride } = table;
        const limit = Math.floor((table.table.data.length - n) / stride) + 1;
        const row = this.#memory.copy32(table.row);
        const rows = this.#memory.indices(row, count);
        for (let i = 0; i < count; i++) invariant(rows[i] < limit, 'selection row out of range');
        const [k] = layout.widths;
        // Whole bytes per row, and lanes that add in SIMD: rows in wire form.
        const whole =
          k === 1 ? n % 8 === 0 && stride % 8 === 0 && site.shift === 0 : k === 8 || k === 16 || k === 32 || k === 64;
        if (whole) {
          const packed = this.#packed(table.table, k);
          const [bytes, step] = [wireLength(k, n), wireLength(k, stride)];
          this.#memory.exports.table_rows(...site.stream, Math.floor(k / 8), count, packed, bytes, step, row);
        } else {
          this.#memory.exports.table_rows_any(...head, this.#memory.copy64(table.table), n, stride, row);
        }
        return;
      }
      case 'polynomial': {
        const { segments, degree, t, guard, coefficients } = table.polynomial;
        const mode = polynomialMode(table.polynomial);
        const [a, c, temp, lanes] = [
          this.#memory.operand64(table.a),
          this.#memory.copy(coefficients),
          this.#memory.take(8 * (degree + 1) * segments),
          this.#memory.take(64 * segments),
        ];
        this.#memory.exports.table_polynomial(...head, a, c, segments, degree, t, guard, mode, temp, lanes);
        return;
      }
      case 'exp': {
        const { coarse, fine, words } = this.#expTables();
        const { factor } = words.segments[table.width];
        const drops = Uint32Array.from(expDrops(words, table.width, table.s1));
        this.#memory.exports.table_exp(
          ...head,
          this.#memory.operand64(table.a),
          this.#memory.operand64(table.gate),
          coarse,
          fine,
          this.#memory.copy(factor),
          this.#memory.copy(drops),
          factor.length,
          expSegmentBits(table.width),
          this.#memory.take(16 * factor.length),
        );
        return;
      }
      case 'cosine': {
        const { sum, a, gate } = table;
        checkCosine(sum);
        this.#memory.exports.table_cosine(
          ...head,
          this.#memory.operand64(a),
          gate === undefined ? 0 : this.#memory.operand32(gate),
          this.#cosineTables(),
          this.#memory.copy(termWords(sum)),
          sum.terms.length,
          sum.odd ? 1 : 0,
          leadingWords(sum),
          sum.linear ? 1 : 0,
          sum.constant,
          this.#memory.take(8 * 2 * basisWords(sum)),
        );
        return;
      }
      case 'choose': {
        const n = 1 << table.bits.length;
        const V = table.values.length;
        const joint = this.#memory.take(4 * count);
        for (const [b, bit] of table.bits.entries())
          this.#memory.exports.join_bit(joint, this.#memory.operand32(bit), count, b);
        const pick = this.#memory.copy(table.pick.map((v) => (v === 255 ? V : v)));
        const values = this.#memory.take(8 * count * (V + 1));
        table.values.forEach((value, v) => {
          const at = this.#memory.copy64(value);
          this.#memory.bytes(values + 8 * count * v, 8 * count).set(this.#memory.bytes(at, 8 * count));
        });
        this.#memory.exports.table_choose(...head, joint, pick, n, values, V, this.#memory.take(8 * n * (V + 1)));
        return;
      }
    }
  }

  /** A public table in wire form. It is kept for as long as the table is there: small calls come by the hundred. */
  #packed({ k: ring, data }: Words, k: number): number {
    const known = this.#wire.get(data);
    if (known?.k === k) return this.#memory.copy(known.bytes);
    const at = this.#memory.copy(data);
    const cast = ring === k ? at : this.#memory.shift(at, ring, data.length, 0, k);
    const [length, packed] = [wireLength(k, data.length), this.#memory.take(wireLength(k, data.length))];
    this.#memory.of('pack', k)(cast, packed, data.length, k);
    // What a worker is sent is another view in every message.
    if (!isShared(data)) this.#wire.set(data, { k, bytes: this.#memory.bytes(packed, length).slice() });
    return packed;
  }

  /** The integer tables of the exponential, made once per instance. They are public and stay. */
  #expTables(): { coarse: number; fine: number; words: ExpTables } {
    invariant(this.#tables !== undefined, 'exponential tables are not loaded');
    return this.#tables;
  }

  /** Loads the tables; separate because persistent memory must be taken before an operation's scratch. */
  #loadExp(): void {
    if (this.#tables !== undefined) return;
    const words = expTables();
    const { coarse, fine } = words;
    const at = this.#memory.keep(4 * (coarse.length + fine.length));
    this.#tables = { coarse: at, fine: at + 4 * coarse.length, words };
    this.#memory.write(this.#tables.coarse, coarse);
    this.#memory.write(this.#tables.fine, fine);
  }

  /** The integer tables of the cosine, in the order of cosine.rs. As those of the exponential. */
  #cosineTables(): number {
    invariant(this.#cosines !== undefined, 'cosine tables are not loaded');
    return this.#cosines;
  }

  #loadCosines(): void {
    if (this.#cosines !== undefined) return;
    const { coarse, fineCos, fineSin } = cosineTables();
    const turn = coarse.length;
    // A cosine, and the one a quarter before: a sine.
    const pairs = Int32Array.from(
      { length: 2 * turn },
      (_, i) => coarse[((i >> 1) + (i & 1) * (turn - turn / 4)) % turn],
    );
    const at = this.#memory.keep(fineCos.byteLength + fineSin.byteLength + pairs.byteLength);
    this.#memory.write(at, fineCos);
    this.#memory.write(at + fineCos.byteLength, fineSin);
    this.#memory.write(at + fineCos.byteLength + fineSin.byteLength, pairs);
    this.#cosines = at;
  }

  /**
   * What puts the basis of elements [from, to) of a choice into scratch, as words of the ring, and says where; 0 where
   * there is none. Not within an operation: it may keep tables.
   */
  basis({ basis, cosines }: Omit<Choice<Words>, 'index'>, P: number, k: number): (from: number, to: number) => Place {
    if (cosines !== undefined) {
      this.#loadCosines();
      const terms = termWords(cosines.sum);
      return (from, to) => this.#cosineWords(viewWords(cosines.l, from, to), cosines.sum, terms, k);
    }
    return (from, to) => (basis === undefined ? 0 : this.#memory.operand(basis.data.subarray(P * from, P * to)));
  }

  #cosineWords(l: Words, sum: CosineSum, terms: Int32Array, k: number): number {
    const words = l.data.length * basisWords(sum);
    const [a, out] = [this.#memory.operand64(l), this.#memory.take(8 * words)];
    this.#memory.exports.cosine_basis(
      a,
      out,
      l.data.length,
      this.#cosineTables(),
      this.#memory.copy(terms),
      sum.terms.length,
      leadingWords(sum),
      sum.shift,
      ringMask(k),
    );
    return k > 32 ? out : this.#memory.shift(out, 64, words, 0, k);
  }

  /** The corrections of elements that start at number `first`; choice and r0 are already slices. */
  deal(choice: Choice<Words>, layout: TableLayout, pads: Stream, r0: Words, first: number): Words {
    const count = choice.index.data.length;
    const { n, k, widths } = layout;
    const [bits, element, P] = [entryBits(layout), elementBits(layout), widths.length];
    blockOf(Math.floor((first * element) / 8), Math.ceil(((first + count) * element) / 8));
    // The whole stream is taken where it is not longer than the blocks of the chosen pads.
    const per = blocksOfEntry(bits);
    const span = per === undefined || element <= BLOCK_BITS * per ? Math.max(1, Math.floor((8 * SPAN) / element)) : 0;
    const [result, basis] = [this.#memory.result(k, count), this.basis(choice, P, k)];
    const bitsOf = Uint32Array.from(widths);
    this.#memory.parts(count, P, (from, to) => {
      const temp = this.#memory.take(Math.ceil((span * element) / 8) + this.#memory.sizes.dealSlack);
      const out = this.#memory.place(undefined, result, from, to);
      this.#memory.of('deal', k)(
        this.#memory.state(pads),
        this.#memory.operand32(viewWords(choice.index, from, to)),
        basis(from, to),
        this.#memory.operand(r0.data.subarray(from, to)),
        out,
        BigInt(first + from),
        to - from,
        n,
        this.#memory.copy(bitsOf),
        P,
        this.#memory.mask(k),
        span,
        per ?? 0,
        temp,
      );
      this.#memory.store(out, result, from, to);
    });
    return result;
  }

  powers(l: Words, t: number, s2: number, degree: Degree, k: number): Words {
    checkPowers(t, degree);
    const wide = degree * t > 63 ? 1 : 0;
    return this.#memory.widened(l, degree + 1, k, (a, out, n) =>
      this.#memory.exports.powers(a, out, n, t, s2, degree, wide),
    );
  }

  expBasis(l: Words, s2: number, width: ExpWidth, k: number): Words {
    this.#loadExp();
    const { coarse, fine } = this.#expTables();
    const [half, drop] = rounding(62 - s2);
    return this.#memory.widened(l, 1, k, (a, out, n) =>
      this.#memory.exports.exp_basis(a, out, n, coarse, fine, half, drop, expSegmentBits(width)),
    );
  }

  cosineBasis(l: Words, sum: CosineSum, k: number): Words {
    checkCosine(sum);
    const P = basisWords(sum);
    const [result, basis] = [this.#memory.result(k, P * l.data.length), this.basis({ cosines: { l, sum } }, P, k)];
    this.#memory.parts(l.data.length, P, (from, to) => this.#memory.store(basis(from, to), result, P * from, P * to));
    return result;
  }

  chooseBasis(values: readonly Words[]): Words {
    const [{ k, data }, V] = [values[0], values.length];
    return this.#memory.run(() => {
      const out = this.#memory.lanes(k, data.length * (V + 1));
      for (const [v, value] of values.entries())
        this.#memory.of('choose_basis', k)(
          this.#memory.operand(value.data),
          out,
          data.length,
          V + 1,
          v,
          this.#memory.mask(k),
        );
      return this.#memory.read(out, k, data.length * (V + 1));
    });
  }
}
