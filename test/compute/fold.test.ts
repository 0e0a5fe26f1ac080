/** Folding in WebAssembly against its definition: equal to the bit, at every shape that blocks and lanes cut. */
import { describe, expect, it } from 'vitest';
import { plainFold } from '../../src/compute/fold.ts';
import { WasmFold } from '../../src/compute/kernels/wasm/fold.ts';
import { loadNodeFoldModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { failure } from '../failure.ts';
import { Random } from './kernels.suite.ts';

const wasm = new WasmFold(await loadNodeFoldModule());
const random = new Random(4711);

/** Uniform in (−1, 1), with all bits of a float32 or a float64. */
function reals(count: number): Float64Array {
  const words = random.words(count, 32).data;
  return Float64Array.from({ length: count }, (_, i) => (Number(words[i]) / 2 ** 31 - 1 + 2 ** -50) * 2 ** (i % 5));
}

/** Equal to the bit. Compared as bytes: the arrays are long. */
function same(one: ArrayBufferView | undefined, two: ArrayBufferView | undefined): void {
  const bytes = (x: ArrayBufferView | undefined) =>
    x === undefined ? undefined : Buffer.from(x.buffer, x.byteOffset, x.byteLength);
  const [a, b] = [bytes(one), bytes(two)];
  expect(a !== undefined && b !== undefined && a.equals(b)).toBe(true);
}

const floats = (count: number) => Float32Array.from(reals(count));

describe.each([
  { rows: 1, cols: 1 },
  { rows: 3, cols: 5 },
  { rows: 4, cols: 4 },
  { rows: 67, cols: 130 },
  { rows: 768, cols: 700 },
  // One output is more than a block.
  { rows: 300_000, cols: 6 },
])('a matrix of $rows rows and $cols outputs', ({ rows, cols }) => {
  const shape = { rows, cols };
  const stored = floats(rows * cols);
  const g = reals(rows);

  it('is encoded to the same integers', () => {
    same(wasm.encode(stored, shape, g, 16), plainFold.encode(stored, shape, g, 16));
  });

  it('has the same bias and the same norms', () => {
    const start = reals(cols);
    same(wasm.bias(stored, shape, g, start), plainFold.bias(stored, shape, g, start));
    same(wasm.squares(stored, shape, g), plainFold.squares(stored, shape, g));
  });
});

it.each([1, 2, 6, 32])('Gram matrices and products of heads of %i are the same', (D) => {
  const shape = { rows: 45, cols: 3 * D };
  const [stored, g, last] = [floats(45 * 3 * D), reals(45), reals(3 * D)];
  const [one, two] = [0, 2].map((head) => wasm.gram(stored, shape, g, last, head * D, D));
  same(one, plainFold.gram(stored, shape, g, last, 0, D));
  same(two, plainFold.gram(stored, shape, g, last, 2 * D, D));
  same(wasm.multiply(one, two, D), plainFold.multiply(one, two, D));
});

it('halves are rounded as Math.round does, and what does not fit is found wherever it is', () => {
  const halves = Float32Array.of(0.5, -0.5, 1.5, -1.5, 2.5, 0.49999997, -0, 8388607.5, -8388607.5);
  expect(wasm.round(halves, 0)).toEqual(Int32Array.from(halves, (x) => Math.round(x)));
  const many = floats(300_001);
  same(wasm.round(many, 20), plainFold.round(many, 20));
  for (const at of [0, 5, 8]) {
    const x = new Float32Array(9).fill(2 ** 31 - 128);
    same(wasm.round(x, 0), plainFold.round(x, 0));
    for (const bad of [2 ** 31, -(2 ** 31), Number.NaN, Number.POSITIVE_INFINITY]) {
      x[at] = bad;
      expect(wasm.round(x, 0)).toBeUndefined();
      expect(plainFold.round(x, 0)).toBeUndefined();
      expect(wasm.encode(x, { rows: 3, cols: 3 }, Float64Array.of(1, 1, 1), 0)).toBeUndefined();
      expect(plainFold.encode(x, { rows: 3, cols: 3 }, Float64Array.of(1, 1, 1), 0)).toBeUndefined();
    }
  }
});

it('operands of another shape are refused before they reach the memory', async () => {
  for (const fold of [wasm, plainFold]) {
    await failure('ERR_INTERNAL', async () => fold.encode(floats(6), { rows: 2, cols: 4 }, reals(2), 16));
    await failure('ERR_INTERNAL', async () => fold.squares(floats(6), { rows: 2, cols: 3 }, reals(3)));
  }
});
