/**
 * A stream of a key that ends. Its key is asked for where a draw begins: who draws behind the end gets an error, not
 * words of a key of zeros. Nothing that copies an object's properties finds the key.
 */
import type { Stream } from './types.ts';

export class EndingStream implements Stream {
  readonly #live: () => Uint8Array;
  readonly nonce: Uint8Array;

  /** @param live the key, or what is thrown behind its end */
  constructor(live: () => Uint8Array, nonce: Uint8Array) {
    this.#live = live;
    this.nonce = nonce;
  }

  get key(): Uint8Array {
    return this.#live();
  }

  /** As it goes to a worker, which is handed the key. */
  plain(): Stream {
    return { key: this.key, nonce: this.nonce };
  }
}
