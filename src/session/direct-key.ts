/**
 * The pair key over a link that is authenticated and encrypted already (certificates on both sides): the owner
 * draws it and sends it. Where identities are pinned, in browsers and in Node, links take the signed exchange of
 * `net/handshake/handshake.ts` instead.
 */
import type { Channel } from '../net/wire/types.ts';

const TAG = 'control/key';
const BYTES = 32;

/**
 * Draws a key for the party at the other end and sends it there. Every link has a key of its own: one that both
 * parties had would tell each of them what the other one knows, everything.
 * @returns the key, owned by the caller
 */
export async function sendPairKey(channel: Channel): Promise<Uint8Array> {
  const pairKey = crypto.getRandomValues(new Uint8Array(BYTES));
  // The channel may keep the buffer until it is written, and the session wipes its own.
  await channel.send(TAG, Uint8Array.from(pairKey));
  return pairKey;
}

export function recvPairKey(channel: Channel): Promise<Uint8Array> {
  return channel.recv(TAG, BYTES);
}
