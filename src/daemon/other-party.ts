/**
 * The other compute party, and the link to it that a session needs: party 1 waits for it, party 2 opens it or takes
 * one that stands (`peer-links.ts`).
 */
import { TercetError, asTercetError } from '../core/errors.ts';
import { acceptedOf } from '../net/identity/pin.ts';
import { shaped } from '../net/simulated/profiles.ts';
import { type Credentials, isPinned } from '../net/tls/credentials.ts';
import type { TlsListener } from '../net/tls/listener.ts';
import type { OtherTls } from '../net/tls/other-tls.ts';
import { isIdentityFailure } from '../net/tls/tls-errors.ts';
import type { BoundChannel } from '../net/wire/channel.ts';
import type { PeerChannel } from '../net/wire/types.ts';
import { PeerLinks } from './peer-links.ts';

export interface OtherPartyOptions {
  /** This party. */
  readonly id: 1 | 2;
  /** Address of P1, for P2. */
  readonly peer?: { readonly host: string; readonly port: number } | undefined;
  readonly recvTimeoutMs: number;
  readonly maxSessions: number;
  readonly once: boolean;
  readonly profile?: string | undefined;
  readonly signal: AbortSignal;
  /** What has sockets and TLS, in place of Node. */
  readonly native?: OtherTls | undefined;
}

/** Longest wait for the other compute party after the owner's request. */
const PEER_TIMEOUT_MS = 15_000;
/** Spare links for as many sessions as there are places, up to this many. */
const MAX_SPARE = 8;

export class OtherParty {
  readonly #options: OtherPartyOptions;
  readonly #listener: TlsListener;
  readonly #credentials: () => Credentials;
  /** Party 2's; undefined where the address of party 1 is not known. */
  readonly #links: PeerLinks | undefined;

  /**
   * @param listener where party 2 comes to party 1
   * @param credentials what is shown and believed now
   */
  constructor(options: OtherPartyOptions, listener: TlsListener, credentials: () => Credentials) {
    this.#options = options;
    this.#listener = listener;
    this.#credentials = credentials;
    const { id, peer, recvTimeoutMs, maxSessions, once, native } = options;
    if (id === 1 || peer === undefined) return;
    const spare = once ? 0 : Math.min(maxSessions, MAX_SPARE);
    this.#links = new PeerLinks({
      ...{ self: 2, peer: 1, ...peer, recvTimeoutMs, timeoutMs: PEER_TIMEOUT_MS, spare, native },
      credentials,
    });
  }

  /** Links that stand and wait for a session. */
  get standing(): number {
    return this.#links === undefined ? this.#listener.peerLinks : this.#links.spare;
  }

  /**
   * The link of a session. @throws {TercetError} ERR_IDENTITY_PEERS if one of the two did not prove itself to the
   * other; `party` is the one that did not
   */
  async connect(session: Uint8Array): Promise<PeerChannel> {
    try {
      return await this.open(session, this.#options.signal);
    } catch (thrown) {
      const error = asTercetError(thrown);
      if (!isIdentityFailure(error.code)) throw error;
      const other = this.#options.id === 1 ? 2 : 1;
      throw new TercetError(
        'ERR_IDENTITY_PEERS',
        `the compute parties do not accept each other: ${error.message}`,
        error.hint,
        { cause: error, party: error.party ?? other },
      );
    }
  }

  /** The same for what is no session. @param timeoutMs how long party 1 waits */
  async open(session: Uint8Array, signal: AbortSignal, timeoutMs = PEER_TIMEOUT_MS): Promise<PeerChannel> {
    if (this.#options.id === 1)
      return this.#channel(await this.#listener.accept({ peer: 2, session, signal, timeoutMs }));
    if (this.#links === undefined)
      throw new TercetError('ERR_ARGUMENT', 'party 2 needs the address of party 1', 'give --peers 1=HOST:PORT');
    return this.#channel(await this.#links.open(session, signal));
  }

  /** Whether it may sign its log by a key: with certificates any one, for they are who it is. */
  mayBe(key: string): boolean {
    const credentials = this.#credentials();
    return !isPinned(credentials) || acceptedOf(credentials.pins[this.#options.id === 1 ? 2 : 1] ?? '').includes(key);
  }

  /** Lets go of links that stand: the next session has a handshake that begins now. */
  renew(): void {
    this.#links?.renew();
    this.#listener.dropSpare();
  }

  async close(): Promise<void> {
    await this.#links?.close();
  }

  #channel(channel: BoundChannel): PeerChannel {
    return Object.assign(shaped(channel, this.#options.profile), { secret: () => channel.exported('k12') });
  }
}
