/**
 * A connection whose TLS is in the thread of Rust, for whoever greets on it: the part of a `tls.TLSSocket` that links
 * use. Node makes the connection, and hands it over before a byte is read.
 *
 * SECURITY: no more than a greeting is read of it before it belongs to a session.
 */
import { X509Certificate } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import { concatBytes } from '../../core/bytes.ts';
import { type Credentials, isPinned } from '../tls/credentials.ts';
import { HELLO_BYTES } from '../tls/hello.ts';
import type { FrameTransportOptions, OtherSocket, OtherTls } from '../tls/other-tls.ts';
import type { ChannelTransport } from '../wire/channel.ts';
import { type NativeTls, ORDER, type Order, type Told } from './native-tls.ts';
import { type FramedSocket, nativeTransport } from './native-transport.ts';

/** The descriptor of a connection. Node names it nowhere else. */
interface Described {
  readonly _handle?: { readonly fd?: number } | null;
}

const NONE = new Uint8Array(0);

/** For whoever connects or listens. */
export function otherTls(tls: NativeTls): OtherTls {
  return { socket: (tcp) => new NativeSocket(tls, tcp) };
}

/** What `tls.TLSSocket` emits of it: secureConnect, data, end, finish, error, close. */
export class NativeSocket extends EventEmitter implements OtherSocket, FramedSocket {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** As `tls.TLSSocket` has them: the certificate is that of an authority, or why not. */
  authorized = false;
  authorizationError: string | undefined;
  destroyed = false;
  writableEnded = false;
  readonly #tls: NativeTls;
  readonly #tcp: Socket;
  #link: number | undefined;
  #certificate: X509Certificate | undefined;
  /** Authorities were asked. */
  #certified = false;
  #flowing = false;
  /** Bytes are asked for, and have not come. */
  #asked = false;
  #held: Uint8Array = NONE;
  #frames: Told | undefined;

  /** @param tcp a connection that nobody reads. */
  constructor(tls: NativeTls, tcp: Socket) {
    super();
    this.#tls = tls;
    this.#tcp = tcp;
    tcp.pause();
    this.remoteAddress = tcp.remoteAddress;
    this.remotePort = tcp.remotePort;
    // There is always one: an error without is thrown.
    this.on('error', () => undefined);
    tcp.on('error', (error) => this.destroy(error));
    tcp.on('connect', () => this.emit('connect'));
    tcp.on('close', () => this.#link === undefined && this.destroy());
  }

  begin(credentials: Credentials, name?: string): void {
    const fd = (this.#tcp as Described)._handle?.fd ?? -1;
    this.#tcp.setNoDelay(true);
    this.#tcp.setKeepAlive(true, 30_000);
    try {
      if (fd < 0) throw Object.assign(new Error('no descriptor'), { code: 'EBADF' });
      this.#link = this.#tls.open(fd, credentials, name, (kind, ...values) => this.#told(kind, values));
      this.#certified = !isPinned(credentials);
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    // The library has a descriptor of its own.
    this.#tcp.destroy();
    // Whoever waits for a greeting may have come before.
    this.#asked = false;
    this.#ask();
  }

  write(bytes: Uint8Array): void {
    this.order(ORDER.write, bytes, NONE);
  }

  end(bytes?: Uint8Array): unknown {
    if (bytes !== undefined) this.write(bytes);
    this.writableEnded = true;
    this.order(ORDER.end);
    return this;
  }

  destroy(error?: Error): unknown {
    if (this.destroyed) return this;
    this.order(ORDER.destroy);
    this.#tcp.destroy();
    this.#over(error);
    return this;
  }

  pause(): unknown {
    this.#flowing = false;
    return this;
  }

  resume(): unknown {
    this.#flowing = true;
    const held = this.#held;
    this.#held = NONE;
    if (held.length > 0) this.emit('data', held);
    this.#ask();
    return this;
  }

  getPeerX509Certificate(): X509Certificate | undefined {
    return this.#certificate;
  }

  getPeerCertificate(): PeerCertificate {
    return (this.#certificate?.toLegacyObject() ?? {}) as PeerCertificate;
  }

  /** The library takes none up again. */
  isSessionReused(): boolean {
    return false;
  }

  exportKeyingMaterial(_length: 32, label: string, context: Uint8Array): Uint8Array {
    const exported = this.#link === undefined ? undefined : this.#tls.exported(this.#link, label, context);
    if (exported === undefined) throw Object.assign(new Error('the link is gone'), { code: 'CLOSED' });
    return exported;
  }

  transport(options: FrameTransportOptions): ChannelTransport {
    return nativeTransport(this, options);
  }

  frames(session: Uint8Array, early: Uint8Array, told: Told): void {
    this.#frames = told;
    this.order(ORDER.frames, session, early);
  }

  order(order: Order, ...values: readonly unknown[]): void {
    if (this.#link !== undefined && !this.destroyed) this.#tls.order(this.#link, order, ...values);
  }

  #told(kind: string, values: readonly unknown[]): void {
    if (kind === 'closed') this.#over();
    else if (kind === 'failed') this.#over(Object.assign(new Error('TLS failed'), { code: values[0] as string }));
    else if (this.#frames !== undefined) this.#frames(kind, ...values);
    else if (kind === 'secure') this.#secured(values[0] as Uint8Array, values[1] as string);
    else if (kind === 'bytes') this.#take(values[0] as Uint8Array);
    else if (kind === 'end') this.emit('end');
    else if (kind === 'finished') this.emit('finish');
  }

  #secured(certificate: Uint8Array, verdict: string): void {
    try {
      if (certificate.length > 0) this.#certificate = new X509Certificate(certificate);
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    this.authorized = this.#certified && this.#certificate !== undefined && verdict === '';
    this.authorizationError = verdict === '' ? undefined : verdict;
    this.emit('secureConnect');
  }

  #take(bytes: Uint8Array): void {
    this.#asked = false;
    if (this.#flowing) this.emit('data', bytes);
    else this.#held = concatBytes([this.#held, bytes]);
    this.#ask();
  }

  /** One read at a time, of no more than a greeting. */
  #ask(): void {
    if (!this.#flowing || this.#asked || this.#frames !== undefined) return;
    this.#asked = true;
    this.order(ORDER.want, HELLO_BYTES);
  }

  /** Says so in a turn of its own, as Node does. */
  #over(error?: Error): void {
    if (this.destroyed) return;
    this.destroyed = true;
    if (this.#link !== undefined) this.#tls.forget(this.#link);
    process.nextTick(() => {
      if (error !== undefined) this.emit('error', error);
      this.emit('close');
    });
  }
}
