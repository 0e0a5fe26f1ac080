/**
 * The links of a gateway: those that are being set up, in bounded number and time, and those that stand. A session
 * has one link.
 *
 * Security: everything before the handshake is done by strangers. They can fill the places of links under way for a
 * few seconds, no more; links that stand are out of their reach, also for one who knows the session, which is a
 * name and no secret.
 */
import { TercetError } from '../../core/errors.ts';
import { equalBytes } from '../../core/bytes.ts';
import { addressGroup } from '../wire/address-group.ts';
import { problem } from './http.ts';

export interface TableLimits {
  /** Links under way, in all and from one address. */
  readonly maxPending: number;
  readonly maxPendingPerAddress: number;
  readonly maxLive: number;
  /** Longest time from the first request to the end of the handshake. */
  readonly pendingMs: number;
  /** New links each second, in the long run; four times as many at once. */
  readonly perSecond: number;
}

export const TABLE_LIMITS: TableLimits = {
  maxPending: 32,
  maxPendingPerAddress: 16,
  maxLive: 64,
  pendingMs: 20_000,
  perSecond: 10,
};

/** The place of one link. */
export interface Slot {
  /** The handshake is done. */
  live(): void;
  /** The link is over. */
  end(): void;
}

interface Entry extends Slot {
  readonly session: string;
  readonly remote: string;
  /** Known to who began it alone; absent: it is given up over itself. */
  readonly proof: Uint8Array | undefined;
  readonly stop: (error: TercetError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
  isLive: boolean;
}

export class LinkTable {
  readonly #limits: TableLimits;
  readonly #entries = new Set<Entry>();
  #tokens: number;
  #refilled = performance.now();
  #closed = false;

  constructor(limits: TableLimits) {
    this.#limits = limits;
    this.#tokens = 4 * limits.perSecond;
  }

  get pending(): number {
    return [...this.#entries].filter(({ isLive }) => !isLive).length;
  }

  get live(): number {
    return this.#entries.size - this.pending;
  }

  /**
   * Takes a place for a link under way; one that is under way from the same address for the same session gives way
   * (its owner tries another transport).
   * @param proof what its owner will show to give it up. @param stop ends the link: at the time limit, when it
   * gives way, or when the gateway closes
   * @throws {Problem} 409 if the session has a link, 429 or 503 if there are too many
   */
  begin(session: string, remote: string, stop: (error: TercetError) => void, proof?: Uint8Array): Slot {
    const { maxPending, maxPendingPerAddress, maxLive, pendingMs } = this.#limits;
    const entries = [...this.#entries];
    if (this.#closed) throw busy(503, 'this party is shutting down');
    const group = addressGroup(remote);
    if (entries.some((entry) => entry.session === session && (entry.isLive || addressGroup(entry.remote) !== group)))
      throw problem(409, 'ERR_STATE', 'this session has a link already', 'begin a new session');
    for (const entry of entries)
      if (entry.session === session)
        this.#drop(entry, new TercetError('ERR_ABORTED', 'the data owner began the link again', 'nothing to do'));
    const pending = [...this.#entries].filter(({ isLive }) => !isLive);
    if (
      pending.filter((entry) => addressGroup(entry.remote) === group).length >= maxPendingPerAddress ||
      !this.#takeToken()
    )
      throw busy(429, 'too many links are being set up');
    if (pending.length >= maxPending) throw busy(503, 'too many links are being set up');
    if (this.live >= maxLive) throw busy(503, 'this party has too many links');
    const late = (): void =>
      this.#drop(
        entry,
        new TercetError(
          'ERR_PEER_TIMEOUT',
          `no link came about within ${pendingMs / 1000} s`,
          'the data owner gave up, or UDP does not reach this party',
        ),
      );
    const entry: Entry = {
      session,
      remote,
      proof,
      stop,
      isLive: false,
      timer: setTimeout(late, pendingMs),
      live: () => {
        clearTimeout(entry.timer);
        entry.isLive = true;
      },
      end: () => {
        clearTimeout(entry.timer);
        this.#entries.delete(entry);
      },
    };
    this.#entries.add(entry);
    return entry;
  }

  /**
   * Ends what is under way for a session, for who began it. A link that stands is ended over itself. Returns
   * whether there was anything.
   */
  cancel(session: string, proof: Uint8Array): boolean {
    const entry = [...this.#entries].find(
      (one) => one.session === session && !one.isLive && one.proof !== undefined && equalBytes(one.proof, proof),
    );
    if (entry !== undefined)
      this.#drop(entry, new TercetError('ERR_ABORTED', 'the data owner gave the link up', 'nothing to do'));
    return entry !== undefined;
  }

  /** Ends everything. */
  close(): void {
    this.#closed = true;
    for (const entry of this.#entries)
      this.#drop(entry, new TercetError('ERR_ABORTED', 'the party shut down', 'start it again'));
  }

  #drop(entry: Entry, error: TercetError): void {
    entry.end();
    entry.stop(error);
  }

  #takeToken(): boolean {
    const now = performance.now();
    const { perSecond } = this.#limits;
    this.#tokens = Math.min(4 * perSecond, this.#tokens + ((now - this.#refilled) / 1000) * perSecond);
    this.#refilled = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

function busy(status: number, what: string): Error {
  return problem(status, 'ERR_PEER_UNREACHABLE', what, 'try again in a few seconds', { 'retry-after': '5' });
}
