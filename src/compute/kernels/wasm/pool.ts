/**
 * The WebAssembly backend: `RingKernels` on one inline instance and, with `threads` > 0, on that many workers with
 * a memory of their own (no SharedArrayBuffer). Operands are cut into ranges, copied and transferred; results come
 * back by transfer.
 *
 * Calls in flight share the workers by turns: an idle worker takes one task of the call that has waited longest
 * since its last task, so a long table does not hold up a short product. A worker that fails ends the backend:
 * pending and later calls get its error. Want of memory fails a call alone.
 */
import { type ErrorCode, TercetError, invariant } from '../../../core/errors.ts';
import { Lists, type Pattern } from '../../pattern.ts';
import { type Words, checkRing, concatWords, laneBytes, wireBytes, wireLength, zeros } from '../../ring.ts';
import { Fault } from '../fault.ts';
import type { Choice, Matrix, ProductShape, RingKernels, SelectionTable, Stream } from '../types.ts';
import { kernelFailure } from './failure.ts';
import { KernelInstance, PANEL, sliceTable, tableWords } from './instance.ts';
import type { Operation, OperationArguments, Reply, Request, Result, WorkerPort } from './messages.ts';

export type { WorkerPort } from './messages.ts';

export interface WasmOptions {
  /** The compiled module of `tercet.wasm`. */
  readonly module: WebAssembly.Module;
  /** Starts a worker that runs `serveKernels`; needed for `threads` > 0. */
  readonly startWorker?: () => WorkerPort;
  /** Workers; 0 computes everything in the calling thread. */
  readonly threads: number;
}

/** One message to one worker. Arguments are made when it is sent, so that waiting tasks hold no copies. */
interface Task {
  readonly op: Operation;
  /** The worker that must run it (it has the matrix), or undefined for any. */
  readonly worker: number | undefined;
  readonly args: () => { readonly args: readonly unknown[]; readonly transfer: ArrayBuffer[] };
  readonly done: (value: Result) => void;
}

/** The tasks of one call that wait for a worker. */
interface Call {
  readonly tasks: Task[];
  readonly fail: (error: unknown) => void;
}

interface Worker {
  readonly port: WorkerPort;
  /** Sent and unanswered, in order. */
  readonly sent: Map<number, { task: Task; call: Call }>;
}

/** Tasks sent to a worker ahead of its answer: the second one travels while the first runs. */
const AHEAD = 2;
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

function part(x: Words, from: number, to: number): Words {
  return { k: x.k, data: x.data.slice(from, to) };
}

/** All buffers of arguments that were made for one message. */
function buffersOf(value: unknown, into: Set<ArrayBuffer> = new Set()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(value)) into.add(value.buffer as ArrayBuffer);
  else if (Array.isArray(value)) for (const item of value) buffersOf(item, into);
  else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) buffersOf(item, into);
  return into;
}

/**
 * A deep copy whose views own exactly their bytes. Views of a large buffer would otherwise be cloned with all of
 * it.
 */
function detached<T>(value: T): T {
  if (ArrayBuffer.isView(value)) return (value as unknown as Uint8Array).slice() as unknown as T;
  if (Array.isArray(value)) return value.map(detached) as unknown as T;
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, detached(item)])) as T;
  return value;
}

/** Cuts [0, count) into at most `parts` ranges whose bounds are multiples of `unit`. */
function ranges(count: number, parts: number, unit = 1): [from: number, to: number][] {
  const step = Math.max(unit, Math.ceil(count / parts / unit) * unit);
  const out: [number, number][] = [];
  for (let from = 0; from < count; from += step) out.push([from, Math.min(count, from + step)]);
  return out.length === 0 ? [[0, 0]] : out;
}

export class WasmKernels implements RingKernels<Words> {
  readonly name = 'wasm' as const;
  #inline: KernelInstance | undefined;
  readonly #lists = new Lists();
  readonly #workers: Worker[] = [];
  readonly #waiting: Call[] = [];
  readonly fault = new Fault();
  #lastId = 0;

  constructor({ module, startWorker, threads }: WasmOptions) {
    invariant(threads === 0 || startWorker !== undefined, 'threads need a way to start workers');
    this.#inline = new KernelInstance(module);
    for (let i = 0; i < threads && startWorker !== undefined; i++) this.#start(startWorker(), module);
  }

  // ── workers ───────────────────────────────────────────────────────────────

  #start(port: WorkerPort, module: WebAssembly.Module): void {
    const worker: Worker = { port, sent: new Map() };
    this.#workers.push(worker);
    port.onMessage((message) => this.#answer(worker, message as Reply));
    port.onError((cause) =>
      this.#fail(
        'ERR_WORKER',
        'a compute worker stopped',
        'start the backend again; with less memory use fewer threads',
        cause,
      ),
    );
    // The start counts as a task: it is answered like one, and a failure in it is a failure of the backend.
    const task: Task = { op: 'add', worker: undefined, args: () => ({ args: [], transfer: [] }), done: () => {} };
    const id = ++this.#lastId;
    worker.sent.set(id, { task, call: { tasks: [], fail: () => {} } });
    const request: Request = { id, module };
    port.postMessage(request, []);
  }

  #answer(worker: Worker, reply: Reply): void {
    const entry = worker.sent.get(reply.id);
    if (entry === undefined || this.fault.failed) return;
    if ('error' in reply && reply.error.code === 'ERR_KERNEL') {
      this.#fail('ERR_KERNEL', reply.error.what, reply.error.hint, undefined);
      return;
    }
    worker.sent.delete(reply.id);
    if ('error' in reply) {
      // The operands were refused, or there was no room for them: that call fails, the worker is sound.
      this.#drop(entry.call, new TercetError(reply.error.code, reply.error.what, reply.error.hint));
    } else {
      try {
        entry.task.done(reply.value);
      } catch (error) {
        // No room for the whole result.
        this.#drop(entry.call, kernelFailure(error));
      }
    }
    this.#feed();
  }

  /** Fails one call and forgets those of its tasks that were not sent. */
  #drop(call: Call, error: Error): void {
    const at = this.#waiting.indexOf(call);
    if (at >= 0) this.#waiting.splice(at, 1);
    call.fail(error);
  }

  /** Gives idle workers a task each, by turns among the waiting calls. */
  #feed(): void {
    for (let ahead = 1; ahead <= AHEAD; ahead++) {
      for (let w = 0; w < this.#workers.length; w++) {
        if (this.#workers[w].sent.size < ahead) this.#next(w);
      }
    }
  }

  #next(w: number): void {
    const runs = (task: Task): boolean => task.worker === undefined || task.worker === w;
    const at = this.#waiting.findIndex((call) => call.tasks.some(runs));
    if (at < 0) return;
    const [call] = this.#waiting.splice(at, 1);
    const [task] = call.tasks.splice(call.tasks.findIndex(runs), 1);
    if (call.tasks.length > 0) this.#waiting.push(call);
    const worker = this.#workers[w];
    let made: ReturnType<Task['args']>;
    try {
      made = task.args();
    } catch (error) {
      // What it was to work on is gone (the keys of an attempt were wiped), or there is no room for copies: that
      // call fails, the worker is sound.
      this.#drop(call, kernelFailure(error));
      this.#next(w);
      return;
    }
    const id = ++this.#lastId;
    worker.sent.set(id, { task, call });
    try {
      const { args, transfer } = made;
      const request: Request = { id, op: task.op, args };
      worker.port.postMessage(request, transfer);
    } catch (cause) {
      this.#fail('ERR_WORKER', 'a compute worker cannot be reached', 'start the backend again', cause);
    }
  }

  #fail(code: ErrorCode, what: string, hint: string, cause: unknown): void {
    if (this.fault.failed) return;
    const failure = new TercetError(code, what, hint, { cause });
    const calls = new Set(this.#waiting);
    for (const worker of this.#workers) {
      for (const { call } of worker.sent.values()) calls.add(call);
      worker.sent.clear();
    }
    this.#waiting.length = 0;
    this.fault.raise(failure);
    for (const call of calls) call.fail(failure);
    for (const worker of this.#workers) void this.#terminate(worker);
  }

  async #terminate(worker: Worker): Promise<void> {
    try {
      await worker.port.terminate();
    } catch {
      // It is gone, which is what was asked for.
    }
  }

  #check(): void {
    this.fault.check();
  }

  /** One task for a worker: arguments are sliced by `args` when the task is sent and become the worker's. */
  #task<Op extends Operation>(
    op: Op,
    args: () => OperationArguments<Op>,
    done: (value: Result) => void,
    worker?: number,
  ): Task {
    return {
      op,
      worker,
      done,
      args: () => {
        const made = args();
        return { args: made, transfer: [...buffersOf(made)] };
      },
    };
  }

  /** Runs tasks on the workers; resolves when all are done. */
  #submit(make: (done: (store: (value: Result) => void) => (value: Result) => void) => Task[]): Promise<void> {
    this.#check();
    return new Promise((resolve, reject) => {
      let left = 0;
      const tasks = make((store) => {
        left++;
        return (value) => {
          store(value);
          if (--left === 0) resolve();
        };
      });
      if (tasks.length === 0) {
        resolve();
        return;
      }
      this.#waiting.push({ tasks, fail: reject });
      this.#feed();
    });
  }

  /** Runs one operation in the calling thread. After a trap the instance is not trusted any more. */
  #here<T>(operation: (instance: KernelInstance) => T): T {
    this.#check();
    invariant(this.#inline !== undefined, 'no inline instance');
    try {
      return operation(this.#inline);
    } catch (error) {
      const failure = kernelFailure(error);
      if (failure.code === 'ERR_KERNEL') this.#fail(failure.code, failure.message, failure.hint, failure.cause);
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
    parts = this.#workers.length,
  ): Promise<Words> {
    if (inline || this.#workers.length === 0) {
      return this.#here((instance) =>
        (instance[op] as (...args: readonly unknown[]) => Words).apply(instance, args(0, count) as unknown[]),
      );
    }
    const cuts = ranges(count, parts, unit);
    let out: Words | undefined;
    await this.#submit((done) =>
      cuts.map(([from, to]) =>
        this.#task(
          op,
          () => detached(args(from, to)),
          done((value) => {
            const words = value as Words;
            if (cuts.length === 1) {
              out = words;
              return;
            }
            out ??= zeros(count * scale, k);
            (out.data as Uint32Array).set(words.data as Uint32Array, from * scale);
          }),
        ),
      ),
    );
    invariant(out !== undefined, 'a call without a result');
    return out;
  }

  // ── elementwise ───────────────────────────────────────────────────────────

  // Always in the calling thread: measured up to 2^20 words, two copies to workers and one back cost more than the
  // work.

  async read(x: Words): Promise<Words> {
    return x;
  }

  attempt(): this {
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
    const view = (v: Words, from: number, to: number): Words => ({ k: v.k, data: v.data.subarray(from, to) });
    if (batch >= this.#workers.length) {
      return this.#ranged('matmul', x.k, batch, m * n, inline, (from, to) => [
        view(x, from * m * inner, to * m * inner),
        view(y, from * inner * n, to * inner * n),
        { ...shape, batch: to - from },
      ]);
    }
    // Few products: by rows of each. A range of rows of one product needs all of its right operand.
    const out = zeros(batch * m * n, x.k);
    await Promise.all(
      Array.from({ length: batch }, async (_, b) => {
        const right = view(y, b * inner * n, (b + 1) * inner * n);
        const rows = await this.#ranged('matmul', x.k, m, n, inline, (from, to) => [
          view(x, (b * m + from) * inner, (b * m + to) * inner),
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
    const id = ++this.#lastId;
    const kind = entries instanceof Int32Array ? 'i32' : 'u64';
    if (this.#workers.length === 0) {
      this.#here((instance) => instance.loadMatrix(id, entries, rows, cols));
      const whole: WasmMatrix = { rows, cols, entries: kind, id, slices: [{ worker: undefined, from: 0, to: cols }] };
      return whole;
    }
    const slices = ranges(cols, this.#workers.length, PANEL).map(([from, to], worker) => ({ worker, from, to }));
    const columns = (from: number, to: number): Int32Array | BigUint64Array => {
      const width = to - from;
      if (width === cols) return entries.slice();
      const out = kind === 'i32' ? new Int32Array(rows * width) : new BigUint64Array(rows * width);
      for (let r = 0; r < rows; r++)
        (out as Int32Array).set((entries as Int32Array).subarray(r * cols + from, r * cols + to), r * width);
      return out;
    };
    await this.#submit((done) =>
      slices.map(({ worker, from, to }) =>
        this.#task(
          'loadMatrix',
          () => [id, columns(from, to), rows, to - from],
          done(() => {}),
          worker,
        ),
      ),
    );
    const matrix: WasmMatrix = { rows, cols, entries: kind, id, slices };
    return matrix;
  }

  async matmulMatrix(x: Words, matrix: Matrix): Promise<Words> {
    const { rows, cols, id, slices } = this.#matrix(matrix);
    const m = x.data.length / rows;
    invariant(x.k === 64 && Number.isInteger(m), 'matmulMatrix: x must be over Z_2^64 with whole rows');
    if (slices[0].worker === undefined) return this.#here((instance) => instance.matmulMatrix(x, id));
    let out: Words | undefined;
    await this.#submit((done) =>
      slices.map(({ worker, from, to }) =>
        this.#task(
          'matmulMatrix',
          () => [part(x, 0, x.data.length), id],
          done((value) => {
            const words = value as Words;
            if (slices.length === 1) {
              out = words;
              return;
            }
            out ??= zeros(m * cols, 64);
            const [to64, from64] = [out.data as BigUint64Array, words.data as BigUint64Array];
            for (let r = 0; r < m; r++)
              to64.set(from64.subarray(r * (to - from), (r + 1) * (to - from)), r * cols + from);
          }),
          worker,
        ),
      ),
    );
    invariant(out !== undefined, 'a call without a result');
    return out;
  }

  async freeMatrix(matrix: Matrix): Promise<void> {
    if (this.#freed.has(matrix)) return;
    const { id, slices } = this.#matrix(matrix);
    this.#freed.add(matrix);
    if (slices[0].worker === undefined) this.#here((instance) => instance.freeMatrix(id));
    else
      await this.#submit((done) =>
        slices.map(({ worker }) =>
          this.#task(
            'freeMatrix',
            () => [id],
            done(() => {}),
            worker,
          ),
        ),
      );
  }

  readonly #freed = new WeakSet<Matrix>();

  #matrix(matrix: Matrix): WasmMatrix {
    if (this.#freed.has(matrix)) throw new TercetError('ERR_STATE', 'the matrix was freed', 'load it again');
    invariant('slices' in matrix, 'a matrix of another backend');
    return matrix as WasmMatrix;
  }

  /** a (m × k) · b (k × n) in f32: the plaintext model's product, to compare speeds with. Never for shares. */
  async matmulF32(a: Float32Array, b: Float32Array, m: number, k: number, n: number): Promise<Float32Array> {
    invariant(a.length === m * k && b.length === k * n, 'matmulF32: operands do not match the shape');
    if (this.#workers.length === 0 || m * k * n <= INLINE_PRODUCT)
      return this.#here((instance) => instance.matmulF32(a, b, m, k, n));
    const out = new Float32Array(m * n);
    await this.#submit((done) =>
      ranges(m, this.#workers.length).map(([from, to]) =>
        this.#task(
          'matmulF32',
          () => [a.slice(from * k, to * k), b.slice(), to - from, k, n],
          done((value) => out.set(value as Float32Array, from * n)),
        ),
      ),
    );
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
    if (x.k !== 1 && wireBytes(x.k) === laneBytes(x.k))
      return new Uint8Array(x.data.buffer, x.data.byteOffset, x.data.byteLength).slice();
    return this.#here((instance) => instance.pack(x));
  }

  async unpack(bytes: Uint8Array, k: number, count: number): Promise<Words> {
    invariant(bytes.length === wireLength(checkRing(k), count), 'unpack: byte length does not match the count');
    return this.#here((instance) => instance.unpack(bytes, k, count));
  }

  // ── selection ─────────────────────────────────────────────────────────────

  #selectionRing(k: number): void {
    invariant(
      k === 1 || (k % 8 === 0 && k >= 8 && k <= 64),
      'selection over a ring that is neither one bit nor whole bytes',
    );
  }

  async selectionTable(
    table: SelectionTable<Words>,
    k: number,
    pads: Stream,
    from: number,
    to: number,
  ): Promise<Uint8Array> {
    this.#selectionRing(k);
    if (this.#workers.length === 0)
      return this.#here((instance) => instance.selectionTable(sliceTable(table, from, to), k, pads, from, to - from));
    const words = tableWords(table);
    const bytes = wireLength(k, (to - from) * words);
    // Bits are cut where they are whole bytes.
    const cuts = ranges(to - from, Math.max(1, Math.ceil(bytes / TABLE_TASK)), k === 1 ? 8 : 1);
    let out: Uint8Array | undefined;
    await this.#submit((done) =>
      cuts.map(([start, end]) =>
        this.#task(
          'selectionTable',
          () =>
            detached([
              sliceTable(table, from + start, from + end),
              k,
              pads,
              from + start,
              end - start,
            ] as OperationArguments<'selectionTable'>),
          done((value) => {
            if (cuts.length === 1) {
              out = value as Uint8Array;
              return;
            }
            out ??= new Uint8Array(bytes);
            out.set(value as Uint8Array, wireLength(k, start * words));
          }),
        ),
      ),
    );
    invariant(out !== undefined, 'a call without a result');
    return out;
  }

  async dealSelection(choice: Choice<Words>, n: number, k: number, pads: Stream, r0: Words): Promise<Words> {
    this.#selectionRing(k);
    const count = choice.index.data.length;
    const P = choice.basis === undefined || count === 0 ? 1 : choice.basis.data.length / count;
    invariant(
      r0.k === k && r0.data.length === count && (choice.basis === undefined || choice.basis.k === k),
      'dealSelection: operands do not match',
    );
    const view = (v: Words, from: number, to: number): Words => ({ k: v.k, data: v.data.subarray(from, to) });
    // About a block of key stream per element.
    return this.#ranged('dealSelection', k, count, 1, count <= INLINE_WORDS / 16, (from, to) => [
      {
        index: view(choice.index, from, to),
        ...(choice.basis === undefined ? {} : { basis: view(choice.basis, from * P, to * P) }),
      },
      n,
      k,
      pads,
      view(r0, from, to),
      from,
    ]);
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
    this.#selectionRing(k);
    const all = choice.index.data.length;
    const P = choice.basis === undefined || all === 0 ? 1 : choice.basis.data.length / all;
    invariant(
      table.length === wireLength(k, (to - from) * n * P),
      'evaluateSelection: table bytes do not match the range',
    );
    invariant(
      word.k === k && (choice.basis === undefined || choice.basis.k === k),
      'evaluateSelection: operands over different rings',
    );
    const basis = choice.basis === undefined ? undefined : part(choice.basis, from * P, to * P);
    // The chosen words are picked out here: that reads one cache line per element, where sending the table to a
    // worker would copy all of it.
    const entries = chosen(choice.index, n * P, P, k, table, from, to);
    return this.#ranged(
      'evaluateEntries',
      k,
      to - from,
      1,
      to - from <= INLINE_WORDS,
      (start, end) => [
        entries.subarray(wireLength(k, start * P), wireLength(k, end * P)),
        basis === undefined ? undefined : { k, data: basis.data.subarray(start * P, end * P) },
        k,
        part(word, from + start, from + end),
      ],
      8,
    );
  }

  async cubicBasis(l: Words, t: number, s2: number, k: number): Promise<Words> {
    checkRing(k);
    const count = l.data.length;
    return this.#ranged('cubicBasis', k, count, 4, 4 * count <= INLINE_WORDS, (from, to) => [
      { k: l.k, data: l.data.subarray(from, to) },
      t,
      s2,
      k,
    ]);
  }

  async expBasis(l: Words, s2: number, k: number): Promise<Words> {
    checkRing(k);
    const count = l.data.length;
    return this.#ranged('expBasis', k, count, 1, count <= INLINE_WORDS, (from, to) => [
      { k: l.k, data: l.data.subarray(from, to) },
      s2,
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

  async close(): Promise<void> {
    this.#fail('ERR_STATE', 'the kernels were closed', 'make new ones', undefined);
    this.#inline = undefined;
    await Promise.all(this.#workers.map((worker) => this.#terminate(worker)));
  }
}

/** The P words of the chosen entry of each element, in wire form. `stride` is the words of an element. */
function chosen(
  index: Words,
  stride: number,
  P: number,
  k: number,
  table: Uint8Array,
  from: number,
  to: number,
): Uint8Array {
  const count = to - from;
  const entries = stride / P;
  const at = (row: number): number => {
    const c = Number(index.data[from + row]);
    invariant(c < entries, 'selection index out of range');
    return row * stride + c * P;
  };
  const out = new Uint8Array(wireLength(k, count * P));
  if (k === 1) {
    for (let row = 0; row < count; row++) {
      const first = at(row);
      for (let p = 0; p < P; p++) {
        const [source, target] = [first + p, row * P + p];
        out[target >> 3] |= ((table[source >> 3] >> (source & 7)) & 1) << (target & 7);
      }
    }
    return out;
  }
  const width = (k / 8) * P;
  if (width % 4 === 0 && table.byteOffset % 4 === 0) {
    const units = width / 4;
    const from32 = new Uint32Array(table.buffer, table.byteOffset, table.length / 4);
    const to32 = new Uint32Array(out.buffer);
    for (let row = 0; row < count; row++) {
      const source = (at(row) * (k / 8)) / 4;
      for (let u = 0; u < units; u++) to32[row * units + u] = from32[source + u];
    }
    return out;
  }
  for (let row = 0; row < count; row++) {
    const source = at(row) * (k / 8);
    for (let b = 0; b < width; b++) out[row * width + b] = table[source + b];
  }
  return out;
}

/**
 * Makes the WebAssembly backend. Workers start at once and are ready when they answer; failures show at the first
 * call.
 */
export async function createWasmKernels(options: WasmOptions): Promise<WasmKernels> {
  return new WasmKernels(options);
}
