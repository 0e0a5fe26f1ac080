/**
 * The wait between a prepared run and its text. The owner says that it is still there, and the party answers;
 * then the owner says that its input follows. An owner that leaves instead has discarded the prepared run, which is no
 * failure.
 *
 * A party that needs the place asks the owner to leave. The owner does, or says that its input follows after all:
 * so nothing is ever lost half-way. One that does neither is let go.
 */
import { sleep } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import type { Channel } from '../net/wire/types.ts';
import { type Patience, type Place, type Waiting, letGo, tooSlow } from './place.ts';
import { sendWaiting } from './status.ts';
import { OWNER_LEAVES_MS } from './timing.ts';

const TAG = 'control/hold';
const WAIT = 0;
const GO = 1;
/** Well under the shortest time-out of a receiver. */
const EVERY_MS = 20_000;

/** The owner's side: keeps both compute parties waiting. Returns the way to end the wait. */
export function keepAlive(channels: readonly Channel[]): () => void {
  const timer = setInterval(() => {
    // A link that broke meanwhile is noticed when it is used.
    for (const channel of channels) channel.send(TAG, Uint8Array.of(WAIT)).catch(() => undefined);
  }, EVERY_MS);
  return () => clearInterval(timer);
}

/** The owner's input follows. */
export async function announceInput(channel: Channel): Promise<void> {
  await channel.send(TAG, Uint8Array.of(GO));
}

/**
 * A compute party's side. False when the owner left.
 * @throws {TercetError} ERR_PEER_CLOSED when the link to the other compute party breaks meanwhile: what was
 * prepared is of no use then; ERR_PEER_TIMEOUT when the owner says nothing; ERR_PEER_LET_GO when it was asked to
 * leave and did not.
 */
export async function waitForInput(
  owner: Channel,
  peer: Channel,
  place: Place,
  patience: Patience,
  waiting: Waiting,
): Promise<boolean> {
  place.waits(waiting);
  const broken = peer.ended.then(() => 'broken' as const);
  const asks = new Asking(place.wanted, patience);
  let silence = alarm(patience.silenceMs, 'silent' as const);
  try {
    let word = wordOf(owner);
    for (;;) {
      const first = await Promise.race([word, broken, silence.rings, asks.next]);
      if (first === 'wanted') {
        await sendWaiting(owner, true);
        asks.asked();
        continue;
      }
      silence.stop();
      // An owner that discards the prepared run leaves both parties, and the other one may have heard it first.
      if (first === 'broken') place.leaves();
      const heard = first === 'broken' ? await Promise.race([word, sleep(OWNER_LEAVES_MS)]) : first;
      if (heard === 'left') {
        place.leaves();
        return false;
      }
      if (first === 'broken') {
        throw new TercetError(
          'ERR_PEER_CLOSED',
          `the link to party ${peer.peer} broke while the text was waited for`,
          'run again when both parties are up',
          {
            party: peer.peer,
          },
        );
      }
      if (heard === 'over') throw letGo();
      if (heard === 'silent') throw tooSlow('say that it is still there', patience.silenceMs);
      if (heard === GO) {
        place.works();
        return true;
      }
      if (heard !== WAIT)
        throw new TercetError(
          'ERR_FRAME_FORMAT',
          'the data owner sent a malformed "hold" message',
          'check its version',
          { party: 0 },
        );
      await sendWaiting(owner, false);
      word = wordOf(owner);
      silence = alarm(patience.silenceMs, 'silent' as const);
    }
  } finally {
    silence.stop();
    asks.stop();
  }
}

/** When to ask for the place, and when to stop asking. */
class Asking {
  next: Promise<'wanted' | 'over'>;
  readonly #patience: Patience;
  readonly #stops: (() => void)[] = [];

  constructor(wanted: AbortSignal, patience: Patience) {
    this.#patience = patience;
    const longest = alarm(patience.holdMs, 'wanted' as const);
    this.#stops.push(longest.stop);
    const needed = new Promise<'wanted'>((resolve) => {
      const tell = () => resolve('wanted');
      if (wanted.aborted) tell();
      wanted.addEventListener('abort', tell);
      this.#stops.push(() => wanted.removeEventListener('abort', tell));
    });
    this.next = Promise.race([longest.rings, needed]);
  }

  /** The owner was asked: it has a moment to leave, or to go on. */
  asked(): void {
    const over = alarm(this.#patience.giveWayMs, 'over' as const);
    this.#stops.push(over.stop);
    this.next = over.rings;
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }
}

function alarm<T>(ms: number, ring: T): { readonly rings: Promise<T>; readonly stop: () => void } {
  let stop: () => void = () => undefined;
  const rings = new Promise<T>((resolve) => {
    const timer = setTimeout(() => resolve(ring), ms);
    stop = () => clearTimeout(timer);
  });
  return { rings, stop };
}

async function wordOf(owner: Channel): Promise<number | 'left'> {
  try {
    return (await owner.recv(TAG, 1))[0];
  } catch (error) {
    if (error instanceof TercetError && error.code === 'ERR_PEER_CLOSED') return 'left';
    throw error;
  }
}
