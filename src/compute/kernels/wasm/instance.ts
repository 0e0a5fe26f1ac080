/**
 * One WebAssembly instance of the kernels: synchronous functions on typed arrays, for a worker or for the calling
 * thread. Its memory: `memory.ts`.
 */
import { invariant } from '../../../core/errors.ts';
import type { ExpWidth } from '../../exp-tables.ts';
import { type Vectors, type Words, laneBytes, ringMask, sameShape, wireLength, zeros } from '../../ring.ts';
import { blockOf } from '../key-stream.ts';
import { type PanelOrder, panelBlocks, panelLength } from '../panels.ts';
import type { TableLayout } from '../table-layout.ts';
import type { Choice, CosineSum, Degree, Drawn, DrawnFactor, ProductShape, SelectionTable, Stream } from '../types.ts';
import { few, isFew, isMoved } from './few.ts';
import type { Linked } from './link.ts';
import { BLOCK, Memory, up } from './memory.ts';
import { Ot } from './ot.ts';
import { expandPoint } from './point.ts';
import { Selection } from './selection.ts';

/** Bytes of a matrix copied in at a time: they are still in the cache when they are packed. */
const PACK_CHUNK = 1 << 18;

/** Words of a drawn matrix at a time: they, their panels and a product stay in the cache. */
const DRAWN_WORDS = 1 << 17;

/**
 * Rows and inner dimension of the products of a warm-up: one call of each is enough for an engine to see a hot
 * loop.
 */
const [WARM_ROWS, WARM_SIZE] = [8, 256];
/** The caller numbers matrices from 1. */
const WARM_MATRIX = 0;

/** Rows of a block of panels: KC of `limbs.rs`, which a test holds this to. */
const BLOCK_ROWS = 256;

/** The order of panels, as `matmul_i32` takes it. */
export function panelOrder(columns: number): PanelOrder {
  return { rows: BLOCK_ROWS, columns };
}

/** A matrix (or a slice of its columns) in the memory of one instance. */
interface Loaded {
  readonly at: number;
  readonly rows: number;
  readonly cols: number;
  /** For every panel where its second layer lies, of entries of 32 bits; of full words there are none. */
  readonly high: number | undefined;
}

/**
 * One instance. Every public method is an operation of `RingKernels` on a range of it, or loads and frees a matrix.
 * Not reentrant, never asynchronous.
 */
export class KernelInstance {
  readonly #memory: Memory;
  readonly #selection: Selection;
  readonly #ot: Ot;
  readonly #matrices = new Map<number, Loaded>();
  /** Columns of a panel of a matrix of either kind: slices begin at a multiple. */
  readonly panel: number;
  /** OTs that are made together: ranges begin at a multiple. */
  readonly otGroup: number;

  constructor(of: WebAssembly.Module | Linked) {
    this.#memory = new Memory(of);
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
    const product = () => {
      this.matmulMatrix(zeros(rows * size, 64), WARM_MATRIX);
      this.freeMatrix(WARM_MATRIX);
    };
    // The data owner's module has no matrices.
    if (this.#memory.exports.matmul_i32 !== undefined) {
      this.loadMatrix(WARM_MATRIX, new BigUint64Array(size * size), size, size);
      product();
      this.loadPanels(WARM_MATRIX, new Int32Array(panelLength(panelOrder(this.panel), size, size)), size, size);
      product();
    }
    for (const k of [32, 64])
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
      const { panel, panel32, left } = this.#memory.sizes;
      const panels = this.#memory.take(x.k <= 32 ? 4 * inner * up(n, panel32) : 8 * inner * up(n, panel) + left);
      const order = transposed === true ? 1 : 0;
      const [kernel, mask] = [this.#memory.of('product', x.k), this.#memory.mask(x.k)];
      return this.#memory.made(x.k, count, (out) => kernel(a, b, out, batch, m, inner, n, order, mask, panels));
    });
  }

  /** Keeps a rows × width matrix, or its columns [from, to), under `id`, which the caller chooses. */
  loadMatrix(
    id: number,
    entries: BigUint64Array,
    rows: number,
    width: number,
    [from, to]: readonly [number, number] = [0, width],
  ): void {
    const cols = to - from;
    const at = this.#memory.keep(8 * rows * up(cols, this.#memory.sizes.panel));
    const step = Math.max(1, Math.floor(PACK_CHUNK / (8 * cols)));
    for (let row = 0; row < rows; row += step) {
      const count = Math.min(step, rows - row);
      this.#memory.run(() => {
        const chunk = this.#memory.take(8 * count * cols);
        for (let i = 0; i < count; i++)
          this.#memory.write(chunk + 8 * i * cols, entries.subarray((row + i) * width + from, (row + i) * width + to));
        this.#memory.exports.pack_u64(chunk, row, count, rows, cols, at);
      });
    }
    this.#matrices.set(id, { at, rows, cols, high: undefined });
  }

  /**
   * The same for 32-bit entries, in the order of `panelOrder`, or for its columns [from, to).
   */
  loadPanels(
    id: number,
    panels: Int32Array,
    rows: number,
    width: number,
    [from, to]: readonly [number, number] = [0, width],
  ): void {
    const cols = to - from;
    const blocks = [...panelBlocks(panelOrder(this.panel), rows, width, [from, to])];
    let [count, lows, highs] = [0, 0, 0];
    for (const block of blocks) {
      count += block.count;
      lows += 4 * block.count * block.layer;
      for (let p = block.place; p < block.place + block.count; p++) if (panels[p] !== 0) highs += 4 * block.layer;
    }
    const at = this.#memory.keep(lows + highs + 4 * count);
    let [low, high, next] = [at, at + lows, 0];
    const places = new Uint32Array(count);
    for (const block of blocks) {
      const bytes = 4 * block.layer;
      const pairs = block.layer / this.panel;
      const step = Math.max(1, Math.floor(PACK_CHUNK / bytes));
      for (let p = 0; p < block.count; p++) {
        const left = Math.min(step, block.count - p) * block.layer;
        const from = block.low + p * block.layer;
        if (p % step === 0) this.#memory.write(low, panels.subarray(from, from + left));
        let place = this.#memory.exports.limbs_light(low, pairs);
        low += bytes;
        const second = panels[block.place + p];
        if (second !== 0) {
          this.#memory.write(high, panels.subarray(second, second + block.layer));
          place += high - at + 2 * this.#memory.exports.limbs_light(high, pairs);
          high += bytes;
        }
        places[next++] = place;
      }
    }
    this.#memory.write(high, places);
    this.#matrices.set(id, { at, rows, cols, high });
  }

  matmulMatrix(x: Words, id: number, bits = 64): Words {
    const matrix = this.#matrices.get(id);
    invariant(matrix !== undefined, 'matmulMatrix: no such matrix');
    const { at, rows, cols, high } = matrix;
    const m = x.data.length / rows;
    return this.#memory.run(() => {
      const a = this.#memory.operand(x.data);
      const [left, mask] = [this.#memory.take(this.#memory.sizes.left), ringMask(bits)];
      return this.#memory.made(64, m * cols, (out) => {
        if (high !== undefined) this.#memory.exports.matmul_i32(a, m, rows, at, high, cols, out, mask, left);
        else {
          this.#memory.exports.matmul_u64(a, m, rows, at, cols, out, left);
          if (bits < 64) this.#memory.exports.offset64(out, out, m * cols, 0n, mask);
        }
      });
    });
  }

  /** Panels of 32-bit entries as they lie here: first layers, second layers, a place for each. Undefined for others. */
  heldPanels(id: number): Words | undefined {
    const { at, rows, cols, high } = this.#matrices.get(id) ?? {};
    if (at === undefined || rows === undefined || cols === undefined || high === undefined) return undefined;
    const count = [...panelBlocks(panelOrder(this.panel), rows, cols)].reduce((sum, block) => sum + block.count, 0);
    return this.#memory.read(at, 32, (high - at) / 4 + count);
  }

  freeMatrix(id: number): void {
    const matrix = this.#matrices.get(id);
    if (matrix === undefined) return;
    this.#matrices.delete(id);
    this.#memory.drop(matrix.at);
  }

  /**
   * a (m × k) · b (k × n) in f32, for the plaintext model only: it gives an honest speed to compare with. Sums run
   * over k in order.
   */
  matmulF32(a: Float32Array, b: Float32Array, m: number, k: number, n: number): Float32Array {
    invariant(a.length === m * k && b.length === k * n, 'matmulF32: operands do not match the shape');
    return this.#memory.run(() => {
      const [x, y, out, panels] = [
        this.#memory.copy(a),
        this.#memory.copy(b),
        this.#memory.take(4 * m * n),
        this.#memory.take(4 * k * up(n, this.#memory.sizes.panelF32)),
      ];
      this.#memory.exports.matmul_f32(x, y, out, m, k, n, panels);
      return this.#memory.readFloats(out, m * n);
    });
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
      const masked = k === 32 || k === 64 ? undefined : this.#memory.lanes(k, n);
      const kernel = this.#memory.exports[`shift${8 * lane}to${8 * lane}`];
      const mask = this.#memory.mask(k);
      this.#memory.blocks(count, (from, to) => {
        this.#memory.exports.keystream(state, block + (from * lane) / 64, blocksOf(to - from), out);
        if (masked !== undefined) kernel(out + skip, masked, to - from, 0, mask);
        this.#memory.store(masked ?? out + skip, result, from, to);
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
    const { keystream, add64, sub64, product64 } = this.#memory.exports;
    const { panel, left } = this.#memory.sizes;
    const most = Math.max(1, Math.min(to - from, Math.floor(DRAWN_WORDS / n)));
    // A stretch of a stream begins within a block, and is made four blocks at a time.
    const stretch = (words: number) => 64 * up(Math.ceil((56 + 8 * words) / 64), 4);
    return this.#memory.run(() => {
      const states = drawn.map(({ stream }) => this.#memory.state(stream));
      const streams = drawn.map(() => this.#memory.take(stretch(most * n)));
      const [x, y] = [this.#memory.lanes(k, m * most), this.#memory.lanes(k, most * n)];
      const panels = this.#memory.take(8 * most * up(n, panel) + left);
      const product = this.#memory.lanes(k, m * n);
      return this.#memory.made(k, m * n, (out) => {
        add64(product, product, out, m * n, mask);
        for (let row = from; row < to; row += most) {
          const rows = Math.min(most, to - row);
          const words = drawn.map(({ first }, i) => {
            const begin = 8 * (first + row * n);
            const block = blockOf(begin, begin + 8 * rows * n);
            keystream(states[i], block, Math.ceil(((begin % 64) + 8 * rows * n) / 64), streams[i]);
            return streams[i] + (begin % 64);
          });
          for (const { x: of, signs } of factors) {
            this.#memory.bytes(y, 8 * rows * n).fill(0);
            for (const [i, sign] of signs.entries())
              if (sign !== 0) (sign > 0 ? add64 : sub64)(y, words[i], y, rows * n, mask);
            for (let r = 0; r < m; r++)
              this.#memory.write(x + 8 * r * rows, of.data.subarray(r * inner + row, r * inner + row + rows));
            product64(x, y, product, 1, m, rows, n, 0, mask, panels);
            add64(out, product, out, m * n, mask);
          }
        }
      });
    });
  }

  // ── wire form ─────────────────────────────────────────────────────────────

  pack(x: Words): Uint8Array {
    const [{ k, data }, kernel] = [x, this.#memory.of('pack', x.k)];
    const result = new Uint8Array(wireLength(k, data.length));
    this.#memory.run(() => {
      const n = Math.min(data.length, BLOCK);
      const [a, out] = [this.#memory.lanes(k, n), this.#memory.take(wireLength(k, n))];
      this.#memory.blocks(data.length, (from, to) => {
        this.#memory.load(a, x, from, to);
        kernel(a, out, to - from, k);
        result.set(this.#memory.bytes(out, wireLength(k, to - from)), wireLength(k, from));
      });
    });
    return result;
  }

  unpack(bytes: Uint8Array, k: number, count: number): Words {
    const [result, kernel] = [this.#memory.result(k, count), this.#memory.of('unpack', k)];
    this.#memory.run(() => {
      const n = Math.min(count, BLOCK);
      const [a, out] = [this.#memory.take(wireLength(k, n)), this.#memory.lanes(k, n)];
      this.#memory.blocks(count, (from, to) => {
        this.#memory.write(a, bytes.subarray(wireLength(k, from), wireLength(k, to)));
        kernel(a, out, to - from, k);
        this.#memory.store(out, result, from, to);
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

  evaluateSelection(choice: Choice<Words>, layout: TableLayout, table: Uint8Array, word: Words): Words {
    return this.#selection.evaluate(choice, layout, table, word);
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
}
