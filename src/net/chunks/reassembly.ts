/**
 * Puts the chunks of a stream back in order.
 *
 * Chunks come over several associations, and Firefox may swap small messages even on one. What waits for a
 * predecessor is bounded in bytes by the credit that its reader gave, and in number here.
 */
import { TercetError } from '../../core/errors.ts';
import type { Chunk } from './message.ts';

/** How far ahead of the next chunk one may be. */
const MAX_AHEAD = 16_384;

export class Reassembly {
  #next = 0;
  readonly #waiting = new Map<number, Chunk>();

  /**
   * Takes a chunk, and hands everything that is in order now to `deliver`.
   * @throws {TercetError} ERR_FRAME_SEQUENCE for a chunk that came before, or that is too far ahead
   */
  push(chunk: Chunk, deliver: (chunk: Chunk) => void): void {
    const { number } = chunk;
    if (number < this.#next || this.#waiting.has(number)) throw wrong(`chunk ${number} of the link came twice`);
    if (number >= this.#next + MAX_AHEAD) throw wrong(`chunk ${number} of the link came, expected ${this.#next}`);
    this.#waiting.set(number, chunk);
    for (let next = this.#waiting.get(this.#next); next !== undefined; next = this.#waiting.get(this.#next)) {
      this.#waiting.delete(this.#next++);
      deliver(next);
    }
  }

  clear(): void {
    this.#waiting.clear();
  }
}

function wrong(what: string): TercetError {
  return new TercetError('ERR_FRAME_SEQUENCE', what, 'a message was lost or repeated: run again');
}
