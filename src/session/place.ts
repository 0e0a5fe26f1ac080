/**
 * The place of a session at a compute party. It is earned by the owner's next step in time: each has a limit,
 * dealing has one that grows with what is to be dealt, and who only waits gives way when somebody else needs the
 * place.
 */
import { TercetError } from '../core/errors.ts';
import { Refusal } from '../core/told.ts';
import { within } from '../net/wire/deadline.ts';

/**
 * What the session waits for: the first steps of an owner, the text of one that is prepared, or the next word of a
 * text that it continues.
 */
export type Waiting = 'silent' | 'prepared' | 'between';

export interface Place {
  /** From now on the session only waits for its owner. */
  waits(what: Waiting): void;
  /** It does not any more. */
  works(): void;
  /** It is over, but for last words and for its links. */
  leaves(): void;
  /** Aborted when somebody else needs the place. */
  readonly wanted: AbortSignal;
}

/** A place that nobody else will ever need: of a party with one session. */
export function ownPlace(): Place {
  return {
    waits: () => undefined,
    works: () => undefined,
    leaves: () => undefined,
    wanted: new AbortController().signal,
  };
}

/** Longest waits of a compute party for its owner. */
export interface Patience {
  readonly requestMs: number;
  /** From the offer to `start`: the owner hears both offers and builds its circuit. */
  readonly startMs: number;
  /** From `start` to the end of dealing, beyond what the bytes take at the rate below. */
  readonly dealMs: number;
  readonly bytesPerSecond: number;
  /** An owner that is prepared says at least this often that it is there; a hidden page may be held up for a minute. */
  readonly silenceMs: number;
  /** Longest wait of a prepared session for its text. */
  readonly holdMs: number;
  /** How long an owner that was asked to give way may take to leave, or to send its text after all. */
  readonly giveWayMs: number;
  /**
   * From the word that the text follows to the text, and for taking the answer, beyond what their bytes take and what
   * an owner has for its proof.
   */
  readonly textMs: number;
}

export const PATIENCE: Patience = {
  requestMs: 10_000,
  startMs: 30_000,
  dealMs: 30_000,
  bytesPerSecond: 64 * 1024,
  silenceMs: 90_000,
  holdMs: 600_000,
  giveWayMs: 3_000,
  textMs: 30_000,
};

/** What so many bytes may take. */
export function msFor(bytes: number, { bytesPerSecond }: Patience): number {
  return Math.ceil((1000 * bytes) / bytesPerSecond);
}

/**
 * Waits for the owner at most `ms`, and no longer than nobody else needs the place. @throws {TercetError}
 * ERR_PEER_TIMEOUT, ERR_PEER_LET_GO
 */
export async function awaitOwner<T>(
  place: Place,
  work: Promise<T>,
  ms: number,
  what: string,
  waiting: Waiting = 'silent',
): Promise<T> {
  place.waits(waiting);
  let stop = (): void => undefined;
  const wanted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(letGo());
  });
  if (place.wanted.aborted) stop();
  place.wanted.addEventListener('abort', stop);
  try {
    const done = await Promise.race([inTime(work, ms, what), wanted]);
    place.works();
    return done;
  } finally {
    place.wanted.removeEventListener('abort', stop);
  }
}

/**
 * Settles like `work`. @throws {TercetError} ERR_PEER_TIMEOUT when the owner, or its dealer, has not done its part
 * in time
 */
export function inTime<T>(work: Promise<T>, ms: number, what: string, party: 0 | 3 = 0): Promise<T> {
  return within(work, { ms, late: () => tooSlow(what, ms, party), undo: () => undefined });
}

export function tooSlow(what: string, ms: number, party: 0 | 3 = 0): TercetError {
  return new TercetError(
    'ERR_PEER_TIMEOUT',
    `${party === 3 ? 'the dealer' : 'the data owner'} did not ${what} within ${Math.ceil(ms / 1000)} s`,
    'its place is free again; it may be at work on a slow machine or line, where a shorter text is quicker',
    { party },
  );
}

/** Why a session that waited is over. */
export function letGo(): Refusal {
  return new Refusal('ERR_PEER_LET_GO', 'somebody else needed the place of a session that waited', 'prepare again');
}
