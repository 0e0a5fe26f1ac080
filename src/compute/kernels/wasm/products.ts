/** Products by ranges of rows, and matrices by ranges of columns: each worker keeps its own panels. */
import { TercetError, invariant } from '../../../core/errors.ts';
import { type Words, isShared, viewWords, zeros } from '../../ring.ts';
import type { Drawn, DrawnFactor, Matrix, ProductShape } from '../types.ts';
import { type PanelOrder, arePanels } from '../panels.ts';
import type { Dispatch } from './dispatch.ts';
import type { Result } from './messages.ts';
import { detached, ranges } from './workers.ts';

/** Multiply-adds below which a product stays in the calling thread (well under a millisecond). */
const INLINE_PRODUCT = 1 << 19;

export async function matmul(on: Dispatch, x: Words, y: Words, shape: ProductShape): Promise<Words> {
  const { batch, m, inner, n } = shape;
  invariant(
    x.k === y.k && x.data.length === batch * m * inner && y.data.length === batch * inner * n,
    'matmul: operands do not match the shape',
  );
  const inline = batch * m * inner * n <= INLINE_PRODUCT;
  if (batch >= on.threads) {
    return on.ranged('matmul', x.k, batch, m * n, inline, (from, to) => [
      viewWords(x, from * m * inner, to * m * inner),
      viewWords(y, from * inner * n, to * inner * n),
      { ...shape, batch: to - from },
    ]);
  }
  // Few products: by rows of each. A range of rows of one product needs all of its right operand.
  const out = zeros(batch * m * n, x.k);
  await Promise.all(
    Array.from({ length: batch }, async (_, b) => {
      const right = viewWords(y, b * inner * n, (b + 1) * inner * n);
      const rows = await on.ranged('matmul', x.k, m, n, inline, (from, to) => [
        viewWords(x, (b * m + from) * inner, (b * m + to) * inner),
        right,
        { ...shape, batch: 1, m: to - from },
      ]);
      (out.data as Uint32Array).set(rows.data as Uint32Array, b * m * n);
    }),
  );
  return out;
}

/** A part of the inner dimension for every worker. Of the parts the sum is the result. */
export async function matmulDrawn(
  on: Dispatch,
  factors: readonly DrawnFactor<Words>[],
  drawn: readonly Drawn[],
  inner: number,
  n: number,
): Promise<Words> {
  const [{ k, data }] = [factors[0].x];
  const count = (data.length / inner) * n;
  invariant(
    k > 32 &&
      inner > 0 &&
      factors.every(({ x, signs }) => x.k === k && x.data.length === data.length && signs.length === drawn.length),
    'matmulDrawn: factors do not match',
  );
  const inline = on.threads === 0 || factors.length * data.length * n <= INLINE_PRODUCT;
  const cuts = inline ? [[0, inner]] : ranges(inner, on.threads);
  const parts = await on.ranged('matmulDrawn', k, cuts.length, count, inline, (part) => [
    ...([factors, drawn, inner, n] as const),
    ...(cuts[part] as [number, number]),
  ]);
  let sum = viewWords(parts, 0, count);
  for (let part = 1; part < cuts.length; part++) {
    const next = viewWords(parts, part * count, (part + 1) * count);
    sum = on.here((instance) => instance.add(sum, next));
  }
  return sum;
}

/** a (m × k) · b (k × n) in f32: the plaintext model's product, to compare speeds with. Never for shares. */
export async function matmulF32(
  on: Dispatch,
  a: Float32Array,
  b: Float32Array,
  m: number,
  k: number,
  n: number,
): Promise<Float32Array> {
  invariant(a.length === m * k && b.length === k * n, 'matmulF32: operands do not match the shape');
  if (on.threads === 0 || m * k * n <= INLINE_PRODUCT) return on.here((instance) => instance.matmulF32(a, b, m, k, n));
  const out = new Float32Array(m * n);
  await on.submit((add) => {
    for (const [from, to] of ranges(m, on.threads)) {
      add(
        'matmulF32',
        () => [a.slice(from * k, to * k), b.slice(), to - from, k, n],
        (value) => out.set(value as Float32Array, from * n),
      );
    }
  });
  return out;
}

interface Slice {
  readonly worker: number | undefined;
  readonly from: number;
  readonly to: number;
}

interface WasmMatrix extends Matrix {
  readonly id: number;
  readonly slices: readonly Slice[];
}

const nothing = (): void => {};

/** The matrices of one backend. */
export class Matrices {
  readonly #on: Dispatch;
  readonly order: PanelOrder;
  readonly #freed = new WeakSet<Matrix>();
  #last = 0;

  constructor(on: Dispatch, order: PanelOrder) {
    this.#on = on;
    this.order = order;
  }

  async load(entries: Int32Array | BigUint64Array, rows: number, cols: number): Promise<Matrix> {
    invariant(entries.length === rows * cols, 'matrix entries do not match rows × cols');
    if (entries instanceof BigUint64Array) return this.#loadWords(entries, 'u64', rows, cols);
    // A page has no matrices, and loads none of this.
    const { fitsPanels, panelsOf } = await import('../pack-panels.ts');
    return fitsPanels(entries)
      ? this.loadPanels(panelsOf(this.order, entries, rows, cols), rows, cols)
      : this.#loadWords(
          BigUint64Array.from(entries, (entry) => BigInt.asUintN(64, BigInt(entry))),
          'i32',
          rows,
          cols,
        );
  }

  async #loadWords(words: BigUint64Array, entries: 'u64' | 'i32', rows: number, cols: number): Promise<Matrix> {
    const id = ++this.#last;
    if (this.#on.threads === 0) {
      this.#on.atMatrices((instance) => instance.loadMatrix(id, words, rows, cols));
      const whole: WasmMatrix = { rows, cols, entries, id, slices: [{ worker: undefined, from: 0, to: cols }] };
      return whole;
    }
    const slices = this.#slices(cols);
    const columns = (from: number, to: number): BigUint64Array => {
      const width = to - from;
      if (width === cols) return words.slice();
      const out = new BigUint64Array(rows * width);
      for (let r = 0; r < rows; r++) out.set(words.subarray(r * cols + from, r * cols + to), r * width);
      return out;
    };
    await this.#on.submit((add) => {
      for (const { worker, from, to } of slices)
        add(
          'loadMatrix',
          () => (isShared(words) ? [id, words, rows, cols, [from, to]] : [id, columns(from, to), rows, to - from]),
          nothing,
          worker,
        );
    });
    const matrix: WasmMatrix = { rows, cols, entries, id, slices };
    return matrix;
  }

  /** As `load`, from the order in which the panels lie in memory. */
  async loadPanels(panels: Int32Array, rows: number, cols: number): Promise<Matrix> {
    invariant(arePanels(this.order, panels, rows, cols), 'panels do not match rows × cols');
    const id = ++this.#last;
    if (this.#on.threads === 0) {
      this.#on.atMatrices((instance) => instance.loadPanels(id, panels, rows, cols));
      const whole: WasmMatrix = { rows, cols, entries: 'i32', id, slices: [{ worker: undefined, from: 0, to: cols }] };
      return whole;
    }
    const slices = this.#slices(cols);
    const shared = isShared(panels);
    const { columnsOf } = await import('../pack-panels.ts');
    const columns = (from: number, to: number) => columnsOf(this.order, panels, rows, cols, [from, to]);
    await this.#on.submit((add) => {
      for (const { worker, from, to } of slices)
        add(
          'loadPanels',
          () => (shared ? [id, panels, rows, cols, [from, to]] : [id, columns(from, to), rows, to - from]),
          nothing,
          worker,
        );
    });
    const matrix: WasmMatrix = { rows, cols, entries: 'i32', id, slices };
    return matrix;
  }

  /** Whole panels for each worker. */
  #slices(cols: number): { readonly worker: number; readonly from: number; readonly to: number }[] {
    return ranges(cols, this.#on.threads, this.order.columns).map(([from, to], worker) => ({ worker, from, to }));
  }

  /** @param on where the product runs: the scope that it is of */
  async multiply(on: Dispatch, x: Words, matrix: Matrix, bits: number): Promise<Words> {
    const { rows, cols, id, slices } = this.#matrix(matrix);
    const m = x.data.length / rows;
    invariant(x.k === 64 && Number.isInteger(m), 'matmulMatrix: x must be over Z_2^64 with whole rows');
    if (slices[0].worker === undefined) return on.atMatrices((instance) => instance.matmulMatrix(x, id, bits));
    // The columns of one worker among several lie apart from each other.
    const into = slices.length === 1 ? on.pool?.shared?.(64, m * cols) : undefined;
    let out = into;
    await on.submit((add) => {
      for (const { worker, from, to } of slices) {
        const store = (value: Result) => {
          if (value === undefined) return;
          const words = value as Words;
          if (slices.length === 1) {
            out = words;
            return;
          }
          out ??= zeros(m * cols, 64);
          const [to64, from64] = [out.data as BigUint64Array, words.data as BigUint64Array];
          for (let r = 0; r < m; r++)
            to64.set(from64.subarray(r * (to - from), (r + 1) * (to - from)), r * cols + from);
        };
        add('matmulMatrix', () => detached([x, id, bits]), store, worker, into);
      }
    });
    invariant(out !== undefined, 'a call without a result');
    return out;
  }

  /** The entries of a matrix of panels, row by row; undefined for a matrix of other words. */
  async entries(matrix: Matrix): Promise<Int32Array | undefined> {
    const { entriesOf } = await import('../pack-panels.ts');
    return entriesOf(this.#on, this.order, this.#matrix(matrix));
  }

  /** M·V of a matrix of panels; undefined for one of other words. */
  async columns(matrix: Matrix, v: BigUint64Array, sigma: number): Promise<Words | undefined> {
    const { columnsTimes } = await import('../pack-panels.ts');
    return columnsTimes(this.#on, this.#matrix(matrix), v, sigma);
  }

  async free(matrix: Matrix): Promise<void> {
    if (this.#freed.has(matrix)) return;
    const { id, slices } = this.#matrix(matrix);
    this.#freed.add(matrix);
    if (slices[0].worker === undefined) this.#on.atMatrices((instance) => instance.freeMatrix(id));
    else
      await this.#on.submit((add) => {
        for (const { worker } of slices) add('freeMatrix', () => [id], nothing, worker);
      });
  }

  #matrix(matrix: Matrix): WasmMatrix {
    if (this.#freed.has(matrix)) throw new TercetError('ERR_STATE', 'the matrix was freed', 'load it again');
    invariant('slices' in matrix, 'a matrix of another backend');
    return matrix as WasmMatrix;
  }
}
