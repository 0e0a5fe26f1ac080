/**
 * Vectors of one scope in memory that all threads see (ADR 70). Workers read their operands there and leave their
 * results there, so neither is copied on the way nor handed over. Large regions are cut into blocks by best fit. A
 * sweep makes the blocks of dead vectors free for others, as in `pool.ts`.
 *
 * A scope that came to its end gives its regions to the next one, overwritten: a step of a generated text is a scope,
 * and fresh memory costs it a fault for every page. Engines do not count shared memory: it never makes them collect. So
 * what other scopes leave behind is counted here.
 *
 * SECURITY: a block is written over only behind a sweep, between two gates or looks at one. A scope that was given up
 * (`drop`) leaves contents as they are, because a gate may be at work then: a mask that were cleared there would mask
 * nothing.
 */
import { type Words, laneBytes, zeros } from '../../ring.ts';
import { up } from './memory.ts';
import type { ScopePool } from './pool.ts';
import { SmallVectors } from './small-vectors.ts';

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

/** Bytes [from, to) of a region. */
interface Block {
  readonly from: number;
  readonly to: number;
  used: boolean;
}

/** A block that is free, and the region that it is of. */
interface Free {
  readonly region: Region;
  readonly block: Block;
}

const bytesOf = ({ block }: Free) => block.to - block.from;

/** The first of the free blocks, from the smallest to the largest, that has so many bytes. */
function firstOf(free: readonly Free[], bytes: number): number {
  let [low, high] = [0, free.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bytesOf(free[middle]) < bytes) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Its blocks cover it, in order of address. No two free ones are neighbours. */
interface Region {
  readonly buffer: SharedArrayBuffer;
  blocks: Block[];
}

/** The block that holds a byte. */
function blockAt(blocks: readonly Block[], byte: number): number {
  let [low, high] = [0, blocks.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (blocks[middle].from <= byte) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The blocks that are kept, and what lies between them. */
function swept({ buffer, blocks }: Region, kept: ReadonlySet<Block>): Block[] {
  const out: Block[] = [];
  let from = 0;
  for (const block of blocks) {
    if (!kept.has(block)) continue;
    if (block.from > from) out.push({ from, to: block.from, used: false });
    out.push(block);
    from = block.to;
  }
  if (from < buffer.byteLength) out.push({ from, to: buffer.byteLength, used: false });
  return out;
}

class SharedPool implements ScopePool {
  readonly #regions = new Map<ArrayBufferLike, Region>();
  /** What is free, from the smallest to the largest. */
  #free: Free[] = [];
  readonly #small: SmallVectors;
  readonly #spare: SharedArrayBuffer[];
  readonly #left: (bytes: number) => boolean;
  #taken = 0;

  /**
   * @param spare regions of zeros, for whoever comes first
   * @param small where small vectors are
   * @param left is told how many bytes the scope leaves, and says whether they are collected now
   */
  constructor(spare: SharedArrayBuffer[], small: SmallVectors, left: (bytes: number) => boolean) {
    this.#spare = spare;
    this.#small = small;
    this.#left = left;
  }

  take(k: number, count: number): Words {
    const bytes = laneBytes(k) * count;
    if (bytes < LEAST_BYTES) return this.#small.take(k, count) ?? zeros(count, k);
    this.#taken += bytes;
    const [buffer, at] = this.#block(up(bytes, LINE));
    return { k, data: k <= 32 ? new Uint32Array(buffer, at, count) : new BigUint64Array(buffer, at, count) };
  }

  shared(k: number, count: number): Words | undefined {
    return laneBytes(k) * count < LEAST_BYTES ? undefined : this.take(k, count);
  }

  adopt(words: Words): Words {
    return words;
  }

  #block(bytes: number): [buffer: SharedArrayBuffer, at: number] {
    let place = firstOf(this.#free, bytes);
    if (place === this.#free.length) {
      this.#grow(bytes);
      place = firstOf(this.#free, bytes);
    }
    const [{ region, block }] = this.#free.splice(place, 1);
    const { from, to } = block;
    const made = [{ from, to: from + bytes, used: true }];
    if (from + bytes < to) {
      const rest = { from: from + bytes, to, used: false };
      made.push(rest);
      this.#isFree(region, rest);
    }
    region.blocks.splice(blockAt(region.blocks, from), 1, ...made);
    return [region.buffer, from];
  }

  #isFree(region: Region, block: Block): void {
    this.#free.splice(firstOf(this.#free, block.to - block.from), 0, { region, block });
  }

  #grow(bytes: number): void {
    const spare = bytes > REGION_BYTES ? undefined : this.#spare.pop();
    const buffer = spare ?? new SharedArrayBuffer(Math.max(bytes, REGION_BYTES));
    const block = { from: 0, to: buffer.byteLength, used: false };
    const region = { buffer, blocks: [block] };
    this.#regions.set(buffer, region);
    this.#isFree(region, block);
  }

  sweep(live: Iterable<unknown>): void {
    if (this.#taken < SWEEP_BYTES) return;
    this.#taken = 0;
    const kept = new Set<Block>();
    for (const item of live) {
      const view = ArrayBuffer.isView(item) ? item : (item as { readonly data?: ArrayBufferView } | undefined)?.data;
      const region = view === undefined ? undefined : this.#regions.get(view.buffer);
      if (view !== undefined && region !== undefined) kept.add(region.blocks[blockAt(region.blocks, view.byteOffset)]);
    }
    this.#free = [];
    for (const region of this.#regions.values()) {
      region.blocks = swept(region, kept);
      for (const block of region.blocks) if (!block.used) this.#free.push({ region, block });
    }
    this.#free.sort((a, b) => bytesOf(a) - bytesOf(b));
  }

  drop(through: boolean): boolean {
    let bytes = 0;
    for (const { buffer } of this.#regions.values())
      if (!through || !this.#giveBack(buffer)) bytes += buffer.byteLength;
    this.#regions.clear();
    this.#free = [];
    this.#small.drop(through);
    return this.#left(bytes);
  }

  /** Whether a region is kept for other scopes. */
  #giveBack(buffer: SharedArrayBuffer): boolean {
    if (buffer.byteLength > REGION_BYTES || this.#spare.length === SPARE_REGIONS) return false;
    // By words: engines fill shared bytes one by one, six times slower.
    new BigUint64Array(buffer).fill(0n);
    this.#spare.push(buffer);
    return true;
  }
}

/**
 * What scopes of one backend take their vectors from.
 * @param collect has the garbage of this thread collected soon
 */
export function sharedPools(collect: () => void): () => ScopePool {
  const spare: SharedArrayBuffer[] = [];
  const slabs: ArrayBuffer[] = [];
  let bytes = 0;
  const left = (more: number) => {
    bytes += more;
    if (bytes < COLLECT_BYTES) return false;
    bytes = 0;
    collect();
    return true;
  };
  return () => new SharedPool(spare, new SmallVectors(slabs), left);
}
