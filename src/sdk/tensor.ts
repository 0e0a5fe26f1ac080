/**
 * Numbers with a shape, as users of transformers.js read them: `dims`, `data`, `tolist()`, rows by index or one
 * after the other.
 */
import { TercetError } from '../core/errors.ts';

/** What `Tensor.tolist` returns: nested lists, as deep as there are dimensions. */
export type NestedNumbers = number | NestedNumbers[];

/**
 * Row-major float32.
 *
 * @example
 * const extract = await pipeline('feature-extraction', 'all-MiniLM-L6-v2');
 * const vectors = await extract(['one text', 'another'], { pooling: 'mean' });
 * console.log(vectors.dims); // [2, 384]
 * console.log(vectors[0].data); // Float32Array(384), a view
 * console.log(vectors.tolist()); // [[…], […]]
 * for (const vector of vectors) console.log(vector.size);
 */
export class Tensor implements Iterable<Tensor> {
  /** Of the numbers, as transformers.js names it. */
  readonly type = 'float32';
  /** The shape. */
  readonly dims: readonly number[];
  /** All numbers, row-major. */
  readonly data: Float32Array;
  /** How many numbers there are. */
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

  /**
   * The rows along the first dimension, sharing the numbers; nothing for a vector.
   *
   * @example
   * const rows = (matrix: Tensor) => [...matrix].map(({ data }) => data);
   *
   * @throws never
   */
  *[Symbol.iterator](): Iterator<Tensor> {
    for (let i = 0; i < this.dims[0] && this.dims.length > 1; i++) yield this.#row(i);
  }

  /**
   * Copies of all numbers, in lists of lists.
   *
   * @example
   * const lists = (matrix: Tensor) => matrix.tolist(); // (2, 3): [[1, 2, 3], [4, 5, 6]]
   *
   * @throws never
   */
  tolist(): NestedNumbers[] {
    return this.dims.length > 1 ? Array.from(this, (row) => row.tolist()) : [...this.data];
  }

  #row(i: number): Tensor {
    const [, ...rest] = this.dims;
    const size = this.size / this.dims[0];
    return new Tensor(this.data.subarray(i * size, (i + 1) * size), rest);
  }
}
