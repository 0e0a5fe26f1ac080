/**
 * A channel under other names for its ends: one that came like an owner's and has proved to be a dealer's.
 */
import type { Channel, EndId } from './types.ts';

export function asEnd(channel: Channel, ends: { readonly self?: EndId; readonly peer?: EndId }): Channel {
  return {
    self: ends.self ?? channel.self,
    peer: ends.peer ?? channel.peer,
    get stats() {
      return channel.stats;
    },
    get ended() {
      return channel.ended;
    },
    send: (tag, bytes) => channel.send(tag, bytes),
    recv: (tag, byteLength, instead) => channel.recv(tag, byteLength, instead),
    close: () => channel.close(),
    abort: (error) => channel.abort(error),
  };
}
