/**
 * What only a compute party does: it multiplies by matrices of weights, and evaluates tables that were sent to it. A
 * page has no use for it, and does not load this file.
 */
import { invariant } from '../../../core/errors.ts';
import { type Words, ringMask, zeros } from '../../ring.ts';
import { panelBlocks, panelLength } from '../panels.ts';
import { type TableLayout, elementBits, tableBytes } from '../table-layout.ts';
import type { Place } from './link.ts';
import { BLOCK, type Memory, SLACK, panelOrder, up } from './memory.ts';

/** Bytes of a matrix copied in at a time: they are still in the cache when they are packed. */
const PACK_CHUNK = 1 << 18;

/** Bits of a table that are evaluated at a time: they and what belongs to them stay in the cache. */
const PIECE = 1 << 20;

/** The caller numbers matrices from 1. */
const WARM_MATRIX = 0;

/** A matrix (or a slice of its columns) in the memory of one instance. */
interface Loaded {
  readonly at: number;
  readonly rows: number;
  readonly cols: number;
  /** For every panel where its second layer lies, of entries of 32 bits; of full words there are none. */
  readonly high: number | undefined;
}

/** Of one instance, in its memory. */
export class PartyOperations {
  readonly #memory: Memory;
  readonly #matrices = new Map<number, Loaded>();

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** One small product of each kind of matrix, of zeros: see `KernelInstance.warmUp`. */
  warmUp(rows: number, size: number): void {
    const product = (bits: number) => this.matmulMatrix(zeros(rows * size, 64), WARM_MATRIX, bits);
    this.loadMatrix(WARM_MATRIX, new BigUint64Array(size * size), size, size);
    for (const bits of [64, 48]) product(bits);
    this.freeMatrix(WARM_MATRIX);
    const order = panelOrder(this.#memory.sizes.limbsPanel);
    this.loadPanels(WARM_MATRIX, new Int32Array(panelLength(order, size, size)), size, size);
    product(64);
    this.freeMatrix(WARM_MATRIX);
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
    const { matmul_panels, pack_u64, seal_u64 } = this.#memory.exports;
    const at = this.#memory.keep(matmul_panels(rows, cols));
    const step = Math.max(1, Math.floor(PACK_CHUNK / (8 * cols)));
    for (let row = 0; row < rows; row += step) {
      const count = Math.min(step, rows - row);
      this.#memory.run(() => {
        const chunk = this.#memory.take(8 * count * cols);
        for (let i = 0; i < count; i++)
          this.#memory.write(chunk + 8 * i * cols, entries.subarray((row + i) * width + from, (row + i) * width + to));
        pack_u64(chunk, row, count, rows, cols, at);
      });
    }
    this.#memory.run(() => seal_u64(rows, cols, at));
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
    const blocks = [...panelBlocks(panelOrder(this.#memory.sizes.limbsPanel), rows, width, [from, to])];
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
      const pairs = block.layer / this.#memory.sizes.limbsPanel;
      const step = Math.max(1, Math.floor(PACK_CHUNK / bytes));
      for (let p = 0; p < block.count; p++) {
        const left = Math.min(step, block.count - p) * block.layer;
        const from = block.low + p * block.layer;
        if (p % step === 0) this.#memory.write(low, panels.subarray(from, from + left));
        let place = this.#memory.exports.limbs_grade(low, pairs);
        low += bytes;
        const second = panels[block.place + p];
        if (second !== 0) {
          this.#memory.write(high, panels.subarray(second, second + block.layer));
          place += high - at;
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
      const { matmul_i32, matmul_left, matmul_u64 } = this.#memory.exports;
      const scratch = this.#memory.take(high === undefined ? matmul_left(m, rows) : this.#memory.sizes.limbsLeft);
      const mask = ringMask(bits);
      return this.#memory.made(64, m * cols, (out) =>
        high === undefined
          ? matmul_u64(a, m, rows, at, cols, out, mask, scratch)
          : matmul_i32(a, m, rows, at, high, cols, out, mask, scratch),
      );
    });
  }

  /** Panels of 32-bit entries as they lie here: first layers, second layers, a place for each. Undefined for others. */
  heldPanels(id: number): Words | undefined {
    const { at, rows, cols, high } = this.#matrices.get(id) ?? {};
    if (at === undefined || rows === undefined || cols === undefined || high === undefined) return undefined;
    const count = [...panelBlocks(panelOrder(this.#memory.sizes.limbsPanel), rows, cols)].reduce(
      (sum, block) => sum + block.count,
      0,
    );
    return this.#memory.read(at, 32, (high - at) / 4 + count);
  }

  /**
   * M·V mod 2^64, where M lies as panels: as `ProofKernels.columns` of its entries, without a copy of them. Undefined
   * for others.
   */
  columns(id: number, v: BigUint64Array, sigma: number): Words | undefined {
    const { at, rows, cols, high } = this.#matrices.get(id) ?? {};
    const { panels_columns: kernel, panels_scratch: scratch } = this.#memory.exports;
    if (at === undefined || rows === undefined || cols === undefined || high === undefined) return undefined;
    return this.#memory.run(() => {
      const [vs, work] = [this.#memory.copy(v), this.#memory.take(scratch(cols, sigma))];
      const out = this.#memory.take(8 * rows * sigma);
      kernel(at, high, rows, cols, vs, sigma, work, out);
      return this.#memory.read(out, 64, rows * sigma);
    });
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
      return new Float32Array(this.#memory.bytes(out, 4 * m * n).slice().buffer);
    });
  }

  /**
   * y_i = Σ_p e_{i,c_i,p} φ_{i,p} + B_i. The table comes in by pieces: it is read once from end to end, where picking
   * one entry of an element here and there would wait for each of them.
   * @param basis puts φ of some elements into scratch
   */
  evaluateSelection(
    index: Words,
    basis: (from: number, to: number) => Place,
    layout: TableLayout,
    table: Uint8Array,
    word: Words,
  ): Words {
    const { n, k, widths } = layout;
    const [count, P] = [word.data.length, widths.length];
    const result = this.#memory.result(k, count);
    invariant(index.k <= 32, 'evaluateSelection: indices of at most 32 bits');
    // Whole bytes, so that the first word of a piece is at bit 0.
    const size = Math.min(BLOCK, up(PIECE / elementBits(layout), 8));
    const [kernel, mask] = [this.#memory.of('evaluate', k), this.#memory.mask(k)];
    const bitsOf = Uint32Array.from(widths);
    for (let from = 0; from < count; from += size) {
      const to = Math.min(count, from + size);
      this.#memory.run(() => {
        const bytes = this.#memory.take(tableBytes(layout, to - from) + SLACK);
        this.#memory.write(bytes, table.subarray(tableBytes(layout, from), tableBytes(layout, to)));
        const [chosen, words] = [
          this.#memory.operand(index.data.subarray(from, to)),
          this.#memory.operand(word.data.subarray(from, to)),
        ];
        const [phi, all, out] = [
          basis(from, to),
          this.#memory.copy(bitsOf),
          this.#memory.place(undefined, result, from, to),
        ];
        const outside = kernel(bytes, chosen, n, all, P, phi, words, out, to - from, mask);
        invariant(outside === 0, 'selection index out of range');
        this.#memory.store(out, result, from, to);
      });
    }
    return result;
  }
}
