/**
 * `/livez`, `/readyz` and `/metrics` for whoever operates a service, on an address of their own: they say nothing of
 * texts, and are still nobody else's business.
 */
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TercetError } from '../core/errors.ts';
import type { ServiceMetrics } from './metrics.ts';

export interface WatchOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly metrics: Pick<ServiceMetrics, 'text'>;
  /** Whether new work can be done: the other parties are there and proved, models loaded, the device alive. */
  ready(): Promise<boolean>;
}

export interface Watch {
  readonly url: string;
  close(): Promise<void>;
}

/** A scraper that never reads holds a connection, not the service. */
const MAX_CONNECTIONS = 64;
const SLOW_MS = 10_000;

/** @throws {TercetError} ERR_ARGUMENT for an address that cannot be listened on */
export async function serveWatch(options: WatchOptions): Promise<Watch> {
  const { host, port } = options;
  const server = createServer({ requestTimeout: SLOW_MS, headersTimeout: SLOW_MS }, (request, response) => {
    response.setTimeout(SLOW_MS, () => response.destroy());
    answer(options, request, response).catch(() => response.destroy());
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    // For good: a connection that cannot be accepted later (no descriptors left) ends nothing.
    server.on('error', (cause) =>
      reject(new TercetError('ERR_ARGUMENT', `cannot listen on ${host}:${port}`, 'choose another address', { cause })),
    );
    server.listen(port, host, resolve);
  });
  const at = (server.address() as AddressInfo).port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${at}`,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(
  { metrics, ready }: WatchOptions,
  { url, method }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const send = (status: number, type: string, body: string) =>
    response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(body);
  const say = (status: number, word: string) => send(status, 'application/json', JSON.stringify({ status: word }));
  if (method !== 'GET') return void say(405, 'only GET is answered');
  if (url === '/livez') return void say(200, 'ok');
  if (url === '/readyz') return void ((await ready()) ? say(200, 'ok') : say(503, 'not ready'));
  if (url === '/metrics') {
    // Whether the parties are there is counted where they are asked, and a scraper may be the only one that asks. It
    // does not wait for them: the next scrape has the answer.
    ready().catch(() => undefined);
    return void send(200, 'text/plain; version=0.0.4; charset=utf-8', await metrics.text());
  }
  return void say(404, 'there is /livez, /readyz and /metrics');
}
