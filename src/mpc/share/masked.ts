/**
 * A message that may leave a party: its words carry a mask drawn for this message and no other (PROTOCOL §11.1
 * rule 2).
 *
 * SECURITY: links send only `Masked`, and a `Masked` is made only from a `OneTimeMask`, which `PairPrg.takeMask` hands
 * out once per draw id. A derived mask (of a shifted or reduced tensor) is not a `OneTimeMask`, so the type system
 * refuses to send under it.
 */
import type { Stream } from '../../compute/kernels/types.ts';
import type { Vector } from '../../compute/ring.ts';
import { TercetError } from '../../core/errors.ts';

/** A mask that nothing was sent under yet. */
export class OneTimeMask {
  readonly #stream: Stream;
  #used = false;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** Where its words are drawn from. Behind an accessor, so that printing a mask shows no key. */
  get stream(): Stream {
    return this.#stream;
  }

  /** @throws {TercetError} ERR_PAD_REUSE on the second call. */
  use(): void {
    if (this.#used)
      throw new TercetError(
        'ERR_PAD_REUSE',
        'a mask was used for a second message',
        'start a new run; this is a bug in Tercet, please report it',
      );
    this.#used = true;
  }
}

export class Masked {
  readonly payload: Vector | Uint8Array;

  private constructor(payload: Vector | Uint8Array) {
    this.payload = payload;
  }

  /** Declares that every word of `payload` is masked by `fresh`, which is used up. */
  static under(fresh: OneTimeMask, payload: Vector | Uint8Array): Masked {
    fresh.use();
    return new Masked(payload);
  }

  /** Parts of one message sealed under one mask: the pads of a long table, each position once. */
  static async *parts(fresh: OneTimeMask, payloads: AsyncIterable<Uint8Array>): AsyncIterable<Masked> {
    fresh.use();
    for await (const payload of payloads) yield new Masked(payload);
  }

  /**
   * A message of an oblivious transfer. Its mask is not the stream of `fresh`, but what the OT base gives under the
   * same address: u of the receiver, which the sender lacks a leaf of every tree for, or w_0 − w_1 of the sender, of
   * which the receiver knows one (PROTOCOL §4.12). One message of either side under an address.
   */
  static transfer(fresh: OneTimeMask, payload: Vector): Masked {
    fresh.use();
    return new Masked(payload);
  }

  /**
   * A message that needs no mask: ciphertext-like keys whose own construction hides the secret, or a value its
   * receiver may know. Say why.
   */
  static plain(
    _why: 'point function key' | 'look-up shift' | 'output to its owner',
    payload: Vector | Uint8Array,
  ): Masked {
    return new Masked(payload);
  }
}
