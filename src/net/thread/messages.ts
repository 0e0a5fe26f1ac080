/**
 * What a thread of links and the thread that uses them say to each other. Every message names its link by `id`; both
 * sides handle messages in order.
 */
import { type ErrorCode, TercetError } from '../../core/errors.ts';
import type { ConnectOptions } from '../tls/connect-options.ts';
import type { LinkUse } from '../wire/channel.ts';
import type { Frame, FrameHeader } from '../wire/frame.ts';
import type { EndId } from '../wire/types.ts';

/** The options of a link, without what cannot cross threads. */
export type LinkOptions = Omit<ConnectOptions, 'signal'>;

export type ToThread =
  | { readonly kind: 'connect'; readonly id: number; readonly options: LinkOptions }
  | { readonly kind: 'spare'; readonly id: number; readonly options: Omit<LinkOptions, 'session'> }
  | { readonly kind: 'claim'; readonly id: number; readonly session: Uint8Array; readonly timeoutMs: number }
  /** Gives up what was asked for last. */
  | { readonly kind: 'abort'; readonly id: number }
  /** A frame; or several, whole, in place of a header, and nothing behind them. */
  | { readonly kind: 'write'; readonly id: number; readonly header: Uint8Array; readonly payload: Uint8Array }
  /** So many bytes of frames are in the hands of the other thread. */
  | { readonly kind: 'taken'; readonly id: number; readonly bytes: number }
  | { readonly kind: 'pause'; readonly id: number; readonly paused: boolean }
  | { readonly kind: 'close' | 'destroy'; readonly id: number };

export type FromThread =
  /** The link is that of a session; frames may follow at once. */
  | {
      readonly kind: 'standing';
      readonly id: number;
      readonly where: string;
      readonly session: Uint8Array;
      readonly exported: Readonly<Record<LinkUse, Uint8Array>>;
    }
  /** The spare link stands; `gone` when it is claimed or over. */
  | { readonly kind: 'spare' | 'gone'; readonly id: number }
  | { readonly kind: 'failed' | 'error'; readonly id: number; readonly error: SentError }
  | { readonly kind: 'header'; readonly id: number; readonly header: FrameHeader }
  | { readonly kind: 'frames'; readonly id: number; readonly frames: readonly Frame[] }
  /** So many bytes have room again. */
  | { readonly kind: 'room'; readonly id: number; readonly bytes: number }
  | { readonly kind: 'end' | 'closed'; readonly id: number };

/** An error on its way between threads, which keep no class. */
export interface SentError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly party: EndId | undefined;
}

export function sentError({ code, message, hint, party }: TercetError): SentError {
  return { code, message, hint, party };
}

export function receivedError({ code, message, hint, party }: SentError): TercetError {
  return new TercetError(code, message, hint, { party });
}

/** What a frame counts beside its payload, so that a flood of empty ones is bounded too. */
const FRAME_BYTES = 512;

export function frameCost({ payload }: Frame): number {
  return FRAME_BYTES + payload.length;
}
