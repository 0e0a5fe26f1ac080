/**
 * Vectors of one scope in memory that all threads see (ADR 70). Workers read their operands there and leave their
 * results there, so neither is copied on the way nor handed over. A sweep makes the blocks of dead vectors free for
 * others, as in `pool.ts`.
 *
 * Where a scope has a home, regions lie in the memory of an instance of the kernels, which compute on vectors in place
 * in the calling thread (ADR 110).
 *
 * A scope that came to its end gives its regions to the next one, overwritten: a step of a generated text is a scope,
 * and fresh memory costs it a fault for every page. Engines do not count shared memory: it never makes them collect. So
 * what other scopes leave behind is counted here.
 *
 * SECURITY: a block is written over only behind a sweep, between two gates or looks at one. A scope that was given up
 * (`drop`) leaves contents as they are, because a gate may be at work then: a mask that were cleared there would mask
 * nothing.
 */
import { TercetError, invariant } from '../../../core/errors.ts';
import { type Words, laneBytes, zeros } from '../../ring.ts';
import { up } from './memory.ts';
import type { HomeMemory, Room } from './home-memory.ts';
import type { KernelInstance } from './instance.ts';
import type { ScopePool } from './pool.ts';
import { type Region, Regions } from './regions.ts';
import { SLAB_BYTES, type Slab, SmallVectors } from './small-vectors.ts';

/** Below this a vector is a small one (`small-vectors.ts`). */
const LEAST_BYTES = 1 << 12;
/** Bytes of a region, where a vector needs no more. */
const REGION_BYTES = 1 << 23;
/** Blocks begin and end at a cache line. */
const LINE = 64;
/** Bytes taken since the last sweep that are worth another: it looks at everything that is live. */
const SWEEP_BYTES = 1 << 20;
/** Bytes that ended scopes leave behind before they are collected. */
const COLLECT_BYTES = 1 << 26;
/** Regions of ended scopes that are kept for others: as much as was left lying before. */
const SPARE_REGIONS = COLLECT_BYTES / REGION_BYTES;
/**
 * Homes of ended scopes that are kept, and bytes of their regions: a home is one piece. The next run of a model takes
 * it over, where two of them would else be there until the older one is collected.
 */
const SPARE_HOMES = 8;
const SPARE_HOME_BYTES = 1 << 27;

/** An instance of the kernels, and the memory that it has: a scope's vectors lie there. */
export interface Home {
  readonly kernels: KernelInstance;
  readonly memory: HomeMemory;
}

/** A home that a scope has left, with regions of zeros. */
interface Left {
  readonly home: Home;
  readonly regions: readonly Region[];
  readonly slabs: Slab[];
}

/** What scopes leave to others. */
interface Spare {
  readonly buffers: SharedArrayBuffer[];
  readonly slabs: Slab[];
  readonly homes: Left[];
}

const sizeOf = (regions: readonly Region[]) => regions.reduce((sum, { from, to }) => sum + to - from, 0);

class SharedPool implements ScopePool {
  readonly #regions = new Regions((buffer) => (this.#home?.memory.holds(buffer) === true ? this.#home : buffer));
  #home: Home | undefined;
  readonly #small: SmallVectors;
  readonly #spare: Spare;
  readonly #left: (bytes: number) => boolean;
  #taken = 0;

  /**
   * @param spare of zeros, for whoever comes first
   * @param at where the vectors are, with regions that are free
   * @param left is told how many bytes the scope leaves, and says whether they are collected now
   */
  constructor(spare: Spare, at: Left | undefined, left: (bytes: number) => boolean) {
    this.#spare = spare;
    this.#left = left;
    const home = at?.home;
    this.#home = home;
    this.#small = new SmallVectors(at?.slabs ?? spare.slabs, home && ((bytes) => roomAt(home, bytes)));
    for (const { buffer, from, to } of at?.regions ?? []) this.#regions.add(buffer, from, to - from);
  }

  get kernels(): KernelInstance | undefined {
    return this.#home?.kernels;
  }

  take(k: number, count: number): Words {
    const bytes = laneBytes(k) * count;
    if (bytes < LEAST_BYTES) return this.#small.take(k, count) ?? zeros(count, k);
    this.#taken += bytes;
    const size = up(bytes, LINE);
    let block = this.#regions.take(size);
    if (block === undefined) {
      this.#grow(size);
      block = this.#regions.take(size);
    }
    invariant(block !== undefined, 'a region has room for what it was made for');
    const [buffer, at] = block;
    return { k, data: k <= 32 ? new Uint32Array(buffer, at, count) : new BigUint64Array(buffer, at, count) };
  }

  shared(k: number, count: number): Words | undefined {
    return laneBytes(k) * count < LEAST_BYTES ? undefined : this.take(k, count);
  }

  adopt(words: Words): Words {
    return words;
  }

  #grow(bytes: number): void {
    const size = Math.max(bytes, REGION_BYTES);
    const inside = this.#home && roomAt(this.#home, size);
    if (inside !== undefined) {
      this.#regions.add(inside.buffer, inside.from, size);
      return;
    }
    const spare = bytes > REGION_BYTES ? undefined : this.#spare.buffers.pop();
    this.#regions.add(spare ?? new SharedArrayBuffer(size), 0, size);
  }

  sweep(live: Iterable<unknown>): void {
    if (this.#taken < SWEEP_BYTES) return;
    this.#taken = 0;
    this.#regions.sweep(live);
  }

  drop(through: boolean): boolean {
    let [bytes, atHome]: [number, readonly Region[]] = [0, []];
    for (const [place, regions] of this.#regions.all) {
      if (place === this.#home) atHome = regions;
      else for (const { buffer } of regions) if (!through || !this.#giveBack(buffer)) bytes += buffer.byteLength;
    }
    if (this.#home !== undefined) bytes += this.#leave(this.#home, atHome, through);
    else this.#small.drop(through);
    this.#regions.clear();
    return this.#left(bytes);
  }

  /** Whether a region is kept for other scopes. */
  #giveBack(buffer: SharedArrayBuffer): boolean {
    const { buffers } = this.#spare;
    if (buffer.byteLength > REGION_BYTES || buffers.length === SPARE_REGIONS) return false;
    // By words: engines fill shared bytes one by one, six times slower.
    new BigUint64Array(buffer).fill(0n);
    buffers.push(buffer);
    return true;
  }

  /** @returns bytes that nobody has any more: of a home that is not kept for another scope */
  #leave(home: Home, regions: readonly Region[], through: boolean): number {
    const bytes = sizeOf(regions);
    const { homes } = this.#spare;
    const kept = homes.reduce((sum, left) => sum + sizeOf(left.regions), bytes);
    // What comes late is on its own: it must not meet the next scope's vectors.
    this.#home = undefined;
    if (!through || kept > SPARE_HOME_BYTES || homes.length === SPARE_HOMES) {
      this.#small.drop(false);
      return bytes;
    }
    for (const { from, to } of regions) home.memory.wipe(from, to);
    const slabs = this.#small.leave().filter(({ buffer }) => home.memory.holds(buffer));
    for (const { from } of slabs) home.memory.wipe(from, from + SLAB_BYTES);
    homes.push({ home, regions, slabs });
    return 0;
  }
}

/** A region of a home; undefined where its memory is full. */
function roomAt({ memory }: Home, bytes: number): Room | undefined {
  try {
    return memory.region(bytes);
  } catch (error) {
    if (error instanceof TercetError && error.code === 'ERR_DEVICE_MEMORY') return undefined;
    throw error;
  }
}

/**
 * What scopes of one backend take their vectors from.
 * @param collect has the garbage of this thread collected soon
 * @param open makes an instance whose memory threads share; undefined where there is none to be had
 */
export function sharedPools(collect: () => void, open?: () => Home | undefined): () => ScopePool {
  const spare: Spare = { buffers: [], slabs: [], homes: [] };
  let bytes = 0;
  const left = (more: number) => {
    bytes += more;
    if (bytes < COLLECT_BYTES) return false;
    bytes = 0;
    collect();
    return true;
  };
  return () => {
    const home = spare.homes.length > 0 ? undefined : open?.();
    return new SharedPool(spare, home ? { home, regions: [], slabs: [] } : spare.homes.pop(), left);
  };
}
