/**
 * Whose turn it is: runs of many owners compute between the same two parties. Party 1 alone decides, because two
 * that decide can each wait for the other. It tells party 2, over their own link, when a run begins; until then it
 * says every second that the run waits, so nobody takes the other one for lost.
 */
import { sleep } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import type { Channel } from '../net/wire/types.ts';

const TAG = 'control/turn';
const WAIT = 0;
const GO = 1;
const EVERY_MS = 1_000;

/** What a run waits for. Public: its owner is told. */
export interface Before {
  /** Runs that end before this one begins. */
  readonly runs: number;
  /** About how long that takes; absent before any run was measured. */
  readonly ms?: number | undefined;
}

/** A run that asked for its turn. */
export interface Turn {
  /** Resolves when it may begin. */
  readonly granted: Promise<void>;
  /** Undefined from then on. */
  readonly before: Before | undefined;
  /** It computes, and has done this share of its work. */
  moved(share: number): void;
  /** It is over, or was given up. */
  end(): void;
}

/** Gives turns to the runs of one owner. */
export interface Turns {
  /** @param work what the run will take, in the unit of `workOf` */
  ask(work: number): Turn;
}

/** Bytes that take about as long as a round. */
const ROUND_BYTES = 20_000;
/** Computing of a proved run, for each byte that a run moves (bench/results/modes.json). */
const PROVED = 8;

/** Work of a step: what it moves between the compute parties, which computing grows with. */
export function workOf(
  { p1ToP2, p2ToP1, rounds }: { readonly p1ToP2: number; readonly p2ToP1: number; readonly rounds: number },
  proved: boolean,
): number {
  return (p1ToP2 + p2ToP1 + ROUND_BYTES * rounds) * (proved ? PROVED : 1);
}

/** Turns where nobody else asks for one: of a party with one session. */
export const ALONE: Turns = {
  ask: () => ({ granted: Promise.resolve(), before: undefined, moved: () => undefined, end: () => undefined }),
};

/**
 * Party 1: waits for the turn of a run, and tells the other party. A link that ends meanwhile ends the wait.
 * @param onWait what it waits for, now and every second
 * @throws what a link ended with
 */
export async function awaitTurn(
  { owner, peer }: { readonly owner: Channel; readonly peer: Channel },
  turn: Turn,
  onWait: (before: Before) => void,
): Promise<void> {
  const ended = Promise.race([owner.ended, peer.ended]);
  for (let { before } = turn; before !== undefined; { before } = turn) {
    onWait(before);
    await peer.send(TAG, Uint8Array.of(WAIT));
    const over = new AbortController();
    const pause = sleep(EVERY_MS, over.signal).catch(() => undefined);
    const why = await Promise.race([turn.granted, pause, ended]);
    over.abort();
    if (why !== undefined) throw why;
  }
  await peer.send(TAG, Uint8Array.of(GO));
}

/** Party 2: waits until party 1 says that the run begins. @throws {TercetError} what the link throws, ERR_FRAME_FORMAT */
export async function followTurn(peer: Channel): Promise<void> {
  for (;;) {
    const [word] = await peer.recv(TAG, 1);
    if (word === GO) return;
    if (word !== WAIT)
      throw new TercetError('ERR_FRAME_FORMAT', 'party 1 sent a malformed "turn" message', 'check its version', {
        party: 1,
      });
  }
}
