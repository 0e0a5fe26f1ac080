/**
 * The WebAssembly backend: `RingKernels` on one instance in the calling thread and, with `threads` > 0, on that many
 * workers (`workers.ts`). What is large is cut into ranges for them; what is small stays here.
 */
import { TercetError, invariant } from '../../../core/errors.ts';
import type { ExpWidth } from '../../exp-tables.ts';
import { Lists, type Pattern } from '../../pattern.ts';
import { type Words, checkRing, concatWords, laneBytes, sliceWords, viewWords, wireLength, zeros } from '../../ring.ts';
import { cosineExponents } from '../cosine-sum.ts';
import { Fault } from '../fault.ts';
import { checkChoice, checkTable } from '../selection-shape.ts';
import { type TableLayout, tableBytes } from '../table-layout.ts';
import type {
  Choice,
  CosineSum,
  Degree,
  Matrix,
  OtReceived,
  OtSent,
  ProductShape,
  RingKernels,
  SelectionTable,
  Stream,
} from '../types.ts';
import { chosen, entryStride } from './entries.ts';
import { kernelFailure } from './failure.ts';
import { KernelInstance } from './instance.ts';
import type { Operation, OperationArguments, Result, WorkerPort } from './messages.ts';
import { sliceTable } from './selection.ts';
import { Workers, detached, ranges } from './workers.ts';

export type { WorkerPort } from './messages.ts';

export interface WasmOptions {
  /** The compiled module of `tercet.wasm`. */
  readonly module: WebAssembly.Module;
  /** Starts a worker that runs `serveKernels`; needed for `threads` > 0. */
  readonly startWorker?: () => WorkerPort;
  /** Workers; 0 computes everything in the calling thread. */
  readonly threads: number;
}

/**
 * Up to this many words of result, draws, bases and corrections stay in the calling thread (under half a
 * millisecond).
 */
const INLINE_WORDS = 1 << 16;
/** Multiply-adds below which a product stays in the calling thread (well under a millisecond). */
const INLINE_PRODUCT = 1 << 19;
/**
 * Bytes of a table in one task: long tables are cut so that other calls get their turn, and short ones are not cut
 * at all.
 */
const TABLE_TASK = 1 << 20;
/** OTs in one task, for the same reason. */
const OT_TASK = 1 << 16;
/** Words of a point function below which it stays in the calling thread, and by which ranges are cut. */
const POINT_WORDS = 1 << 10;

interface Slice {
  readonly worker: number | undefined;
  readonly from: number;
  readonly to: number;
}

interface WasmMatrix extends Matrix {
  readonly id: number;
  readonly slices: readonly Slice[];
}

const nothing = (): void => {};

/** What of a layout goes to workers: a caller's own may be more than one. */
function bare({ n, k, widths }: TableLayout): TableLayout {
  return { n, k, widths };
}

export class WasmKernels implements RingKernels<Words> {
  readonly name = 'wasm' as const;
  readonly fault = new Fault();
  readonly #workers: Workers;
  readonly #lists = new Lists();
  readonly #freed = new WeakSet<Matrix>();
  readonly #panel: number;
  readonly #otGroup: number;
  #inline: KernelInstance | undefined;
  #lastMatrix = 0;

  constructor({ module, startWorker, threads }: WasmOptions) {
    invariant(threads === 0 || startWorker !== undefined, 'threads need a way to start workers');
    this.#inline = new KernelInstance(module);
    this.#panel = this.#inline.panel;
    this.#otGroup = this.#inline.otGroup;
    const ports = startWorker === undefined ? [] : Array.from({ length: threads }, startWorker);
    this.#workers = new Workers(module, ports, this.fault);
  }

  /** Runs one operation in the calling thread. After a trap the instance is not trusted any more. */
  #here<T>(operation: (instance: KernelInstance) => T): T {
    this.fault.check();
    invariant(this.#inline !== undefined, 'no inline instance');
    try {
      return operation(this.#inline);
    } catch (error) {
      const failure = kernelFailure(error);
      if (failure.code === 'ERR_KERNEL') this.#workers.fail(failure.code, failure.message, failure.hint, failure.cause);
      throw failure;
    }
  }

  /**
   * A vector over Z_2^k computed by ranges of `count` items, each giving `scale` words: in the calling thread when
   * small or without workers.
   */
  async #ranged<Op extends Operation>(
    op: Op,
    k: number,
    count: number,
    scale: number,
    inline: boolean,
    args: (from: number, to: number) => OperationArguments<Op>,
    unit = 1,
    parts = this.#workers.count,
  ): Promise<Words> {
    if (inline || this.#workers.count === 0) {
      return this.#here((instance) =>
        (instance[op] as (...args: readonly unknown[]) => Words).apply(instance, args(0, count) as unknown[]),
      );
    }
    const cuts = ranges(count, parts, unit);
    let out: Words | undefined;
    await this.#workers.submit((add) => {
      for (const [from, to] of cuts) {
        add(
          op,
          () => detached(args(from, to)),
          (value) => {
            const words = value as Words;
            if (cuts.length === 1) {
              out = words;
              return;
            }
            out ??= zeros(count * scale, k);
            (out.data as Uint32Array).set(words.data as Uint32Array, from * scale);
          },
        );
      }
    });
    invariant(out !== undefined, 'a call without a result');
    return out;
  }

  // ── elementwise ───────────────────────────────────────────────────────────

  // Always in the calling thread: measured up to 2^20 words, two copies to workers and one back cost more than the
  // work.

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
    return this.#here((instance) => instance.add(x, y));
  }

  async sub(x: Words, y: Words): Promise<Words> {
    return this.#here((instance) => instance.sub(x, y));
  }

  async mul(x: Words, y: Words): Promise<Words> {
    return this.#here((instance) => instance.mul(x, y));
  }

  async scale(x: Words, c: bigint): Promise<Words> {
    return this.#here((instance) => instance.scale(x, c));
  }

  async offset(x: Words, c: bigint): Promise<Words> {
    return this.#here((instance) => instance.offset(x, c));
  }

  async shiftRight(x: Words, s: number, k: number): Promise<Words> {
    checkRing(k);
    return this.#here((instance) => instance.shiftRight(x, s, k));
  }

  async cast(x: Words, k: number): Promise<Words> {
    return this.shiftRight(x, 0, k);
  }

  async addRow(x: Words, row: Words): Promise<Words> {
    invariant(x.k === row.k, 'addRow: operands over different rings');
    return this.#here((instance) => instance.addRow(x, row));
  }

  async mulRow(x: Words, row: Words): Promise<Words> {
    invariant(x.k === row.k, 'mulRow: operands over different rings');
    return this.#here((instance) => instance.mulRow(x, row));
  }

  async sumRows(x: Words, cols: number): Promise<Words> {
    return this.#here((instance) => instance.sumRows(x, cols));
  }

  async repeat(x: Words, cols: number): Promise<Words> {
    return this.#here((instance) => instance.repeat(x, cols));
  }

  async concat(parts: readonly Words[]): Promise<Words> {
    return concatWords(parts);
  }

  async gather(x: Words, places: Pattern | Uint32Array): Promise<Words> {
    const index = this.#lists.of(places);
    return this.#here((instance) => instance.gather(x, index));
  }

  // ── products ──────────────────────────────────────────────────────────────

  async matmul(x: Words, y: Words, shape: ProductShape): Promise<Words> {
    const { batch, m, inner, n } = shape;
    invariant(
      x.k === y.k && x.data.length === batch * m * inner && y.data.length === batch * inner * n,
      'matmul: operands do not match the shape',
    );
    const inline = batch * m * inner * n <= INLINE_PRODUCT;
    if (batch >= this.#workers.count) {
      return this.#ranged('matmul', x.k, batch, m * n, inline, (from, to) => [
        viewWords(x, from * m * inner, to * m * inner),
        viewWords(y, from * inner * n, to * inner * n),
        { ...shape, batch: to - from },
      ]);
    }
    // Few products: by rows of each. A range of rows of one product needs all of its right operand.
    const out = zeros(batch * m * n, x.k);
    await Promise.all(
      Array.from({ length: batch }, async (_, b) => {
        const right = viewWords(y, b * inner * n, (b + 1) * inner * n);
        const rows = await this.#ranged('matmul', x.k, m, n, inline, (from, to) => [
          viewWords(x, (b * m + from) * inner, (b * m + to) * inner),
          right,
          { ...shape, batch: 1, m: to - from },
        ]);
        (out.data as Uint32Array).set(rows.data as Uint32Array, b * m * n);
      }),
    );
    return out;
  }

  async loadMatrix(entries: Int32Array | BigUint64Array, rows: number, cols: number): Promise<Matrix> {
    invariant(entries.length === rows * cols, 'matrix entries do not match rows × cols');
    const id = ++this.#lastMatrix;
    const kind = entries instanceof Int32Array ? 'i32' : 'u64';
    if (this.#workers.count === 0) {
      this.#here((instance) => instance.loadMatrix(id, entries, rows, cols));
      const whole: WasmMatrix = { rows, cols, entries: kind, id, slices: [{ worker: undefined, from: 0, to: cols }] };
      return whole;
    }
    const slices = ranges(cols, this.#workers.count, this.#panel).map(([from, to], worker) => ({ worker, from, to }));
    const columns = (from: number, to: number): Int32Array | BigUint64Array => {
      const width = to - from;
      if (width === cols) return entries.slice();
      const out = kind === 'i32' ? new Int32Array(rows * width) : new BigUint64Array(rows * width);
      for (let r = 0; r < rows; r++)
        (out as Int32Array).set((entries as Int32Array).subarray(r * cols + from, r * cols + to), r * width);
      return out;
    };
    await this.#workers.submit((add) => {
      for (const { worker, from, to } of slices)
        add('loadMatrix', () => [id, columns(from, to), rows, to - from], nothing, worker);
    });
    const matrix: WasmMatrix = { rows, cols, entries: kind, id, slices };
    return matrix;
  }

  async matmulMatrix(x: Words, matrix: Matrix): Promise<Words> {
    const { rows, cols, id, slices } = this.#matrix(matrix);
    const m = x.data.length / rows;
    invariant(x.k === 64 && Number.isInteger(m), 'matmulMatrix: x must be over Z_2^64 with whole rows');
    if (slices[0].worker === undefined) return this.#here((instance) => instance.matmulMatrix(x, id));
    let out: Words | undefined;
    await this.#workers.submit((add) => {
      for (const { worker, from, to } of slices) {
        const store = (value: Result) => {
          const words = value as Words;
          if (slices.length === 1) {
            out = words;
            return;
          }
          out ??= zeros(m * cols, 64);
          const [to64, from64] = [out.data as BigUint64Array, words.data as BigUint64Array];
          for (let r = 0; r < m; r++)
            to64.set(from64.subarray(r * (to - from), (r + 1) * (to - from)), r * cols + from);
        };
        add('matmulMatrix', () => [sliceWords(x, 0, x.data.length), id], store, worker);
      }
    });
    invariant(out !== undefined, 'a call without a result');
    return out;
  }

  async freeMatrix(matrix: Matrix): Promise<void> {
    if (this.#freed.has(matrix)) return;
    const { id, slices } = this.#matrix(matrix);
    this.#freed.add(matrix);
    if (slices[0].worker === undefined) this.#here((instance) => instance.freeMatrix(id));
    else
      await this.#workers.submit((add) => {
        for (const { worker } of slices) add('freeMatrix', () => [id], nothing, worker);
      });
  }

  #matrix(matrix: Matrix): WasmMatrix {
    if (this.#freed.has(matrix)) throw new TercetError('ERR_STATE', 'the matrix was freed', 'load it again');
    invariant('slices' in matrix, 'a matrix of another backend');
    return matrix as WasmMatrix;
  }

  /** a (m × k) · b (k × n) in f32: the plaintext model's product, to compare speeds with. Never for shares. */
  async matmulF32(a: Float32Array, b: Float32Array, m: number, k: number, n: number): Promise<Float32Array> {
    invariant(a.length === m * k && b.length === k * n, 'matmulF32: operands do not match the shape');
    if (this.#workers.count === 0 || m * k * n <= INLINE_PRODUCT)
      return this.#here((instance) => instance.matmulF32(a, b, m, k, n));
    const out = new Float32Array(m * n);
    await this.#workers.submit((add) => {
      for (const [from, to] of ranges(m, this.#workers.count)) {
        add(
          'matmulF32',
          () => [a.slice(from * k, to * k), b.slice(), to - from, k, n],
          (value) => out.set(value as Float32Array, from * n),
        );
      }
    });
    return out;
  }

  // ── randomness ────────────────────────────────────────────────────────────

  async draw(stream: Stream, k: number, count: number, first = 0): Promise<Words> {
    checkRing(k);
    // 16 words are whole blocks in either lane.
    return this.#ranged(
      'draw',
      k,
      count,
      1,
      count <= INLINE_WORDS,
      (from, to) => [stream, k, to - from, first + from],
      16,
    );
  }

  // ── wire form ─────────────────────────────────────────────────────────────

  async pack(x: Words): Promise<Uint8Array> {
    // Lanes that are wholly on the wire are the wire form (little-endian, as typed arrays are on every platform
    // that runs this).
    if (x.k === 8 * laneBytes(x.k)) return new Uint8Array(x.data.buffer, x.data.byteOffset, x.data.byteLength).slice();
    return this.#here((instance) => instance.pack(x));
  }

  async unpack(bytes: Uint8Array, k: number, count: number): Promise<Words> {
    invariant(bytes.length === wireLength(checkRing(k), count), 'unpack: byte length does not match the count');
    return this.#here((instance) => instance.unpack(bytes, k, count));
  }

  // ── selection ─────────────────────────────────────────────────────────────

  async selectionTable(
    table: SelectionTable<Words>,
    layout: TableLayout,
    pads: Stream,
    from: number,
    to: number,
  ): Promise<Uint8Array> {
    checkTable(table, layout);
    if (this.#workers.count === 0)
      return this.#here((instance) =>
        instance.selectionTable(sliceTable(table, from, to), layout, pads, from, to - from),
      );
    const bytes = tableBytes(layout, to - from);
    // Eight elements are whole bytes.
    const cuts = ranges(to - from, Math.max(1, Math.ceil(bytes / TABLE_TASK)), 8);
    let out: Uint8Array | undefined;
    await this.#workers.submit((add) => {
      for (const [start, end] of cuts) {
        const [first, last] = [from + start, from + end];
        add(
          'selectionTable',
          () => detached([sliceTable(table, first, last), bare(layout), pads, first, last - first]),
          (value) => {
            if (cuts.length === 1) {
              out = value as Uint8Array;
              return;
            }
            out ??= new Uint8Array(bytes);
            out.set(value as Uint8Array, tableBytes(layout, start));
          },
        );
      }
    });
    invariant(out !== undefined, 'a call without a result');
    return out;
  }

  async dealSelection(choice: Choice<Words>, layout: TableLayout, pads: Stream, r0: Words): Promise<Words> {
    checkChoice(choice, layout, r0);
    const count = choice.index.data.length;
    const P = layout.widths.length;
    // About a block of key stream per element.
    return this.#ranged('dealSelection', layout.k, count, 1, count <= INLINE_WORDS / 16, (from, to) => [
      {
        index: viewWords(choice.index, from, to),
        basis: choice.basis === undefined ? undefined : viewWords(choice.basis, from * P, to * P),
      },
      bare(layout),
      pads,
      viewWords(r0, from, to),
      from,
    ]);
  }

  async evaluateSelection(
    choice: Choice<Words>,
    layout: TableLayout,
    table: Uint8Array,
    word: Words,
    from: number,
    to: number,
  ): Promise<Words> {
    checkChoice(choice, layout, word);
    invariant(table.length === tableBytes(layout, to - from), 'evaluateSelection: table bytes do not match the range');
    const P = layout.widths.length;
    const basis = choice.basis === undefined ? undefined : viewWords(choice.basis, from * P, to * P);
    // The chosen words are picked out here: that reads one cache line per element, where sending the table to a
    // worker would copy all of it.
    const entries = chosen(choice.index, layout, table, from, to);
    const stride = entryStride(layout);
    return this.#ranged('evaluateEntries', layout.k, to - from, 1, to - from <= INLINE_WORDS, (start, end) => [
      entries.subarray(start * stride, end * stride),
      basis === undefined ? undefined : viewWords(basis, start * P, end * P),
      bare(layout),
      viewWords(word, from + start, from + end),
    ]);
  }

  async powers(l: Words, t: number, s2: number, degree: Degree, k: number): Promise<Words> {
    checkRing(k);
    const count = l.data.length;
    const P = degree + 1;
    return this.#ranged('powers', k, count, P, P * count <= INLINE_WORDS, (from, to) => [
      viewWords(l, from, to),
      t,
      s2,
      degree,
      k,
    ]);
  }

  async expBasis(l: Words, s2: number, width: ExpWidth, k: number): Promise<Words> {
    checkRing(k);
    const count = l.data.length;
    return this.#ranged('expBasis', k, count, 1, count <= INLINE_WORDS, (from, to) => [
      viewWords(l, from, to),
      s2,
      width,
      k,
    ]);
  }

  async cosineBasis(l: Words, sum: CosineSum, k: number): Promise<Words> {
    checkRing(k);
    const count = l.data.length;
    const P = cosineExponents(sum).length;
    return this.#ranged('cosineBasis', k, count, P, P * count <= INLINE_WORDS, (from, to) => [
      viewWords(l, from, to),
      sum,
      k,
    ]);
  }

  async chooseBasis(values: readonly Words[]): Promise<Words> {
    return this.#here((instance) => instance.chooseBasis(values));
  }

  // ── distributed point function ────────────────────────────────────────────

  async expandPoint(key: Uint8Array, depth: number, count: number): Promise<Words> {
    return this.#ranged(
      'expandPoint',
      64,
      count,
      1,
      count <= POINT_WORDS,
      (from, to) => [key, depth, from, to],
      POINT_WORDS,
    );
  }

  // ── OT extension ──────────────────────────────────────────────────────────

  async otReceive(base: Uint8Array, nonce: Uint8Array, choice: Words, k: number): Promise<OtReceived<Words>> {
    invariant(choice.k === 1, 'otReceive: choices are single bits');
    const [message, words] = await this.#ots('otReceive', base, nonce, choice, [32, checkRing(k)]);
    return { message, words };
  }

  async otSend(base: Uint8Array, nonce: Uint8Array, message: Words, k: number): Promise<OtSent<Words>> {
    invariant(message.k === 32, 'otSend: messages have 32 bits');
    const [zero, one] = await this.#ots('otSend', base, nonce, message, [checkRing(k), k]);
    return { zero, one };
  }

  /** Two vectors of one word an OT, over two rings, the second one that of the words. */
  async #ots(
    op: 'otReceive' | 'otSend',
    base: Uint8Array,
    nonce: Uint8Array,
    x: Words,
    rings: readonly [number, number],
  ): Promise<readonly [Words, Words]> {
    const count = x.data.length;
    const k = rings[1];
    // A group is a few thousand blocks of key stream: enough for a worker.
    if (this.#workers.count === 0 || count <= this.#otGroup)
      return this.#here((instance) => instance[op](base, nonce, x, k, 0));
    const out = [zeros(count, rings[0]), zeros(count, rings[1])] as const;
    await this.#workers.submit((add) => {
      const parts = Math.max(this.#workers.count, Math.ceil(count / OT_TASK));
      for (const [from, to] of ranges(count, parts, this.#otGroup))
        add(
          op,
          () => detached([base, nonce, viewWords(x, from, to), k, from]),
          (value) => {
            for (const [i, { data }] of (value as readonly [Words, Words]).entries())
              (out[i].data as Uint32Array).set(data as Uint32Array, from);
          },
        );
    });
    return out;
  }

  async close(): Promise<void> {
    this.#workers.fail('ERR_STATE', 'the kernels were closed', 'make new ones');
    this.#inline = undefined;
    await this.#workers.terminate();
  }
}

/**
 * Makes the WebAssembly backend. Workers start at once and are ready when they answer; failures show at the first
 * call.
 */
export async function createWasmKernels(options: WasmOptions): Promise<WasmKernels> {
  return new WasmKernels(options);
}
