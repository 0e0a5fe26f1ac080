/**
 * Party 2's links to party 1. A few stand ahead of the sessions that will need them: a session begins sooner, and
 * strangers that crowd party 1 are not in its way, because party 1 knows these links and keeps the places of their
 * address.
 */
import { sleep } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import type { Credentials } from '../net/tls/credentials.ts';
import type { BoundChannel } from '../net/wire/channel.ts';
import { LinkThread } from '../net/thread/link-thread-node.ts';
import type { ConnectOptions } from '../net/tls/connect-options.ts';
import { type SpareLink, connectSpare, connectTls } from '../net/tls/connect.ts';

export interface PeerLinksOptions extends Omit<ConnectOptions, 'session' | 'timeoutMs' | 'signal' | 'credentials'> {
  /** What is shown and believed now. */
  credentials(): Credentials;
  /** How many spare links to keep. */
  readonly spare: number;
  /** Longest wait for the link of a session. */
  readonly timeoutMs: number;
}

/** Longest wait for a spare link to become a session's: one round trip, if it is as sound as it seems. */
const CLAIM_MS = 3_000;
const RETRY_FIRST_MS = 200;
const RETRY_LAST_MS = 10_000;

/** What opens links: a thread of Node, or that of the library. */
type LinkMaker = Pick<LinkThread, 'connect' | 'connectSpare' | 'close'>;

/** The library's thread is its owner's to end: it has the links of the listener as well. */
const byLibrary: LinkMaker = { connect: connectTls, connectSpare, close: async () => undefined };

export class PeerLinks {
  readonly #options: PeerLinksOptions;
  /** What party 1 sends is nine tenths of a run: this thread gets it decrypted (docs/adr/0057, docs/adr/0083). */
  readonly #maker: LinkMaker;
  readonly #spare = new Set<SpareLink>();
  readonly #stopped = new AbortController();
  readonly #keeper: Promise<void>;
  #wake: () => void = () => undefined;
  /** Links whose handshake began before the last `renew` are let go when they stand. */
  #handshakes = 0;

  constructor(options: PeerLinksOptions) {
    this.#options = options;
    this.#maker = options.native === undefined ? new LinkThread() : byLibrary;
    this.#keeper = options.spare > 0 ? this.#keep() : Promise.resolve();
  }

  /** Spare links that stand. */
  get spare(): number {
    return this.#spare.size;
  }

  /** The link of a session. @throws {TercetError} as `connectTls` */
  async open(session: Uint8Array, signal: AbortSignal): Promise<BoundChannel> {
    for (let spare = this.#take(); spare !== undefined; spare = this.#take()) {
      try {
        return await spare.claim(session, CLAIM_MS, signal);
      } catch (error) {
        // One that broke unnoticed: the next one, or a new one, may do.
        if (signal.aborted || (error instanceof TercetError && error.code === 'ERR_PEER_MISMATCH')) throw error;
        // A machine that is too busy to answer is so on every link, and the session waits.
        if (error instanceof TercetError && error.code === 'ERR_PEER_TIMEOUT') break;
      }
    }
    return this.#maker.connect({ ...this.#options, credentials: this.#options.credentials(), session, signal });
  }

  /**
   * Lets go of what stands: the next session has a handshake that begins now. SECURITY: after a violation no session
   * takes a link from before. test/party/proved.test.ts.
   */
  renew(): void {
    this.#handshakes++;
    for (const spare of this.#spare) {
      this.#spare.delete(spare);
      spare.close();
    }
    this.#wake();
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    this.#wake();
    for (const spare of this.#spare) spare.close();
    await this.#keeper;
    await this.#maker.close();
  }

  #take(): SpareLink | undefined {
    const spare = [...this.#spare].find(({ open }) => open);
    if (spare !== undefined) this.#spare.delete(spare);
    this.#wake();
    return spare;
  }

  /** Opens what is missing, until it is closed. */
  async #keep(): Promise<void> {
    const { signal } = this.#stopped;
    let pause = RETRY_FIRST_MS;
    while (!signal.aborted) {
      if (this.#spare.size >= this.#options.spare) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      try {
        const begun = this.#handshakes;
        const spare = await this.#maker.connectSpare({
          ...this.#options,
          credentials: this.#options.credentials(),
          signal,
        });
        pause = RETRY_FIRST_MS;
        if (begun !== this.#handshakes) {
          spare.close();
          continue;
        }
        this.#spare.add(spare);
        void spare.ended.then(() => {
          this.#spare.delete(spare);
          this.#wake();
        });
        if (signal.aborted) spare.close();
      } catch {
        // Whoever needs a link hears why there is none. Here it is tried again.
        await sleep(pause, signal).catch(() => undefined);
        pause = Math.min(2 * pause, RETRY_LAST_MS);
      }
    }
  }
}
