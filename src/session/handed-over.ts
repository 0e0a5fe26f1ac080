/** The owner's side of an execution that a dealer deals: hands the keys of it over, then waits. */
import { attributedTo } from './fault-attribution.ts';
import type { Channel } from '../net/wire/types.ts';
import { recvControl, sendControl } from './control.ts';
import { explained } from './last-word.ts';
import { type HandOver, type Secrets, executionKeys, sendHandOver } from './dealing.ts';

/** What the secrets of a hand-over are made of. */
interface HandedFrom {
  readonly pairKeys: readonly [Uint8Array, Uint8Array];
  readonly session: Uint8Array;
  readonly seeds: Uint8Array | undefined;
}

export class HandedOver {
  readonly #channel: Channel;
  readonly #handOver: HandOver;
  readonly #secrets: Secrets;

  /**
   * @param pairKeys may be wiped afterwards
   * @param seeds of secret weights, wiped here like the keys of the execution, once they have been handed over
   */
  static of(channel: Channel, handOver: HandOver, { pairKeys, session, seeds }: HandedFrom): HandedOver {
    return new HandedOver(channel, handOver, { keys: executionKeys(pairKeys, session), seeds });
  }

  private constructor(channel: Channel, handOver: HandOver, secrets: Secrets) {
    this.#channel = channel;
    this.#handOver = handOver;
    this.#secrets = secrets;
  }

  /**
   * Has a step dealt: resolves when both compute parties have told the dealer that they have all of it.
   * @throws {TercetError} with the dealer as `party`, or the party that the dealer speaks of
   */
  async deal(step: number, circuit: string): Promise<void> {
    try {
      const dealt = recvControl(this.#channel, 'dealt');
      dealt.catch(() => undefined);
      const asked =
        step === 0
          ? sendHandOver(this.#channel, this.#handOver, this.#secrets)
          : sendControl(this.#channel, 'step', { circuit });
      // A dealer that has no place says so and hangs up before it is asked.
      await asked.catch((error: unknown) => explained(error, dealt));
      this.wipe();
      await dealt;
    } catch (error) {
      throw attributedTo(3, error);
    }
  }

  close(): Promise<void> {
    return this.#channel.close();
  }

  wipe(): void {
    for (const key of this.#secrets.keys) key.fill(0);
    this.#secrets.seeds?.fill(0);
  }
}
