/**
 * Buffers by size class. What is released is cleared on the device before anybody gets it again, because it held
 * shares, masks or pads: the clears are encoded at the end of the batch in which the release happened, and only
 * then the buffer is free. So a free buffer is all zero and no unsubmitted command refers to it.
 */
import { memoryError } from './fault.ts';
import type { KernelLimits } from './limits.ts';

/** GPUBufferUsage, whose global exists in pages and not in Node. */
export const USAGE = { MAP_READ: 0x1, COPY_SRC: 0x4, COPY_DST: 0x8, UNIFORM: 0x40, STORAGE: 0x80 } as const;

export interface Block {
  readonly buffer: GPUBuffer;
  readonly size: number;
}

/** Bytes of all pools of a device, against the budget. */
export class Budget {
  used = 0;
  readonly #limits: KernelLimits;

  constructor(limits: KernelLimits) {
    this.#limits = limits;
  }

  fits(bytes: number): boolean {
    return this.used + bytes <= this.#limits.memoryBytes;
  }

  /** @throws {TercetError} ERR_DEVICE_MEMORY */
  take(bytes: number): void {
    if (bytes > this.#limits.bufferBytes)
      throw memoryError(
        `a vector of ${bytes} bytes exceeds the largest buffer of this GPU (${this.#limits.bufferBytes})`,
      );
    if (!this.fits(bytes))
      throw memoryError(
        `the memory set aside for kernels is used up (${this.used} + ${bytes} of ${this.#limits.memoryBytes} bytes)`,
      );
    this.used += bytes;
  }
}

/** Four classes to a doubling: at most a quarter of a buffer is unused. */
function classOf(bytes: number): number {
  const least = Math.max(256, bytes);
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(least)) - 2));
  return Math.ceil(least / step) * step;
}

export class BufferPool {
  readonly #device: GPUDevice;
  readonly #usage: number;
  readonly #budget: Budget;
  readonly #limits: KernelLimits;
  readonly #free = new Map<number, Block[]>();
  readonly #all = new Set<Block>();
  #released: Block[] = [];

  constructor(device: GPUDevice, usage: number, budget: Budget, limits: KernelLimits) {
    this.#device = device;
    this.#usage = usage;
    this.#budget = budget;
    this.#limits = limits;
  }

  get count(): number {
    return this.#all.size;
  }

  /** A zeroed buffer of at least that many bytes. An allocation that fails shows in the error scope of the batch. */
  take(bytes: number): Block {
    const known = this.#free.get(classOf(bytes))?.pop();
    if (known !== undefined) return known;
    // A class may lie above the largest buffer when the bytes do not.
    const size = Math.max(Math.min(classOf(bytes), Math.floor(this.#limits.bufferBytes / 256) * 256), bytes);
    if (!this.#budget.fits(size)) this.#trim();
    this.#budget.take(size);
    const block: Block = { size, buffer: this.#device.createBuffer({ size, usage: this.#usage }) };
    this.#all.add(block);
    return block;
  }

  release(block: Block): void {
    this.#released.push(block);
  }

  /** Encodes the clears of everything released. The encoder must be submitted before another buffer is taken. */
  clear(encoder: GPUCommandEncoder): void {
    for (const block of this.#released) {
      encoder.clearBuffer(block.buffer);
      const size = classOf(block.size);
      const free = this.#free.get(size);
      if (free === undefined) this.#free.set(size, [block]);
      else free.push(block);
    }
    this.#released = [];
  }

  destroy(): void {
    for (const block of this.#all) this.#drop(block);
    this.#free.clear();
    this.#released = [];
  }

  /** Gives free buffers back to the device. */
  #trim(): void {
    for (const blocks of this.#free.values()) for (const block of blocks) this.#drop(block);
    this.#free.clear();
  }

  #drop(block: Block): void {
    block.buffer.destroy();
    this.#budget.used -= block.size;
    this.#all.delete(block);
  }
}
