/** What a link is made with: its limits, and at a connector where it leads and what proves its ends. */
import type { EndId } from '../wire/types.ts';
import type { Credentials } from './credentials.ts';
import type { OtherTls } from './other-tls.ts';

export interface LinkLimits {
  /** Longest wait of one `recv` or `send` on a channel (default 120 s). */
  readonly recvTimeoutMs?: number | undefined;
  /** Unclaimed bytes beyond which the peer is slowed down (default 64 MiB). */
  readonly highWaterBytes?: number | undefined;
}

export interface ConnectOptions extends LinkLimits {
  readonly self: EndId;
  readonly peer: EndId;
  readonly host: string;
  readonly port: number;
  readonly credentials: Credentials;
  /** 16 bytes that name the run; the listener accepts by them. */
  readonly session: Uint8Array;
  /** Longest wait until the listener has accepted (default 30 s); a refused port is tried again until then. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What has sockets and TLS, in place of Node. */
  readonly native?: OtherTls | undefined;
}
