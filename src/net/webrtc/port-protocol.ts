/**
 * What a worker and its page say to each other about WebRTC, over two kinds of MessagePort.
 *
 * Control port, one for each worker: requests with an id, replies with the same id. Data port, one for each
 * association:
 *   ArrayBuffer   one message, either way, transferred
 *   number        bytes that the other side has taken on: credit, either way
 *   null          the end, either way
 */
import { TercetError, type ErrorCode, kindOf } from '../../core/errors.ts';
import type { IceServer } from './types.ts';

export type PortMessage = ArrayBuffer | number | null;

export type PageRequest =
  | {
      readonly id: number;
      readonly op: 'offer';
      readonly link: number;
      readonly associations: number;
      readonly iceServers: readonly IceServer[];
    }
  | { readonly id: number; readonly op: 'accept'; readonly link: number; readonly answers: readonly string[] }
  | { readonly id: number; readonly op: 'opened'; readonly link: number }
  | { readonly id: number; readonly op: 'close'; readonly link: number };

export interface OpenedPort {
  readonly port: MessagePort;
  readonly maxMessageBytes: number;
}

export type PageReply =
  | {
      readonly id: number;
      readonly ok: true;
      readonly descriptions?: readonly string[];
      readonly ports?: readonly OpenedPort[];
    }
  | { readonly id: number; readonly ok: false; readonly code: string; readonly message: string; readonly hint: string };

/** An error as data, for the way between threads. */
export function errorReply(id: number, error: unknown): PageReply {
  if (error instanceof TercetError)
    return { id, ok: false, code: error.code, message: error.message, hint: error.hint };
  return {
    id,
    ok: false,
    code: 'ERR_LINK_BLOCKED',
    message: 'WebRTC failed in this browser',
    hint: 'use a WebSocket link',
  };
}

export function errorFrom(reply: PageReply & { readonly ok: false }): TercetError {
  const code = kindOf(reply.code) === undefined ? 'ERR_LINK_BLOCKED' : (reply.code as ErrorCode);
  return new TercetError(code, reply.message, reply.hint);
}
