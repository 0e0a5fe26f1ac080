/**
 * A server in front of the page's own: counts what is asked for, and answers wrongly where it is told to, as broken
 * hosting does.
 */
import { existsSync, readFileSync } from 'node:fs';
import { type Server, type ServerResponse, createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { lookup } from 'mrmime';

export interface Fault {
  readonly type: string;
  body(real: Uint8Array): Uint8Array | string;
}

export class Front {
  readonly url: string;
  /** What was asked for and came, in its order. */
  readonly served: { readonly path: string; readonly bytes: number }[] = [];
  /** By path. */
  readonly faults = new Map<string, Fault>();
  readonly #target: string;
  readonly #server: Server;
  readonly #page: string | undefined;

  private constructor(target: string, port: number, page: string | undefined) {
    this.#target = target;
    this.#page = page;
    this.url = `http://127.0.0.1:${port}/`;
    this.#server = createServer((request, response) => {
      this.#serve(request.url ?? '/', response).catch(() => response.destroy());
    }).listen(port, '127.0.0.1');
  }

  /** @param page folder of a page that stands in place of the web app */
  static async start(target: string, port: number, page?: string): Promise<Front> {
    const front = new Front(target, port, page);
    await once(front.#server, 'listening');
    return front;
  }

  /** The sizes in which a file went out. */
  sizes(path: string): number[] {
    return this.served.filter((file) => file.path === path).map(({ bytes }) => bytes);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(path: string, response: ServerResponse): Promise<void> {
    const own = this.#page === undefined ? '' : join(this.#page, path === '/' ? 'index.html' : path);
    if (existsSync(own)) {
      response.writeHead(200, { 'content-type': lookup(own) ?? '' }).end(readFileSync(own));
      return;
    }
    const real = await fetch(new URL(path, this.#target));
    const body = new Uint8Array(await real.arrayBuffer());
    for (const [name, value] of real.headers) {
      if (!['content-length', 'connection', 'keep-alive', 'transfer-encoding', 'content-encoding'].includes(name))
        response.setHeader(name, value);
    }
    const { pathname } = new URL(path, this.#target);
    const fault = this.faults.get(pathname);
    if (fault !== undefined) {
      response.setHeader('content-type', fault.type);
      // As bad as it gets: what is wrong may be kept for a day.
      response.setHeader('cache-control', 'public, max-age=86400, immutable');
    }
    const sent = Buffer.from(fault?.body(body) ?? body);
    this.served.push({ path: pathname, bytes: sent.length });
    response.writeHead(real.status).end(sent);
  }
}
