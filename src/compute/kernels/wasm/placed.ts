/**
 * Rows times matrices that are read where they lie in a larger vector: the keys and values that a step of a generated
 * text attends to, all heads side by side. They are copied into the module in blocks of whole rows, so that they stay
 * in the cache and little is zeroed behind them.
 */
import { invariant } from '../../../core/errors.ts';
import { type Words, laneBytes } from '../../ring.ts';
import type { MatrixPlaces, PlacedFactors, ProductShape } from '../types.ts';
import { BLOCK, type Memory } from './memory.ts';

export function matmulPlaced(
  memory: Memory,
  factors: readonly PlacedFactors<Words>[],
  { batch, m, inner, n, transposed }: ProductShape,
  { offset, apart, stride }: MatrixPlaces,
): Words {
  const [rows, cols] = transposed === true ? [n, inner] : [inner, n];
  const [{ x: first }] = factors;
  const { k } = first;
  // Words from the first of a row to its last one.
  const width = (batch - 1) * apart + cols;
  const end = offset + (rows - 1) * stride + width;
  invariant(
    m === 1 &&
      batch * rows * cols > 0 &&
      width <= stride &&
      factors.every(
        ({ x, y }) =>
          x.k === k &&
          x.data.length === batch * inner &&
          y.k >= k &&
          laneBytes(y.k) === laneBytes(k) &&
          y.data.length >= end,
      ),
    'matmulPlaced: factors do not match the shape',
  );
  const [kernel, mask, lane] = [memory.of('strided_rows', k), memory.mask(k), laneBytes(k)];
  const atOnce = Math.max(1, Math.min(rows, Math.floor(BLOCK / stride)));
  return memory.run(() => {
    const [out, block] = [memory.lanes(k, batch * n), memory.lanes(k, atOnce * stride)];
    for (const { x, y } of factors) {
      const left = memory.copy(x.data);
      for (let row = 0; row < rows; row += atOnce) {
        const [count, from] = [Math.min(atOnce, rows - row), offset + row * stride];
        const right = memory.shown(block, y.data.subarray(from, from + (count - 1) * stride + width));
        const [own, to] = transposed === true ? [left, out + lane * row] : [left + lane * row, out];
        kernel(own, right, to, batch, count, cols, rows, apart, stride, transposed === true ? 1 : 0, mask);
      }
    }
    return memory.read(out, k, batch * n);
  });
}
