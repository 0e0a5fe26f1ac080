/**
 * Weights on their way into the ring, in float64 and in the clear: nothing here meets a share. This file is the
 * definition; `kernels/wasm/fold.ts` computes the same to the bit, because every sum is added up in the order that
 * is written here (`test/compute/fold.test.ts` compares them).
 *
 * A matrix is given as checkpoints keep it: (cols, rows), row-major, `rows` values for each output.
 */
import { invariant } from '../core/errors.ts';

export interface FoldShape {
  readonly rows: number;
  readonly cols: number;
}

export interface Fold {
  /** round(x_i · 2^scale); undefined when one of them does not fit 32 signed bits. */
  round(x: Float32Array, scale: number): Int32Array | undefined;
  /**
   * round(w_{c,r} · g_r · 2^scale) as a (rows, cols) matrix; undefined when one of them does not fit 32 signed bits.
   */
  encode(stored: Float32Array, shape: FoldShape, g: Float64Array, scale: number): Int32Array | undefined;
  /** start_c + Σ_r beta_r · w_{c,r}. */
  bias(stored: Float32Array, shape: FoldShape, beta: Float64Array, start: Float64Array): Float64Array;
  /** Σ_r (w_{c,r} · g_r)². */
  squares(stored: Float32Array, shape: FoldShape, g: Float64Array): Float64Array;
  /** ŴᵀŴ of the outputs [first, first + D), Ŵ being w_{c,r} · g_r with `last` as one more row: D × D. */
  gram(
    stored: Float32Array,
    shape: FoldShape,
    g: Float64Array,
    last: Float64Array,
    first: number,
    D: number,
  ): Float64Array;
  /** a·b for D × D matrices. */
  multiply(a: Float64Array, b: Float64Array, D: number): Float64Array;
}

/** Throws unless the operands are of the shape: an implementation may work on raw memory. */
export function checkFold(stored: Float32Array, { rows, cols }: FoldShape, ...perRow: Float64Array[]): void {
  invariant(stored.length === rows * cols, 'a folded matrix of another shape');
  for (const values of perRow) invariant(values.length === rows, 'one value for every row of a folded matrix expected');
}

export const plainFold: Fold & { round(x: ArrayLike<number>, scale: number): Int32Array | undefined } = {
  round(x: ArrayLike<number>, scale: number) {
    const out = new Int32Array(x.length);
    const factor = 2 ** scale;
    for (let i = 0; i < x.length; i++) {
      const v = Math.round(x[i] * factor);
      if (!(Math.abs(v) < 2 ** 31)) return undefined;
      out[i] = v;
    }
    return out;
  },
  encode(stored, { rows, cols }, g, scale) {
    checkFold(stored, { rows, cols }, g);
    const out = new Int32Array(rows * cols);
    const factor = 2 ** scale;
    for (let c = 0; c < cols; c++) {
      for (let r = 0; r < rows; r++) {
        const v = Math.round(stored[c * rows + r] * g[r] * factor);
        if (!(Math.abs(v) < 2 ** 31)) return undefined;
        out[r * cols + c] = v;
      }
    }
    return out;
  },
  bias(stored, { rows, cols }, beta, start) {
    checkFold(stored, { rows, cols }, beta);
    const out = start.slice();
    for (let c = 0; c < cols; c++) for (let r = 0; r < rows; r++) out[c] += beta[r] * stored[c * rows + r];
    return out;
  },
  squares(stored, { rows, cols }, g) {
    checkFold(stored, { rows, cols }, g);
    const out = new Float64Array(cols);
    for (let c = 0; c < cols; c++) {
      for (let r = 0; r < rows; r++) {
        const v = stored[c * rows + r] * g[r];
        out[c] += v * v;
      }
    }
    return out;
  },
  gram(stored, { rows, cols }, g, last, first, D) {
    checkFold(stored, { rows, cols }, g);
    const value = (i: number, r: number) => (r === rows ? last[first + i] : stored[(first + i) * rows + r] * g[r]);
    const out = new Float64Array(D * D);
    for (let i = 0; i < D; i++)
      for (let j = 0; j < D; j++) for (let r = 0; r <= rows; r++) out[i * D + j] += value(i, r) * value(j, r);
    return out;
  },
  multiply(a, b, D) {
    const out = new Float64Array(D * D);
    for (let i = 0; i < D; i++)
      for (let k = 0; k < D; k++) for (let j = 0; j < D; j++) out[i * D + j] += a[i * D + k] * b[k * D + j];
    return out;
  },
};
