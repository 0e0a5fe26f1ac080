/**
 * What a caller is told when there is no answer: `application/problem+json` (RFC 9457) with a stable code.
 *
 * SECURITY: words are those of TercetError and of this file; nothing of a text, a header or a library's message is in
 * them. Who sends a wrong label or target reads it back; no log has it. test/rest/gateway.test.ts.
 */
import { type ErrorCode, TercetError, asTercetError } from '../core/errors.ts';

/** What the gateway itself refuses, beside the codes of Tercet. */
const OWN = {
  ERR_KEY: { status: 401, detail: 'there is no valid key', hint: 'send Authorization: Bearer KEY, made by tercet key' },
  ERR_ROUTE: { status: 404, detail: 'there is no such address', hint: 'see /openapi.json' },
  ERR_METHOD: { status: 405, detail: 'this address does not take that method', hint: 'use one of the header Allow' },
  ERR_REQUEST: { status: 400, detail: 'the request cannot be read as HTTP/1.1', hint: 'send it by an HTTP client' },
  ERR_REQUEST_SLOW: { status: 408, detail: 'the request took too long to come', hint: 'send it at once' },
  ERR_HEADER_SIZE: { status: 431, detail: 'the headers are longer than is taken', hint: 'send fewer headers' },
  ERR_BODY: { status: 400, detail: 'the body is no JSON object', hint: 'send one JSON object in UTF-8' },
  ERR_BODY_TWICE: { status: 400, detail: 'the body has a field twice', hint: 'give each field once' },
  ERR_BODY_TYPE: {
    status: 415,
    detail: 'the body has another type, charset or encoding',
    hint: 'send Content-Type: application/json, in UTF-8 and not compressed',
  },
  ERR_BODY_SIZE: { status: 413, detail: 'the body is larger than is taken', hint: 'send less text in one request' },
  ERR_TEXTS: { status: 413, detail: 'the body has more texts than are taken', hint: 'send fewer in one request' },
  ERR_HOST: {
    status: 421,
    detail: 'this server answers on this machine alone',
    hint: 'call it as localhost, or start it with keys',
  },
  ERR_RATE: { status: 429, detail: 'this key has sent as many texts as it may', hint: 'wait for Retry-After' },
  ERR_KEY_BUSY: { status: 429, detail: 'this key has as many requests under way as it may', hint: 'wait for one' },
  ERR_QUEUE_FULL: { status: 429, detail: 'too many requests wait', hint: 'wait for Retry-After' },
  ERR_TIME_LIMIT: { status: 504, detail: 'the run took longer than it may', hint: 'send a shorter text' },
  ERR_DRAINING: { status: 503, detail: 'this server is about to stop', hint: 'ask another one, or wait' },
} as const;
export type OwnCode = keyof typeof OWN;

/** By whose fault it is: what the caller can mend, what the service lacks, what the parties did. */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  ERR_ARGUMENT: 400,
  ERR_TEXT_EMPTY: 422,
  ERR_TEXT_TOO_LONG: 422,
  ERR_TEXT_ENCODING: 422,
  ERR_TEXT_CONTROL: 422,
  ERR_TOO_MANY_TOKENS: 422,
  ERR_NO_MASK: 422,
  ERR_RANGE_EXCEEDED: 422,
  ERR_MODEL_NOT_FOUND: 404,
  ERR_MODEL_UNSUPPORTED: 422,
  ERR_PROTOCOL_UNAVAILABLE: 422,
  ERR_TOO_LARGE: 422,
  ERR_PEER_BUSY: 503,
  ERR_PEER_LET_GO: 503,
  ERR_DEVICE_MEMORY: 503,
  ERR_DEVICE_LOST: 503,
  ERR_PEER_TIMEOUT: 504,
};

/** Everything else: a party's fault is a bad gateway, the rest is this server's. */
function statusOf({ code, kind }: TercetError): number {
  return STATUS[code] ?? (kind === 'peer' || kind === 'io' ? 502 : 500);
}

/** As it is sent. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly hint: string;
  readonly request_id: string;
  readonly party?: number | undefined;
}

const TITLE: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** Seconds that a caller should wait before it asks a busy party again. */
const RETRY_BUSY_S = 30;

export class Problem extends Error {
  readonly code: ErrorCode | OwnCode;
  readonly status: number;
  readonly detail: string;
  readonly hint: string;
  readonly party: number | undefined;
  readonly retryAfter: number | undefined;

  private constructor(from: Pick<Problem, 'code' | 'status' | 'detail' | 'hint' | 'party' | 'retryAfter'>) {
    super(from.code);
    this.code = from.code;
    this.status = from.status;
    this.detail = from.detail;
    this.hint = from.hint;
    this.party = from.party;
    this.retryAfter = from.retryAfter;
  }

  /** @param most that the operator takes in one request */
  static tooManyTexts(most: number): Problem {
    const detail = `the body has more than ${most} ${most === 1 ? 'text' : 'texts'}`;
    const hint = `send at most ${most} in one request`;
    return new Problem({ code: 'ERR_TEXTS', status: 413, detail, hint, party: undefined, retryAfter: undefined });
  }

  /** @param retryAfter seconds */
  static own(code: OwnCode, retryAfter?: number): Problem {
    return new Problem({ code, ...OWN[code], party: undefined, retryAfter });
  }

  /** Anything that was thrown. What is no error of ours is told as a failure of this server, and no more. */
  static of(thrown: unknown): Problem {
    if (thrown instanceof Problem) return thrown;
    const error = asTercetError(thrown);
    const status = statusOf(error);
    const known = thrown instanceof TercetError && error.kind !== 'internal';
    return new Problem({
      code: error.code,
      status,
      detail: known ? error.message : 'this server failed',
      hint: known ? error.hint : 'tell its operator the request_id',
      party: error.party,
      retryAfter: status === 503 ? RETRY_BUSY_S : undefined,
    });
  }

  body(requestId: string): ProblemBody {
    const { code, status, detail, hint, party } = this;
    return {
      type: `/docs#${code}`,
      title: TITLE[status] ?? 'Error',
      status,
      code,
      detail,
      hint,
      request_id: requestId,
      party,
    };
  }
}

/** Codes with their status, for the documents. */
export const STATUSES: readonly (readonly [code: string, status: number, detail: string])[] = [
  ...Object.entries(OWN).map(([code, { status, detail }]) => [code, status, detail] as const),
  ...Object.entries(STATUS).map(([code, status]) => [code, status, ''] as const),
];

/** What Fastify says, in words of ours: its own may quote what came. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem || error instanceof TercetError) return Problem.of(error);
  const { code, statusCode } = error as { readonly code?: string; readonly statusCode?: number };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return Problem.own('ERR_BODY_SIZE');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return Problem.own('ERR_BODY_TYPE');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return Problem.own('ERR_BODY');
  return Problem.of(error);
}
