/**
 * The wait between a prepared attempt and its text. The owner says that it is still there, and then that its input follows; an owner that leaves instead has
 * discarded the attempt, which is no failure.
 */
import { TercetError } from '../core/errors.ts';
import type { Channel } from '../net/types.ts';

const TAG = 'control/hold';
const WAIT = 0;
const GO = 1;
/** Well under the shortest time-out of a receiver. */
const EVERY_MS = 20_000;

/** The owner's side: keeps both compute parties waiting. Returns the way to end the wait. */
export function hold(channels: readonly Channel[]): () => void {
  const timer = setInterval(() => {
    // A link that broke meanwhile is noticed when it is used.
    for (const channel of channels) channel.send(TAG, Uint8Array.of(WAIT)).catch(() => undefined);
  }, EVERY_MS);
  return () => clearInterval(timer);
}

/** The owner's input follows. */
export async function release(channel: Channel): Promise<void> {
  await channel.send(TAG, Uint8Array.of(GO));
}

/** A compute party's side. False when the owner left. */
export async function waitForInput(owner: Channel): Promise<boolean> {
  for (;;) {
    try {
      const [word] = await owner.recv(TAG, 1);
      if (word === GO) return true;
      if (word !== WAIT) throw new TercetError('ERR_FRAME_FORMAT', 'the data owner sent a malformed "hold" message', 'check its version', { party: 0 });
    } catch (error) {
      if (error instanceof TercetError && error.code === 'ERR_PEER_CLOSED') return false;
      throw error;
    }
  }
}
