/** `Fold` in WebAssembly, on an instance of its own: a block of outputs at a time, so that its memory stays small. */
import { invariant } from '../../../core/errors.ts';
import { type Fold, type FoldShape, checkFold } from '../../fold.ts';
import { Memory, up } from './memory.ts';

/** Bytes of a matrix copied in at a time. */
const BLOCK = 1 << 20;

/** Outputs of one block. */
function blocks({ rows, cols }: FoldShape): [from: number, to: number][] {
  const step = Math.max(4, Math.floor(BLOCK / (4 * Math.max(1, rows))));
  return Array.from({ length: Math.ceil(cols / step) }, (_, i) => [i * step, Math.min(cols, (i + 1) * step)]);
}

/** A view of what an operation made, good until it ends. */
function integers(memory: Memory, at: number, count: number): Int32Array {
  const { buffer, byteOffset } = memory.bytes(at, 4 * count);
  return new Int32Array(buffer, byteOffset, count);
}

function doubles(memory: Memory, at: number, count: number): Float64Array {
  return new Float64Array(memory.bytes(at, 8 * count).slice().buffer);
}

export class WasmFold implements Fold {
  readonly #memory: Memory;

  /** @param module the compiled `fold.wasm` */
  constructor(module: WebAssembly.Module) {
    this.#memory = new Memory(module);
  }

  round(x: Float32Array, scale: number): Int32Array | undefined {
    const memory = this.#memory;
    const out = new Int32Array(x.length);
    for (let from = 0; from < x.length; from += BLOCK / 4) {
      const part = x.subarray(from, from + BLOCK / 4);
      const fits = memory.run(() => {
        const [values, block] = [memory.copy(part), memory.take(4 * part.length)];
        if (memory.exports.fold_round(values, part.length, 2 ** scale, block) !== 0) return false;
        out.set(integers(memory, block, part.length), from);
        return true;
      });
      if (!fits) return undefined;
    }
    return out;
  }

  encode(stored: Float32Array, shape: FoldShape, g: Float64Array, scale: number): Int32Array | undefined {
    checkFold(stored, shape, g);
    const { rows, cols } = shape;
    const memory = this.#memory;
    const out = new Int32Array(rows * cols);
    for (const [from, to] of blocks(shape)) {
      const fits = memory.run(() => {
        const n = to - from;
        const w = memory.copy(stored.subarray(from * rows, to * rows));
        const [factors, block] = [memory.copy(g), memory.take(4 * rows * n)];
        if (memory.exports.fold_encode(w, rows, n, factors, 2 ** scale, block) !== 0) return false;
        const made = integers(memory, block, rows * n);
        for (let r = 0; r < rows; r++) out.set(made.subarray(r * n, (r + 1) * n), r * cols + from);
        return true;
      });
      if (!fits) return undefined;
    }
    return out;
  }

  bias(stored: Float32Array, shape: FoldShape, beta: Float64Array, start: Float64Array): Float64Array {
    checkFold(stored, shape, beta);
    invariant(start.length === shape.cols, 'one value for every output expected');
    return this.#perOutput(stored, shape, (w, n, from) => {
      const [factors, sums] = [this.#memory.copy(beta), this.#memory.copy(start.subarray(from, from + n))];
      this.#memory.exports.fold_bias(w, shape.rows, n, factors, sums);
      return sums;
    });
  }

  squares(stored: Float32Array, shape: FoldShape, g: Float64Array): Float64Array {
    checkFold(stored, shape, g);
    return this.#perOutput(stored, shape, (w, n) => {
      const [factors, sums] = [this.#memory.copy(g), this.#memory.take(8 * n)];
      this.#memory.exports.fold_squares(w, shape.rows, n, factors, sums);
      return sums;
    });
  }

  gram(
    stored: Float32Array,
    shape: FoldShape,
    g: Float64Array,
    last: Float64Array,
    first: number,
    D: number,
  ): Float64Array {
    checkFold(stored, shape, g);
    invariant(last.length === shape.cols && first + D <= shape.cols, 'a Gram matrix of outputs that are not there');
    const { rows } = shape;
    const width = up(D, 4);
    const memory = this.#memory;
    return memory.run(() => {
      const w = memory.copy(stored.subarray(first * rows, (first + D) * rows));
      const [factors, x] = [memory.copy(g), memory.take(8 * width * (rows + 1))];
      memory.exports.fold_columns(w, rows, D, factors, x, width);
      memory.write(x + 8 * width * rows, last.subarray(first, first + D));
      const out = memory.take(8 * width * width);
      memory.exports.gram(x, rows + 1, width, out);
      return square(doubles(memory, out, width * width), width, D);
    });
  }

  multiply(a: Float64Array, b: Float64Array, D: number): Float64Array {
    invariant(a.length === D * D && b.length === D * D, 'matrices of another size');
    const width = up(D, 4);
    const memory = this.#memory;
    return memory.run(() => {
      const out = memory.take(8 * width * width);
      memory.exports.multiply_f64(memory.copy(square(a, D, width)), memory.copy(square(b, D, width)), width, out);
      return square(doubles(memory, out, width * width), width, D);
    });
  }

  /** One float64 for every output, block by block. */
  #perOutput(
    stored: Float32Array,
    shape: FoldShape,
    sums: (w: number, count: number, from: number) => number,
  ): Float64Array {
    const out = new Float64Array(shape.cols);
    for (const [from, to] of blocks(shape)) {
      this.#memory.run(() => {
        const w = this.#memory.copy(stored.subarray(from * shape.rows, to * shape.rows));
        out.set(doubles(this.#memory, sums(w, to - from, from), to - from), from);
      });
    }
    return out;
  }
}

/** A square matrix cut or filled up with zeros to another width. */
function square(x: Float64Array, width: number, wanted: number): Float64Array {
  if (width === wanted) return x;
  const out = new Float64Array(wanted * wanted);
  const shared = Math.min(width, wanted);
  for (let r = 0; r < shared; r++) out.set(x.subarray(r * width, r * width + shared), r * wanted);
  return out;
}
