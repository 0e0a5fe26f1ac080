/**
 * The memory of an instance that vectors lie in, which threads share: kernels read and write them in place. A page has
 * no such memory, and does not load this file.
 */
import { invariant } from '../../../core/errors.ts';
import type { Words } from '../../ring.ts';
import type { Linked, Place } from './link.ts';
import { ALIGN, type Lane, type Lanewise, Memory, SLACK, up } from './memory.ts';

export interface Room {
  readonly buffer: SharedArrayBuffer;
  readonly from: number;
}

export class HomeMemory extends Memory {
  /** Buffers that regions were given out in. There is another one behind each growth, and all of them show the memory. */
  readonly #own = new WeakSet<ArrayBufferLike>();
  /** Scratch of the operation at hand that lies below a region which it has asked for. */
  readonly #below: { from: number; to: number }[] = [];

  constructor(linked: Linked) {
    super(linked);
    invariant(linked.shared === true, 'vectors lie in memory that threads share');
  }

  /**
   * Bytes for vectors, for as long as the memory is there. Also within an operation: its scratch goes on behind them.
   * @throws {TercetError} ERR_DEVICE_MEMORY
   */
  region(bytes: number): Room {
    const from = this.top === this.scratch && this.#below.length === 0 ? this.keep(bytes) : this.#behind(bytes);
    const buffer = this.linked.memory.buffer as ArrayBufferLike as SharedArrayBuffer;
    this.#own.add(buffer);
    return { buffer, from };
  }

  #behind(bytes: number): number {
    const at = up(this.top + SLACK, ALIGN);
    this.reserve(at + bytes);
    this.#below.push({ from: this.scratch, to: at });
    this.held.push({ at, end: up(at + bytes, ALIGN) });
    this.top = this.scratch;
    return at;
  }

  /** Whether a view of this buffer shows this memory. */
  holds(buffer: ArrayBufferLike): boolean {
    return this.#own.has(buffer);
  }

  override sees({ data }: Words): boolean {
    return this.#own.has(data.buffer);
  }

  override operand(data: Lane): Place {
    return this.#own.has(data.buffer) ? data.byteOffset : super.operand(data);
  }

  override shown(at: number, data: Lane): Place {
    return this.#own.has(data.buffer) ? data.byteOffset : super.shown(at, data);
  }

  override place(at: number | undefined, result: Words, from: number, to: number): Place {
    const { data } = result;
    return this.sees(result) ? data.byteOffset + data.BYTES_PER_ELEMENT * from : super.place(at, result, from, to);
  }

  override store(at: Place, result: Words, from: number, to: number): void {
    if (!this.sees(result) || at !== this.place(undefined, result, from, to)) super.store(at, result, from, to);
  }

  /** In one piece, where all of it lies here. */
  override lanewise(k: number, operands: readonly Words[], work: Lanewise): Words {
    const [{ length }, result] = [operands[0].data, this.result(k, operands[0].data.length)];
    if (!this.sees(result) || !operands.every((x) => this.sees(x))) return this.inBlocks(result, operands, work);
    this.run(() =>
      work(
        operands.map(({ data }) => data.byteOffset),
        result.data.byteOffset,
        length,
      ),
    );
    return result;
  }

  /** By a kernel: engines fill bytes that threads share one by one. */
  override wipe(from: number, to: number): void {
    this.exports.wipe(from, to - from);
  }

  override run<T>(operation: () => T): T {
    try {
      return super.run(operation);
    } finally {
      for (const { from, to } of this.#below.splice(0)) this.wipe(from, to);
    }
  }
}
