/**
 * Operands on their way to a thread, in memory that both see: one copy, into a buffer that is used again. A copy that
 * is handed over is a new buffer each time. Engines count those outside of their heap and collect all of it for every
 * 64 MB of them (ADR 56), with the circuit that the calling thread has.
 */
import { EndingStream } from '../ending-stream.ts';
import type { Linked } from './link.ts';
import { COPIED_BYTES, up } from './memory.ts';

/** Calls whose operands are held at once: one at work, one behind it, and one of somebody else. */
const DESKS = 3;
/** Vectors begin at a cache line. */
const LINE = 64;

/** The operands of one call at a time. */
interface Desk {
  buffer: SharedArrayBuffer | undefined;
  top: number;
  free: boolean;
  /** What was copied for this call, and where it lies. */
  placed: (readonly [Uint8Array, Uint8Array])[];
}

export interface Staged {
  /** What is sent: views own exactly their bytes, or lie in memory that both threads see. */
  readonly args: readonly unknown[];
  /** The call was answered, or failed. */
  done(): void;
}

export class StagedOperands {
  readonly #bytes: number;
  readonly #copyShared: Linked['copyShared'];
  readonly #desks: readonly Desk[];

  /**
   * @param bytes of the operands of a call. What there is no room for is copied and handed over.
   * @param copyShared as `Linked` has it
   */
  constructor(bytes: number, copyShared?: Linked['copyShared']) {
    this.#bytes = bytes;
    this.#copyShared = copyShared;
    this.#desks = Array.from({ length: DESKS }, () => ({ buffer: undefined, top: 0, free: true, placed: [] }));
  }

  /** @param replace what is sent in place of a value that is no vector */
  of(args: readonly unknown[], replace: (value: unknown) => unknown): Staged {
    const desk = this.#desks.find(({ free }) => free);
    if (desk !== undefined) desk.free = false;
    return {
      args: args.map((value) => this.#staged(replace(value), desk)),
      done: () => {
        if (desk === undefined) return;
        // SECURITY: what a call needed is nowhere behind it. test/compute/proof.test.ts.
        // By words: engines fill shared bytes one by one, 1.3 GB/s in place of 9.4.
        if (desk.buffer !== undefined) new BigUint64Array(desk.buffer, 0, desk.top / 8).fill(0n);
        [desk.top, desk.free, desk.placed] = [0, true, []];
      },
    };
  }

  #staged(value: unknown, desk: Desk | undefined): unknown {
    if (ArrayBuffer.isView(value)) return this.#placed(value as Uint8Array, desk);
    if (Array.isArray(value)) return value.map((item) => this.#staged(item, desk));
    if (value instanceof EndingStream) return this.#staged(value.plain(), desk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#staged(item, desk)]));
  }

  #placed(view: Uint8Array, desk: Desk | undefined): unknown {
    const { byteLength, length } = view;
    // Terms of a table share factors.
    const known = desk?.placed.find(([of]) => isSame(of, view));
    if (known !== undefined) return known[1];
    if (desk === undefined || desk.top + byteLength > this.#bytes) return view.slice();
    desk.buffer ??= new SharedArrayBuffer(this.#bytes);
    const Kind = view.constructor as new (buffer: SharedArrayBuffer, at: number, length: number) => Uint8Array;
    const placed = new Kind(desk.buffer, desk.top, length);
    if (this.#copyShared === undefined || byteLength < COPIED_BYTES) placed.set(view);
    else
      this.#copyShared(
        new Uint8Array(desk.buffer, desk.top, byteLength),
        0,
        new Uint8Array(view.buffer, view.byteOffset, byteLength),
      );
    desk.top = up(desk.top + byteLength, LINE);
    if (byteLength > 0) desk.placed.push([view, placed]);
    return placed;
  }
}

/** Whether two views are the same words in the same place. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset === b.byteOffset &&
    a.byteLength === b.byteLength &&
    a.constructor === b.constructor
  );
}
