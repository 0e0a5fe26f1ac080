/**
 * Vectors of one scope in the memory of an instance of its own, which all threads see (ADR 70). The instance works on
 * them where they lie. Workers read their operands there and leave their results there.
 *
 * Engines do not count shared memory: it never makes them collect. So what ended scopes leave behind is counted here.
 *
 * SECURITY: a block is written over only behind a sweep, between two gates. The end of a scope (`drop`) leaves
 * contents as they are, because a gate may be at work then: a mask that were cleared there would mask nothing. No scope
 * has the memory of another.
 */
import { type Words, laneBytes, zeros } from '../../ring.ts';
import { Heap } from './heap.ts';
import { KernelInstance } from './instance.ts';
import type { ScopePool } from './pool.ts';
import { sharedMemory } from './shared-module.ts';

/** Below this a vector is the collector's. */
const LEAST_BYTES = 1 << 12;
/** Bytes below all vectors, for the scratch of the instance. They take room only when they are used. */
const SCRATCH_BYTES = 1 << 28;
/** Bytes that ended scopes leave behind before they are collected. */
const COLLECT_BYTES = 1 << 26;

class SharedPool implements ScopePool {
  readonly #module: WebAssembly.Module;
  readonly #left: (bytes: number) => boolean;
  #heap: Heap | undefined;
  #instance: KernelInstance | undefined;

  /** @param left is told how many bytes the scope leaves, and says whether they are collected now */
  constructor(module: WebAssembly.Module, left: (bytes: number) => boolean) {
    this.#module = module;
    this.#left = left;
  }

  get #blocks(): Heap {
    this.#heap ??= new Heap(sharedMemory(SCRATCH_BYTES));
    return this.#heap;
  }

  get instance(): KernelInstance {
    this.#instance ??= new KernelInstance(this.#module, this.#blocks);
    return this.#instance;
  }

  take(k: number, count: number): Words {
    return this.shared(k, count) ?? zeros(count, k);
  }

  shared(k: number, count: number): Words | undefined {
    const bytes = laneBytes(k) * count;
    const at = bytes < LEAST_BYTES ? undefined : this.#blocks.take(bytes);
    if (at === undefined) return undefined;
    const { buffer } = this.#blocks.memory;
    return { k, data: k <= 32 ? new Uint32Array(buffer, at, count) : new BigUint64Array(buffer, at, count) };
  }

  adopt(words: Words): Words {
    return words;
  }

  sweep(live: Iterable<unknown>): void {
    const heap = this.#heap;
    if (heap === undefined) return;
    const places: number[] = [];
    for (const item of live) {
      const view = ArrayBuffer.isView(item) ? item : (item as { readonly data?: ArrayBufferView } | undefined)?.data;
      const place = view === undefined ? undefined : heap.place(view);
      if (place !== undefined) places.push(place);
    }
    heap.sweep(places);
  }

  drop(): boolean {
    const bytes = this.#heap?.size ?? 0;
    this.#heap = undefined;
    this.#instance = undefined;
    return this.#left(bytes);
  }
}

/**
 * What scopes of one backend take their vectors from.
 * @param module of the kernels, with an imported memory
 * @param collect has the garbage of this thread collected soon
 */
export function sharedPools(module: WebAssembly.Module, collect: () => void): () => ScopePool {
  let bytes = 0;
  const left = (more: number) => {
    bytes += more;
    if (bytes < COLLECT_BYTES) return false;
    bytes = 0;
    collect();
    return true;
  };
  return () => new SharedPool(module, left);
}
