/**
 * The owner's side of the wait between a prepared step and its input: the compute parties hear that it is still
 * there (input-wait.ts), and what they say is followed until their last report.
 */
import type { Channel, PartyId } from '../net/wire/types.ts';
import { attributedTo } from './fault-attribution.ts';
import { keepAlive } from './input-wait.ts';
import { channelTo } from './owner-options.ts';
import { type Status, followStatus } from './status.ts';

export class OwnerWait {
  readonly #following: readonly [Promise<void>, Promise<void>];
  readonly #endHold: () => void;
  #released = false;
  /** Why one of them said nothing more, while there was no input. */
  #ended: unknown;

  /**
   * Begins when both compute parties are ready.
   * @param onLeave a party needs its place, while there is no input
   */
  constructor(
    channels: ReadonlyMap<PartyId, Channel>,
    onStatus: (peer: 1 | 2, status: Status) => void,
    onLeave: (peer: 1 | 2) => void,
  ) {
    const follow = (peer: 1 | 2, channel: Channel) => {
      const following = followStatus(
        channel,
        (status) => onStatus(peer, status),
        () => {
          // An input that is on its way is not held up by that.
          if (!this.#released) onLeave(peer);
        },
      );
      following.catch((error: unknown) => {
        if (!this.#released) this.#ended ??= attributedTo(peer, error);
      });
      return following;
    };
    this.#following = [follow(1, channelTo(channels, 1)), follow(2, channelTo(channels, 2))];
    this.#endHold = keepAlive([...channels.values()]);
  }

  /** The input follows. @throws what ended meanwhile: it has had no input, and gets none. */
  release(): void {
    this.stop();
    if (this.#ended !== undefined) throw this.#ended;
    this.#released = true;
  }

  /** Resolves behind the last report of a party. @throws {TercetError} what it failed with */
  async through(peer: 1 | 2): Promise<void> {
    await this.#following[peer - 1];
  }

  stop(): void {
    this.#endHold();
  }
}
