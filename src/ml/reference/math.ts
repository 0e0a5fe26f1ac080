/**
 * The mathematics of the float reference. Clarity first; nothing here is secret or fast.
 *
 * Values are float32, and so is every stored result; sums (matrix products, LayerNorm, softmax) accumulate in
 * float64 unless a caller passes its own `Matmul`. Matrices are row-major.
 */

import { gelu, geluNew } from '../../compute/special-functions.ts';
import type { Activation } from '../model-types.ts';
import type { transpose } from '../models/weight-layouts.ts';

/** a (m,k) · b (k,n) → (m,n), row-major, a new array; a and b are left unchanged. */
export type Matmul = (
  a: Float32Array,
  b: Float32Array,
  m: number,
  k: number,
  n: number,
) => Float32Array | Promise<Float32Array>;

/**
 * The default `Matmul`: float64 sums in the order of k. Four rows of b a pass, for the sums' sake of staying in the
 * cache.
 */
export function matmulFloat(a: Float32Array, b: Float32Array, m: number, k: number, n: number): Float32Array {
  const out = new Float32Array(m * n);
  const sums = new Float64Array(n);
  for (let i = 0; i < m; i++) {
    sums.fill(0);
    let p = 0;
    for (; p + 4 <= k; p += 4) {
      const [a0, a1, a2, a3] = [a[i * k + p], a[i * k + p + 1], a[i * k + p + 2], a[i * k + p + 3]];
      const [b0, b1, b2, b3] = [p * n, (p + 1) * n, (p + 2) * n, (p + 3) * n];
      for (let j = 0; j < n; j++) sums[j] = sums[j] + a0 * b[b0 + j] + a1 * b[b1 + j] + a2 * b[b2 + j] + a3 * b[b3 + j];
    }
    for (; p < k; p++) {
      const a0 = a[i * k + p];
      for (let j = 0; j < n; j++) sums[j] += a0 * b[p * n + j];
    }
    out.set(sums, i * n);
  }
  return out;
}

/** How a layer's products are made. */
export interface Products {
  readonly matmul: Matmul;
  /** w (rows,cols) → (cols,rows), of a weight. */
  readonly transpose: typeof transpose;
}

/** x (T,inSize)·wᵀ + b, with w (outSize,inSize) as weights are stored → (T,outSize). */
export async function linear(
  x: Float32Array,
  w: Float32Array,
  b: Float32Array,
  products: Products,
): Promise<Float32Array> {
  const outSize = b.length;
  const inSize = w.length / outSize;
  const y = await products.matmul(x, products.transpose(w, outSize, inSize), x.length / inSize, inSize, outSize);
  const out = new Float32Array(y.length);
  for (let row = 0; row < y.length; row += outSize) for (let c = 0; c < outSize; c++) out[row + c] = y[row + c] + b[c];
  return out;
}

/**
 * Normalises each row of gamma's length to mean 0 and variance 1, then scales and shifts it.
 * `onVariance` is told the largest and the least variance of a row, eps included.
 */
export function layerNorm(
  x: Float32Array,
  gamma: Float32Array,
  beta: Float32Array,
  eps: number,
  onVariance?: (largest: number, least: number) => void,
): Float32Array {
  const C = gamma.length;
  const out = new Float32Array(x.length);
  let [largest, least] = [0, Number.POSITIVE_INFINITY];
  for (let start = 0; start < x.length; start += C) {
    let mean = 0;
    for (let c = 0; c < C; c++) mean += x[start + c] / C;
    let variance = 0;
    for (let c = 0; c < C; c++) variance += (x[start + c] - mean) ** 2 / C;
    largest = Math.max(largest, variance + eps);
    least = Math.min(least, variance + eps);
    const scale = 1 / Math.sqrt(variance + eps);
    for (let c = 0; c < C; c++) out[start + c] = (x[start + c] - mean) * scale * gamma[c] + beta[c];
  }
  onVariance?.(largest, least);
  return out;
}

/**
 * Softmax of each row of n; stable, as the largest of a row is taken off first. Minus infinity is a key that may
 * not be looked at.
 */
export function softmaxRows(x: Float32Array, n: number): Float32Array {
  const out = new Float32Array(x.length);
  const exps = new Float64Array(n);
  for (let start = 0; start < x.length; start += n) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < n; j++) largest = Math.max(largest, x[start + j]);
    let sum = 0;
    for (let j = 0; j < n; j++) {
      exps[j] = Math.exp(x[start + j] - largest);
      sum += exps[j];
    }
    for (let j = 0; j < n; j++) out[start + j] = exps[j] / sum;
  }
  return out;
}

/** The scalar function of an activation. */
export function activationOf(activation: Activation): (x: number) => number {
  if (activation === 'gelu') return gelu;
  return activation === 'gelu_new' ? geluNew : relu;
}

export function relu(x: number): number {
  return Math.max(0, x);
}

export function add(a: Float32Array, b: Float32Array): Float32Array {
  const out = new Float32Array(a.length);
  for (let i = 0; i < a.length; i++) out[i] = a[i] + b[i];
  return out;
}

/** The rows of x (·,width) at `positions`, in that order. */
export function rowsAt(x: Float32Array, width: number, positions: readonly number[]): Float32Array {
  const out = new Float32Array(positions.length * width);
  for (const [i, position] of positions.entries())
    out.set(x.subarray(position * width, (position + 1) * width), i * width);
  return out;
}

/** The largest absolute value; 0 of nothing. */
export function largestOf(x: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, Math.abs(x[i]));
  return largest;
}
