/**
 * The same conformance suite and vectors on WebGPU kernels in a page of Chromium, which the suite calls from Node.
 * The page reaches no network but its own server.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Page, chromium } from 'playwright-core';
import { build } from 'vite';
import { afterAll, expect, it } from 'vitest';
import { chromiumPath } from '../../scripts/find-chromium.mjs';
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import { type ErrorCode, TercetError } from '../../src/core/errors.ts';
import { chachaVectors } from '../compute/chacha.suite.ts';
import { conformance } from '../compute/kernels.suite.ts';
import { type Answer, decode, encode } from './remote.ts';

const FLAGS = [
  ...[
    '--no-sandbox',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    '--disable-quic',
  ],
  ...['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
];

/** The page's script, bundled. */
async function bundle(): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-page-'));
  try {
    await build({
      configFile: false,
      logLevel: 'error',
      publicDir: false,
      build: {
        outDir: folder,
        minify: false,
        lib: { entry: fileURLToPath(new URL('page.ts', import.meta.url)), formats: ['es'], fileName: () => 'page.js' },
      },
    });
    return readFileSync(join(folder, 'page.js'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const script = await bundle();
const server = createServer((request, response) => {
  const page = request.url === '/';
  response.setHeader('content-type', page ? 'text/html' : 'text/javascript');
  response.end(page ? '<!doctype html><script type="module" src="/page.js"></script>' : script);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await chromium.launch({ executablePath: chromiumPath(), args: FLAGS });
afterAll(async () => {
  await browser.close();
  server.close();
});

async function openPage(): Promise<{ page: Page; description: string }> {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return { page, description: await page.evaluate(() => window.openKernels()) };
}

/** Kernels whose every call is one of the page. */
async function remoteKernels(): Promise<RingKernels> {
  const { page } = await openPage();
  return new Proxy({} as RingKernels, {
    get: (_target, name) => {
      if (name === 'name') return 'webgpu';
      // What is awaited is asked for `then`.
      if (name === 'then' || typeof name === 'symbol') return undefined;
      // Optional, and WebGPU has none.
      if (['entries', 'columns', 'matmulDrawn', 'matmulPlaced', 'makesCosines', 'atOnce'].includes(name))
        return undefined;
      if (name === 'close') return () => page.close();
      // Results have been read in the page.
      if (name === 'read') return (x: unknown) => Promise.resolve(x);
      return async (...args: unknown[]) => {
        // Text, because a page would otherwise walk through every argument once more.
        const given: [string, string] = [name, JSON.stringify(encode(args))];
        const answer = decode(
          JSON.parse(await page.evaluate(([method, text]) => window.callKernels(method, text), given)),
        ) as Answer;
        if ('error' in answer)
          throw new TercetError(answer.error.code as ErrorCode, answer.error.message, answer.error.hint);
        return answer.value;
      };
    },
  });
}

it('a page opens a device with the limits of its adapter', async () => {
  const { page, description } = await openPage();
  const { limits, adapter } = JSON.parse(description) as {
    limits: { bindingBytes: number };
    adapter: { vendor: string };
  };
  expect(limits.bindingBytes).toBeGreaterThan(2 ** 27);
  expect(adapter.vendor).not.toBe('');
  await page.close();
});

chachaVectors('webgpu in Chromium', remoteKernels);
conformance('webgpu in Chromium', remoteKernels);
