/**
 * A hub in miniature: the URL layout, headers and redirects of the real one, with large files on an origin of their
 * own. It can misbehave in every way that matters.
 */
import { createHash } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

export interface Served {
  readonly bytes: Uint8Array;
  /** Large files lie elsewhere and are named by SHA-256. */
  readonly large?: boolean;
}

export type Trouble =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly code?: string;
      readonly times?: number;
      readonly retryAfter?: string;
    }
  | { readonly kind: 'html'; readonly status?: number }
  /** The connection breaks after so many bytes, so many times. */
  | { readonly kind: 'cut'; readonly after: number; readonly times: number }
  /** So many bytes, and then nothing. */
  | { readonly kind: 'silent'; readonly after: number; readonly times: number }
  | { readonly kind: 'corrupt' }
  /**
   * The connection breaks once after so many bytes, and the rest comes without its range, is refused (416), or is
   * another part.
   */
  | {
      readonly kind: 'bad-rest';
      readonly after: number;
      readonly rest: 'unnamed' | 'refused' | 'other' | 'wrong bytes';
    }
  /** What the hub says of the file is this instead. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> }
  /** Everything is redirected to another server. */
  | { readonly kind: 'portal'; readonly page: boolean }
  /** A proxy in between follows the redirect to the storage itself. */
  | { readonly kind: 'followed' }
  | { readonly kind: 'no-digest' };

export const COMMIT = '1234567890abcdef1234567890abcdef12345678';

export class TestHub {
  readonly files = new Map<string, Served>();
  /** By file. */
  readonly troubles = new Map<string, Trouble>();
  readonly requests: {
    readonly method: string;
    readonly url: string;
    readonly at: 'hub' | 'cdn';
    readonly range: string | undefined;
    readonly authorization: string | undefined;
    readonly referer: string | undefined;
    readonly cookie: string | undefined;
    /** What a browser asks before a request that is not simple. */
    readonly preflight: boolean;
  }[] = [];
  /** Bytes of content that were sent, by file. */
  readonly sent = new Map<string, number>();
  token: string | undefined;
  ranges = true;
  /**
   * Small files are compressed for those who take it, and reached by a redirect within the hub: both as the real
   * one does.
   */
  readonly real: boolean;
  commit = COMMIT;
  readonly #hub: Server;
  readonly #cdn: Server;

  constructor({ real = false }: { readonly real?: boolean } = {}) {
    this.real = real;
    this.#hub = createServer((request, response) => this.#answer(request, response, 'hub'));
    this.#cdn = createServer((request, response) => this.#answer(request, response, 'cdn'));
  }

  async start(): Promise<void> {
    for (const server of [this.#hub, this.#cdn])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    for (const server of [this.#hub, this.#cdn]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#hub.address() as AddressInfo).port}`;
  }

  get cdnUrl(): string {
    return `http://127.0.0.1:${(this.#cdn.address() as AddressInfo).port}`;
  }

  #answer(request: IncomingMessage, response: ServerResponse, at: 'hub' | 'cdn'): void {
    const { method = '', url = '', headers } = request;
    const { range, authorization, referer, cookie } = headers;
    this.requests.push({ method, url, at, range, authorization, referer, cookie, preflight: method === 'OPTIONS' });
    // Pages of any origin may read both servers; of the hub's own headers they see those that it names.
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader(
      'access-control-expose-headers',
      'X-Repo-Commit,ETag,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag',
    );
    const moved = /^\/api\/resolve-cache\/models\/acme\/model\/[^/]+\/(.+)$/.exec(url)?.[1];
    const file = moved ?? /^\/acme\/model\/resolve\/[^/]+\/(.+)$/.exec(url)?.[1] ?? /^\/blobs\/(.+)$/.exec(url)?.[1];
    const served = file === undefined ? undefined : this.files.get(file);
    const trouble = file === undefined ? undefined : this.troubles.get(file);
    if (at === 'hub' && this.token !== undefined && headers.authorization !== `Bearer ${this.token}`)
      return void response.writeHead(401).end();
    if (trouble?.kind === 'status' && this.#counts(file as string, trouble))
      return void response
        .writeHead(trouble.status, {
          ...(trouble.code === undefined ? {} : { 'x-error-code': trouble.code }),
          ...(trouble.retryAfter === undefined ? {} : { 'retry-after': trouble.retryAfter }),
        })
        .end();
    if (file === undefined || served === undefined)
      return void response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
    if (trouble?.kind === 'html')
      return void response
        .writeHead(trouble.status ?? 200, { 'content-type': 'text/html', 'content-length': 15 })
        .end('<html>no</html>');
    const { bytes, large = false } = served;
    if (trouble?.kind === 'portal') {
      if (at === 'hub') return void response.writeHead(302, { location: `${this.cdnUrl}/blobs/${file}` }).end();
      return void response
        .writeHead(200, { 'content-type': trouble.page ? 'text/html; charset=utf-8' : 'application/json' })
        .end();
    }
    if (at === 'hub' && trouble?.kind !== 'followed') {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const blob = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
      const described =
        trouble?.kind === 'headers'
          ? trouble.headers
          : trouble?.kind === 'no-digest'
            ? {}
            : large
              ? { 'x-linked-etag': `"${sha256}"`, 'x-linked-size': String(bytes.length) }
              : { etag: `"${blob}"` };
      const common = { 'x-repo-commit': this.commit, ...described };
      if (large) {
        return void response.writeHead(302, { ...common, location: `${this.cdnUrl}/blobs/${file}` }).end();
      }
      if (this.real && moved === undefined) {
        const location = `/api/resolve-cache/models/acme/model/${this.commit}/${file}`;
        return void response.writeHead(307, { 'x-repo-commit': this.commit, location }).end();
      }
      for (const [name, value] of Object.entries(common)) response.setHeader(name, value);
    }
    this.#content(
      request,
      response,
      file,
      trouble?.kind === 'corrupt' ? bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) : bytes,
      trouble,
    );
  }

  #content(
    { method, headers }: IncomingMessage,
    response: ServerResponse,
    file: string,
    bytes: Uint8Array,
    trouble: Trouble | undefined,
  ): void {
    const from = this.ranges ? Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0) : 0;
    const packed = this.real && from === 0 && /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
    if (packed) response.setHeader('content-encoding', 'gzip');
    if (trouble?.kind === 'bad-rest' && from > 0 && trouble.rest === 'refused')
      return void response.writeHead(416).end();
    const rest = bytes.subarray(from);
    const part = packed
      ? gzipSync(bytes)
      : trouble?.kind === 'bad-rest' && trouble.rest === 'wrong bytes' && from > 0
        ? rest.map((byte) => byte ^ 1)
        : rest;
    const shown = trouble?.kind === 'bad-rest' && trouble.rest === 'other' ? from + 1 : from;
    if (from > 0 && !(trouble?.kind === 'bad-rest' && trouble.rest === 'unnamed'))
      response.setHeader('content-range', `bytes ${shown}-${bytes.length - 1}/${bytes.length}`);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': String(part.length) });
    if (method === 'HEAD') return void response.end();
    const cutOnce = trouble?.kind === 'bad-rest' && this.#counts(file, { times: 1 });
    const broken = cutOnce || ((trouble?.kind === 'cut' || trouble?.kind === 'silent') && this.#counts(file, trouble));
    const cut = broken ? part.subarray(0, trouble.after) : part;
    this.sent.set(file, (this.sent.get(file) ?? 0) + cut.length);
    if (broken && trouble.kind === 'silent') return void response.write(cut);
    // A browser forgets what it was not yet asked for when a connection breaks, so that comes a moment later.
    const end = () => (cut.length < part.length ? response.socket?.end() : response.end());
    response.write(cut, () => (broken && this.real ? setTimeout(end, 200) : end()));
  }

  readonly #used = new Map<string, number>();

  #counts(file: string, { times = Number.POSITIVE_INFINITY }: { readonly times?: number }): boolean {
    const used = (this.#used.get(file) ?? 0) + 1;
    this.#used.set(file, used);
    return used <= times;
  }
}
