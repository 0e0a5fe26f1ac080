/**
 * How the page cuts its work: one long task would hold up a slow device for a second. What one task does is counted
 * by what it changes in the document, never by a clock.
 */
import { expect, test } from './support/scripted.ts';

interface Turn {
  /** Nodes that were added in one go. */
  readonly added: number;
  /** What is there, or shown, at the end of it. */
  readonly tasks: boolean;
  readonly figures: boolean;
  readonly loaded: boolean;
  readonly answer: boolean;
  readonly evidence: boolean;
}

/** Nodes of one go, of about 600 that a run changes. */
const MOST_ADDED = 400;

test('wiring, first drawing and loading are tasks of their own; the evidence follows the answer', async ({
  page,
  scripted,
}) => {
  await page.addInitScript(() => {
    const turns: Turn[] = [];
    Object.assign(globalThis, { turns });
    const there = (selector: string) => document.querySelector(selector) !== null;
    const shown = (selector: string) => there(`${selector}:not([hidden])`);
    // Observers are called when a task, or a callback of the browser, is over.
    new MutationObserver((records) => {
      turns.push({
        added: records
          .flatMap(({ addedNodes }) => [...addedNodes])
          .reduce((sum, node) => sum + (node instanceof Element ? 1 + node.querySelectorAll('*').length : 0), 0),
        tasks: there('#tasks input'),
        figures: (document.querySelector('[data-hex]')?.textContent ?? '') !== '',
        loaded: there('#examples button'),
        answer: shown('.slot-in[data-when="result"]'),
        evidence: shown('#saw'),
      });
    }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  });
  await page.goto(`${scripted}?script=ok&pace=5`);
  await expect(page.locator('#run')).toBeEnabled();
  await page.locator('#run').click();
  await expect(page.locator('#saw')).toBeVisible();
  const turns = await page.evaluate(() => (globalThis as unknown as { readonly turns: Turn[] }).turns);

  const first = (name: Exclude<keyof Turn, 'added'>) => turns.findIndex((turn) => turn[name]);
  const order = (['tasks', 'figures', 'loaded', 'answer', 'evidence'] as const).map(first);
  expect(order[0]).toBeGreaterThanOrEqual(0);
  for (const [i, turn] of order.entries()) if (i > 0) expect(turn, `${order}`).toBeGreaterThan(order[i - 1]);
  for (const { added } of turns.slice(order[1])) expect(added).toBeLessThan(MOST_ADDED);
});
