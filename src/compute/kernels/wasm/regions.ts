/**
 * Large regions of memory, cut into blocks by best fit. Blocks are free again when a sweep does not find a view of
 * them among what is live.
 */

/** Bytes [from, to) of a buffer. */
interface Block {
  readonly from: number;
  readonly to: number;
  used: boolean;
}

/** Bytes [from, to) of a buffer. Blocks cover them, in order of address. No two free ones are neighbours. */
export interface Region {
  readonly buffer: SharedArrayBuffer;
  readonly from: number;
  readonly to: number;
  blocks: Block[];
}

/** A block that is free, and the region that it is of. */
interface Free {
  readonly region: Region;
  readonly block: Block;
}

const bytesOf = ({ block }: Free) => block.to - block.from;

/** The last of them, in order of address, that does not begin behind a byte; the first where all do. */
function lastAt(all: readonly { readonly from: number }[], byte: number): number {
  let [low, high] = [0, all.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (all[middle].from <= byte) low = middle;
    else high = middle - 1;
  }
  return low;
}

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

/** The blocks that are kept, and what lies between them. */
function swept({ from: first, to, blocks }: Region, kept: ReadonlySet<Block>): Block[] {
  const out: Block[] = [];
  let from = first;
  for (const block of blocks) {
    if (!kept.has(block)) continue;
    if (block.from > from) out.push({ from, to: block.from, used: false });
    out.push(block);
    from = block.to;
  }
  if (from < to) out.push({ from, to, used: false });
  return out;
}

export class Regions {
  /** Of each place, in order of address. */
  readonly #regions = new Map<object, Region[]>();
  readonly #placeOf: (buffer: ArrayBufferLike) => object;
  /** What is free, from the smallest to the largest. */
  #free: Free[] = [];

  /** @param placeOf what several buffers may show: the memory of an instance has another one behind each growth */
  constructor(placeOf: (buffer: ArrayBufferLike) => object) {
    this.#placeOf = placeOf;
  }

  /** All of them, with their places. */
  get all(): Iterable<readonly [place: object, regions: readonly Region[]]> {
    return this.#regions;
  }

  /** Another region, free. */
  add(buffer: SharedArrayBuffer, from: number, bytes: number): void {
    const to = from + bytes;
    const block = { from, to, used: false };
    const region = { buffer, from, to, blocks: [block] };
    const same = this.#regions.get(this.#placeOf(buffer)) ?? [];
    this.#regions.set(this.#placeOf(buffer), same);
    same.splice(same.findLastIndex((other) => other.from < from) + 1, 0, region);
    this.#isFree(region, block);
  }

  /** A block of so many bytes; undefined where none is free. */
  take(bytes: number): readonly [buffer: SharedArrayBuffer, at: number] | undefined {
    const place = firstOf(this.#free, bytes);
    if (place === this.#free.length) return undefined;
    const [{ region, block }] = this.#free.splice(place, 1);
    const { from, to } = block;
    const made = [{ from, to: from + bytes, used: true }];
    if (from + bytes < to) {
      const rest = { from: from + bytes, to, used: false };
      made.push(rest);
      this.#isFree(region, rest);
    }
    region.blocks.splice(lastAt(region.blocks, from), 1, ...made);
    return [region.buffer, from];
  }

  #isFree(region: Region, block: Block): void {
    this.#free.splice(firstOf(this.#free, block.to - block.from), 0, { region, block });
  }

  /** @param live views, or vectors; what else there is among them is none of these */
  sweep(live: Iterable<unknown>): void {
    const kept = new Set<Block>();
    for (const item of live) {
      const view = ArrayBuffer.isView(item) ? item : (item as { readonly data?: ArrayBufferView } | undefined)?.data;
      const block = view && this.#blockOf(view);
      if (block !== undefined) kept.add(block);
    }
    this.#free = [];
    for (const regions of this.#regions.values())
      for (const region of regions) {
        region.blocks = swept(region, kept);
        for (const block of region.blocks) if (!block.used) this.#free.push({ region, block });
      }
    this.#free.sort((a, b) => bytesOf(a) - bytesOf(b));
  }

  #blockOf({ buffer, byteOffset }: ArrayBufferView): Block | undefined {
    const regions = this.#regions.get(this.#placeOf(buffer));
    const region = regions?.[lastAt(regions, byteOffset)];
    // A place may have more than its regions.
    if (region === undefined || byteOffset < region.from || byteOffset >= region.to) return undefined;
    return region.blocks[lastAt(region.blocks, byteOffset)];
  }

  /** Lets go of all of them. */
  clear(): void {
    this.#regions.clear();
    this.#free = [];
  }
}
