/**
 * What a party says before it hangs up. It says so in place of the message that it would have sent next, which an
 * owner may not wait for yet: so whoever meets a link that ended looks for that word first.
 */
import { sleep } from '../core/abort.ts';
import { nextTurn } from '../core/event-loop.ts';
import { PeerReport } from '../core/told.ts';
import type { Channel } from '../net/wire/types.ts';
import { recvControl } from './control.ts';
import { REASON_MS } from './timing.ts';

/** Settles like `word`, or resolves when that takes too long. A thread that was busy reads its links once more. */
export async function forAMoment(word: Promise<unknown>): Promise<unknown> {
  const over = sleep(REASON_MS).then(() => new Promise<void>(nextTurn));
  return Promise.race([word, over]);
}

/** Throws why `word` failed, if that is soon, and else `error`. */
export async function explained(error: unknown, word: Promise<unknown>): Promise<never> {
  await forAMoment(word);
  throw error;
}

/** The same where nobody waits for the word yet. @param next name of the control message in whose place it comes */
export function explainedBy(channel: Channel, next: string, error: unknown): Promise<never> {
  return explained(error, wordOf(channel, next));
}

/**
 * Rejects with what the peer says of itself; anything else is no explanation. A link that has not ended is of no use
 * behind it.
 */
export async function wordOf(channel: Channel, next: string): Promise<void> {
  await recvControl(channel, next).catch((error: unknown) => {
    if (error instanceof PeerReport) throw error;
  });
}
