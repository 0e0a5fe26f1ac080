/**
 * The pairwise key over a link that is authenticated and encrypted already (certificates on both sides): the owner draws it and sends it.
 * Where identities are pinned, in browsers and in Node, links take the signed exchange of `net/handshake.ts` instead.
 */
import type { Channel } from '../net/types.ts';

const TAG = 'control/key';
const BYTES = 32;

/** @param key 32 fresh random bytes. */
export function sendKey(channel: Channel, key: Uint8Array): Promise<void> {
  // The channel may keep the buffer until it is written, and the session wipes its own.
  return channel.send(TAG, Uint8Array.from(key));
}

export function recvKey(channel: Channel): Promise<Uint8Array> {
  return channel.recv(TAG, BYTES);
}
