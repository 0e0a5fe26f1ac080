/**
 * The small part of HTTP that a party's gateway speaks: requests as data, replies as data, problems with a code and
 * a hint. No server, no sockets.
 */
import { type ErrorCode, TercetError } from '../../core/errors.ts';

export interface HttpRequest {
  readonly method: string;
  /** Path without query: nothing here takes one, because URLs end up in logs. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Address of the client, or of the proxy before it. */
  readonly remote: string;
  /** The body as text. Throws a Problem if it is too long. */
  readonly body: () => Promise<string>;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request that is refused: the status for machines, code and hint for people. */
export class Problem extends Error {
  readonly status: number;
  readonly error: TercetError;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, error: TercetError, headers: Readonly<Record<string, string>> = {}) {
    super(error.message);
    this.status = status;
    this.error = error;
    this.headers = headers;
  }
}

export function problem(
  status: number,
  code: ErrorCode,
  what: string,
  hint: string,
  headers: Readonly<Record<string, string>> = {},
): Problem {
  return new Problem(status, new TercetError(code, what, hint), headers);
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  ERR_FRAME_FORMAT: 400,
  ERR_FRAME_LENGTH: 413,
  ERR_IDENTITY_FINGERPRINT: 400,
  ERR_MODEL_HASH: 404,
  ERR_PEER_MISMATCH: 409,
  ERR_STATE: 409,
  ERR_PEER_UNREACHABLE: 503,
  ERR_PEER_BUSY: 503,
  ERR_TOO_LARGE: 413,
  ERR_LINK_BLOCKED: 501,
};

/** Anything thrown while a request was served, as a problem. What is no TercetError is not described to strangers. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TercetError) return new Problem(STATUS[error.code] ?? 500, error);
  return new Problem(
    500,
    new TercetError('ERR_INTERNAL', 'the party failed to serve the request', 'look at the output of that party', {
      cause: error,
    }),
  );
}

export function json(status: number, body: string, headers: Readonly<Record<string, string>> = {}): HttpReply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}

/** RFC 9457, with the members that Tercet's own clients read. */
export function problemReply({ status, error, headers }: Problem): HttpReply {
  const body = JSON.stringify({
    title: error.message,
    status,
    code: error.code,
    message: error.message,
    hint: error.hint,
  });
  return { status, headers: { 'content-type': 'application/problem+json', ...headers }, body };
}

/** Headers of every reply: nothing is kept, guessed or framed. */
export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'cross-origin',
  'referrer-policy': 'no-referrer',
};

/** One value of a header; undefined if there is none or several. */
export function headerOf(request: Pick<HttpRequest, 'headers'>, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/**
 * What the browser is told about who may read the reply. A request without an origin is no page's.
 * @throws {Problem} 403 for an origin that is not on the list
 */
export function corsHeaders(request: HttpRequest, origins: readonly string[]): Record<string, string> {
  const origin = checkOrigin(request, origins);
  return origin === undefined
    ? { vary: 'origin' }
    : { vary: 'origin', 'access-control-allow-origin': origin, 'access-control-expose-headers': 'location' };
}

export function checkOrigin(request: Pick<HttpRequest, 'headers'>, origins: readonly string[]): string | undefined {
  if (request.headers['origin'] === undefined) return undefined;
  const origin = headerOf(request, 'origin');
  if (origin === undefined || !origins.includes(origin)) {
    throw problem(
      403,
      'ERR_PEER_MISMATCH',
      'this party does not serve pages of this origin',
      'ask its operator to add the origin of the page to the allowed ones',
    );
  }
  return origin;
}

/** The answer to a browser's question before a request (preflight). */
export function preflight(request: HttpRequest, cors: Readonly<Record<string, string>>): HttpReply {
  const privately =
    headerOf(request, 'access-control-request-private-network') === 'true'
      ? { 'access-control-allow-private-network': 'true' }
      : {};
  const allowed = {
    'access-control-allow-methods': 'GET, POST, DELETE',
    'access-control-allow-headers': 'content-type',
    'access-control-max-age': '600',
  };
  return { status: 204, headers: { ...cors, ...allowed, ...privately }, body: '' };
}
