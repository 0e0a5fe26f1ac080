/**
 * What both ends of a TLS link have in common: limits, the checks of arguments, and the channel on a link that
 * stands.
 */
import { TercetError } from '../../core/errors.ts';
import { type BoundChannel, type ChannelTransport, FramedChannel, type LinkUse } from '../wire/channel.ts';
import { DEFAULT_TIMEOUT_MS } from '../wire/inbox.ts';
import type { OtherSocket } from './other-tls.ts';
import type { EndId } from '../wire/types.ts';
import type { LinkLimits } from './connect-options.ts';
import type { Hello } from './hello.ts';
import { type ByteSocket, SocketTransport } from './socket.ts';
import { tlsError } from './tls-errors.ts';

/** Default longest wait for a link to come up. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;
/** What both ends name as the protocol inside TLS (ALPN). */
export const ALPN = 'tercet/1';

/** A link that both ends have accepted, before anything is said on it. */
export interface StandingLink {
  readonly socket: { exportKeyingMaterial(length: 32, label: string, context: Buffer): Uint8Array };
  /** What is read and written: the socket, or what stands before it. */
  readonly bytes: ByteSocket | OtherSocket;
  /** What came behind the greeting. */
  readonly early: Uint8Array;
  readonly hello: Hello;
  /** Runs something behind all that can go on at once, and before anything is waited for. */
  readonly later: (work: () => void) => void;
  readonly where: string;
}

export function transportOn({ bytes, early, hello, later, where }: StandingLink, limits: LinkLimits): ChannelTransport {
  const options = {
    early,
    flushTimeoutMs: limits.recvTimeoutMs ?? DEFAULT_TIMEOUT_MS,
    later,
    explain: (error: Error | undefined) => tlsError(error, 'open', where),
  };
  return 'transport' in bytes
    ? bytes.transport({ ...options, session: hello.session })
    : new SocketTransport(bytes, options);
}

/** The channel on a link that stands. */
export function channelOn(link: StandingLink, limits: LinkLimits & { readonly self: EndId }): BoundChannel {
  const { hello } = link;
  const { self, recvTimeoutMs, highWaterBytes } = limits;
  const channel = new FramedChannel({
    self,
    peer: hello.from,
    session: hello.session,
    transport: transportOn(link, limits),
    timeoutMs: recvTimeoutMs ?? DEFAULT_TIMEOUT_MS,
    highWaterBytes,
  });
  const exported = (use: LinkUse) => exportedBy(link, use);
  return Object.assign(channel, { binding: () => exported('owner'), exported });
}

/** What TLS exports for this link (RFC 8446, 7.5): another link, also of the same parties and session, has another. */
export function exportedBy({ socket, hello, where }: StandingLink, use: LinkUse): Uint8Array {
  try {
    return Uint8Array.from(socket.exportKeyingMaterial(32, `EXPORTER-tercet-${use}`, Buffer.from(hello.session)));
  } catch (error) {
    throw linkGone(where, error);
  }
}

/** Nothing can be asked of a link any more. */
export function linkGone(where: string, cause?: unknown): TercetError {
  return new TercetError(
    'ERR_PEER_CLOSED',
    `${where} closed the link`,
    'look at the output of the other party, then run again',
    { cause },
  );
}

export function checkEnds(self: EndId, peer: EndId): void {
  if (self === peer)
    throw new TercetError('ERR_ARGUMENT', `party ${self} asks for a link to itself`, 'name another party');
}

export function checkPort(port: number): void {
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new TercetError('ERR_ARGUMENT', 'bad port', 'use a port of 0 to 65535');
}
