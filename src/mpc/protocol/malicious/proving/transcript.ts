/**
 * The messages of a party as they were on its links, until they are proved. A proof is about these bytes, and not about
 * what somebody computes again.
 */
import { concatBytes } from '../../../../core/bytes.ts';
import { invariant } from '../../../../core/errors.ts';
import { letGo } from '../../../../core/let-go.ts';
import type { Channel, EndId } from '../../../../net/wire/types.ts';

export class Transcript {
  readonly #messages = new Map<string, Uint8Array[]>();
  /** Of them what was put together here: nobody else has it. */
  readonly #whole = new Map<string, Uint8Array>();

  /** The same channel, whose messages are kept, also those that are given. A long one comes in parts, under one tag. */
  over(channel: Channel): Channel {
    const keep = (from: EndId, to: EndId, tag: string, bytes: Uint8Array) => {
      const key = keyOf(from, to, tag);
      const parts = this.#messages.get(key);
      if (parts === undefined) this.#messages.set(key, [bytes]);
      else parts.push(bytes);
    };
    const { self, peer } = channel;
    return {
      self,
      peer,
      stats: channel.stats,
      ended: channel.ended,
      send: (tag, bytes) => {
        keep(self, peer, tag, bytes);
        return channel.send(tag, bytes);
      },
      recv: async (tag, length) => {
        const bytes = await channel.recv(tag, length);
        keep(peer, self, tag, bytes);
        return bytes;
      },
      close: () => channel.close(),
      abort: (error) => channel.abort(error),
    };
  }

  /** A message that has passed. */
  message(from: EndId, to: EndId, tag: string): Uint8Array {
    const key = keyOf(from, to, tag);
    const parts = this.#messages.get(key);
    invariant(parts !== undefined, `${tag}: a message that did not pass`);
    if (parts.length === 1) return parts[0];
    // Every term of a sum asks for all of it.
    const whole = concatBytes(parts);
    this.#messages.set(key, [whole]);
    this.#whole.set(key, whole);
    return whole;
  }

  /** Lets go of the messages of some tags. */
  forget(tags: readonly string[]): void {
    for (const tag of tags)
      for (const from of [0, 1, 2] as const) for (const to of [0, 1, 2] as const) this.#forget(keyOf(from, to, tag));
  }

  #forget(key: string): void {
    this.#messages.delete(key);
    const whole = this.#whole.get(key);
    this.#whole.delete(key);
    if (whole !== undefined) letGo(whole);
  }

  clear(): void {
    this.#messages.clear();
    this.#whole.clear();
  }
}

function keyOf(from: EndId, to: EndId, tag: string): string {
  return `${from} ${to} ${tag}`;
}
