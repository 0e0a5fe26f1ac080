/**
 * One WebAssembly instance of the kernels: synchronous functions on typed arrays, for a worker or for the calling
 * thread. Its memory: `memory.ts`.
 */
import { invariant } from '../../../core/errors.ts';
import type { ExpWidth } from '../../exp-tables.ts';
import { type Vectors, type Words, laneBytes, sameShape, wireLength, zeros } from '../../ring.ts';
import { blockOf } from '../key-stream.ts';
import type { TableLayout } from '../table-layout.ts';
import type {
  Choice,
  CosineSum,
  Degree,
  Drawn,
  DrawnFactor,
  MatrixPlaces,
  PlacedFactors,
  ProductShape,
  SelectionTable,
  Stream,
} from '../types.ts';
import { few, isFew, isMoved } from './few.ts';
import type { Linked } from './link.ts';
import { BLOCK, Memory, up } from './memory.ts';
import { Ot } from './ot.ts';
import { expandPoint } from './point.ts';
import type { PartyOperations } from './party-operations.ts';
import { matmulPlaced } from './placed.ts';
import { Selection } from './selection.ts';

/** Bytes behind its last word that `unpack` may read. */
const BEYOND = 9;

/** Words of a drawn matrix at a time: they, their panels and a product stay in the cache. */
const DRAWN_WORDS = 1 << 18;

/**
 * Rows and inner dimension of the products of a warm-up: one call of each is enough for an engine to see a hot
 * loop.
 */
const [WARM_ROWS, WARM_SIZE] = [8, 256];

/**
 * One instance. Every public method is an operation of `RingKernels` on a range of it, or loads and frees a matrix.
 * Not reentrant, never asynchronous.
 */
export class KernelInstance {
  readonly #memory: Memory;
  readonly #selection: Selection;
  readonly #ot: Ot;
  readonly #party: PartyOperations | undefined;
  /** Columns of a panel of a matrix of either kind: slices begin at a multiple. */
  readonly panel: number;
  /** OTs that are made together: ranges begin at a multiple. */
  readonly otGroup: number;

  /** @param party what a compute party does besides, with a module that has the kernels */
  constructor(of: WebAssembly.Module | Linked | Memory, party?: new (memory: Memory) => PartyOperations) {
    this.#memory = of instanceof Memory ? of : new Memory(of);
    this.#party = party && new party(this.#memory);
    this.#selection = new Selection(this.#memory);
    this.#ot = new Ot(this.#memory);
    this.otGroup = this.#memory.exports.ot_group();
    this.panel = this.#memory.sizes.limbsPanel;
  }

  /** Runs an operation whose result is taken from a pool. */
  within<T>(pool: Vectors | undefined, operation: (instance: this) => T): T {
    this.#memory.pool = pool;
    try {
      return operation(this);
    } finally {
      this.#memory.pool = undefined;
    }
  }

  /**
   * Runs one small product of each kind on zeros. Engines compile a module quickly first and well only what runs
   * often; a large first product would run to its end in the quick code, at a third of the speed. About 10 ms.
   */
  warmUp(): void {
    const [rows, size] = [WARM_ROWS, WARM_SIZE];
    this.#party?.warmUp(rows, size);
    for (const k of [32, 48, 64])
      this.matmul(zeros(rows * size, k), zeros(size * size, k), { batch: 1, m: rows, inner: size, n: size });
    this.draw({ key: new Uint8Array(32), nonce: new Uint8Array(12) }, 64, rows * size, 0);
  }

  // ── elementwise ───────────────────────────────────────────────────────────

  #binary(name: 'add' | 'sub' | 'mul', x: Words, y: Words): Words {
    sameShape(x, y);
    if (isFew(x)) return few[name](this.#memory.result(x.k, x.data.length), x, y);
    const [kernel, mask] = [this.#memory.of(name, x.k), this.#memory.mask(x.k)];
    return this.#memory.lanewise(x.k, [x, y], ([a, b], out, n) => kernel(a, b, out, n, mask));
  }

  #constant(name: 'scale' | 'offset', x: Words, c: bigint): Words {
    if (isFew(x)) return few[name](this.#memory.result(x.k, x.data.length), x, c);
    const [kernel, lane, mask] = [this.#memory.of(name, x.k), this.#memory.lane(c, x.k), this.#memory.mask(x.k)];
    return this.#memory.lanewise(x.k, [x], ([a], out, n) => kernel(a, out, n, lane, mask));
  }

  #row(name: string, x: Words, row: Words): Words {
    return this.#memory.run(() => {
      const n = x.data.length;
      const [a, b] = [this.#memory.operand(x.data), this.#memory.operand(row.data)];
      return this.#memory.made(x.k, n, (out) => {
        if (n > 0) this.#memory.of(name, x.k)(a, b, out, n, row.data.length, this.#memory.mask(x.k));
      });
    });
  }

  add(x: Words, y: Words): Words {
    return this.#binary('add', x, y);
  }

  sub(x: Words, y: Words): Words {
    return this.#binary('sub', x, y);
  }

  mul(x: Words, y: Words): Words {
    return this.#binary('mul', x, y);
  }

  scale(x: Words, c: bigint): Words {
    return this.#constant('scale', x, c);
  }

  offset(x: Words, c: bigint): Words {
    return this.#constant('offset', x, c);
  }

  shiftRight(x: Words, s: number, k: number): Words {
    const width = 8 * laneBytes(x.k);
    if (s >= width) return zeros(x.data.length, k);
    if (isFew(x)) return few.shiftRight(this.#memory.result(k, x.data.length), x, s);
    const [kernel, mask] = [this.#memory.exports[`shift${width}to${8 * laneBytes(k)}`], this.#memory.mask(k)];
    return this.#memory.lanewise(k, [x], ([a], out, n) => kernel(a, out, n, s, mask));
  }

  addRow(x: Words, row: Words): Words {
    return this.#row('add_row', x, row);
  }

  mulRow(x: Words, row: Words): Words {
    return this.#row('mul_row', x, row);
  }

  sumRows(x: Words, cols: number): Words {
    return this.#memory.run(() => {
      const rows = x.data.length / cols;
      const a = this.#memory.operand(x.data);
      return this.#memory.made(x.k, rows, (out) =>
        this.#memory.of('sum_rows', x.k)(a, out, rows, cols, this.#memory.mask(x.k)),
      );
    });
  }

  repeat(x: Words, cols: number): Words {
    return this.#memory.run(() => {
      const n = x.data.length;
      const a = this.#memory.operand(x.data);
      return this.#memory.made(x.k, n * cols, (out) => this.#memory.of('repeat', x.k)(a, out, n, cols));
    });
  }

  gather(x: Words, index: Uint32Array): Words {
    if (isMoved(index.length)) {
      const out = this.#memory.result(x.k, index.length);
      invariant(few.gather(out, x, index), 'gather index out of range');
      return out;
    }
    return this.#memory.run(() => {
      const [a, at] = [this.#memory.operand(x.data), this.#memory.operand(index)];
      return this.#memory.made(x.k, index.length, (out) => {
        const outside = this.#memory.of('gather', x.k)(a, x.data.length, at, out, index.length);
        invariant(outside === 0, 'gather index out of range');
      });
    });
  }

  // ── products ──────────────────────────────────────────────────────────────

  matmul(x: Words, y: Words, shape: ProductShape): Words {
    const { batch, m, inner, n, transposed } = shape;
    return this.#memory.run(() => {
      const count = batch * m * n;
      const [a, b] = [this.#memory.operand(x.data), this.#memory.operand(y.data)];
      const { panel32 } = this.#memory.sizes;
      const wide = x.k > 32;
      const { product64_room } = this.#memory.exports;
      const scratch = this.#memory.take(wide ? product64_room(m, inner, n) : 4 * inner * up(n, panel32));
      const order = transposed === true ? 1 : 0;
      const [kernel, mask] = [this.#memory.of('product', x.k), this.#memory.mask(x.k)];
      // One of 64-bit words may be added to what is there.
      const add = wide ? [0] : [];
      return this.#memory.made(x.k, count, (out) =>
        kernel(a, b, out, batch, m, inner, n, order, mask, scratch, ...add),
      );
    });
  }

  matmulPlaced(factors: readonly PlacedFactors<Words>[], shape: ProductShape, places: MatrixPlaces): Words {
    return matmulPlaced(this.#memory, factors, shape, places);
  }

  // ── randomness ────────────────────────────────────────────────────────────

  draw(stream: Stream, k: number, count: number, first: number): Words {
    const result = this.#memory.result(k, count);
    const lane = laneBytes(k);
    const block = blockOf(first * lane, (first + count) * lane);
    const skip = (first * lane) % 64;
    const blocksOf = (words: number) => Math.ceil((skip + words * lane) / 64);
    this.#memory.run(() => {
      const n = Math.min(count, BLOCK);
      const [state, out] = [this.#memory.state(stream), this.#memory.take(64 * up(blocksOf(n), 4))];
      // A mask of all bits copies, faster than an engine does.
      const whole = (k === 32 || k === 64) && !this.#memory.sees(result);
      const masked = whole ? 0 : this.#memory.unplaced(result, n);
      const kernel = this.#memory.exports[`shift${8 * lane}to${8 * lane}`];
      const mask = this.#memory.mask(k);
      this.#memory.blocks(count, (from, to) => {
        this.#memory.exports.keystream(state, block + (from * lane) / 64, blocksOf(to - from), out);
        const words = whole ? out + skip : this.#memory.place(masked, result, from, to);
        if (!whole) kernel(out + skip, words, to - from, 0, mask);
        this.#memory.store(words, result, from, to);
      });
    });
    return result;
  }

  /** Σ x·Y over the rows [from, to) of every Y, which are drawn, added and multiplied block by block. */
  matmulDrawn(
    factors: readonly DrawnFactor<Words>[],
    drawn: readonly Drawn[],
    inner: number,
    n: number,
    from: number,
    to: number,
  ): Words {
    const { k, data } = factors[0].x;
    const [m, mask] = [data.length / inner, this.#memory.mask(k)];
    const { keystream, add64, sub64, product64, product64_room } = this.#memory.exports;
    const most = Math.max(1, Math.min(to - from, Math.floor(DRAWN_WORDS / n)));
    // A stretch of a stream begins within a block, and is made four blocks at a time.
    const stretch = (words: number) => 64 * up(Math.ceil((56 + 8 * words) / 64), 4);
    return this.#memory.run(() => {
      const states = drawn.map(({ stream }) => this.#memory.state(stream));
      const streams = drawn.map(() => this.#memory.take(stretch(most * n)));
      const [x, y] = [this.#memory.lanes(k, m * most), this.#memory.lanes(k, most * n)];
      const scratch = this.#memory.take(product64_room(m, most, n));
      return this.#memory.made(k, m * n, (out) => {
        let added = 0;
        for (let row = from; row < to; row += most) {
          const rows = Math.min(most, to - row);
          const words = drawn.map(({ first }, i) => {
            const begin = 8 * (first + row * n);
            const block = blockOf(begin, begin + 8 * rows * n);
            keystream(states[i], block, Math.ceil(((begin % 64) + 8 * rows * n) / 64), streams[i]);
            return streams[i] + (begin % 64);
          });
          for (const { x: of, signs } of factors) {
            // One that is added is where the sum begins.
            const first = signs.indexOf(1);
            let sum = first < 0 ? y : words[first];
            if (first < 0) this.#memory.wipe(y, y + 8 * rows * n);
            for (const [i, sign] of signs.entries())
              if (sign !== 0 && i !== first) {
                (sign > 0 ? add64 : sub64)(sum, words[i], y, rows * n, mask);
                sum = y;
              }
            for (let r = 0; r < m; r++)
              this.#memory.write(x + 8 * r * rows, of.data.subarray(r * inner + row, r * inner + row + rows));
            product64(x, sum, out, 1, m, rows, n, 0, mask, scratch, added++);
          }
        }
      });
    });
  }

  // ── wire form ─────────────────────────────────────────────────────────────

  pack(x: Words): Uint8Array {
    const [{ k, data }, kernel] = [x, this.#memory.of('pack', x.k)];
    const result = new Uint8Array(wireLength(k, data.length));
    if (this.#memory.direct) {
      if (data.length > 0) kernel(data, result, data.length, k);
      return result;
    }
    this.#memory.run(() => {
      const n = Math.min(data.length, BLOCK);
      const [a, out] = [this.#memory.unplaced(x, n), this.#memory.take(wireLength(k, n))];
      this.#memory.blocks(data.length, (from, to) => {
        kernel(this.#memory.block(a, x, from, to), out, to - from, k);
        result.set(this.#memory.bytes(out, wireLength(k, to - from)), wireLength(k, from));
      });
    });
    return result;
  }

  unpack(bytes: Uint8Array, k: number, count: number): Words {
    const [result, kernel] = [this.#memory.result(k, count), this.#memory.of('unpack', k)];
    // Eight words are k bytes. Those behind which a kernel may read are read where they lie.
    const near = this.#memory.direct ? 8 * Math.max(0, Math.floor((bytes.length - BEYOND) / k)) : 0;
    if (near > 0) kernel(bytes, this.#memory.place(0, result, 0, near), near, k);
    this.#memory.run(() => {
      const n = Math.min(count - near, BLOCK);
      const [a, out] = [this.#memory.take(wireLength(k, n)), this.#memory.unplaced(result, n)];
      this.#memory.blocks(count - near, (first, last) => {
        const [from, to] = [near + first, near + last];
        this.#memory.write(a, bytes.subarray(wireLength(k, from), wireLength(k, to)));
        const words = this.#memory.place(out, result, from, to);
        kernel(a, words, to - from, k);
        this.#memory.store(words, result, from, to);
      });
    });
    return result;
  }

  // ── selection (`selection.ts`) ────────────────────────────────────────────

  selectionTable(
    table: SelectionTable<Words>,
    layout: TableLayout,
    pads: Stream | undefined,
    first: number,
    count: number,
  ): Uint8Array {
    return this.#selection.table(table, layout, pads, first, count);
  }

  dealSelection(choice: Choice<Words>, layout: TableLayout, pads: Stream, r0: Words, first: number): Words {
    return this.#selection.deal(choice, layout, pads, r0, first);
  }

  powers(l: Words, t: number, s2: number, degree: Degree, k: number): Words {
    return this.#selection.powers(l, t, s2, degree, k);
  }

  expBasis(l: Words, s2: number, width: ExpWidth, k: number): Words {
    return this.#selection.expBasis(l, s2, width, k);
  }

  cosineBasis(l: Words, sum: CosineSum, k: number): Words {
    return this.#selection.cosineBasis(l, sum, k);
  }

  chooseBasis(values: readonly Words[]): Words {
    return this.#selection.chooseBasis(values);
  }

  // ── OT extension (`ot.ts`) ────────────────────────────────────────────────

  otReceive(base: Uint8Array, nonce: Uint8Array, choice: Words, k: number, first: number): readonly [Words, Words] {
    return this.#ot.receive(base, nonce, choice, k, first);
  }

  otSend(base: Uint8Array, nonce: Uint8Array, message: Words, k: number, first: number): readonly [Words, Words] {
    return this.#ot.send(base, nonce, message, k, first);
  }

  // ── distributed point function (`point.ts`) ───────────────────────────────

  expandPoint(key: Uint8Array, depth: number, from: number, to: number): Words {
    return expandPoint(this.#memory, key, depth, from, to);
  }

  // ── a compute party's (`party-operations.ts`) ─────────────────────────────

  get #its(): PartyOperations {
    invariant(this.#party !== undefined, 'an instance without operations of a compute party');
    return this.#party;
  }

  loadMatrix(...of: Parameters<PartyOperations['loadMatrix']>): void {
    this.#its.loadMatrix(...of);
  }

  loadPanels(...of: Parameters<PartyOperations['loadPanels']>): void {
    this.#its.loadPanels(...of);
  }

  matmulMatrix(...of: Parameters<PartyOperations['matmulMatrix']>): Words {
    return this.#its.matmulMatrix(...of);
  }

  heldPanels(id: number): Words | undefined {
    return this.#its.heldPanels(id);
  }

  columns(...of: Parameters<PartyOperations['columns']>): Words | undefined {
    return this.#its.columns(...of);
  }

  freeMatrix(id: number): void {
    this.#its.freeMatrix(id);
  }

  matmulF32(...of: Parameters<PartyOperations['matmulF32']>): Float32Array {
    return this.#its.matmulF32(...of);
  }

  evaluateSelection(choice: Choice<Words>, layout: TableLayout, table: Uint8Array, word: Words): Words {
    const basis = this.#selection.basis(choice, layout.widths.length, layout.k);
    return this.#its.evaluateSelection(choice.index, basis, layout, table, word);
  }
}
