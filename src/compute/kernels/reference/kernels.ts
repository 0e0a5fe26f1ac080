/**
 * The reference kernels: slow, readable, in bigint. The oracle that every other backend is compared with; also the
 * definition of each op.
 */
import { TercetError, invariant } from '../../../core/errors.ts';
import { cosineTables } from '../../cosine-tables.ts';
import { type ExpTables, type ExpWidth, expTables } from '../../exp-tables.ts';
import { type Pattern, listOf } from '../../pattern.ts';
import { type Words, checkRing, concatWords, laneBytes, sameShape, wireLength, wordAt, zeros } from '../../ring.ts';
import { checkCosine, cosineExponents } from '../cosine-sum.ts';
import { Fault } from '../fault.ts';
import { basisWidth, checkPowers, tableShape } from '../selection-shape.ts';
import type { Choice, CosineSum, Degree, Matrix, ProductShape, RingKernels, SelectionTable, Stream } from '../types.ts';
import { keystream } from './chacha.ts';
import { cosinePhi } from './cosine.ts';
import { expandPointKey } from './point.ts';
import { basisWord, powersOf, expPhi, tableEntry } from './selection.ts';

interface ReferenceMatrix extends Matrix {
  data: Int32Array | BigUint64Array | undefined;
}

function store(out: Words, i: number, value: bigint): void {
  const residue = BigInt.asUintN(out.k, value);
  if (out.data instanceof Uint32Array) out.data[i] = Number(residue);
  else out.data[i] = residue;
}

/** A vector of `count` values over Z_2^k from a function of the position. */
function build(count: number, k: number, value: (i: number) => bigint): Words {
  const out = zeros(count, k);
  for (let i = 0; i < count; i++) store(out, i, value(i));
  return out;
}

/** Pad number q of a stream in wire form: bit q, or the ⌈k/8⌉ bytes at q·⌈k/8⌉. */
function pads(stream: Stream, k: number, first: number, count: number): bigint[] {
  if (k === 1) {
    const from = Math.floor(first / 8);
    const bytes = keystream(stream.key, stream.nonce, from, Math.ceil((first + count) / 8));
    return Array.from({ length: count }, (_, i) =>
      BigInt((bytes[Math.floor((first + i) / 8) - from] >> ((first + i) % 8)) & 1),
    );
  }
  const width = Math.ceil(k / 8);
  return littleEndian(keystream(stream.key, stream.nonce, first * width, (first + count) * width), width);
}

function littleEndian(bytes: Uint8Array, width: number): bigint[] {
  return Array.from({ length: bytes.length / width }, (_, i) => {
    let value = 0n;
    for (let b = width - 1; b >= 0; b--) value = (value << 8n) | BigInt(bytes[i * width + b]);
    return value;
  });
}

export class ReferenceKernels implements RingKernels<Words> {
  readonly name = 'reference' as const;
  readonly fault = new Fault();
  readonly #tables: ExpTables = expTables();

  async read(x: Words): Promise<Words> {
    return x;
  }

  scope(): this {
    return this;
  }

  sweep(): void {
    // The collector frees host vectors.
  }

  async add(x: Words, y: Words): Promise<Words> {
    sameShape(x, y);
    return build(x.data.length, x.k, (i) => wordAt(x, i) + wordAt(y, i));
  }

  async sub(x: Words, y: Words): Promise<Words> {
    sameShape(x, y);
    return build(x.data.length, x.k, (i) => wordAt(x, i) - wordAt(y, i));
  }

  async mul(x: Words, y: Words): Promise<Words> {
    sameShape(x, y);
    return build(x.data.length, x.k, (i) => wordAt(x, i) * wordAt(y, i));
  }

  async scale(x: Words, c: bigint): Promise<Words> {
    return build(x.data.length, x.k, (i) => wordAt(x, i) * c);
  }

  async offset(x: Words, c: bigint): Promise<Words> {
    return build(x.data.length, x.k, (i) => wordAt(x, i) + c);
  }

  async shiftRight(x: Words, s: number, k: number): Promise<Words> {
    return build(x.data.length, checkRing(k), (i) => wordAt(x, i) >> BigInt(s));
  }

  async cast(x: Words, k: number): Promise<Words> {
    return build(x.data.length, checkRing(k), (i) => wordAt(x, i));
  }

  async addRow(x: Words, row: Words): Promise<Words> {
    return build(x.data.length, x.k, (i) => wordAt(x, i) + wordAt(row, i % row.data.length));
  }

  async mulRow(x: Words, row: Words): Promise<Words> {
    return build(x.data.length, x.k, (i) => wordAt(x, i) * wordAt(row, i % row.data.length));
  }

  async sumRows(x: Words, cols: number): Promise<Words> {
    return build(x.data.length / cols, x.k, (r) => {
      let sum = 0n;
      for (let c = 0; c < cols; c++) sum += wordAt(x, r * cols + c);
      return sum;
    });
  }

  async repeat(x: Words, cols: number): Promise<Words> {
    return build(x.data.length * cols, x.k, (i) => wordAt(x, Math.floor(i / cols)));
  }

  async concat(parts: readonly Words[]): Promise<Words> {
    return concatWords(parts);
  }

  async gather(x: Words, places: Pattern | Uint32Array): Promise<Words> {
    const index = places instanceof Uint32Array ? places : listOf(places);
    for (const i of index) invariant(i < x.data.length, 'gather index out of range');
    return build(index.length, x.k, (i) => wordAt(x, index[i]));
  }

  async matmul(x: Words, y: Words, shape: ProductShape): Promise<Words> {
    const { batch, m, inner, n, transposed } = shape;
    invariant(
      x.k === y.k && x.data.length === batch * m * inner && y.data.length === batch * inner * n,
      'matmul: operands do not match the shape',
    );
    return build(batch * m * n, x.k, (at) => {
      const b = Math.floor(at / (m * n));
      const row = Math.floor(at / n) % m;
      const col = at % n;
      let sum = 0n;
      for (let i = 0; i < inner; i++) {
        const right = transposed === true ? (b * n + col) * inner + i : (b * inner + i) * n + col;
        sum += wordAt(x, (b * m + row) * inner + i) * wordAt(y, right);
      }
      return sum;
    });
  }

  async loadMatrix(entries: Int32Array | BigUint64Array, rows: number, cols: number): Promise<Matrix> {
    invariant(entries.length === rows * cols, 'matrix entries do not match rows × cols');
    const matrix: ReferenceMatrix = {
      rows,
      cols,
      entries: entries instanceof Int32Array ? 'i32' : 'u64',
      data: entries.slice(),
    };
    return matrix;
  }

  async matmulMatrix(x: Words, matrix: Matrix): Promise<Words> {
    const { rows, cols, data } = matrix as ReferenceMatrix;
    if (data === undefined) throw new TercetError('ERR_STATE', 'the matrix was freed', 'load it again');
    const m = x.data.length / rows;
    invariant(x.k === 64 && Number.isInteger(m), 'matmulMatrix: x must be over Z_2^64 with whole rows');
    return build(m * cols, 64, (at) => {
      let sum = 0n;
      for (let i = 0; i < rows; i++)
        sum += wordAt(x, Math.floor(at / cols) * rows + i) * BigInt(data[i * cols + (at % cols)]);
      return sum;
    });
  }

  async freeMatrix(matrix: Matrix): Promise<void> {
    (matrix as ReferenceMatrix).data = undefined;
  }

  async draw(stream: Stream, k: number, count: number, first = 0): Promise<Words> {
    const lane = laneBytes(checkRing(k));
    const words = littleEndian(keystream(stream.key, stream.nonce, first * lane, (first + count) * lane), lane);
    return build(count, k, (i) => words[i]);
  }

  async pack(x: Words): Promise<Uint8Array> {
    const out = new Uint8Array(wireLength(x.k, x.data.length));
    const width = Math.ceil(x.k / 8);
    for (let i = 0; i < x.data.length; i++) {
      const value = wordAt(x, i);
      if (x.k === 1) out[i >> 3] |= Number(value) << (i & 7);
      else for (let b = 0; b < width; b++) out[i * width + b] = Number((value >> BigInt(8 * b)) & 255n);
    }
    return out;
  }

  async unpack(bytes: Uint8Array, k: number, count: number): Promise<Words> {
    invariant(bytes.length === wireLength(checkRing(k), count), 'unpack: byte length does not match the count');
    if (k === 1) return build(count, 1, (i) => BigInt((bytes[i >> 3] >> (i & 7)) & 1));
    const words = littleEndian(bytes, Math.ceil(k / 8));
    return build(count, k, (i) => words[i]);
  }

  async selectionTable(
    table: SelectionTable<Words>,
    k: number,
    stream: Stream,
    from: number,
    to: number,
  ): Promise<Uint8Array> {
    const { n, P } = tableShape(table);
    const entries = build((to - from) * n * P, k, () => 0n);
    for (let i = from; i < to; i++) {
      const pad = pads(stream, k, i * n * P, n * P);
      for (let j = 0; j < n; j++) {
        tableEntry(table, this.#tables, i, j).forEach((d, p) => {
          store(entries, ((i - from) * n + j) * P + p, d + pad[j * P + p]);
        });
      }
    }
    return this.pack(entries);
  }

  async dealSelection(choice: Choice<Words>, n: number, k: number, stream: Stream, r0: Words): Promise<Words> {
    const P = basisWidth(choice);
    return build(choice.index.data.length, k, (i) => {
      const pad = pads(stream, k, (i * n + Number(choice.index.data[i])) * P, P);
      let sum = -wordAt(r0, i);
      for (let p = 0; p < P; p++) sum -= pad[p] * basisWord(choice, i, P, p);
      return sum;
    });
  }

  async evaluateSelection(
    choice: Choice<Words>,
    n: number,
    k: number,
    table: Uint8Array,
    word: Words,
    from: number,
    to: number,
  ): Promise<Words> {
    const P = basisWidth(choice);
    const entries = await this.unpack(table, k, (to - from) * n * P);
    return build(to - from, k, (row) => {
      const i = from + row;
      let sum = wordAt(word, i);
      for (let p = 0; p < P; p++)
        sum += wordAt(entries, (row * n + Number(choice.index.data[i])) * P + p) * basisWord(choice, i, P, p);
      return sum;
    });
  }

  async powers(l: Words, t: number, s2: number, degree: Degree, k: number): Promise<Words> {
    checkPowers(t, degree);
    const P = degree + 1;
    return build(l.data.length * P, k, (at) => powersOf(wordAt(l, Math.floor(at / P)), t, s2, degree)[at % P]);
  }

  async expBasis(l: Words, s2: number, width: ExpWidth, k: number): Promise<Words> {
    return build(l.data.length, k, (i) => expPhi(this.#tables, wordAt(l, i), s2, width));
  }

  async cosineBasis(l: Words, sum: CosineSum, k: number): Promise<Words> {
    checkCosine(sum);
    const P = cosineExponents(sum).length;
    return build(l.data.length * P, k, (at) => cosinePhi(cosineTables(), sum, wordAt(l, Math.floor(at / P)))[at % P]);
  }

  async chooseBasis(values: readonly Words[]): Promise<Words> {
    const P = 1 + values.length;
    return build(values[0].data.length * P, values[0].k, (at) =>
      at % P === 0 ? 1n : -wordAt(values[(at % P) - 1], Math.floor(at / P)),
    );
  }

  async expandPoint(key: Uint8Array, depth: number, count: number): Promise<Words> {
    return { k: 64, data: expandPointKey(key, depth, count) };
  }

  async close(): Promise<void> {}
}
