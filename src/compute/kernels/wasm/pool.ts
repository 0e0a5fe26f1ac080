/**
 * Host memory of the vectors of one scope, used again once a sweep says that nobody needs them. Engines count bytes of
 * arrays outside of their heap, and every 64 MB of new ones cost a full collection: a third of the dealing of BERT-base.
 *
 * SECURITY: a buffer is written over only behind a sweep, between two gates. The end of a scope (`drop`) leaves
 * contents as they are, because a gate may be at work then: a mask that were cleared there would mask nothing.
 */
import { type Words, laneBytes } from '../../ring.ts';

/** Below this the collector of young objects is as cheap. */
const LEAST_BYTES = 1 << 12;
/** Bytes of unused buffers that are held: what the collector would let lie as well. */
const MOST_BYTES = 1 << 26;

export class Pool {
  readonly #made = new Set<ArrayBufferLike>();
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

  /** A vector that came from elsewhere, and that nobody but this scope has. */
  adopt(words: Words): Words {
    const { buffer } = words.data;
    if (buffer.byteLength === words.data.byteLength && buffer.byteLength >= LEAST_BYTES)
      this.#made.add(buffer);
    return words;
  }

  /** Everything that is not live may be written over from now on. */
  sweep(live: Iterable<unknown>): void {
    const kept = new Set<ArrayBufferLike>();
    for (const item of live) {
      const view = ArrayBuffer.isView(item) ? item : (item as { readonly data?: ArrayBufferView } | undefined)?.data;
      if (view !== undefined) kept.add(view.buffer);
    }
    for (const buffer of this.#made) {
      if (kept.has(buffer)) continue;
      this.#made.delete(buffer);
      const bytes = buffer.byteLength;
      if (this.#freeBytes + bytes > MOST_BYTES) continue;
      this.#freeBytes += bytes;
      const same = this.#free.get(bytes);
      if (same === undefined) this.#free.set(bytes, [buffer]);
      else same.push(buffer);
    }
  }

  /** The collector has all of it. */
  drop(): void {
    this.#made.clear();
    this.#free.clear();
    this.#freeBytes = 0;
  }
}
