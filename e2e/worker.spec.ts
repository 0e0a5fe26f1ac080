/** The SDK in a worker of the host's own: the same answer as in a page, over the page's WebRTC where it lends it, else over WebSockets, which is said. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { build } from 'vite';
import type { Told } from './pages/worker/worker.ts';
import { Deployment } from './support/deployment.ts';

declare global {
  interface Window {
    ask(text: string, lend: boolean): Promise<Told>;
  }
}

const TEXT = 'The capital of France is [MASK].';

test('answers in the worker that asks, with and without the WebRTC of its page', async ({ page }) => {
  const app = mkdtempSync(join(tmpdir(), 'tercet-worker-page-'));
  const root = fileURLToPath(new URL('./pages/worker', import.meta.url));
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    base: './',
    worker: { format: 'es' },
    build: { outDir: app, emptyOutDir: true, target: 'es2023', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  });
  const deployment = await Deployment.start({ app });
  try {
    await page.goto(deployment.url);
    await page.waitForFunction(() => 'ask' in window);
    const lent = await page.evaluate((text) => window.ask(text, true), TEXT);
    expect(lent).toMatchObject({ transports: ['webrtc', 'webrtc'], fallbacks: [] });
    expect(lent.tokens[0]).toBe('paris');
    const alone = await page.evaluate((text) => window.ask(text, false), TEXT);
    expect(alone).toMatchObject({ transports: ['websocket', 'websocket'], fallbacks: ['transport to websocket', 'transport to websocket'] });
    expect(alone.tokens).toEqual(lent.tokens);
  } finally {
    await deployment.stop();
    rmSync(app, { recursive: true });
  }
});
