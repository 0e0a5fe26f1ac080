/**
 * Numbers with a shape, as users of transformers.js read them: `dims`, `data`, `tolist()`, rows by index or one
 * after the other.
 */
import { TercetError } from '../core/errors.ts';

/** Nested lists, as deep as there are dimensions. */
export type NestedNumbers = number | NestedNumbers[];

/**
 * Row-major float32.
 *
 * @example
 * const vectors = await extract(['one text', 'another'], { pooling: 'mean' });
 * vectors.dims;          // [2, 384]
 * vectors[0].data;       // Float32Array(384), a view
 * vectors.tolist();      // [[…], […]]
 * for (const vector of vectors) use(vector.data);
 */
export class Tensor implements Iterable<Tensor> {
  readonly type = 'float32';
  readonly dims: readonly number[];
  readonly data: Float32Array;
  readonly size: number;
  /** Row i along the first dimension, sharing the numbers. */
  readonly [row: number]: Tensor;

  /** @throws {TercetError} ERR_SHAPE when the dimensions are not those of the numbers */
  constructor(data: Float32Array, dims: readonly number[]) {
    if (dims.reduce((product, n) => product * n, 1) !== data.length) {
      throw new TercetError(
        'ERR_SHAPE',
        `${data.length} numbers have not the dimensions (${dims.join(', ')})`,
        'give as many numbers as the dimensions multiply to',
      );
    }
    this.data = data;
    this.dims = dims;
    this.size = data.length;
    const rows = dims.length > 1 ? dims[0] : 0;
    // Made when they are asked for; not enumerable, so that printing shows the numbers once.
    for (let i = 0; i < rows; i++) Object.defineProperty(this, i, { get: () => this.#row(i) });
  }

  *[Symbol.iterator](): Iterator<Tensor> {
    for (let i = 0; i < this.dims[0] && this.dims.length > 1; i++) yield this.#row(i);
  }

  /** Copies of all numbers, in lists of lists. */
  tolist(): NestedNumbers[] {
    return this.dims.length > 1 ? Array.from(this, (row) => row.tolist()) : [...this.data];
  }

  #row(i: number): Tensor {
    const [, ...rest] = this.dims;
    const size = this.size / this.dims[0];
    return new Tensor(this.data.subarray(i * size, (i + 1) * size), rest);
  }
}
