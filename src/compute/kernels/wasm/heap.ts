/** Blocks of a shared WebAssembly memory, by best fit. What is free side by side is joined by a sweep. */

/** Blocks begin and end at a cache line. */
const LINE = 64;
const PAGE = 65536;
/** Bytes by which a memory grows at least: each growth makes a buffer of its own. */
const GROWTH = 1 << 23;
/** Bytes behind every block that kernels may write: a group of ChaCha blocks, and a word. */
const SLACK = 512;

/** Bytes [from, to). */
interface Block {
  readonly from: number;
  readonly to: number;
  used: boolean;
}

export class Heap {
  readonly memory: WebAssembly.Memory;
  /** Where the first block begins; below, an instance has its scratch. */
  readonly start: number;
  /** In order of address, without gaps. */
  #blocks: Block[] = [];
  /** Of the memory as it grew: the same bytes, and more of them. */
  readonly #buffers = new Set<ArrayBufferLike>();

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
    this.start = memory.buffer.byteLength;
  }

  /** Bytes that blocks have taken, or had. */
  get size(): number {
    return this.memory.buffer.byteLength - this.start;
  }

  /** Where a view lies, if it is one of this memory. */
  place(view: ArrayBufferView): number | undefined {
    return this.#buffers.has(view.buffer) ? view.byteOffset : undefined;
  }

  /** A block, or undefined where there is no room. What was there is there still. */
  take(bytes: number): number | undefined {
    const size = Math.ceil((bytes + SLACK) / LINE) * LINE;
    let best = -1;
    for (const [i, block] of this.#blocks.entries()) {
      const room = block.to - block.from;
      if (!block.used && room >= size && (best < 0 || room < this.#blocks[best].to - this.#blocks[best].from)) best = i;
    }
    if (best < 0) {
      if (!this.#grow(size)) return undefined;
      best = this.#blocks.length - 1;
    }
    const { from, to } = this.#blocks[best];
    const made = [{ from, to: from + size, used: true }];
    if (from + size < to) made.push({ from: from + size, to, used: false });
    this.#blocks.splice(best, 1, ...made);
    return from;
  }

  /** Makes the last block free and large enough. */
  #grow(size: number): boolean {
    const end = this.memory.buffer.byteLength;
    const last = this.#blocks[this.#blocks.length - 1];
    const free = last !== undefined && !last.used ? last.to - last.from : 0;
    try {
      this.memory.grow(Math.ceil(Math.max(size - free, GROWTH) / PAGE));
    } catch {
      return false;
    }
    const { buffer } = this.memory;
    this.#buffers.add(buffer);
    if (free > 0) this.#blocks.pop();
    this.#blocks.push({ from: end - free, to: buffer.byteLength, used: false });
    return true;
  }

  #at(byte: number): Block {
    let [low, high] = [0, this.#blocks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#blocks[middle].from <= byte) low = middle;
      else high = middle - 1;
    }
    return this.#blocks[low];
  }

  /** Frees every block that holds none of these places. */
  sweep(places: Iterable<number>): void {
    const kept = new Set<Block>();
    for (const place of places) kept.add(this.#at(place));
    this.#keep((block) => kept.has(block));
  }

  free(at: number): void {
    this.#keep((block) => block.used && block.from !== at);
  }

  #keep(stays: (block: Block) => boolean): void {
    const blocks: Block[] = [];
    let from = this.start;
    for (const block of this.#blocks) {
      if (!stays(block)) continue;
      if (block.from > from) blocks.push({ from, to: block.from, used: false });
      blocks.push(block);
      from = block.to;
    }
    const end = this.memory.buffer.byteLength;
    if (from < end) blocks.push({ from, to: end, used: false });
    this.#blocks = blocks;
  }
}
