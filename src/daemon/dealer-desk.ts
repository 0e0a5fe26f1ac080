/**
 * Where a compute party expects dealers: one for each session whose owner has named one, and nobody else.
 *
 * Security: a stranger that says it deals is refused by the first message of its handshake, before any key is agreed,
 * unless an owner waits for a dealer in just this session. Then only the identity that this owner named passes, once.
 */
import { toHex } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import { ANY_MODEL } from '../net/handshake/messages.ts';
import type { Channel } from '../net/wire/types.ts';
import { dealerSession } from '../session/dealing.ts';
import type { ComingDealer } from '../session/party-dealer.ts';
import { type Request, requestCode } from '../session/request.ts';
import type { Asked } from './owner-terms.ts';

interface Expected {
  readonly request: Request;
  readonly take: (channel: Channel) => void;
}

export class DealerDesk {
  readonly #expected = new Map<string, Expected>();
  readonly #parties: readonly string[];

  /** @param parties identities of this party, and of the other one where it is pinned */
  constructor(parties: readonly string[] = []) {
    this.#parties = parties;
  }

  /**
   * Expects the dealer that the request of this session names.
   * @throws {TercetError} ERR_PEER_MISMATCH for one that is a compute party, which would read the text alone
   */
  expect(session: Uint8Array, request: Request): ComingDealer {
    if (request.dealer !== undefined && this.#parties.includes(request.dealer))
      throw new TercetError(
        'ERR_PEER_MISMATCH',
        'the dealer has the identity of a compute party, which could then read the text',
        'choose a dealer that computes nothing',
      );
    const name = toHex(dealerSession(session));
    let take: (channel: Channel) => void = () => undefined;
    const channel = new Promise<Channel>((resolve) => {
      take = resolve;
    });
    const expected: Expected = { request, take };
    this.#expected.set(name, expected);
    const cancel = () => {
      if (this.#expected.get(name) === expected) this.#expected.delete(name);
    };
    return { channel, cancel };
  }

  /**
   * The identity that must be proved on a link of this session.
   * @param session of the link, not of the owner
   * @throws {TercetError} ERR_PEER_MISMATCH where nobody waits for a dealer, or for one of another run
   */
  dealerOf(session: Uint8Array, { modelHash, requestCode: code }: Asked): string {
    const request = this.#expected.get(toHex(session))?.request;
    const fits =
      request?.dealer !== undefined &&
      requestCode(request) === toHex(code) &&
      (request.model ?? toHex(ANY_MODEL)) === toHex(modelHash);
    if (fits) return request.dealer;
    throw new TercetError('ERR_PEER_MISMATCH', 'no owner waits for a dealer of this run', 'nothing to do here', {
      party: 3,
    });
  }

  /** The dealer of a session has proved who it is. A second one, or one that nobody waits for any more, is let go. */
  arrive(session: Uint8Array, channel: Channel): void {
    const name = toHex(session);
    const expected = this.#expected.get(name);
    this.#expected.delete(name);
    if (expected !== undefined) expected.take(channel);
    else
      channel.abort(new TercetError('ERR_PEER_MISMATCH', 'no owner waits for this dealer any more', 'start a new run'));
  }
}
