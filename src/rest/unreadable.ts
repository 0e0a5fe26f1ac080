/** What a client is told whose request never became one: no HTTP, a header without end, a request that stands still. */
import { randomBytes } from 'node:crypto';
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type OwnCode, Problem } from './problem.ts';

/** Node's reasons; every other one is a request that it cannot read. */
const REASONS: Readonly<Record<string, OwnCode>> = {
  HPE_HEADER_OVERFLOW: 'ERR_HEADER_SIZE',
  ERR_HTTP_REQUEST_TIMEOUT: 'ERR_REQUEST_SLOW',
};

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function answerOf(code: OwnCode): Answer {
  const id = newRequestId();
  const problem = Problem.own(code);
  const body = JSON.stringify(problem.body(id));
  const headers = {
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': id,
    'cache-control': 'no-store',
    connection: 'close',
  };
  return { status: problem.status, headers, body };
}

/** 16 hex digits. */
export const newRequestId = (): string => randomBytes(8).toString('hex');

/**
 * Ends a connection of which no request could be read, with the reason.
 * @returns the reason; undefined where nobody is there to be told
 */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): OwnCode | undefined {
  if (error.code === 'ECONNRESET' || socket.destroyed) return undefined;
  const code = REASONS[error.code ?? ''] ?? 'ERR_REQUEST';
  const { status, headers, body } = answerOf(code);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(headers).map((pair) => pair.join(': ')),
  ];
  if (socket.writable) socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy(error);
  return code;
}

/** The same of a request that was read, but asks its server for what there is not. */
export function refuseRequest(response: ServerResponse): OwnCode {
  const code = 'ERR_REQUEST';
  const { status, headers, body } = answerOf(code);
  response.writeHead(status, headers).end(body);
  return code;
}
