/** The page's server: what it hands out, compressed and kept as long as that is right, and nothing else. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDeployment } from '../../src/owner/deployment.ts';
import { type Site, type SiteOptions, serveSite } from '../../src/server/site.ts';
import { failure } from '../failure.ts';

const SCRIPT = `// ${'a script that is longer than a header '.repeat(60)}`;
const TOKENIZER = new TextEncoder().encode(JSON.stringify({ vocabulary: 'piece '.repeat(500) }));
const PIN = createHash('sha256').update(TOKENIZER).digest('hex');
const IMMUTABLE = 'public, max-age=31536000, immutable';

let folder: string;
let site: Site;
let served: SiteOptions;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tercet-site-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(folder, 'assets', 'index-AbCd_123.js'), SCRIPT);
  writeFileSync(join(folder, 'theme.js'), SCRIPT);
  writeFileSync(join(folder, 'tiny.wasm'), Uint8Array.of(0, 97, 115, 109));
  const party = (key: string, host: string) => ({ url: `https://${host}.example`, identity: key.repeat(64) });
  const document = parseDeployment({
    version: 1,
    parties: [party('a', 'alder'), party('b', 'birch')],
    models: 'models',
    entries: [
      {
        id: 'tiny',
        task: 'fill-mask',
        title: 'tiny',
        weights: { open: 'c'.repeat(64) },
        files: { 'tokenizer.json': { sha256: PIN, bytes: TOKENIZER.length } },
        examples: [],
      },
    ],
    iceServers: [],
  });
  const files = new Map([['models/tiny/tokenizer.json', { path: 'tokenizer.json', bytes: TOKENIZER }]]);
  writeFileSync(join(folder, 'widget-frame.html'), '<!doctype html><title>card</title>');
  writeFileSync(join(folder, 'widget.html'), '<!doctype html><title>tags</title>');
  writeFileSync(
    join(folder, 'widget.json'),
    JSON.stringify({ script: 'tercet-widget-AbCd_123.js', integrity: 'sha384-abc' }),
  );
  served = { app: folder, document, files, host: '127.0.0.1', port: 0 };
  site = await serveSite(served);
});
afterAll(async () => {
  await site.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** A request as it stands on the wire: fetch would unpack answers. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(site.url);
    const asked = request({ hostname, port, path, headers, method }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('compression', () => {
  it.each([
    ['br, gzip', 'br', brotliDecompressSync],
    ['gzip, deflate, br;q=0.5', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['br;q=0, gzip;q=1.0', 'gzip', gunzipSync],
  ] as const)('of a client that takes %s is %s', async (accepted, encoding, unpack) => {
    for (const path of ['/assets/index-AbCd_123.js', '/models/tiny/tokenizer.json']) {
      const { headers, body } = await get(path, { 'accept-encoding': accepted });
      expect(headers).toMatchObject({
        'content-encoding': encoding,
        vary: 'Accept-Encoding',
        'content-length': String(body.length),
      });
      const plain = await get(path);
      expect(plain.headers['content-encoding']).toBeUndefined();
      expect(body.length).toBeLessThan(plain.body.length / 4);
      expect(unpack(body)).toEqual(plain.body);
      expect(headers.etag).not.toBe(plain.headers.etag);
    }
  });

  it('is not made of what is too small for it', async () => {
    expect((await get('/tiny.wasm', { 'accept-encoding': 'br' })).headers).toMatchObject({
      'content-type': 'application/wasm',
      'content-length': '4',
    });
  });
});

describe('keeping', () => {
  it('is for good where the address names the content, else asked about each time', async () => {
    const kept = async (path: string) => (await get(path)).headers['cache-control'];
    expect(await kept('/assets/index-AbCd_123.js')).toBe(IMMUTABLE);
    expect(await kept(`/models/tiny/tokenizer.json?sha256=${PIN}`)).toBe(IMMUTABLE);
    for (const path of [
      '/',
      '/theme.js',
      '/tercet.json',
      '/models/tiny/tokenizer.json',
      `/models/tiny/tokenizer.json?sha256=${'0'.repeat(64)}`,
    ])
      expect(await kept(path), path).toBe('no-cache');
    expect(await kept('/nothing')).toBe('no-store');
  });

  it('needs no second transfer of the same file in the same form', async () => {
    const first = await get('/tercet.json', { 'accept-encoding': 'br' });
    const again = await get('/tercet.json', { 'accept-encoding': 'br', 'if-none-match': String(first.headers.etag) });
    expect([again.status, again.body.length]).toEqual([304, 0]);
    expect((await get('/tercet.json', { 'if-none-match': String(first.headers.etag) })).status).toBe(200);
  });
});

describe('who may frame what', () => {
  const policy = async (path: string) => String((await get(path)).headers['content-security-policy']);

  it('any page the card, and nobody anything else', async () => {
    expect(await policy('/widget-frame.html')).not.toContain('frame-ancestors');
    for (const path of ['/', '/index.html', '/widget.html', '/theme.js', '/tercet.json', '/nothing'])
      expect(await policy(path), path).toContain("frame-ancestors 'none'");
  });

  it('the named ones, where some are named', async () => {
    const some = await serveSite({ ...served, widgetHosts: ['https://news.example'] });
    try {
      const { headers } = await fetch(`${some.url}widget-frame.html`);
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'self' https://news.example");
      const app = await fetch(some.url);
      expect(app.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    } finally {
      await some.close();
    }
  });

  it('the card starts its own scripts alone, by a policy of Trusted Types', async () => {
    const card = await policy('/widget-frame.html');
    for (const part of [
      "script-src 'self' 'wasm-unsafe-eval'",
      "require-trusted-types-for 'script'",
      'trusted-types tercet',
    ])
      expect(card).toContain(part);
    expect(card).not.toMatch(/unsafe-inline|'unsafe-eval'/);
  });

  it('scripts and public files may be loaded by pages of others, pages may not', async () => {
    const open = async (path: string) => {
      const { headers } = await get(path);
      return [headers['cross-origin-resource-policy'], headers['access-control-allow-origin']];
    };
    for (const path of ['/theme.js', '/tercet.json', '/widget-frame.html'])
      expect(await open(path)).toEqual(['cross-origin', '*']);
    for (const path of ['/', '/widget.html']) expect(await open(path)).toEqual(['same-origin', undefined]);
  });

  it('and what the build says of the script for other pages', () => {
    expect(site.widget).toEqual({ script: 'tercet-widget-AbCd_123.js', integrity: 'sha384-abc' });
    expect(site.models.map(({ id }) => id)).toEqual(['tiny']);
  });
});

describe('what is handed out', () => {
  it('is the page, its files, the deployment and its public files, with the page’s policy on each', async () => {
    for (const [path, type] of [
      ['/', 'text/html; charset=utf-8'],
      ['/index.html', 'text/html; charset=utf-8'],
      ['/theme.js', 'text/javascript; charset=utf-8'],
      ['/tercet.json', 'application/json'],
    ]) {
      const { status, headers } = await get(path);
      expect([status, headers['content-type']]).toEqual([200, type]);
      expect(headers['content-security-policy']).toContain("default-src 'none'");
    }
    const head = await get('/theme.js', {}, 'HEAD');
    expect([head.status, head.body.length, head.headers['content-length']]).toEqual([200, 0, String(SCRIPT.length)]);
  });

  it.each([
    '/../site.test.ts',
    '/..%2f..%2fetc/passwd',
    '/%',
    '//theme.js',
    '/assets',
    '/constructor',
    '/models/tiny/model.safetensors',
  ])('is nothing at %s', async (path) => expect((await get(path)).status).toBe(404));

  it('is asked for with GET only, and needs a page in the folder', async () => {
    expect((await get('/', {}, 'POST')).status).toBe(405);
    const empty = mkdtempSync(join(tmpdir(), 'tercet-empty-'));
    const document = { parties: [{ url: 'https://a.example' }, { url: 'https://b.example' }] } as never;
    await failure('ERR_ARGUMENT', () =>
      serveSite({ app: empty, document, files: new Map(), host: '127.0.0.1', port: 0 }),
    );
    await failure('ERR_ARGUMENT', () =>
      serveSite({ app: join(empty, 'no'), document, files: new Map(), host: '127.0.0.1', port: 0 }),
    );
    rmSync(empty, { recursive: true });
  });
});
