/**
 * What a data owner downloads: every way that a server can be wrong has its own sentence, and nothing that was not
 * checked is handed on.
 */
import { createHash } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downloadJson } from '../../src/owner/download.ts';
import { downloadPinned } from '../../src/owner/pinned-download.ts';
import { failure } from '../failure.ts';

const BODY = JSON.stringify({ model: 'tiny', padding: 'x'.repeat(5000) });
const PIN = { sha256: createHash('sha256').update(BODY).digest('hex'), bytes: BODY.length };
const HTML = '<!doctype html><html><body>the start page</body></html>';

let server: Server;
let base: string;
/** How often each path was asked for. */
const asked = new Map<string, number>();
/** Pins that were in addresses. */
const pins = new Set<string>();
let mended = false;

beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname: path, searchParams } = new URL(request.url ?? '', 'http://server.example');
    pins.add(searchParams.get('sha256') ?? '');
    asked.set(path, (asked.get(path) ?? 0) + 1);
    if (path === '/good') return response.writeHead(200, { 'content-type': 'application/json' }).end(BODY);
    if (path === '/404') return response.writeHead(404, { 'content-type': 'text/plain' }).end('no');
    if (path === '/401') return response.writeHead(401).end('who are you?');
    if (path === '/html') return response.writeHead(200, { 'content-type': 'text/html' }).end(HTML);
    if (path === '/html-as-json') return response.writeHead(200, { 'content-type': 'application/json' }).end(HTML);
    if (path === '/corrupted') return response.writeHead(200).end(BODY.replace('tiny', 'tinz'));
    if (path === '/short') return response.writeHead(200).end(BODY.slice(1));
    if (path === '/endless') {
      response.writeHead(200);
      forever(response);
      return;
    }
    if (path === '/breaks') {
      response.writeHead(200, { 'content-length': String(BODY.length) });
      response.write(BODY.slice(0, 1000), () => response.destroy());
      return;
    }
    if (path === '/mended')
      return response
        .writeHead(200, { 'content-type': mended ? 'application/json' : 'text/html', 'cache-control': 'max-age=3600' })
        .end(mended ? BODY : HTML);
    response.writeHead(200).flushHeaders();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function forever(response: import('node:http').ServerResponse): void {
  const more = () => {
    if (!response.destroyed) response.write('y'.repeat(50_000), () => setImmediate(more));
  };
  more();
}

const download = (path: string, signal?: AbortSignal) =>
  downloadPinned(`${base}${path}`, 'tokenizer.json', PIN, { fetch, signal });

describe('a pinned file', () => {
  it('is handed on when its bytes are the published ones, with progress to the end', async () => {
    const progress: [number, number][] = [];
    const bytes = await downloadPinned(`${base}/good`, 'tokenizer.json', PIN, {
      fetch,
      onProgress: (loaded, total) => progress.push([loaded, total]),
    });
    expect(new TextDecoder().decode(bytes)).toBe(BODY);
    expect(progress.at(-1)).toEqual([BODY.length, BODY.length]);
    // One request, whose address tells what is in the file: that may be kept for good.
    expect(asked.get('/good')).toBe(1);
    expect(pins).toEqual(new Set([PIN.sha256]));
  });

  it.each([
    ['/404', 'ERR_DOWNLOAD', /answered 404/],
    ['/401', 'ERR_DOWNLOAD', /answered 401/],
    ['/html', 'ERR_DOWNLOAD', /web page instead of tokenizer\.json/],
    ['/html-as-json', 'ERR_DOWNLOAD', /web page instead of tokenizer\.json/],
    ['/corrupted', 'ERR_INTEGRITY', /not the file that this model was published with/],
    ['/short', 'ERR_INTEGRITY', /not the file/],
    ['/endless', 'ERR_INTEGRITY', /longer than it was published/],
    ['/breaks', 'ERR_DOWNLOAD', /connection broke/],
  ] as const)('%s is refused: %s', async (path, code, message) => {
    const error = await failure(code, () => download(path));
    expect(error.message).toMatch(message);
    // No message repeats what the server sent.
    expect(`${error.message} ${error.hint}`).not.toMatch(/start page<|who are you|doctype/);
  });

  it('of a server that is not there is ERR_DOWNLOAD', async () => {
    await failure('ERR_DOWNLOAD', () => downloadPinned('http://127.0.0.1:1/x', 'config.json', PIN, { fetch }));
  });

  it('can be cancelled before and while it comes', async () => {
    await failure('ERR_ABORTED', () => download('/good', AbortSignal.abort()));
    const control = new AbortController();
    const pending = download('/never', control.signal);
    setTimeout(() => control.abort(), 20);
    await failure('ERR_ABORTED', () => pending);
  });

  it('that a cache has otherwise is asked for past it, once: a mended server is believed at once', async () => {
    const modes: (RequestCache | undefined)[] = [];
    const kept = new Map<string, Response>();
    // A browser's cache, as far as it matters: what came is kept, unless `reload` looks past it.
    const caching: typeof fetch = async (url, init) => {
      modes.push(init?.cache);
      const key = String(url);
      const response = init?.cache === 'reload' ? undefined : kept.get(key);
      kept.set(key, response ?? (await fetch(url, init)));
      return (kept.get(key) as Response).clone();
    };
    const load = () => downloadPinned(`${base}/mended`, 'tokenizer.json', PIN, { fetch: caching });
    await failure('ERR_DOWNLOAD', load);
    mended = true;
    expect((await load()).length).toBe(BODY.length);
    expect(modes).toEqual(['default', 'reload', 'default', 'reload']);
    expect(asked.get('/mended')).toBe(3);
    expect((await load()).length).toBe(BODY.length);
    expect(asked.get('/mended')).toBe(3);
  });

  it('is asked for once where nothing came at all', async () => {
    await failure('ERR_DOWNLOAD', () => download('/breaks'));
    expect(asked.get('/breaks')).toBe(2);
  });
});

describe('the deployment document', () => {
  it('that is no JSON, or a web page, is ERR_DOWNLOAD', async () => {
    expect((await downloadJson(`${base}/good`, 'tercet.json', { fetch })).json).toMatchObject({ model: 'tiny' });
    await failure('ERR_DOWNLOAD', () => downloadJson(`${base}/short`, 'tercet.json', { fetch }));
    await failure('ERR_DOWNLOAD', () => downloadJson(`${base}/html`, 'tercet.json', { fetch }));
  });
});
