/**
 * Host memory of the vectors of one scope, used again once a sweep says that nobody needs them (ADR 56). Engines count
 * bytes of arrays outside of their heap, and every 64 MB of new ones cost a full collection.
 *
 * SECURITY: a buffer is written over only behind a sweep, between two gates or looks at one. The end of a scope
 * (`drop`) leaves contents as they are, because a gate may be at work then: a mask that were cleared there would mask
 * nothing.
 */
import { type Vectors, type Words, laneBytes } from '../../ring.ts';
import type { KernelInstance } from './instance.ts';

/** Below this the collector of young objects is as cheap. */
const LEAST_BYTES = 1 << 12;
/** Bytes of unused buffers that a scope holds: half of what the collector lets lie. */
const MOST_BYTES = 1 << 25;

/** Where the results of one scope are taken from. */
export interface ScopePool extends Vectors {
  /** What computes on the vectors where they lie, in the calling thread; undefined where nothing does. */
  readonly kernels?: KernelInstance | undefined;
  /** A vector in memory that workers see, where this pool has such memory and it is worth it. */
  shared?(k: number, count: number): Words | undefined;
  /** A vector that came from elsewhere, and that nobody but this scope has. */
  adopt(words: Words): Words;
  /** Everything that is not live may be written over from now on. */
  sweep(live: Iterable<unknown>): void;
  /**
   * The collector has all of it or, where no call is under way, another scope. True: it is worth a collection, of
   * workers too.
   */
  drop(through: boolean): boolean | undefined;
}

export class Pool implements ScopePool {
  readonly #made = new Set<ArrayBufferLike>();
  /** By size, what was given back last at the end. */
  readonly #free = new Map<number, ArrayBufferLike[]>();
  #freeBytes = 0;

  /** A vector whose words are whatever was there: for results that are written whole. */
  take(k: number, count: number): Words {
    const bytes = laneBytes(k) * count;
    const known = this.#free.get(bytes)?.pop();
    if (known !== undefined) this.#freeBytes -= bytes;
    const buffer = known ?? new ArrayBuffer(bytes);
    if (bytes >= LEAST_BYTES) this.#made.add(buffer);
    return { k, data: k <= 32 ? new Uint32Array(buffer, 0, count) : new BigUint64Array(buffer, 0, count) };
  }

  adopt(words: Words): Words {
    const { buffer } = words.data;
    if (buffer.byteLength === words.data.byteLength && buffer.byteLength >= LEAST_BYTES) this.#made.add(buffer);
    return words;
  }

  sweep(live: Iterable<unknown>): void {
    const kept = new Set<ArrayBufferLike>();
    for (const item of live) {
      const view = ArrayBuffer.isView(item) ? item : (item as { readonly data?: ArrayBufferView } | undefined)?.data;
      if (view !== undefined) kept.add(view.buffer);
    }
    for (const buffer of this.#made) {
      if (kept.has(buffer)) continue;
      this.#made.delete(buffer);
      this.#giveBack(buffer);
    }
  }

  #giveBack(buffer: ArrayBufferLike): void {
    const bytes = buffer.byteLength;
    if (bytes > MOST_BYTES) return;
    const same = this.#free.get(bytes) ?? [];
    same.push(buffer);
    this.#free.delete(bytes);
    this.#free.set(bytes, same);
    this.#freeBytes += bytes;
    // The size that nothing was given back of for longest goes first: shapes change from layer to layer.
    for (const [size, buffers] of this.#free) {
      while (this.#freeBytes > MOST_BYTES && buffers.pop() !== undefined) this.#freeBytes -= size;
      if (buffers.length === 0) this.#free.delete(size);
      if (this.#freeBytes <= MOST_BYTES) break;
    }
  }

  drop(): undefined {
    this.#made.clear();
    this.#free.clear();
    this.#freeBytes = 0;
  }
}
