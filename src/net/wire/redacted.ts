/** Results that carry a pair key: it can be read, and no way of printing the result shows it. */
import { INSPECT } from '../identity/sodium.ts';

class Keyed {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  get pairKey(): Uint8Array {
    return this.#key;
  }

  /** Node's inspection calls inherited getters when asked for hidden things. */
  [INSPECT](): object {
    return { ...this, pairKey: '(redacted)' };
  }
}

/**
 * `rest` with a `pairKey` beside it, held where neither JSON nor an inspection finds it. Spreading the result loses the
 * key.
 */
export function withPairKey<T extends object>(pairKey: Uint8Array, rest: T): T & { readonly pairKey: Uint8Array } {
  return Object.assign(new Keyed(pairKey), rest);
}
