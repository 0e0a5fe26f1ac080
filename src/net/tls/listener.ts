/**
 * The end of a TLS link that listens.
 *
 * Security model: the network is hostile. The listener requires proof that the other end is the party that its
 * greeting claims to be; `credentials.ts` says what counts as proof. A connection that fails these checks is
 * dropped and reported to `onRefused`, and does not disturb anybody who waits in `accept`: strangers cannot end a
 * session. Unfinished connections are bounded in number and time (unfinished.ts); links that passed the checks are
 * not counted among them.
 */
import * as net from 'node:net';
import { nextTick } from 'node:process';
import * as tls from 'node:tls';
import { equalBytes } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import { startTimer } from '../../core/event-loop.ts';
import type { OtherSocket, OtherTls } from './other-tls.ts';
import { addressGroup } from '../wire/address-group.ts';
import type { BoundChannel } from '../wire/channel.ts';
import { checkSession } from '../wire/frame.ts';
import { listenOn } from '../wire/listen-node.ts';
import type { EndId } from '../wire/types.ts';
import { Unfinished, type UnfinishedLimits } from '../wire/unfinished.ts';
import {
  type Credentials,
  checkCertified,
  checkProof,
  contextOptions,
  isPinned,
  secureContext,
} from './credentials.ts';
import { guard, readHello, refuse } from './hello-io.ts';
import { type Hello, encodeHello, isSpare } from './hello.ts';
import type { LinkLimits } from './connect-options.ts';
import { ALPN, DEFAULT_CONNECT_TIMEOUT_MS, channelOn, checkEnds, checkPort } from './tls-link.ts';
import { aborted, handshakeError, isIdentityFailure, nobodyCame, notUp, tlsError } from './tls-errors.ts';

/** Longest time from the TCP connection to the end of the greeting, on the listener. */
const GREETING_TIMEOUT_MS = 10_000;
/** Connections that have not proved who they are; each costs a few kilobytes. */
const UNFINISHED: UnfinishedLimits = { max: 256, perAddress: 64 };
/**
 * Links that passed all checks and wait for their `accept`, of each party for itself: owners cannot fill the places
 * of the other compute party. A link of that one is one of its sessions, whose number it bounds itself. A daemon
 * accepts owners as they come, so 16 of them bound a moment, whatever the number of its places.
 */
const MAX_UNCLAIMED: Readonly<Record<EndId, number>> = { 0: 16, 1: 1024, 2: 1024, 3: 0 };
/** Spare links of one party; the oldest goes when there are more. */
const MAX_SPARE = 64;

export interface ListenOptions extends LinkLimits {
  readonly self: EndId;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  readonly credentials: Credentials;
  /** Default for `accept`, and how long an accepted link waits to be claimed (default 30 s). */
  readonly timeoutMs?: number | undefined;
  /** What has sockets and TLS of the connections, in place of Node. */
  readonly native?: OtherTls | undefined;
  /** Hears why connections were refused; for logs and tests. */
  readonly onRefused?: ((error: TercetError) => void) | undefined;
}

interface AcceptAnyOptions {
  /** Only links of this party. */
  readonly peer?: EndId | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Infinity waits for ever. */
  readonly timeoutMs?: number | undefined;
}

interface AcceptOptions extends AcceptAnyOptions {
  readonly peer: EndId;
  readonly session: Uint8Array;
}

interface Arrived {
  /** Where it comes from. */
  readonly remote: string;
  /**
   * Says that an owner without a certificate has followed the protocol: until then its link is one of the
   * unfinished.
   */
  proved(): void;
}

/** A link that was accepted. */
type AcceptedChannel = BoundChannel & Arrived;

export interface TlsListener {
  readonly port: number;
  /**
   * The link of one party in one session.
   *
   * @throws TercetError at the time-out: ERR_PEER_CERTIFICATE or ERR_PEER_MISMATCH if a connection was refused for
   * that meanwhile, else ERR_PEER_TIMEOUT; ERR_ABORTED if the signal or `close` came first
   */
  accept(options: AcceptOptions): Promise<BoundChannel>;
  /** The next link, of any session, that no `accept` asked for; throws like `accept`. */
  acceptAny(options?: AcceptAnyOptions): Promise<AcceptedChannel>;
  /** Links of compute parties that stand. */
  readonly peerLinks: number;
  /**
   * Shows and believes other credentials from now on; links that stand are not touched.
   * @throws TercetError ERR_PEER_CERTIFICATE for unusable ones, and nothing changes
   */
  renew(credentials: Credentials): void;
  /** Lets go of links that stand and wait for their session: whoever needs one begins another handshake. */
  dropSpare(): void;
  /** Stops listening, ends every `accept` and every link that nobody has claimed. Accepted channels live on. */
  close(): Promise<void>;
}

/**
 * Listens for the links of the other parties.
 *
 * @throws TercetError ERR_PEER_CERTIFICATE for unusable credentials, ERR_PEER_UNREACHABLE if the address cannot be
 * listened on
 */
export async function listenTls(options: ListenOptions): Promise<TlsListener> {
  const host = options.host ?? '127.0.0.1';
  const port = options.port ?? 0;
  checkPort(port);
  const listener = new Listener(options);
  await listener.listen(host, port);
  return listener;
}

/** A connection, before or after its handshake. */
interface Stranger {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  destroy(): unknown;
  on(event: 'close', listener: () => void): unknown;
}

/** A connection whose handshake is done. */
type Secured = tls.TLSSocket | OtherSocket;

/** A link that passed all checks. */
interface Arrival {
  readonly socket: Secured;
  readonly hello: Hello;
  readonly rest: Uint8Array;
  readonly where: string;
  expiry?: ReturnType<typeof setTimeout> | undefined;
}

interface Acceptor {
  readonly peer: EndId | undefined;
  readonly session: Uint8Array | undefined;
  readonly take: (arrival: Arrival) => void;
  readonly fail: (error: TercetError) => void;
  /** Why the last connection since this `accept` began was refused, if that is likely the reason that it waits. */
  refused: TercetError | undefined;
}

class Listener implements TlsListener {
  readonly #options: ListenOptions;
  #credentials: Credentials;
  readonly #timeoutMs: number;
  readonly #server: net.Server | tls.Server;
  /** Every connection that nobody has claimed, from the first packet on, by its address. */
  readonly #sockets = new Map<string, Stranger>();
  readonly #unfinished = new Unfinished(UNFINISHED, (group) => this.#known.has(group));
  /** Address groups from which links of a compute party stand, and how many. */
  readonly #known = new Map<string, number>();
  readonly #spare = new Set<Secured>();
  readonly #acceptors = new Set<Acceptor>();
  readonly #unclaimed = new Set<Arrival>();
  #closed = false;

  constructor(options: ListenOptions) {
    this.#options = options;
    this.#credentials = options.credentials;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
    secureContext(options.credentials);
    this.#server = options.native === undefined ? this.#byNode() : this.#byLibrary(options.native);
  }

  #byNode(): tls.Server {
    const server = tls.createServer({
      ...contextOptions(this.#credentials),
      ALPNProtocols: [ALPN],
      requestCert: true,
      // Judged after the handshake, so that who is refused is told so: a TLS 1.3 server that refuses can only hang
      // up, which could mean anything.
      rejectUnauthorized: false,
      handshakeTimeout: this.#greetingTimeout(),
    });
    server.on('connection', (socket: Stranger) => this.#met(socket));
    server.on('tlsClientError', (error, socket) => {
      this.#refused(handshakeError(error, socket.authorizationError, whereOf(socket)));
      socket.destroy();
    });
    server.on('secureConnection', (socket) => {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      void this.#welcome(socket);
    });
    return server;
  }

  #byLibrary(native: OtherTls): net.Server {
    return net.createServer({ pauseOnConnect: true }, (tcp) => {
      const socket = native.socket(tcp);
      const where = this.#met(socket);
      const failed = (error: Error) => this.#refused(handshakeError(error, undefined, where));
      const unguard = guard(socket, this.#greetingTimeout(), undefined, () => notUp(where, 'handshake'));
      socket.once('error', failed);
      socket.once('close', unguard);
      socket.once('secureConnect', () => {
        unguard();
        socket.removeListener('error', failed);
        void this.#welcome(socket);
      });
      socket.begin(this.#credentials);
    });
  }

  /** A connection that has proved nothing yet. */
  #met(socket: Stranger): string {
    const where = whereOf(socket);
    this.#track(where, socket);
    this.#unfinished.add(where, socket.remoteAddress, () => socket.destroy());
    return where;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get peerLinks(): number {
    return [...this.#known.values()].reduce((all, links) => all + links, 0);
  }

  renew(credentials: Credentials): void {
    secureContext(credentials);
    if ('setSecureContext' in this.#server) this.#server.setSecureContext(contextOptions(credentials));
    this.#credentials = credentials;
  }

  dropSpare(): void {
    for (const socket of this.#spare) socket.destroy();
  }

  listen(host: string, port: number): Promise<void> {
    // A failed accept(2), for example for want of file descriptors, is that connection's problem.
    const later = (error: Error): void => this.#refused(tlsError(error, 'handshake', 'a connection'));
    return listenOn(this.#server, { host, port, who: 'cannot', later });
  }

  async accept(options: AcceptOptions): Promise<BoundChannel> {
    checkSession(options.session);
    checkEnds(this.#options.self, options.peer);
    return this.#accept(options, Uint8Array.from(options.session));
  }

  async acceptAny(options: AcceptAnyOptions = {}): Promise<AcceptedChannel> {
    return this.#accept(options, undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#server.close();
    for (const acceptor of this.#acceptors) acceptor.fail(aborted('the listener was closed'));
    for (const arrival of this.#unclaimed) this.#forget(arrival);
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  async #accept(options: AcceptAnyOptions, session: Uint8Array | undefined): Promise<AcceptedChannel> {
    if (this.#closed) throw aborted('the listener was closed');
    if (options.signal?.aborted) throw aborted();
    const arrival = this.#claim(options.peer, session) ?? (await this.#wait(options, session));
    const { socket, rest, hello, where } = arrival;
    const remote = socket.remoteAddress ?? '';
    const named = `party ${hello.from} at ${where}`;
    const link = { socket, bytes: socket, early: rest, hello, later: nextTick, where: named };
    return Object.assign(channelOn(link, this.#options), {
      remote,
      proved: () => this.#unfinished.remove(where),
    });
  }

  /** A link that is here already, the newest first: a connector that tried again has left the older one. */
  #claim(peer: EndId | undefined, session: Uint8Array | undefined): Arrival | undefined {
    const arrival = [...this.#unclaimed].reverse().find((candidate) => matches({ peer, session }, candidate.hello));
    if (arrival !== undefined) {
      this.#forget(arrival);
      this.#sockets.delete(arrival.where);
    }
    return arrival;
  }

  #wait(options: AcceptAnyOptions, session: Uint8Array | undefined): Promise<Arrival> {
    return new Promise((resolve, reject) => {
      const { signal, peer } = options;
      const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#acceptors.delete(acceptor);
      };
      const acceptor: Acceptor = {
        peer,
        session,
        refused: undefined,
        take: (arrival) => {
          settle();
          resolve(arrival);
        },
        fail: (error) => {
          settle();
          reject(error);
        },
      };
      const onAbort = (): void => acceptor.fail(aborted());
      const timer = startTimer(timeoutMs, () => acceptor.fail(nobodyCame(peer, timeoutMs, acceptor.refused)));
      signal?.addEventListener('abort', onAbort);
      this.#acceptors.add(acceptor);
    });
  }

  /** From the end of the TLS handshake to the answer. Never rejects: a connection that fails is refused. */
  async #welcome(socket: Secured): Promise<void> {
    const where = whereOf(socket);
    this.#track(where, socket);
    const limited = () => guard(socket, this.#greetingTimeout(), undefined, () => notUp(where, 'greeting'));
    let unguard = limited();
    let claimed: Hello | undefined;
    const { self } = this.#options;
    const credentials = this.#credentials;
    try {
      if (!isPinned(credentials)) checkCertified(socket, self, where);
      let { hello, rest } = await readHello(socket);
      claimed = hello;
      checkProof(socket, credentials, { self, claimed: hello.from, where });
      this.#check(hello, where);
      // An owner without a certificate has proved nothing yet.
      if (hello.from !== 0 || !isPinned(credentials)) this.#unfinished.remove(where);
      this.#knows(socket, hello);
      this.#answer(socket, hello);
      if (isSpare(hello) && hello.from === 0) {
        // It only wanted to know whether this party is there.
        socket.end();
        return;
      }
      if (isSpare(hello)) {
        // It has proved who it is, and may wait for its session as long as it likes.
        unguard();
        ({ hello, rest } = await this.#waitSpare(socket, rest));
        claimed = hello;
        checkProof(socket, credentials, { self, claimed: hello.from, where });
        this.#check(hello, where);
        if (isSpare(hello))
          throw new TercetError(
            'ERR_PEER_MISMATCH',
            `party ${hello.from} (${where}) claims a spare link for no session`,
            'check its version',
          );
        this.#answer(socket, hello);
        unguard = limited();
        rest = await this.#confirmed(socket, rest, hello);
      }
      this.#offer({ socket, hello, rest, where });
    } catch (error) {
      const refused = tlsError(error, 'open', where);
      this.#refused(refused);
      refuse(socket, refused, claimed, this.#options.self);
    } finally {
      unguard();
    }
  }

  #answer(socket: Secured, { from, session }: Hello): void {
    if (this.#closed) throw aborted('the listener was closed');
    socket.write(encodeHello({ from: this.#options.self, to: from, status: 'ok', session }));
  }

  /**
   * Whoever claimed a link says that it heard the answer. Who gave up meanwhile has hung up, and comes by another
   * link: the one that it left must not be the session's.
   */
  async #confirmed(socket: Secured, early: Uint8Array, { from, session }: Hello): Promise<Uint8Array> {
    const { hello, rest } = await readHello(socket, early);
    if (hello.from === from && hello.status === 'ok' && equalBytes(hello.session, session)) return rest;
    throw new TercetError('ERR_PEER_MISMATCH', `party ${from} confirms another link`, 'check its version');
  }

  async #waitSpare(socket: Secured, rest: Uint8Array): Promise<{ hello: Hello; rest: Uint8Array }> {
    this.#spare.add(socket);
    if (this.#spare.size > MAX_SPARE) for (const oldest of [...this.#spare].slice(0, 1)) oldest.destroy();
    try {
      return await readHello(socket, rest);
    } finally {
      this.#spare.delete(socket);
    }
  }

  /** While a link of a compute party stands, connections from its address keep their places. */
  #knows(socket: Secured, { from }: Hello): void {
    if (from === 0) return;
    const group = addressGroup(socket.remoteAddress);
    this.#known.set(group, (this.#known.get(group) ?? 0) + 1);
    socket.once('close', () => {
      const left = (this.#known.get(group) ?? 1) - 1;
      if (left === 0) this.#known.delete(group);
      else this.#known.set(group, left);
    });
  }

  #check(hello: Hello, where: string): void {
    const { self } = this.#options;
    if (hello.to !== self || hello.from === self) {
      const what = `party ${hello.from} (${where}) asks for party ${hello.to}, this is party ${self}`;
      throw new TercetError('ERR_PEER_MISMATCH', what, 'check host and port of every party');
    }
    if (
      [...this.#unclaimed].filter((arrival) => arrival.hello.from === hello.from).length >= MAX_UNCLAIMED[hello.from]
    ) {
      throw new TercetError(
        'ERR_PEER_UNREACHABLE',
        'too many links wait to be accepted',
        'wait for the running sessions to end',
      );
    }
  }

  /** To the `accept` that named this session, else to an `acceptAny`, else it waits. */
  #offer(arrival: Arrival): void {
    const fitting = [...this.#acceptors].filter((acceptor) => matches(acceptor, arrival.hello));
    const acceptor = fitting.find((candidate) => candidate.session !== undefined) ?? fitting[0];
    if (acceptor !== undefined) {
      this.#sockets.delete(arrival.where);
      acceptor.take(arrival);
      return;
    }
    this.#unclaimed.add(arrival);
    arrival.expiry = startTimer(this.#timeoutMs, () => this.#expire(arrival));
    arrival.socket.on('close', () => this.#forget(arrival));
  }

  #expire(arrival: Arrival): void {
    this.#forget(arrival);
    arrival.socket.destroy();
    const what = `party ${arrival.hello.from} (${arrival.where}) opened a session that nobody here waits for`;
    this.#refused(new TercetError('ERR_PEER_MISMATCH', what, 'restart all parties for a new session'));
  }

  #track(where: string, socket: Stranger): void {
    this.#sockets.set(where, socket);
    socket.on('close', () => {
      this.#unfinished.remove(where);
      if (this.#sockets.get(where) === socket) this.#sockets.delete(where);
    });
  }

  #forget(arrival: Arrival): void {
    clearTimeout(arrival.expiry);
    this.#unclaimed.delete(arrival);
  }

  #refused(error: TercetError): void {
    if (isIdentityFailure(error.code) || error.code === 'ERR_PEER_MISMATCH') {
      for (const acceptor of this.#acceptors) acceptor.refused = error;
    }
    this.#options.onRefused?.(error);
  }

  #greetingTimeout(): number {
    return Math.min(GREETING_TIMEOUT_MS, this.#timeoutMs);
  }
}

function matches(wanted: { peer: EndId | undefined; session: Uint8Array | undefined }, hello: Hello): boolean {
  if (wanted.peer !== undefined && wanted.peer !== hello.from) return false;
  return wanted.session === undefined || equalBytes(wanted.session, hello.session);
}

function whereOf(socket: { remoteAddress?: string | undefined; remotePort?: number | undefined }): string {
  return `${socket.remoteAddress ?? 'unknown address'}:${socket.remotePort ?? 0}`;
}
