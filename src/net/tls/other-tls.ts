/** TLS that is not Node's, as links see it. `net/native` has one; whoever connects or listens is given it. */
import type { Socket } from 'node:net';
import type { ChannelTransport } from '../wire/channel.ts';
import type { Credentials, ProvedSocket } from './credentials.ts';
import type { GreetingSocket } from './hello-io.ts';
import type { SocketTransportOptions } from './socket.ts';

export interface OtherTls {
  /** Takes a connection over, which nobody reads. */
  socket(tcp: Socket): OtherSocket;
}

/** The part of a `tls.TLSSocket` that links use. Emits what that does. */
export interface OtherSocket extends GreetingSocket, ProvedSocket {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /**
   * Begins the handshake, when the connection stands.
   * @param name of the listening party, at a connector.
   */
  begin(credentials: Credentials, name?: string): void;
  write(bytes: Uint8Array): unknown;
  end(bytes?: Uint8Array): unknown;
  exportKeyingMaterial(length: 32, label: string, context: Uint8Array): Uint8Array;
  /** From here on it carries frames of a session. It must be paused. */
  transport(options: FrameTransportOptions): ChannelTransport;
  once(event: 'connect' | 'secureConnect' | 'close', listener: () => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'data', listener: (bytes: Uint8Array) => void): unknown;
  removeListener(event: 'close', listener: () => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
}

export interface FrameTransportOptions extends SocketTransportOptions {
  readonly session: Uint8Array;
}
