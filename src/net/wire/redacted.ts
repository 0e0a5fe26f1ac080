/** Results that carry a key: it can be read, and no way of printing the result shows it. */
import { INSPECT } from '../identity/sodium.ts';

class Keyed {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  get key(): Uint8Array {
    return this.#key;
  }

  /** Node's inspection calls inherited getters when asked for hidden things. */
  [INSPECT](): object {
    return { ...this, key: '(redacted)' };
  }
}

/**
 * `rest` with a `key` beside it, held where neither JSON nor an inspection finds it. Spreading the result loses the
 * key.
 */
export function withKey<T extends object>(key: Uint8Array, rest: T): T & { readonly key: Uint8Array } {
  return Object.assign(new Keyed(key), rest);
}
