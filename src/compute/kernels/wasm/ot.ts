/** OT extension on one instance (`wasm/src/ot.rs`). */
import type { Words } from '../../ring.ts';
import { invariant } from '../../../core/errors.ts';
import { blockOf } from '../key-stream.ts';
import { OT_MOST, otParts } from '../ot-base.ts';
import { type Memory, up } from './memory.ts';

/** What both sides give their kernel: where keys, Δ, tweak and nonce lie. */
interface Head {
  readonly keys: number;
  readonly delta: number;
  readonly tweak: number;
  readonly nonce: number;
}

export class Ot {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /**
   * Messages and words of the OTs that start at number `first`, a multiple of the group: all messages, then all
   * words over Z_2^k.
   */
  receive(base: Uint8Array, nonce: Uint8Array, choice: Words, k: number, first: number): readonly [Words, Words] {
    return this.#memory.run(() => {
      const n = choice.data.length;
      const whole = this.#whole(first, n);
      const { keys, tweak, nonce: id } = this.#head(base, nonce);
      const [bits, message, words] = [
        this.#padded(choice, whole),
        this.#memory.take(4 * whole),
        this.#memory.take(8 * whole),
      ];
      this.#memory.exports.ot_receive(
        ...[keys, tweak, id, first, whole, bits, message, words],
        this.#memory.take(this.#memory.exports.ot_scratch()),
      );
      return [this.#memory.read(message, 32, n), this.#words(words, k, n)];
    });
  }

  /** Both words of the same OTs. */
  send(base: Uint8Array, nonce: Uint8Array, message: Words, k: number, first: number): readonly [Words, Words] {
    return this.#memory.run(() => {
      const n = message.data.length;
      const whole = this.#whole(first, n);
      const { keys, delta, tweak, nonce: id } = this.#head(base, nonce);
      const [d, zero, one] = [this.#padded(message, whole), this.#memory.take(8 * whole), this.#memory.take(8 * whole)];
      this.#memory.exports.ot_send(
        ...[keys, delta, tweak, id, first, whole, d, zero, one],
        this.#memory.take(this.#memory.exports.ot_scratch()),
      );
      return [this.#words(zero, k, n), this.#words(one, k, n)];
    });
  }

  /** OTs of whole groups that hold n. */
  #whole(first: number, n: number): number {
    const group = this.#memory.exports.ot_group();
    invariant(first % group === 0 && first + n <= OT_MOST, 'OTs start at a group, and a draw has 2^32');
    blockOf(Math.floor(first / 8), Math.ceil((first + n) / 8));
    return up(n, group);
  }

  #head(base: Uint8Array, nonce: Uint8Array): Head {
    invariant(nonce.length === 12, 'a nonce has 12 bytes');
    const { keys, delta, tweak } = otParts(base);
    const copy = (bytes: Uint8Array) => this.#memory.copy(bytes);
    return { keys: copy(keys), delta: copy(delta), tweak: copy(tweak), nonce: copy(nonce) };
  }

  /** Words of a vector over at most 32 bits, with zeros behind. */
  #padded(x: Words, count: number): number {
    invariant(x.k <= 32, 'OT operands over Z_2 and Z_2^32');
    const at = this.#memory.take(4 * count);
    this.#memory.write(at, x.data);
    return at;
  }

  #words(at: number, k: number, n: number): Words {
    return this.#memory.read(k === 64 ? at : this.#memory.shift(at, 64, n, 0, k), k, n);
  }
}
