/** `test` with the widget's server, and a page of somebody else on another origin. */
import type { Frame, Page } from '@playwright/test';
import type { WidgetEventDetails } from '../../src/widget/types.ts';
import { Host } from './host.ts';
import { ARGS, chromium } from './browser.ts';
import { begins, enabled } from './soon.ts';
import { test as base, expect } from './test.ts';

export const test = base.extend<object, { readonly host: Host }>({
  launchOptions: [
    // Chromium asks before a page of one loopback name loads a shared worker of another; no real site is on loopback.
    { executablePath: chromium(), args: [...ARGS, '--disable-features=LocalNetworkAccessChecks'] },
    { scope: 'worker' },
  ],
  // Pages without an origin are served too: one of them stands in a sandbox.
  deploymentOptions: [{ origins: ['null'] }, { scope: 'worker' }],
  host: [
    async ({ deployment }, use) => {
      const host = await Host.start(deployment.url);
      await use(host);
      await host.stop();
    },
    { scope: 'worker' },
  ],
});

export { expect } from './test.ts';

/** For `test.setTimeout` in each file: said here it would hold for the first file alone that a worker loads. */
export const LONG_MS = 150_000;

/** A run on a busy machine. */
export const PATIENCE_MS = 45_000;

export const TEXT = 'A warm and funny film, said nobody but Ludmila.';

export function tag(attributes = '', id = 'card'): string {
  return `<tercet-infer id="${id}" model="sst2-bert" task="text-classification" ${attributes}></tercet-infer>`;
}

/** What a page hears of its cards, in `window.heard`; and what it complains of. */
export const LISTEN = `
window.heard = [];
window.refused = [];
document.addEventListener('securitypolicyviolation', (event) => refused.push(event.violatedDirective + ' ' + event.blockedURI));
for (const type of ['ready', 'progress', 'result', 'error', 'fallback'])
  document.addEventListener(type, (event) => heard.push({ type, detail: event.detail }));
`;

export interface Heard {
  readonly type: keyof WidgetEventDetails;
  readonly detail: Readonly<Record<string, unknown>>;
}

declare global {
  interface Window {
    heard: Heard[];
    refused: string[];
  }
}

export const heard = (page: Page | Frame): Promise<Heard[]> => page.evaluate(() => window.heard);

/** The card's own document, once it can run. */
export async function cardOf(page: Page | Frame, selector = '#card', ready = true): Promise<Frame> {
  const handle = await page.locator(`${selector} iframe`).elementHandle({ timeout: 15_000 });
  const frame = await handle?.contentFrame();
  if (frame === null || frame === undefined) throw new Error('the card has no frame');
  if (ready) await enabled(frame, '#run', PATIENCE_MS);
  return frame;
}

export async function answered(card: Frame, label = 'POSITIVE'): Promise<void> {
  await expect(await begins(card, '#answer', label, PATIENCE_MS)).toHaveText(label, { timeout: 1_000 });
}

export async function run(card: Frame, text = TEXT): Promise<void> {
  await card.locator('#text').fill(text);
  await press(card);
}

/**
 * Chromium drops a click into a frame that looks out for what covers it, as the card does, if that frame moved within
 * the last half second.
 */
const STILL_MS = 600;

/** The card's button, as a person presses it: once the card stands still. */
export async function press(card: Frame): Promise<void> {
  const button = card.locator('#run');
  await button.scrollIntoViewIfNeeded();
  const frame = await card.frameElement();
  await frame.evaluate(async (element, still) => {
    const place = (): string => JSON.stringify((element as Element).getBoundingClientRect());
    const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
    let [since, at] = [performance.now(), place()];
    while (performance.now() - since < still) {
      await soon();
      const now = place();
      if (now !== at) [since, at] = [performance.now(), now];
    }
  }, STILL_MS);
  await button.click();
}
