/**
 * Small vectors of one scope, one behind the other in a few large buffers. The collector would look after a buffer
 * outside of its heap for each, and a step of a generated text has thousands of them. None is written over within a
 * scope, so nothing has to be known of which are live.
 */
import { type Words, laneBytes } from '../../ring.ts';
import { up } from './memory.ts';

/** Bytes of a buffer, and buffers of a scope: what is beyond them is the collector's. */
export const SLAB_BYTES = 1 << 20;
const MOST_SLABS = 16;
/** Up to so many bytes engines keep the words of a vector with it, in their heap. */
const IN_HEAP_BYTES = 64;
const LANE = 8;

/** Where small vectors lie. */
export interface Slab {
  readonly buffer: ArrayBufferLike;
  readonly from: number;
}

const fresh = (bytes: number): Slab => ({ buffer: new ArrayBuffer(bytes), from: 0 });

export class SmallVectors {
  readonly #spare: Slab[];
  readonly #make: (bytes: number) => Slab | undefined;
  readonly #slabs: Slab[] = [];
  /** Where the last one is free. */
  #at = SLAB_BYTES;

  /**
   * @param spare slabs of zeros, for whoever comes first
   * @param make another one, where there is room for it
   */
  constructor(spare: Slab[], make: (bytes: number) => Slab | undefined = fresh) {
    this.#spare = spare;
    this.#make = make;
  }

  /** A vector of zeros; undefined where it is the collector's. */
  take(k: number, count: number): Words | undefined {
    const bytes = laneBytes(k) * count;
    if (bytes <= IN_HEAP_BYTES) return undefined;
    if (this.#at + bytes > SLAB_BYTES) {
      if (this.#slabs.length === MOST_SLABS) return undefined;
      this.#slabs.push(this.#spare.pop() ?? this.#make(SLAB_BYTES) ?? fresh(SLAB_BYTES));
      this.#at = 0;
    }
    const { buffer, from } = this.#slabs[this.#slabs.length - 1];
    const at = from + this.#at;
    this.#at = up(this.#at + bytes, LANE);
    return { k, data: k <= 32 ? new Uint32Array(buffer, at, count) : new BigUint64Array(buffer, at, count) };
  }

  /** The end of the scope. @param through whether nobody reads any more: then others have the buffers, overwritten */
  drop(through: boolean): void {
    for (const slab of this.#slabs.splice(0)) {
      if (!through || this.#spare.length === MOST_SLABS) continue;
      new Uint8Array(slab.buffer).fill(0);
      this.#spare.push(slab);
    }
    this.#at = SLAB_BYTES;
  }

  /** The end of a scope whose slabs go where they came from: all of them, for whoever overwrites them. */
  leave(): Slab[] {
    this.#at = SLAB_BYTES;
    return [...this.#slabs.splice(0), ...this.#spare.splice(0)];
  }
}
