/**
 * Which party a failed session is about. When one compute party dies, the other one fails too, and which of the two
 * is heard first is chance: the cause is the party whose link broke without a word.
 */
import { TercetError, asTercetError } from '../core/errors.ts';
import { PeerReport } from '../core/told.ts';
import { serverWords } from '../net/identity/identity-errors.ts';
import type { ServerId } from '../net/wire/types.ts';
import { forAMoment } from './last-word.ts';

/** An error of the link to `party`, with its name on it. */
export function attributedTo(party: ServerId, thrown: unknown): TercetError {
  const error = asTercetError(thrown);
  // Who cheated is known, or it is not.
  if (error.code === 'ERR_SECURITY_VIOLATION') return error;
  // Links that do not come about are of kind `io`, and say themselves which party they were meant for.
  if (error.party !== undefined || (error.kind !== 'peer' && error.kind !== 'io')) return error;
  const who = serverWords(party);
  const message = error.message.includes(who) ? error.message : `${who}: ${error.message}`;
  return new TercetError(error.code, message, error.hint, { cause: error, party });
}

/**
 * What a party says of itself, or that the compute parties do not accept each other: the cause, and not what
 * follows from one.
 */
const OWN: readonly string[] = [
  'ERR_PEER_FAILED',
  'ERR_PEER_BUSY',
  'ERR_PEER_LET_GO',
  'ERR_MODEL_HASH',
  'ERR_IDENTITY_PEERS',
];

/** Whether a party said itself that it fails because of a link of its own, other than the one to this side. */
function isSecondHand(error: unknown): boolean {
  return error instanceof PeerReport && error.party !== 0 && !OWN.includes(error.code);
}

/** Runs the same step with both compute parties; rejects with the error that explains the other one. */
export async function withBoth<T>(step: (peer: 1 | 2) => Promise<T>): Promise<[T, T]> {
  const failures = new Map<1 | 2, TercetError>();
  const runs = ([1, 2] as const).map(async (peer) => {
    try {
      return await step(peer);
    } catch (error) {
      const failure = attributedTo(peer, error);
      failures.set(peer, failure);
      throw failure;
    }
  });
  try {
    return (await Promise.all(runs)) as [T, T];
  } catch (first) {
    for (const run of runs) run.catch(() => undefined);
    if (isSecondHand(first) && failures.size < 2) await forAMoment(Promise.allSettled(runs));
    throw [...failures.values()].find((failure) => !isSecondHand(failure)) ?? accused(first);
  }
}

/**
 * A party says that a link of its own broke, and the other party says nothing: over WebRTC a process that died is
 * missed only seconds later. The report came over the link to the data owner, so the link that broke is the one to
 * the other compute party.
 */
function accused(first: unknown): unknown {
  if (!isSecondHand(first)) return first;
  const { code, hint, party } = first as PeerReport;
  if (party === undefined || party === 3 || (code !== 'ERR_PEER_CLOSED' && code !== 'ERR_PEER_TIMEOUT')) return first;
  const other = party === 1 ? 2 : 1;
  return new TercetError(
    code,
    `party ${other}: the link between the compute parties broke, says party ${party}`,
    hint,
    { cause: first, party: other },
  );
}
