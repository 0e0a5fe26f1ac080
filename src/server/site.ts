/**
 * The page's server: the built web app, the deployment document, and the few public files of its models. It sees no
 * text, no share and no key; whoever runs it can replace the page, which is why the page may be served by the data
 * owner's own organisation.
 */
import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, createServer } from 'node:http';
import { type Server as TlsServer, createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { isLoopback } from '../core/address.ts';
import { TercetError } from '../core/errors.ts';
import { DEPLOYMENT_FILE } from '../owner/deployment.ts';
import type { ModelEntry } from '../owner/types/index.ts';
import { Content, contentOf, sendContent } from './content.ts';
import type { WrittenDeployment } from './deployment.ts';
import { FRAME_FILE, WIDGET_FILE, type WidgetScript, widgetScriptOf } from '../widget/snippet.ts';

export interface SiteOptions extends WrittenDeployment {
  /** Folder of the built app. */
  readonly app: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM. Any address but this machine's needs it, or a proxy. */
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  /** Something in front of this server has the TLS: said by whoever runs both. */
  readonly behindProxy?: boolean;
  /**
   * Where pages may load models' public files from, besides this server: origins of a hub and of where it keeps
   * large files, `https://*.example` for all below one.
   */
  readonly hubOrigins?: readonly string[];
  /** Origins of pages that may frame the widget; none named: any page may. The app itself is framed by nobody. */
  readonly widgetHosts?: readonly string[];
}

export interface Site {
  readonly url: string;
  /** What the build says of the script for other pages (`widget.json`), where the app has one. */
  readonly widget: WidgetScript | undefined;
  /** What it serves, in its order. */
  readonly models: readonly ModelEntry[];
  close(): Promise<void>;
}

/** @throws {TercetError} ERR_ARGUMENT for an address that needs TLS and has none, or that cannot be listened on */
export async function serveSite(options: SiteOptions): Promise<Site> {
  checkReach(options);
  const contents = await contentsOf(options);
  const server = serverFor(options, (request, response) => {
    const url = addressOf(request);
    const path = url === undefined ? '' : pathOf(url) || 'index.html';
    apply(response, headersOf(path, options));
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(response, 405, 'only GET is answered here\n');
    const content = contents.get(path);
    if (url === undefined || content === undefined) return send(response, 404, 'there is no such file\n');
    sendContent(request, response, url, content).catch(() => response.destroy());
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}/`,
    widget: widgetOf(contents),
    models: options.document.entries,
    close: () => close(server),
  };
}

/** The page names the identities that parties must prove: whoever can change it on the way can be both of them. */
function checkReach({ host, tls, behindProxy = false }: SiteOptions): void {
  if (tls !== undefined && behindProxy)
    throw new TercetError('ERR_ARGUMENT', 'TLS here and TLS at a proxy exclude each other', 'give one of them');
  if (tls !== undefined || behindProxy || isLoopback(host)) return;
  throw new TercetError(
    'ERR_ARGUMENT',
    `the page would be served on ${host} without TLS`,
    'give --tls-cert and --tls-key, say --behind-proxy if a proxy in front has them, or listen on 127.0.0.1',
  );
}

function serverFor({ tls }: SiteOptions, answer: RequestListener): Server | TlsServer {
  if (tls === undefined) return createServer(answer);
  try {
    return createTlsServer({ ...tls, minVersion: 'TLSv1.2' }, answer);
  } catch (cause) {
    throw new TercetError(
      'ERR_ARGUMENT',
      'the key and the certificate of the page cannot be used',
      'give PEM files that belong together',
      { cause },
    );
  }
}

/** The page where one chooses a tag: it frames the card of its own server, and computes nothing. */
const GENERATOR = 'widget.html';

/**
 * What a browser may do with this page: run its own scripts and workers, talk to its own server, to the two parties
 * and to hubs where they are named, and nothing else.
 *
 * SECURITY: one page alone may be framed by others, because there is nothing to press in it that serves who framed it.
 * test/server/site.test.ts.
 */
function headersOf(
  path: string,
  { document: { parties, dealer }, hubOrigins = [], widgetHosts = [] }: SiteOptions,
): Readonly<Record<string, string>> {
  const origins = [...parties, ...(dealer === undefined ? [] : [dealer])].flatMap(({ url }) => {
    const { origin } = new URL(url);
    return [origin, origin.replace(/^http/, 'ws')];
  });
  const connect = `connect-src 'self' ${[...new Set([...origins, ...hubOrigins])].join(' ')}`;
  const frame = path === FRAME_FILE;
  const policy = [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self'",
    path === GENERATOR ? "connect-src 'self'" : connect,
    // A frame without an origin (`sandbox`) has no script of its own: a worker of one line imports it.
    frame ? "worker-src 'self' blob:" : "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    ...(path === GENERATOR ? ["frame-src 'self'"] : []),
    ...(frame ? ["require-trusted-types-for 'script'", 'trusted-types tercet'] : []),
    ...(frame ? ancestors(widgetHosts) : ["frame-ancestors 'none'"]),
  ];
  return {
    'Content-Security-Policy': policy.join('; '),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
    'Cross-Origin-Opener-Policy': 'same-origin',
    ...(/\.html$/.test(path) && !frame
      ? { 'Cross-Origin-Resource-Policy': 'same-origin' }
      : // Public files, also for the script of another page, and for a frame without an origin.
        { 'Cross-Origin-Resource-Policy': 'cross-origin', 'Access-Control-Allow-Origin': '*' }),
  };
}

/** Its own page frames the card too. */
function ancestors(hosts: readonly string[]): string[] {
  return hosts.length === 0 ? [] : [`frame-ancestors 'self' ${hosts.join(' ')}`];
}

function widgetOf(contents: ReadonlyMap<string, Content>): WidgetScript | undefined {
  const file = contents.get(WIDGET_FILE);
  return file === undefined ? undefined : widgetScriptOf(JSON.parse(new TextDecoder().decode(file.bytes)));
}

function apply(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

/** Everything that is handed out, by path. What a deployment says stands before files of an app of the same name. */
async function contentsOf({ app, document, files }: SiteOptions): Promise<ReadonlyMap<string, Content>> {
  const contents = await contentOf(app);
  contents.set(DEPLOYMENT_FILE, new Content(DEPLOYMENT_FILE, new TextEncoder().encode(JSON.stringify(document))));
  for (const [path, { bytes }] of files) contents.set(path, new Content(path, bytes));
  return contents;
}

/** What was asked for; undefined where it is no address. The host is of no interest. */
function addressOf({ url = '/' }: IncomingMessage): URL | undefined {
  const address = `http://page.invalid${url}`;
  return url.startsWith('/') && URL.canParse(address) ? new URL(address) : undefined;
}

function pathOf({ pathname }: URL): string {
  try {
    return decodeURIComponent(pathname.slice(1));
  } catch {
    return pathname.slice(1);
  }
}

function send(response: ServerResponse, status: number, body: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  response.end(body);
}

async function listen(server: Server | TlsServer, { host, port }: SiteOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    // For good: a connection that cannot be accepted later (no descriptors left) ends nothing.
    server.on('error', (cause) =>
      reject(new TercetError('ERR_ARGUMENT', `cannot listen on ${host}:${port}`, 'choose another --port', { cause })),
    );
    server.listen(port, host, resolve);
  });
}

async function close(server: Server | TlsServer): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
