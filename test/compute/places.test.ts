/** Where matrices lie that a pattern would gather: what is found there is what the pattern takes. */
import { describe, expect, it } from 'vitest';
import { placesOf } from '../../src/compute/kernels/places.ts';
import { listOf, strided, triangle } from '../../src/compute/pattern.ts';

const SHAPE = { batch: 3, m: 1, inner: 4, n: 5, transposed: true };
const heads = strided(7, [1, 60], [3, 4], [5, 12], [4, 1]);

describe('places of matrices', () => {
  it.each([
    ['heads side by side', heads, SHAPE],
    ['the same, not transposed', heads, { batch: 3, m: 1, inner: 5, n: 4 }],
    ['one head', strided(0, [5, 12], [4, 1]), { batch: 1, m: 1, inner: 5, n: 4 }],
    ['one row', strided(2, [3, 6], [4, 1]), { batch: 3, m: 1, inner: 1, n: 4 }],
    ['one column', strided(2, [3, 1], [5, 3]), { batch: 3, m: 1, inner: 5, n: 1 }],
  ])('%s', (_name, pattern, shape) => {
    const places = placesOf(pattern, shape);
    expect(places).toBeDefined();
    const { offset, apart, stride } = places as NonNullable<typeof places>;
    const transposed = 'transposed' in shape;
    const [rows, cols] = transposed ? [shape.n, shape.inner] : [shape.inner, shape.n];
    const list = Array.from({ length: shape.batch * rows * cols }, (_, i) => {
      const [b, r, c] = [Math.floor(i / (rows * cols)), Math.floor(i / cols) % rows, i % cols];
      return offset + b * apart + r * stride + c;
    });
    expect(list).toEqual([...listOf(pattern)]);
    expect((shape.batch - 1) * apart + cols).toBeLessThanOrEqual(stride);
  });

  it.each([
    ['a triangle', triangle('clamp', 3, 4), { batch: 3, m: 1, inner: 4, n: 4 }],
    ['matrices one behind the other', strided(0, [3, 20], [5, 4], [4, 1]), SHAPE],
    ['columns that are rows', strided(0, [3, 4], [5, 1], [4, 12]), SHAPE],
    ['another shape', heads, { ...SHAPE, n: 4, inner: 5 }],
    ['an axis more', strided(0, [3, 4], [5, 24], [2, 12], [4, 1]), SHAPE],
    ['too few', strided(0, [5, 12], [4, 1]), SHAPE],
  ])('%s has none', (_name, pattern, shape) => {
    expect(placesOf(pattern, shape)).toBeUndefined();
  });
});
