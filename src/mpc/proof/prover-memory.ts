/**
 * What the provers of one run hold: halves of relations, weights of digits, vectors of the tail. All of it lies in a
 * few large regions, and what one lets go of serves the next.
 *
 * Left to the collector, it would lie for long: an engine hardly counts what lies outside of its heap. And an
 * allocator keeps what it freed of buffers of some megabytes, in holes that nothing fits in. A region is so large that
 * allocators map it by itself, and what nobody has written to takes no memory.
 *
 * SECURITY: shares of a run are overwritten with it. test/mpc/proof/prover-memory.test.ts,
 * test/mpc/malicious-held.test.ts.
 */
import type { Words } from '../../compute/ring.ts';
import { invariant } from '../../core/errors.ts';

/** Bytes of a region, where a vector needs no more. Above the 32 MB from which on malloc always maps (mallopt). */
const REGION_BYTES = 2 ** 26;
/** Below this a vector is the collector's. */
export const LEAST_BYTES = 2 ** 12;
/**
 * Bytes that are left to the collector before it is asked: engines ask themselves at 64 MB, and take their time. What
 * is counted is above what is left, because most vectors of a run lie in memory that is used again.
 */
const COLLECT_BYTES = 6 * 2 ** 24;
/** Blocks begin and end at a cache line. */
const LINE = 64;

/** Bytes [from, to). */
interface Gap {
  from: number;
  to: number;
}

interface Region {
  readonly buffer: ArrayBuffer;
  /** What is free, in order of address. No two are neighbours. */
  readonly gaps: Gap[];
  /** Bytes that were written to: all of them lie in front. */
  top: number;
}

type Lanes = Uint8Array | Uint32Array | Int32Array | BigUint64Array;

export class ProverMemory {
  readonly #regions = new Map<ArrayBufferLike, Region>();
  /** Bytes of every block, by its region and place. */
  readonly #blocks = new Map<ArrayBufferLike, Map<number, number>>();
  readonly #collect: (() => void) | undefined;
  #left = 0;
  #held = 0;
  #most = 0;

  /** @param collect collects garbage of this thread, where that can be asked for */
  constructor(collect?: () => void) {
    this.#collect = collect;
  }

  /** Counts bytes of vectors that were let go of and lie elsewhere, and has them collected where they are many. */
  left(bytes: number): void {
    this.#left += bytes;
    if (this.#left < COLLECT_BYTES) return;
    this.#left = 0;
    this.#collect?.();
  }

  /** Bytes that are held, and the most that were at one time. */
  get held(): number {
    return this.#held;
  }

  get most(): number {
    return this.#most;
  }

  /**
   * A copy of a vector that is held until it is freed; the vector itself where it is short. A short part of something
   * long is copied too: it would hold all of that, or be gone with it.
   */
  keep<View extends Lanes>(view: View): View {
    const { byteLength, buffer } = view;
    return byteLength < LEAST_BYTES && buffer.byteLength < LEAST_BYTES ? view : this.copy(view);
  }

  /** A copy in any case, for who writes over it. */
  copy<View extends Lanes>(view: View): View {
    const { byteLength, length } = view;
    if (byteLength < LEAST_BYTES) return view.slice() as View;
    const { buffer, at } = this.#block(byteLength);
    const Kind = view.constructor as new (buffer: ArrayBufferLike, at: number, length: number) => View;
    const kept = new Kind(buffer, at, length);
    kept.set(view as never);
    return kept;
  }

  keepWords({ k, data }: Words): Words {
    return { k, data: this.keep(data) };
  }

  /** Words that are whatever was there, for who writes all of them. */
  take(count: number): BigUint64Array {
    if (8 * count < LEAST_BYTES) return new BigUint64Array(count);
    const { buffer, at } = this.#block(8 * count);
    return new BigUint64Array(buffer, at, count);
  }

  /** Lets go of what `keep` or `take` gave. What is none of it stays. */
  free({ buffer, byteOffset }: Lanes): void {
    const [region, blocks] = [this.#regions.get(buffer), this.#blocks.get(buffer)];
    const bytes = blocks?.get(byteOffset);
    if (region === undefined || blocks === undefined || bytes === undefined) return;
    blocks.delete(byteOffset);
    this.#held -= bytes;
    const { gaps } = region;
    const next = gaps.findIndex(({ from }) => from > byteOffset);
    const i = next < 0 ? gaps.length : next;
    const [before, behind] = [gaps[i - 1], gaps[i]] as (Gap | undefined)[];
    const [from, to] = [byteOffset, byteOffset + bytes];
    const [left, right] = [before?.to === from, behind?.from === to];
    gaps.splice(left ? i - 1 : i, (left ? 1 : 0) + (right ? 1 : 0), {
      from: left && before !== undefined ? before.from : from,
      to: right && behind !== undefined ? behind.to : to,
    });
  }

  /** Overwrites all that was ever written, and lets go of it. */
  wipe(): void {
    for (const { buffer, top } of this.#regions.values()) new BigUint64Array(buffer, 0, top / 8).fill(0n);
    this.#regions.clear();
    this.#blocks.clear();
    this.#held = 0;
  }

  /** At the first gap of the first region that has one: the regions behind stay empty for as long as they can. */
  #block(length: number): { readonly buffer: ArrayBuffer; readonly at: number } {
    const bytes = LINE * Math.ceil(length / LINE);
    for (const region of this.#regions.values()) {
      const i = region.gaps.findIndex(({ from, to }) => to - from >= bytes);
      if (i >= 0) return this.#cut(region, i, bytes);
    }
    const buffer = new ArrayBuffer(Math.max(bytes, REGION_BYTES));
    const region: Region = { buffer, gaps: [{ from: 0, to: buffer.byteLength }], top: 0 };
    this.#regions.set(buffer, region);
    this.#blocks.set(buffer, new Map());
    return this.#cut(region, 0, bytes);
  }

  #cut(region: Region, i: number, bytes: number): { readonly buffer: ArrayBuffer; readonly at: number } {
    const { buffer, gaps } = region;
    const gap = gaps[i];
    const at = gap.from;
    gap.from += bytes;
    if (gap.from === gap.to) gaps.splice(i, 1);
    region.top = Math.max(region.top, at + bytes);
    const blocks = this.#blocks.get(buffer);
    invariant(blocks !== undefined, 'a region of this memory');
    blocks.set(at, bytes);
    this.#held += bytes;
    this.#most = Math.max(this.#most, this.#held);
    return { buffer, at };
  }
}
