/** Attention in floating point, for encoders and for causal models. */
import { columns, transpose } from '../models/weight-layouts.ts';
import { type Matmul, softmaxRows } from './math.ts';

/**
 * softmax(q·kᵀ / √D)·v for each head: q, k, v (T,C) → (T,C), with D = C / heads.
 *
 * causal: the token at t looks at those up to t only. `onSpread` is told the largest difference of two scores in a
 * row, after the division, over the keys that the row may look at.
 */
export async function attention(
  { q, k, v }: { readonly q: Float32Array; readonly k: Float32Array; readonly v: Float32Array },
  shape: { readonly hiddenSize: number; readonly heads: number; readonly causal: boolean },
  matmul: Matmul,
  onSpread?: (largest: number) => void,
): Promise<Float32Array> {
  const { hiddenSize: C, heads, causal } = shape;
  const D = C / heads;
  const T = q.length / C;
  const out = new Float32Array(T * C);
  let largest = 0;
  for (let head = 0; head < heads; head++) {
    const part = (x: Float32Array): Float32Array => columns(x, C, head * D, D);
    const products = await matmul(part(q), transpose(part(k), T, D), T, D, T);
    const root = Math.sqrt(D);
    const scores = new Float32Array(T * T);
    for (let t = 0; t < T; t++)
      for (let j = 0; j < T; j++)
        scores[t * T + j] = causal && j > t ? Number.NEGATIVE_INFINITY : products[t * T + j] / root;
    if (onSpread !== undefined) largest = Math.max(largest, spread(scores, T));
    const context = await matmul(softmaxRows(scores, T), part(v), T, T, D);
    for (let t = 0; t < T; t++) out.set(context.subarray(t * D, (t + 1) * D), t * C + head * D);
  }
  onSpread?.(largest);
  return out;
}

/** Largest difference of two finite values in one of the rows of n. */
function spread(scores: Float32Array, n: number): number {
  let largest = 0;
  for (let start = 0; start < scores.length; start += n) {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let j = start; j < start + n; j++) {
      const score = scores[j];
      if (!Number.isFinite(score)) continue;
      low = Math.min(low, score);
      high = Math.max(high, score);
    }
    largest = Math.max(largest, high - low);
  }
  return largest;
}
