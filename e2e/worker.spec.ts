/**
 * The SDK in a worker of the host's own: the same answer as in a page, over the page's WebRTC where it lends it,
 * else over WebSockets, which is said.
 */
import type { Told } from './pages/worker/worker.ts';
import { buildPage } from './support/page.ts';
import { expect, test } from './support/test.ts';

declare global {
  interface Window {
    ask(text: string, lend: boolean): Promise<Told>;
  }
}

const TEXT = 'The capital of France is [MASK].';

test('answers in the worker that asks, with and without the WebRTC of its page', async ({ page, deployment }) => {
  const built = await buildPage('worker');
  const front = await deployment.front(built.folder);
  try {
    await page.goto(front.url);
    await page.waitForFunction(() => 'ask' in window);
    const lent = await page.evaluate((text) => window.ask(text, true), TEXT);
    expect(lent).toMatchObject({ transports: ['webrtc', 'webrtc'], fallbacks: [] });
    expect(lent.tokens[0]).toBe('paris');
    const alone = await page.evaluate((text) => window.ask(text, false), TEXT);
    expect(alone).toMatchObject({
      transports: ['websocket', 'websocket'],
      fallbacks: ['transport to websocket', 'transport to websocket'],
    });
    expect(alone.tokens).toEqual(lent.tokens);
  } finally {
    await front.stop();
    built.remove();
  }
});
