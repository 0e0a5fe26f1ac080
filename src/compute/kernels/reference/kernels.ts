/**
 * The reference kernels: slow, readable, in bigint. The oracle that every other backend is compared with; also the
 * definition of each op.
 */
import { TercetError, invariant } from '../../../core/errors.ts';
import { cosineTables } from '../../cosine-tables.ts';
import { type ExpTables, type ExpWidth, expTables } from '../../exp-tables.ts';
import { type Pattern, listOf, strided } from '../../pattern.ts';
import { type Words, checkRing, concatWords, ringMask, sameShape, wireLength, wordAt, zeros } from '../../ring.ts';
import { checkCosine, cosineExponents } from '../cosine-sum.ts';
import { Fault } from '../fault.ts';
import { checkChoice, checkPowers, checkTable, tableShape, withBasis } from '../selection-shape.ts';
import { otParts } from '../ot-base.ts';
import { type TableLayout, elementBits, entryBits, tableBytes } from '../table-layout.ts';
import type {
  Choice,
  CosineSum,
  Degree,
  Drawn,
  DrawnFactor,
  Matrix,
  MatrixPlaces,
  OtReceived,
  OtSent,
  PlacedFactors,
  ProductShape,
  RingKernels,
  SelectionTable,
  Stream,
} from '../types.ts';
import { readBits, writeBits } from './bits.ts';
import { keystream } from './chacha.ts';
import { cosinePhi } from './cosine.ts';
import { drawWords } from './draw.ts';
import { OtRows, combine, otHash, xor } from './ot.ts';
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

/** The words of an entry whose first bit is at `at`. */
function entryAt(bytes: Uint8Array, at: number, widths: readonly number[]): bigint[] {
  return widths.map((width) => {
    const word = readBits(bytes, at, width);
    at += width;
    return word;
  });
}

/** `length` bits of a key stream from bit `from` on, and where the first of them is in its byte. */
function streamBits({ key, nonce }: Stream, from: number, length: number): { bytes: Uint8Array; skip: number } {
  const first = Math.floor(from / 8);
  return { bytes: keystream(key, nonce, first, Math.ceil((from + length) / 8)), skip: from - 8 * first };
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

  async matmulMatrix(x: Words, matrix: Matrix, bits = 64): Promise<Words> {
    const { rows, cols, data } = matrix as ReferenceMatrix;
    if (data === undefined) throw new TercetError('ERR_STATE', 'the matrix was freed', 'load it again');
    const m = x.data.length / rows;
    invariant(x.k === 64 && Number.isInteger(m), 'matmulMatrix: x must be over Z_2^64 with whole rows');
    return build(m * cols, 64, (at) => {
      let sum = 0n;
      for (let i = 0; i < rows; i++)
        sum += wordAt(x, Math.floor(at / cols) * rows + i) * BigInt(data[i * cols + (at % cols)]);
      return sum & ringMask(bits);
    });
  }

  async entries(matrix: Matrix): Promise<Int32Array | undefined> {
    const { data } = matrix as ReferenceMatrix;
    if (data === undefined) throw new TercetError('ERR_STATE', 'the matrix was freed', 'load it again');
    return data instanceof Int32Array ? data.slice() : undefined;
  }

  async freeMatrix(matrix: Matrix): Promise<void> {
    (matrix as ReferenceMatrix).data = undefined;
  }

  async draw(stream: Stream, k: number, count: number, first = 0): Promise<Words> {
    return drawWords(stream, k, count, first);
  }

  async matmulPlaced(
    factors: readonly PlacedFactors<Words>[],
    shape: ProductShape,
    { offset, apart, stride }: MatrixPlaces,
  ): Promise<Words> {
    const { batch, inner, n, transposed } = shape;
    const [rows, cols] = transposed === true ? [n, inner] : [inner, n];
    const places = strided(offset, [batch, apart], [rows, stride], [cols, 1]);
    const [{ x: first }] = factors;
    let sum = zeros(batch * n, first.k);
    for (const { x, y } of factors)
      sum = await this.add(sum, await this.matmul(x, await this.cast(await this.gather(y, places), x.k), shape));
    return sum;
  }

  async matmulDrawn(
    factors: readonly DrawnFactor<Words>[],
    drawn: readonly Drawn[],
    inner: number,
    n: number,
  ): Promise<Words> {
    const [{ k, data }] = [factors[0].x];
    const m = data.length / inner;
    let sum = zeros(m * n, k);
    for (const { x, signs } of factors) {
      let y = zeros(inner * n, k);
      for (const [i, { stream, first }] of drawn.entries())
        y = await this.add(y, await this.scale(await this.draw(stream, k, inner * n, first), BigInt(signs[i])));
      sum = await this.add(sum, await this.matmul(x, y, { batch: 1, m, inner, n }));
    }
    return sum;
  }

  async pack(x: Words): Promise<Uint8Array> {
    const out = new Uint8Array(wireLength(x.k, x.data.length));
    for (let i = 0; i < x.data.length; i++) writeBits(out, x.k * i, x.k, wordAt(x, i));
    return out;
  }

  async unpack(bytes: Uint8Array, k: number, count: number): Promise<Words> {
    invariant(bytes.length === wireLength(checkRing(k), count), 'unpack: byte length does not match the count');
    return build(count, k, (i) => readBits(bytes, k * i, k));
  }

  async selectionTable(
    table: SelectionTable<Words>,
    layout: TableLayout,
    stream: Stream,
    from: number,
    to: number,
  ): Promise<Uint8Array> {
    checkTable(table, layout);
    const [bits, element] = [entryBits(layout), elementBits(layout)];
    const out = new Uint8Array(tableBytes(layout, to - from));
    for (let i = from; i < to; i++) {
      const { bytes, skip } = streamBits(stream, i * element, element);
      for (let j = 0; j < layout.n; j++) {
        const pads = entryAt(bytes, skip + j * bits, layout.widths);
        const entry = tableEntry(table, this.#tables, i, j);
        let at = (i - from) * element + j * bits;
        layout.widths.forEach((width, p) => {
          writeBits(out, at, width, entry[p] + pads[p]);
          at += width;
        });
      }
    }
    return out;
  }

  async clearTable(table: SelectionTable<Words>, layout: TableLayout): Promise<Uint8Array> {
    checkTable(table, layout);
    const { count } = tableShape(table);
    const out = new Uint8Array(tableBytes(layout, count));
    let at = 0;
    for (let i = 0; i < count; i++)
      for (let j = 0; j < layout.n; j++)
        for (const [p, word] of tableEntry(table, this.#tables, i, j).entries()) {
          writeBits(out, at, layout.widths[p], word);
          at += layout.widths[p];
        }
    return out;
  }

  async dealSelection(of: Choice<Words>, layout: TableLayout, stream: Stream, r0: Words): Promise<Words> {
    checkChoice(of, layout, r0);
    const choice = await withBasis(this, of, layout.k);
    const [bits, element] = [entryBits(layout), elementBits(layout)];
    return build(choice.index.data.length, layout.k, (i) => {
      const { bytes, skip } = streamBits(stream, i * element + Number(choice.index.data[i]) * bits, bits);
      const pads = entryAt(bytes, skip, layout.widths);
      return pads.reduce((sum, pad, p) => sum - pad * basisWord(choice, i, pads.length, p), -wordAt(r0, i));
    });
  }

  async evaluateSelection(
    of: Choice<Words>,
    layout: TableLayout,
    table: Uint8Array,
    word: Words,
    from: number,
    to: number,
  ): Promise<Words> {
    checkChoice(of, layout, word);
    const choice = await withBasis(this, of, layout.k);
    invariant(table.length === tableBytes(layout, to - from), 'evaluateSelection: table bytes do not match the range');
    const [bits, element] = [entryBits(layout), elementBits(layout)];
    return build(to - from, layout.k, (row) => {
      const i = from + row;
      const entry = entryAt(table, row * element + Number(choice.index.data[i]) * bits, layout.widths);
      return entry.reduce((sum, e, p) => sum + e * basisWord(choice, i, entry.length, p), wordAt(word, i));
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

  async otReceive(base: Uint8Array, nonce: Uint8Array, choice: Words, k: number): Promise<OtReceived<Words>> {
    invariant(choice.k === 1, 'otReceive: choices are single bits');
    const rows = new OtRows(base, nonce);
    const { tweak } = otParts(base);
    const [message, words] = [zeros(choice.data.length, 32), zeros(choice.data.length, checkRing(k))];
    for (let j = 0; j < choice.data.length; j++) {
      const { v, u } = rows.at(j);
      store(message, j, BigInt(u) ^ (wordAt(choice, j) * 0xffffffffn));
      store(words, j, otHash(v, tweak, nonce, j));
    }
    return { message, words };
  }

  async otSend(base: Uint8Array, nonce: Uint8Array, message: Words, k: number): Promise<OtSent<Words>> {
    invariant(message.k === 32, 'otSend: messages have 32 bits');
    const rows = new OtRows(base, nonce);
    const { delta, tweak } = otParts(base);
    const [zero, one] = [zeros(message.data.length, checkRing(k)), zeros(message.data.length, k)];
    for (let j = 0; j < message.data.length; j++) {
      const q = combine(rows.at(j).v, delta, Number(message.data[j]));
      store(zero, j, otHash(q, tweak, nonce, j));
      store(one, j, otHash(xor(q, delta), tweak, nonce, j));
    }
    return { zero, one };
  }

  async close(): Promise<void> {}
}
