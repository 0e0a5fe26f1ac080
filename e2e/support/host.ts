/** Somebody else's page: served from an origin of its own, with the headers that its test gives it. */
import { type Server, createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { WidgetScript } from '../../src/widget/snippet.ts';

export interface HostPage {
  /** What stands in its body; the widget's script is in its head. */
  readonly body: string;
  /** A script of the page's own, as a file: no policy forbids it. */
  readonly script?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class Host {
  readonly #server: Server;
  readonly #site: string;
  readonly #tag: WidgetScript;
  readonly #pages = new Map<string, HostPage>();

  private constructor(server: Server, site: string, tag: WidgetScript) {
    this.#server = server;
    this.#site = site;
    this.#tag = tag;
  }

  /** @param site address of the server of the widget */
  static async start(site: string): Promise<Host> {
    const tag = (await (await fetch(new URL('widget.json', site))).json()) as WidgetScript;
    const server = createServer((request, response) => {
      const path = new URL(request.url ?? '/', 'http://host').pathname;
      const page = host.#pages.get(path.replace(/\.js$/, ''));
      if (page === undefined) response.writeHead(404).end();
      else if (path.endsWith('.js'))
        response
          .writeHead(200, { 'content-type': 'text/javascript', 'access-control-allow-origin': '*' })
          .end(page.script);
      else response.writeHead(200, { 'content-type': 'text/html', ...page.headers }).end(host.#html(path, page));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const host = new Host(server, site, tag);
    return host;
  }

  /** Another host name and another port than the widget's. */
  get origin(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Address of a page that is then there. */
  page(name: string, page: HostPage): string {
    this.#pages.set(`/${name}`, page);
    return `${this.origin}/${name}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #html(path: string, { body, script }: HostPage): string {
    const { script: name, integrity } = this.#tag;
    const own = script === undefined ? '' : `<script type="module" src="${path}.js"></script>`;
    return `<!doctype html><html lang="en"><meta charset="utf-8"><title>News</title>
<script type="module" src="${new URL(name, this.#site).href}" integrity="${integrity}" crossorigin></script>${own}
<body><h1>News</h1>${body}</body></html>`;
  }
}
