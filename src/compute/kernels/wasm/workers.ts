/**
 * The worker threads of the WebAssembly backend, each with an instance and a memory of its own: operands are cut into
 * ranges, copied and transferred; results come back by transfer. Only a matrix may be given in shared memory: then
 * each worker reads its columns there.
 *
 * Calls in flight share the workers by turns: an idle worker takes one task of the call that has waited longest
 * since its last task, so a long table does not hold up a short product. A worker that fails ends the backend:
 * pending and later calls get its error. Want of memory fails a call alone.
 */
import { type ErrorCode, TercetError } from '../../../core/errors.ts';
import { type Words, isShared } from '../../ring.ts';
import { EndingStream } from '../ending-stream.ts';
import type { Fault } from '../fault.ts';
import { kernelFailure } from './failure.ts';
import type { NativeLibrary } from './link.ts';
import type { Operation, OperationArguments, Reply, Request, Result, WorkerPort } from './messages.ts';

/** One message to one worker. Arguments are made when it is sent, so that waiting tasks hold no copies. */
interface Task {
  readonly op: Operation;
  /** The worker that must run it (it has the matrix), or undefined for any. */
  readonly worker: number | undefined;
  readonly args: () => { readonly args: readonly unknown[]; readonly transfer: ArrayBuffer[] };
  /** Where the result belongs, in memory that the worker sees. */
  readonly into: Words | undefined;
  readonly done: (value: Result) => void;
}

/** The tasks of one call that wait for a worker. */
interface Call {
  readonly tasks: Task[];
  readonly fail: (error: unknown) => void;
}

interface Worker {
  readonly port: WorkerPort;
  /** Sent and unanswered, in order; undefined for the start. */
  readonly sent: Map<number, { readonly task: Task; readonly call: Call } | undefined>;
}

/** Makes a task; `args` are made when it is sent, and become the worker's. */
export type Tasks = <Op extends Operation>(
  op: Op,
  args: () => OperationArguments<Op>,
  store: (value: Result) => void,
  worker?: number,
  into?: Words,
) => void;

/** Tasks sent to a worker ahead of its answer: the second one travels while the first runs. */
const AHEAD = 2;

/** All buffers of arguments that were made for one message, but those that are shared. */
export function buffersOf(value: unknown, into: Set<ArrayBuffer> = new Set()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(value)) {
    if (!isShared(value)) into.add(value.buffer as ArrayBuffer);
  } else if (Array.isArray(value)) for (const item of value) buffersOf(item, into);
  else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) buffersOf(item, into);
  return into;
}

/**
 * A deep copy whose views own exactly their bytes. Views of a large buffer would otherwise be cloned with all of
 * it. Shared memory stays where it is, and so does a view that is `given` with all of its buffer.
 */
export function detached<T>(value: T, given?: ArrayBufferView): T {
  if (ArrayBuffer.isView(value))
    return isShared(value) || (value === given && value.byteLength === value.buffer.byteLength)
      ? value
      : ((value as unknown as Uint8Array).slice() as unknown as T);
  if (Array.isArray(value)) return value.map((item) => detached(item, given)) as unknown as T;
  if (value instanceof EndingStream) return detached(value.plain()) as unknown as T;
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, detached(item, given)])) as T;
  return value;
}

/** Cuts [0, count) into at most `parts` ranges whose bounds are multiples of `unit`. */
export function ranges(count: number, parts: number, unit = 1): [from: number, to: number][] {
  const step = Math.max(unit, Math.ceil(count / parts / unit) * unit);
  const out: [number, number][] = [];
  for (let from = 0; from < count; from += step) out.push([from, Math.min(count, from + step)]);
  return out.length === 0 ? [[0, 0]] : out;
}

export class Workers {
  readonly #workers: Worker[] = [];
  readonly #waiting: Call[] = [];
  readonly #fault: Fault;
  #lastId = 0;

  /** @param fault raised when a worker fails, and checked before every call */
  constructor(module: WebAssembly.Module | NativeLibrary, ports: readonly WorkerPort[], fault: Fault) {
    this.#fault = fault;
    for (const port of ports) this.#start(port, module);
  }

  get count(): number {
    return this.#workers.length;
  }

  /** Runs the tasks that `make` adds; resolves when all are done. */
  submit(make: (add: Tasks) => void): Promise<void> {
    this.#fault.check();
    return new Promise((resolve, reject) => {
      const tasks: Task[] = [];
      let left = 0;
      make((op, args, store, worker, into) => {
        left++;
        tasks.push({
          op,
          worker,
          into,
          done: (value) => {
            store(value);
            if (--left === 0) resolve();
          },
          args: () => {
            const made = args();
            return { args: made, transfer: [...buffersOf(made)] };
          },
        });
      });
      if (tasks.length === 0) {
        resolve();
        return;
      }
      this.#waiting.push({ tasks, fail: reject });
      this.#feed();
    });
  }

  /** Ends the backend for everybody: pending and later calls get this error. */
  fail(code: ErrorCode, what: string, hint: string, cause?: unknown): void {
    if (this.#fault.failed) return;
    const failure = new TercetError(code, what, hint, { cause });
    const calls = new Set(this.#waiting);
    for (const worker of this.#workers) {
      for (const entry of worker.sent.values()) if (entry !== undefined) calls.add(entry.call);
      worker.sent.clear();
    }
    this.#waiting.length = 0;
    this.#fault.raise(failure);
    for (const call of calls) call.fail(failure);
    void this.terminate();
  }

  /** Has them let go of the memory of ended scopes: they read vectors there, and have too little garbage to notice. */
  collect(): void {
    if (!this.#fault.failed) for (const worker of this.#workers) this.#post(worker, (id) => ({ kind: 'collect', id }));
  }

  /** A message that belongs to no call. */
  #post({ port, sent }: Worker, of: (id: number) => Request): void {
    const id = ++this.#lastId;
    sent.set(id, undefined);
    port.postMessage(of(id), []);
  }

  async terminate(): Promise<void> {
    await Promise.all(
      this.#workers.map(async ({ port }) => {
        try {
          await port.terminate();
        } catch {
          // It is gone, which is what was asked for.
        }
      }),
    );
  }

  #start(port: WorkerPort, module: WebAssembly.Module | NativeLibrary): void {
    const worker: Worker = { port, sent: new Map() };
    this.#workers.push(worker);
    port.onMessage((message) => this.#answer(worker, message as Reply));
    port.onError((cause) =>
      this.fail(
        'ERR_WORKER',
        'a compute worker stopped',
        'start the backend again; with less memory use fewer threads',
        cause,
      ),
    );
    this.#post(worker, (id) => ({ kind: 'start', id, module }));
  }

  #answer(worker: Worker, reply: Reply): void {
    if (!worker.sent.has(reply.id) || this.#fault.failed) return;
    const entry = worker.sent.get(reply.id);
    // A worker that cannot start is no worker.
    if ('error' in reply && (reply.error.code === 'ERR_KERNEL' || entry === undefined)) {
      this.fail(reply.error.code, reply.error.what, reply.error.hint);
      return;
    }
    worker.sent.delete(reply.id);
    if ('error' in reply) {
      // The operands were refused, or there was no room for them: that call fails, the worker is sound.
      if (entry !== undefined)
        this.#drop(entry.call, new TercetError(reply.error.code, reply.error.what, reply.error.hint));
    } else if (entry !== undefined) {
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
      // What it was to work on is gone (the keys of an execution were wiped), or there is no room for copies: that
      // call fails, the worker is sound.
      this.#drop(call, kernelFailure(error));
      this.#next(w);
      return;
    }
    const id = ++this.#lastId;
    worker.sent.set(id, { task, call });
    try {
      const { args, transfer } = made;
      const request: Request = { kind: 'call', id, op: task.op, args, into: task.into };
      worker.port.postMessage(request, transfer);
    } catch (cause) {
      this.fail('ERR_WORKER', 'a compute worker cannot be reached', 'start the backend again', cause);
    }
  }
}
