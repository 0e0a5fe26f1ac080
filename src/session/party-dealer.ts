/** The dealer that an owner named, at a compute party: comes, proves that it has the key of this execution, deals. */
import { equalBytes } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import type { Channel } from '../net/wire/types.ts';
import { recvControl, sendControl, sendFailure } from './control.ts';
import { type Patience, inTime } from './place.ts';
import { ofDealer } from './roles.ts';

/** A dealer on its way. */
export interface ComingDealer {
  /** Its link, once it has proved to be the one that was named. Does not settle after `cancel`. */
  readonly channel: Promise<Channel>;
  cancel(): void;
}

/** How long a dealer may take to hear why its dealing failed. */
const FAREWELL_MS = 2_000;

export class PartyDealer {
  readonly #coming: ComingDealer;
  readonly #proof: Uint8Array;
  #channel: Channel | undefined;
  /** Whether the dealer waits to hear that a step has come. */
  #waits = false;
  #over = false;

  /** @param proof what the holder of this party's key says (`dealerProof`). */
  constructor(coming: ComingDealer, proof: Uint8Array) {
    this.#coming = coming;
    this.#proof = proof;
    void coming.channel.then((channel) => {
      this.#channel = channel;
      // It came too late, or was sent before the owner began.
      if (this.#over) channel.abort(new TercetError('ERR_PEER_CLOSED', 'the session is over', 'start a new run'));
    });
  }

  /** Its link, where it has come. */
  get channel(): Channel | undefined {
    return this.#channel;
  }

  /**
   * Waits until it deals the step of this circuit.
   * @throws {TercetError} ERR_PEER_TIMEOUT, ERR_PEER_CLOSED, ERR_PEER_MISMATCH for the key of another execution or
   * another circuit; with the dealer as `party`
   */
  async begins(circuit: string, owner: Channel, { dealMs }: Patience): Promise<Channel> {
    const begins = async (): Promise<Channel> => {
      const channel = await this.#coming.channel;
      this.#waits = true;
      const fields = await ofDealer(recvControl(channel, 'deal'));
      const fail = (what: string) =>
        new TercetError('ERR_PEER_MISMATCH', `the dealer ${what}`, 'start a new run', { party: 3 });
      // SECURITY: who has no key of this execution deals nothing in it. test/session/dealer.test.ts.
      if (!equalBytes(fields.hex('key', this.#proof.length), this.#proof)) throw fail('has a key of another execution');
      if (fields.string('circuit') !== circuit) throw fail('built another circuit');
      return channel;
    };
    return inTime(whileThere(owner, begins()), dealMs, 'come and deal', 3);
  }

  /** All of a step has come. */
  async taken(): Promise<void> {
    this.#waits = false;
    if (this.#channel !== undefined) await ofDealer(sendControl(this.#channel, 'dealt', {}));
  }

  /** Tells it why nothing more is taken, if it waits to hear. */
  async failed(failure: TercetError): Promise<void> {
    this.#over = true;
    this.#coming.cancel();
    const channel = this.#channel;
    if (channel === undefined) return;
    if (!this.#waits) return channel.abort(failure);
    const late = setTimeout(() => channel.abort(failure), FAREWELL_MS);
    await sendFailure(channel, 'dealt', failure)
      .then(() => channel.close())
      .catch(() => undefined);
    clearTimeout(late);
  }

  async close(): Promise<void> {
    this.#over = true;
    this.#coming.cancel();
    await this.#channel?.close();
  }
}

/** Settles like `work`, but not after the owner has left. @throws {TercetError} ERR_PEER_CLOSED */
export function whileThere<T>(owner: Channel, work: Promise<T>): Promise<T> {
  const left = owner.ended.then((): never => {
    throw new TercetError('ERR_PEER_CLOSED', 'the data owner left', 'nothing to do here', { party: 0 });
  });
  work.catch(() => undefined);
  return Promise.race([work, left]);
}
