/**
 * The end of a TLS link that connects: to a listening party, for a session or ahead of one.
 *
 * Security model: the network is hostile. The connector requires proof that the other end is the party it asked
 * for; `credentials.ts` says what counts as proof. Sessions of TLS are never resumed, and nothing is handed out
 * before the proof. The compute parties keep spare links, so that a session of theirs needs no new connection.
 */
import { connect as connectTcp } from 'node:net';
import { nextTick } from 'node:process';
import * as tls from 'node:tls';
import { sleep } from '../../core/abort.ts';
import { equalBytes } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import type { BoundChannel } from '../wire/channel.ts';
import { checkSession } from '../wire/frame.ts';
import { checkProof, isPinned, secureContext } from './credentials.ts';
import { guard, readHello } from './hello-io.ts';
import { type Hello, NO_SESSION, encodeHello, partyName } from './hello.ts';
import type { OtherSocket, OtherTls } from './other-tls.ts';
import type { ConnectOptions } from './connect-options.ts';
import { KeptReads } from './kept-reads.ts';
import { blamed, wrongParty } from './peer-certificate.ts';
import { ALPN, DEFAULT_CONNECT_TIMEOUT_MS, type StandingLink, channelOn, checkEnds, checkPort } from './tls-link.ts';
import { type TlsPhase, aborted, errorCode, notUp, refusal, tlsError } from './tls-errors.ts';

const RETRY_FIRST_MS = 25;
const RETRY_LAST_MS = 400;

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
  return channelOn(await standingLink(options), options);
}

/** The same, before it is a channel. @throws TercetError as `connectTls` */
export async function standingLink(options: ConnectOptions): Promise<StandingLink> {
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
export interface SpareLink<Link = BoundChannel> {
  /** Whether it can still be claimed. */
  readonly open: boolean;
  /** Resolves when it is gone or claimed. */
  readonly ended: Promise<void>;
  /**
   * Makes it the link of a session. @throws TercetError as `connectTls`, for example ERR_PEER_CLOSED when the other
   * end is gone; it is of no use then.
   */
  claim(session: Uint8Array, timeoutMs: number, signal?: AbortSignal): Promise<Link>;
  close(): void;
}

/** Opens a link ahead of the session that will need it. @throws TercetError as `connectTls` */
export async function connectSpare(options: Omit<ConnectOptions, 'session'>): Promise<SpareLink> {
  return spareLink(options, (link) => channelOn(link, options));
}

/** @param claimedLink what a session is given of its link. */
export async function spareLink<Link>(
  options: Omit<ConnectOptions, 'session'>,
  claimedLink: (link: StandingLink) => Link,
): Promise<SpareLink<Link>> {
  checkEnds(options.self, options.peer);
  checkPort(options.port);
  const deadline = performance.now() + (options.timeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS);
  const { socket, connection, rest, where } = await greeted(
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
        const claimed = encodeHello({ from: self, to: peer, status: 'ok', session });
        socket.write(claimed);
        const { hello, rest: early } = await answer;
        checkAnswer(hello, { self, peer, session }, where);
        // The listener takes it by this, and not before: it cannot know who gave up while its answer was under way.
        socket.write(claimed);
        return claimedLink({ socket: connection, bytes: socket, early, hello, later: nextTick, where });
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

/**
 * Whether a party is there and proves itself: a greeting without a session, as a data owner. Leaves nothing at the
 * party. @throws TercetError as `connectTls`, at once for a port where nobody listens
 */
export async function knockTls(options: Omit<ConnectOptions, 'session' | 'self'>): Promise<void> {
  const deadline = performance.now() + (options.timeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS);
  const { socket } = await greeted(
    { ...options, self: 0, session: NO_SESSION },
    secureContext(options.credentials),
    deadline,
  );
  socket.destroy();
}

async function connectOnce(
  options: ConnectOptions,
  context: tls.SecureContext,
  deadline: number,
): Promise<StandingLink> {
  const { socket, connection, hello, rest, where } = await greeted(options, context, deadline);
  return { socket: connection, bytes: socket, early: rest, hello, later: nextTick, where };
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

/** A connection: what is read and written, and what tells how far it is and who is at the other end. */
interface Opened {
  readonly socket: KeptReads | OtherSocket;
  readonly connection: tls.TLSSocket | OtherSocket;
}

type Opening = Omit<ConnectOptions, 'session'>;

/** By Node. */
function opened(
  { host, port, self, peer, credentials }: Opening,
  secureContext: tls.SecureContext,
  where: string,
): Opened {
  const socket = new KeptReads((onread) =>
    // Its types have the option with the sockets of node:net alone.
    tls.connect({
      host,
      port,
      secureContext,
      servername: partyName(peer),
      minVersion: 'TLSv1.3',
      ALPNProtocols: [ALPN],
      rejectUnauthorized: !isPinned(credentials),
      checkServerIdentity: (_name, certificate) => wrongParty(certificate, self, peer, where),
      ...{ onread },
    }),
  );
  const connection = socket.tls;
  connection.once('connect', () => {
    connection.setNoDelay(true);
    connection.setKeepAlive(true, 30_000);
  });
  return { socket, connection };
}

/** By the thread of Rust, with the same checks: the library's of the certificate, and whose it is here. */
function openedBy(native: OtherTls, { host, port, self, peer, credentials }: Opening, where: string): Opened {
  const socket = native.socket(connectTcp({ host, port }));
  socket.once('connect', () => socket.begin(credentials, partyName(peer)));
  socket.once('secureConnect', () => {
    const wrong = isPinned(credentials) ? undefined : wrongParty(socket.getPeerCertificate(), self, peer, where);
    if (wrong !== undefined) socket.destroy(wrong);
  });
  return { socket, connection: socket };
}

/** A connection up to the listener's answer. */
async function greeted(
  options: ConnectOptions,
  secureContext: tls.SecureContext,
  deadline: number,
): Promise<Opened & { hello: Hello; rest: Uint8Array; where: string }> {
  const { self, peer, session, signal, credentials } = options;
  const where = `party ${peer} at ${options.host}:${options.port}`;
  if (signal?.aborted) throw aborted();
  let phase: TlsPhase = 'connect';
  const { socket, connection } =
    options.native === undefined ? opened(options, secureContext, where) : openedBy(options.native, options, where);
  connection.once('connect', () => {
    phase = 'handshake';
  });
  connection.once('secureConnect', () => {
    phase = 'greeting';
    if (socket.destroyed) return;
    try {
      checkProof(connection, credentials, { self, claimed: peer, where });
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
    return { socket, connection, hello, rest, where };
  } catch (error) {
    socket.destroy();
    throw blamed(tlsError(error, phase, where), self, peer);
  } finally {
    unguard();
  }
}
