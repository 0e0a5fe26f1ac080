/**
 * The wait between a prepared attempt and its text. The owner says that it is still there, and then that its input follows; an owner that leaves instead has
 * discarded the attempt, which is no failure.
 */
import { sleep } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import type { Channel } from '../net/types.ts';

const TAG = 'control/hold';
const WAIT = 0;
const GO = 1;
/** Well under the shortest time-out of a receiver. */
const EVERY_MS = 20_000;
/** How long an owner's leaving may be behind that of the other compute party. */
const GRACE_MS = 1_000;

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

/**
 * A compute party's side. False when the owner left.
 * @throws {TercetError} ERR_PEER_CLOSED when the link to the other compute party breaks meanwhile: what was prepared is of no use then.
 */
export async function waitForInput(owner: Channel, peer: Channel): Promise<boolean> {
  const broken = peer.ended.then(() => 'broken' as const);
  for (;;) {
    const word = wordOf(owner);
    const first = await Promise.race([word, broken]);
    // An owner that discards the attempt leaves both parties, and the other one may have heard it first.
    const heard = first === 'broken' ? await Promise.race([word, sleep(GRACE_MS)]) : first;
    if (heard === 'left') return false;
    if (first === 'broken') {
      throw new TercetError('ERR_PEER_CLOSED', `the link to party ${peer.peer} broke while the text was waited for`, 'run again when both parties are up');
    }
    if (heard === GO) return true;
    if (heard !== WAIT) throw new TercetError('ERR_FRAME_FORMAT', 'the data owner sent a malformed "hold" message', 'check its version', { party: 0 });
  }
}

async function wordOf(owner: Channel): Promise<number | 'left'> {
  try {
    return (await owner.recv(TAG, 1))[0];
  } catch (error) {
    if (error instanceof TercetError && error.code === 'ERR_PEER_CLOSED') return 'left';
    throw error;
  }
}
