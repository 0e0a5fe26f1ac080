/** The owner's side of an execution that a dealer deals: hands the keys of it over, then waits. */
import { attributedTo } from './fault-attribution.ts';
import type { Channel } from '../net/wire/types.ts';
import { recvControl, sendControl } from './control.ts';
import { sleep } from '../core/abort.ts';
import { REASON_MS } from './timing.ts';
import { type ExecutionKeys, type HandOver, executionKeys, sendHandOver } from './dealing.ts';

export class HandedOver {
  readonly #channel: Channel;
  readonly #handOver: HandOver;
  readonly #keys: ExecutionKeys;

  /** @param pairKeys may be wiped afterwards; those of the execution are, once they have been handed over */
  static of(
    channel: Channel,
    handOver: HandOver,
    pairKeys: readonly [Uint8Array, Uint8Array],
    session: Uint8Array,
  ): HandedOver {
    return new HandedOver(channel, handOver, executionKeys(pairKeys, session));
  }

  private constructor(channel: Channel, handOver: HandOver, keys: ExecutionKeys) {
    this.#channel = channel;
    this.#handOver = handOver;
    this.#keys = keys;
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
          ? sendHandOver(this.#channel, this.#handOver, this.#keys)
          : sendControl(this.#channel, 'step', { circuit });
      await asked.catch(async (error: unknown) => {
        // A dealer that has no place says so and hangs up before it is asked.
        await Promise.race([dealt, sleep(REASON_MS)]);
        throw error;
      });
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
    for (const key of this.#keys) key.fill(0);
  }
}
