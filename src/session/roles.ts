/**
 * Two ends that share the place of P0 at a compute party: the owner, who sends inputs and takes outputs, and the
 * dealer, who sends what is dealt and nothing else.
 *
 * SECURITY: which link a message is taken from follows from its tag, and a link that carries anything else than the
 * next message that is expected of it is ended with ERR_FRAME_TAG: a dealer cannot send an input, nor take an output,
 * and an owner that named a dealer cannot deal. test/session/dealer.test.ts.
 */
import { TercetError } from '../core/errors.ts';
import type { Channel, EndId, LinkStats, PartyId } from '../net/wire/types.ts';

/** The tag of a message that is dealt ahead (`tagOf` in mpc/protocol/frame/gate.ts). */
function isDealt(tag: string): boolean {
  return /^[^/]*-deal(\/|$)/.test(tag);
}

/** What a compute party's engine sees as P0. */
export class OwnerAndDealer implements Channel {
  readonly #owner: Channel;
  readonly #dealer: Channel;

  constructor(owner: Channel, dealer: Channel) {
    this.#owner = owner;
    this.#dealer = dealer;
  }

  get self(): EndId {
    return this.#owner.self;
  }

  get peer(): PartyId {
    return 0;
  }

  get stats(): LinkStats {
    return this.#owner.stats;
  }

  get ended(): Promise<Error> {
    return this.#owner.ended;
  }

  /** Nothing is ever sent to a dealer here. */
  send(tag: string, bytes: Uint8Array, given?: 'given'): Promise<void> {
    return this.#owner.send(tag, bytes, given);
  }

  async recv(tag: string, byteLength: number): Promise<Uint8Array> {
    if (!isDealt(tag)) return this.#owner.recv(tag, byteLength);
    return ofDealer(this.#dealer.recv(tag, byteLength));
  }

  close(): Promise<void> {
    return this.#owner.close();
  }

  abort(error: Error): void {
    this.#owner.abort(error);
  }
}

/** What a link with the dealer says, with the dealer's name on it. */
export async function ofDealer<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof TercetError) || error.party !== undefined) throw error;
    throw new TercetError(error.code, `the dealer: ${error.message}`, error.hint, { cause: error, party: 3 });
  }
}
