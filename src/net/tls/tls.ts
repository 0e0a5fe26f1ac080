/**
 * Links between processes: TLS 1.3 with certificates on both sides.
 *
 * Security model: the network is hostile. The connector requires proof that the other end is the party it asked
 * for, the listener that it is the party that its greeting claims to be; `credentials.ts` says what counts as
 * proof. Sessions of TLS are never resumed. Nothing is handed out before that. A connection that fails these checks
 * is dropped and reported to `onRefused`, and does not disturb anybody who waits in `accept`: strangers cannot end
 * a session. Unfinished connections are bounded in number and time (unfinished.ts); links that passed the checks
 * are not counted among them. The compute parties keep spare links, so that a session of theirs needs no new
 * connection.
 */

import * as tls from 'node:tls';
import { sleep } from '../../core/abort.ts';
import { addressGroup } from '../wire/address-group.ts';
import { equalBytes } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import { type BoundChannel, FramedChannel, type SessionChannel } from '../wire/channel.ts';
import {
  type Credentials,
  checkCertified,
  checkProof,
  contextOptions,
  isPinned,
  partyOf,
  secureContext,
} from './credentials.ts';
import { checkSession } from '../wire/frame.ts';
import { guard, readHello, refuse } from './hello-io.ts';
import { type Hello, NO_SESSION, encodeHello, isSpare, partyName } from './hello.ts';
import { DEFAULT_TIMEOUT_MS } from '../wire/inbox.ts';
import { SocketTransport } from './socket.ts';
import {
  type TlsPhase,
  aborted,
  certificateRefused,
  errorCode,
  handshakeError,
  isAlert,
  isIdentityFailure,
  nobodyCame,
  notUp,
  partyWords,
  refusal,
  tlsError,
} from './tls-errors.ts';
import { startTimer } from '../../core/event-loop.ts';
import type { PartyId } from '../wire/types.ts';
import { Unfinished, type UnfinishedLimits } from '../wire/unfinished.ts';

/** Default longest wait for a link to come up. */
const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;
/** Longest time from the TCP connection to the end of the greeting, on the listener. */
const GREETING_TIMEOUT_MS = 10_000;
/** Connections that have not proved who they are; each costs a few kilobytes. */
const UNFINISHED: UnfinishedLimits = { max: 256, perAddress: 64 };
/**
 * Links that passed all checks and wait for their `accept`, of each party for itself: owners cannot fill the places
 * of the other compute party. A link of that one is one of its sessions, whose number it bounds itself.
 */
const MAX_UNCLAIMED: Readonly<Record<PartyId, number>> = { 0: 16, 1: 1024, 2: 1024 };
/** Spare links of one party; the oldest goes when there are more. */
const MAX_SPARE = 64;
const RETRY_FIRST_MS = 25;
const RETRY_LAST_MS = 400;

const ALPN = 'tercet/1';

interface LinkLimits {
  /** Longest wait of one `recv` or `send` on a channel (default 120 s). */
  readonly recvTimeoutMs?: number | undefined;
  /** Unclaimed bytes beyond which the peer is slowed down (default 64 MiB). */
  readonly highWaterBytes?: number | undefined;
}

export interface ConnectOptions extends LinkLimits {
  readonly self: PartyId;
  readonly peer: PartyId;
  readonly host: string;
  readonly port: number;
  readonly credentials: Credentials;
  /** 16 bytes that name the run; the listener accepts by them. */
  readonly session: Uint8Array;
  /** Longest wait until the listener has accepted (default 30 s); a refused port is tried again until then. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ListenOptions extends LinkLimits {
  readonly self: PartyId;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  readonly credentials: Credentials;
  /** Default for `accept`, and how long an accepted link waits to be claimed (default 30 s). */
  readonly timeoutMs?: number | undefined;
  /** Hears why connections were refused; for logs and tests. */
  readonly onRefused?: ((error: TercetError) => void) | undefined;
}

interface AcceptAnyOptions {
  /** Only links of this party. */
  readonly peer?: PartyId | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Infinity waits for ever. */
  readonly timeoutMs?: number | undefined;
}

interface AcceptOptions extends AcceptAnyOptions {
  readonly peer: PartyId;
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
  /** Stops listening, ends every `accept` and every link that nobody has claimed. Accepted channels live on. */
  close(): Promise<void>;
}

/**
 * Opens a link to a listening party and waits until that party has accepted it.
 *
 * @throws TercetError ERR_PEER_UNREACHABLE (nobody listens at host:port), ERR_PEER_CERTIFICATE (either side does
 * not accept the other's certificate; `party` is the one that did not prove itself), ERR_IDENTITY_KEY,
 * ERR_IDENTITY_PARTY (the other side has not the pinned key), ERR_PEER_MISMATCH (another party or version listens
 * there), ERR_FRAME_FORMAT (something else listens there), ERR_PEER_CLOSED, ERR_PEER_TIMEOUT, ERR_ABORTED,
 * ERR_ARGUMENT
 */
export async function connectTls(options: ConnectOptions): Promise<BoundChannel> {
  checkSession(options.session);
  checkEnds(options.self, options.peer);
  checkPort(options.port);
  const context = secureContext(options.credentials);
  const timeoutMs = options.timeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
  const deadline = performance.now() + timeoutMs;
  for (let pause = RETRY_FIRST_MS; ; pause = Math.min(2 * pause, RETRY_LAST_MS)) {
    try {
      return await connectOnce(options, context, deadline);
    } catch (error) {
      const refused =
        error instanceof TercetError &&
        error.code === 'ERR_PEER_UNREACHABLE' &&
        errorCode(error.cause) === 'ECONNREFUSED';
      if (!refused || performance.now() + pause >= deadline) throw error;
      await sleep(pause, options.signal);
    }
  }
}

/** A link that stands and belongs to no session yet. */
export interface SpareLink {
  /** Whether it can still be claimed. */
  readonly open: boolean;
  /** Resolves when it is gone or claimed. */
  readonly ended: Promise<void>;
  /**
   * Makes it the link of a session. @throws TercetError as `connectTls`, for example ERR_PEER_CLOSED when the other
   * end is gone; it is of no use then.
   */
  claim(session: Uint8Array, timeoutMs: number, signal?: AbortSignal): Promise<SessionChannel>;
  close(): void;
}

/** Opens a link ahead of the session that will need it. @throws TercetError as `connectTls` */
export async function connectSpare(options: Omit<ConnectOptions, 'session'>): Promise<SpareLink> {
  checkEnds(options.self, options.peer);
  checkPort(options.port);
  const deadline = performance.now() + (options.timeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS);
  const { socket, rest, where } = await greeted(
    { ...options, session: NO_SESSION },
    secureContext(options.credentials),
    deadline,
  );
  let open = true;
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = () => {
      open = false;
      resolve();
    };
  });
  const closed = () => end();
  socket.on('close', closed);
  // Read, so that the end of the other side is noticed; it has nothing to say before the claim.
  socket.on('data', hangUp);
  socket.resume();
  function hangUp(): void {
    socket.destroy();
  }
  return {
    get open() {
      return open;
    },
    ended,
    async claim(session, timeoutMs, signal) {
      checkSession(session);
      if (!open) throw new TercetError('ERR_PEER_CLOSED', `the spare link to ${where} is gone`, 'open a new one');
      end();
      socket.pause();
      socket.removeListener('data', hangUp);
      socket.removeListener('close', closed);
      const { self, peer } = options;
      const unguard = guard(socket, timeoutMs, signal, () => notUp(where, 'greeting'));
      try {
        const answer = readHello(socket, rest);
        socket.write(encodeHello({ from: self, to: peer, status: 'ok', session }));
        const { hello, rest: early } = await answer;
        checkAnswer(hello, { self, peer, session }, where);
        return channelOn(socket, early, hello, where, options);
      } catch (error) {
        socket.destroy();
        // Accepted once, so whatever ended it is no certificate.
        throw blamed(tlsError(error, 'open', where), self, peer);
      } finally {
        unguard();
      }
    },
    close() {
      socket.destroy();
    },
  };
}

async function connectOnce(
  options: ConnectOptions,
  context: tls.SecureContext,
  deadline: number,
): Promise<BoundChannel> {
  const { socket, hello, rest, where } = await greeted(options, context, deadline);
  return channelOn(socket, rest, hello, where, options);
}

function checkAnswer(
  hello: Hello,
  { self, peer, session }: Pick<ConnectOptions, 'self' | 'peer' | 'session'>,
  where: string,
): void {
  if (hello.status !== 'ok') throw refusal(hello.status, where, self);
  if (hello.from !== peer || hello.to !== self || !equalBytes(hello.session, session))
    throw new TercetError(
      'ERR_PEER_MISMATCH',
      `${where} answered for another link`,
      'check host and port of every party',
    );
}

/** A connection up to the listener's answer. */
async function greeted(
  options: ConnectOptions,
  secureContext: tls.SecureContext,
  deadline: number,
): Promise<{ socket: tls.TLSSocket; hello: Hello; rest: Uint8Array; where: string }> {
  const { self, peer, host, port, session, signal, credentials } = options;
  const where = `party ${peer} at ${host}:${port}`;
  if (signal?.aborted) throw aborted();
  let phase: TlsPhase = 'connect';
  const socket = tls.connect({
    host,
    port,
    secureContext,
    servername: partyName(peer),
    minVersion: 'TLSv1.3',
    ALPNProtocols: [ALPN],
    rejectUnauthorized: !isPinned(credentials),
    checkServerIdentity: (_name, certificate) =>
      partyOf(certificate) === peer
        ? undefined
        : certificateRefused(
            `${where} did not prove to ${partyWords(self)} that it is party ${peer}: its certificate is not that of party ${peer}`,
            {
              party: peer,
            },
          ),
  });
  socket.once('connect', () => {
    phase = 'handshake';
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
  });
  socket.once('secureConnect', () => {
    phase = 'greeting';
    try {
      checkProof(socket, credentials, { self, claimed: peer, where });
    } catch (error) {
      socket.destroy(error as Error);
      return;
    }
    socket.write(encodeHello({ from: self, to: peer, status: 'ok', session }));
  });
  const unguard = guard(socket, deadline - performance.now(), signal, () => notUp(where, phase));
  try {
    const { hello, rest } = await readHello(socket);
    checkAnswer(hello, options, where);
    return { socket, hello, rest, where };
  } catch (error) {
    socket.destroy();
    throw blamed(tlsError(error, phase, where), self, peer);
  } finally {
    unguard();
  }
}

/** Who has not proved itself, where a certificate was not accepted: this end, if the other one raised the alarm. */
function blamed(failure: TercetError, self: PartyId, peer: PartyId): TercetError {
  if (failure.code !== 'ERR_PEER_CERTIFICATE' || failure.party !== undefined) return failure;
  return certificateRefused(failure.message, { cause: failure.cause, party: isAlert(failure.cause) ? self : peer });
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

/** A link that passed all checks. */
interface Arrival {
  readonly socket: tls.TLSSocket;
  readonly hello: Hello;
  readonly rest: Uint8Array;
  readonly where: string;
  expiry?: ReturnType<typeof setTimeout> | undefined;
}

interface Acceptor {
  readonly peer: PartyId | undefined;
  readonly session: Uint8Array | undefined;
  readonly take: (arrival: Arrival) => void;
  readonly fail: (error: TercetError) => void;
  /** Why the last connection since this `accept` began was refused, if that is likely the reason that it waits. */
  refused: TercetError | undefined;
}

class Listener implements TlsListener {
  readonly #options: ListenOptions;
  readonly #timeoutMs: number;
  readonly #server: tls.Server;
  /** Every connection that nobody has claimed, from the first packet on, by its address. */
  readonly #sockets = new Map<string, Stranger>();
  readonly #unfinished = new Unfinished(UNFINISHED, (group) => this.#known.has(group));
  /** Address groups from which links of a compute party stand, and how many. */
  readonly #known = new Map<string, number>();
  readonly #spare = new Set<tls.TLSSocket>();
  readonly #acceptors = new Set<Acceptor>();
  readonly #unclaimed = new Set<Arrival>();
  #closed = false;

  constructor(options: ListenOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
    secureContext(options.credentials);
    this.#server = tls.createServer({
      ...contextOptions(options.credentials),
      ALPNProtocols: [ALPN],
      requestCert: true,
      // Judged after the handshake, so that who is refused is told so: a TLS 1.3 server that refuses can only hang
      // up, which could mean anything.
      rejectUnauthorized: false,
      handshakeTimeout: this.#greetingTimeout(),
    });
    this.#server.on('connection', (socket: Stranger) => {
      const where = whereOf(socket);
      this.#track(where, socket);
      this.#unfinished.add(where, socket.remoteAddress, () => socket.destroy());
    });
    this.#server.on('tlsClientError', (error, socket) => {
      this.#refused(handshakeError(error, socket.authorizationError, whereOf(socket)));
      socket.destroy();
    });
    this.#server.on('secureConnection', (socket) => void this.#welcome(socket));
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => {
        const what = `cannot listen on ${host}:${port} (${errorCode(error)})`;
        reject(new TercetError('ERR_PEER_UNREACHABLE', what, 'choose another port or address', { cause: error }));
      };
      this.#server.once('error', failed);
      this.#server.listen(port, host, () => {
        this.#server.removeListener('error', failed);
        // A failed accept(2), for example for want of file descriptors, is that connection's problem.
        this.#server.on('error', (error) => this.#refused(tlsError(error, 'handshake', 'a connection')));
        resolve();
      });
    });
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
    return Object.assign(channelOn(socket, rest, hello, `party ${hello.from} at ${where}`, this.#options), {
      remote,
      proved: () => this.#unfinished.remove(where),
    });
  }

  /** A link that is here already, the newest first: a connector that tried again has left the older one. */
  #claim(peer: PartyId | undefined, session: Uint8Array | undefined): Arrival | undefined {
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
  async #welcome(socket: tls.TLSSocket): Promise<void> {
    const where = whereOf(socket);
    this.#track(where, socket);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    const unguard = guard(socket, this.#greetingTimeout(), undefined, () => notUp(where, 'greeting'));
    let claimed: Hello | undefined;
    const { self, credentials } = this.#options;
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

  #answer(socket: tls.TLSSocket, { from, session }: Hello): void {
    if (this.#closed) throw aborted('the listener was closed');
    socket.write(encodeHello({ from: this.#options.self, to: from, status: 'ok', session }));
  }

  async #waitSpare(socket: tls.TLSSocket, rest: Uint8Array): Promise<{ hello: Hello; rest: Uint8Array }> {
    this.#spare.add(socket);
    if (this.#spare.size > MAX_SPARE) for (const oldest of [...this.#spare].slice(0, 1)) oldest.destroy();
    try {
      return await readHello(socket, rest);
    } finally {
      this.#spare.delete(socket);
    }
  }

  /** While a link of a compute party stands, connections from its address keep their places. */
  #knows(socket: tls.TLSSocket, { from }: Hello): void {
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
    if (isSpare(hello) && hello.from === 0) {
      throw new TercetError(
        'ERR_PEER_MISMATCH',
        `a data owner (${where}) asks for no session`,
        'run the same version of Tercet on all parties',
      );
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

function channelOn(
  socket: tls.TLSSocket,
  early: Uint8Array,
  hello: Hello,
  where: string,
  limits: LinkLimits & { readonly self: PartyId },
): BoundChannel {
  const timeoutMs = limits.recvTimeoutMs ?? DEFAULT_TIMEOUT_MS;
  const transport = new SocketTransport(socket, {
    early,
    flushTimeoutMs: timeoutMs,
    explain: (error) => tlsError(error, 'open', where),
  });
  const { self, highWaterBytes } = limits;
  const channel = new FramedChannel({
    self,
    peer: hello.from,
    session: hello.session,
    transport,
    timeoutMs,
    highWaterBytes,
  });
  return Object.assign(channel, { binding: () => bindingOf(socket, hello.session, where) });
}

/** What TLS exports for this link (RFC 8446, 7.5): another link, also of the same parties and session, has another. */
function bindingOf(socket: tls.TLSSocket, session: Uint8Array, where: string): Uint8Array {
  try {
    return Uint8Array.from(socket.exportKeyingMaterial(32, 'EXPORTER-tercet-owner', Buffer.from(session)));
  } catch (error) {
    throw new TercetError(
      'ERR_PEER_CLOSED',
      `${where} closed the link`,
      'look at the output of the other party, then run again',
      { cause: error },
    );
  }
}

function matches(wanted: { peer: PartyId | undefined; session: Uint8Array | undefined }, hello: Hello): boolean {
  if (wanted.peer !== undefined && wanted.peer !== hello.from) return false;
  return wanted.session === undefined || equalBytes(wanted.session, hello.session);
}

function whereOf(socket: { remoteAddress?: string | undefined; remotePort?: number | undefined }): string {
  return `${socket.remoteAddress ?? 'unknown address'}:${socket.remotePort ?? 0}`;
}

function checkEnds(self: PartyId, peer: PartyId): void {
  if (self === peer)
    throw new TercetError('ERR_ARGUMENT', `party ${self} asks for a link to itself`, 'name another party');
}

function checkPort(port: number): void {
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new TercetError('ERR_ARGUMENT', 'bad port', 'use a port of 0 to 65535');
}
