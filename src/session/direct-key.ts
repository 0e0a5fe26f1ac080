/**
 * The pairwise key over a link that is authenticated and encrypted already (certificates on both sides): the owner
 * draws it and sends it. Where identities are pinned, in browsers and in Node, links take the signed exchange of
 * `net/handshake/handshake.ts` instead.
 */
import type { Channel } from '../net/wire/types.ts';

const TAG = 'control/key';
const BYTES = 32;

/**
 * Draws a key for each compute party and sends it to that party alone. A key that both had would tell each of them
 * what the other one knows: everything.
 * @returns the keys with party 1 and party 2, owned by the caller
 */
export async function sendKeys(to: (party: 1 | 2) => Channel): Promise<readonly [Uint8Array, Uint8Array]> {
  const key = async (party: 1 | 2) => {
    const own = crypto.getRandomValues(new Uint8Array(BYTES));
    // The channel may keep the buffer until it is written, and the session wipes its own.
    await to(party).send(TAG, Uint8Array.from(own));
    return own;
  };
  return [await key(1), await key(2)];
}

export function recvKey(channel: Channel): Promise<Uint8Array> {
  return channel.recv(TAG, BYTES);
}
