/**
 * Where an operation runs: on the instance of the calling thread or, cut into ranges, on workers (`workers.ts`). What
 * is small stays here.
 */
import { invariant } from '../../../core/errors.ts';
import { letGo } from '../../../core/let-go.ts';
import { type Words, viewWords, zeros } from '../../ring.ts';
import { Fault } from '../fault.ts';
import { kernelFailure } from './failure.ts';
import { KernelInstance } from './instance.ts';
import type { NativeLibrary } from './link.ts';
import type { Link, Memory } from './memory.ts';
import type { Operation, OperationArguments, WorkerPort } from './messages.ts';
import type { PartyOperations } from './party-operations.ts';
import { Pool, type ScopePool } from './pool.ts';
import { type Tasks, Workers, detached, ranges } from './workers.ts';

export interface WasmOptions {
  /** The compiled module of `tercet.wasm`, or the same kernels as a library. */
  readonly module: WebAssembly.Module | NativeLibrary;
  /** Makes instances of a library. */
  readonly link?: Link;
  /** What a compute party's kernels do besides; a page has none of it. */
  readonly party?: new (
    memory: Memory,
  ) => PartyOperations;
  /** Starts a worker that runs `serveKernels`; needed for `threads` > 0. */
  readonly startWorker?: () => WorkerPort;
  /** Workers; 0 computes everything in the calling thread. */
  readonly threads: number;
  /** Makes what a scope takes its vectors from; one of its own memory where absent. */
  readonly pool?: () => ScopePool;
}

/**
 * Up to this many words of result, draws, bases and corrections stay in the calling thread (under half a
 * millisecond).
 */
export const INLINE_WORDS = 1 << 16;

/** What all scopes of a backend share. */
interface Backend {
  readonly fault: Fault;
  readonly workers: Workers;
  readonly pool: () => ScopePool;
  /** Undefined once it is closed. */
  inline: KernelInstance | undefined;
}

export class Dispatch {
  readonly #backend: Backend;
  /** Where results of a scope are taken from; undefined outside of scopes. */
  readonly pool: ScopePool | undefined;

  private constructor(backend: Backend, pool?: ScopePool) {
    this.#backend = backend;
    this.pool = pool;
  }

  static start({ module, link, party, startWorker, threads, pool = () => new Pool() }: WasmOptions): Dispatch {
    invariant(threads === 0 || startWorker !== undefined, 'threads need a way to start workers');
    const fault = new Fault();
    const inline = new KernelInstance(link?.(module) ?? (module as WebAssembly.Module), party);
    const ports = startWorker === undefined ? [] : Array.from({ length: threads }, startWorker);
    return new Dispatch({ fault, inline, pool, workers: new Workers(module, ports, fault) });
  }

  /** The same instance and workers, with a pool of its own. */
  scope(): Dispatch {
    return new Dispatch(this.#backend, this.#backend.pool());
  }

  /** The end of a scope. @param through whether no call is under way */
  drop(through: boolean): void {
    if (this.pool?.drop(through) === true) this.#workers.collect();
  }

  get fault(): Fault {
    return this.#backend.fault;
  }

  get #workers(): Workers {
    return this.#backend.workers;
  }

  /** Workers; 0: everything runs in the calling thread. */
  get threads(): number {
    return this.#workers.count;
  }

  /**
   * Whether a result of so many words is made in the calling thread. A single worker is no faster, and what comes from
   * it is no buffer of the pool.
   */
  staysHere(words: number): boolean {
    return this.threads <= 1 || words <= INLINE_WORDS;
  }

  /** One call of several tasks. Resolves when all results are stored. */
  submit(fill: (add: Tasks) => void): Promise<void> {
    return this.#workers.submit(fill);
  }

  /** Runs one operation in the calling thread, where vectors of this scope lie if anywhere. */
  here<T>(operation: (instance: KernelInstance) => T): T {
    return this.#on(this.pool?.kernels ?? this.#backend.inline, operation);
  }

  /** The same where matrices are loaded, which outlive scopes. */
  atMatrices<T>(operation: (instance: KernelInstance) => T): T {
    return this.#on(this.#backend.inline, operation);
  }

  /** After a trap no instance is trusted any more. */
  #on<T>(instance: KernelInstance | undefined, operation: (instance: KernelInstance) => T): T {
    this.fault.check();
    invariant(instance !== undefined, 'no inline instance');
    try {
      return instance.within(this.pool, operation);
    } catch (error) {
      const failure = kernelFailure(error);
      if (failure.code === 'ERR_KERNEL') this.#workers.fail(failure.code, failure.message, failure.hint, failure.cause);
      throw failure;
    }
  }

  /**
   * A vector over Z_2^k computed by ranges of `count` items, each giving `scale` words: in the calling thread when
   * small or without workers.
   * @param given what is handed to a worker as it is, or let go here: the caller has no use for it any more
   */
  async ranged<Op extends Operation>(
    op: Op,
    k: number,
    count: number,
    scale: number,
    inline: boolean,
    args: (from: number, to: number) => OperationArguments<Op>,
    unit = 1,
    given?: ArrayBufferView,
  ): Promise<Words> {
    if (inline || this.threads === 0) {
      const made = this.here((instance) =>
        (instance[op] as (...args: readonly unknown[]) => Words).apply(instance, args(0, count) as unknown[]),
      );
      if (given !== undefined) letGo(given);
      return made;
    }
    const cuts = ranges(count, this.threads, unit);
    let out = this.pool?.shared?.(k, count * scale);
    await this.submit((add) => {
      for (const [from, to] of cuts) {
        add(
          op,
          () => detached(args(from, to), given),
          (value) => {
            if (value === undefined) return;
            const words = value as Words;
            if (cuts.length === 1) {
              out = this.pool?.adopt(words) ?? words;
              return;
            }
            out ??= this.pool?.take(k, count * scale) ?? zeros(count * scale, k);
            (out.data as Uint32Array).set(words.data as Uint32Array, from * scale);
          },
          undefined,
          out && viewWords(out, from * scale, to * scale),
        );
      }
    });
    invariant(out !== undefined, 'a call without a result');
    return out;
  }

  /**
   * A long vector over Z_2^k of which each item gives one word, by the workers and by the calling thread, which would
   * wait for them all the same.
   */
  async together<Op extends Operation>(
    op: Op,
    k: number,
    count: number,
    args: (from: number, to: number) => OperationArguments<Op>,
  ): Promise<Words> {
    const cuts = ranges(count, this.threads + 1);
    const [from, to] = cuts.pop() as [number, number];
    const out = this.pool?.take(k, count) ?? zeros(count, k);
    const store = ({ data }: Words, at: number) => (out.data as Uint32Array).set(data as Uint32Array, at);
    const theirs = this.submit((add) => {
      for (const [first, last] of cuts)
        add(
          op,
          () => detached(args(first, last)),
          (value) => store(value as Words, first),
        );
    });
    // This thread may fail before they do.
    theirs.catch(() => undefined);
    store(await this.ranged(op, k, to - from, 1, true, (first, last) => args(from + first, from + last)), from);
    await theirs;
    return out;
  }

  async close(): Promise<void> {
    this.#workers.fail('ERR_STATE', 'the kernels were closed', 'make new ones');
    this.#backend.inline = undefined;
    await this.#workers.terminate();
  }
}
