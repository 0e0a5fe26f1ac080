import { App } from '../../e2e/support/app.ts';
import { PATIENCE_MS, expect, test } from '../tour.ts';

const TEXT = 'The capital of Norway is [MASK].';

test('What the curious server saw', async ({ page, deployment, tour }) => {
  const app = new App(page, deployment.url);
  app.patienceMs = PATIENCE_MS;
  await app.open();
  await app.type(TEXT);
  await tour.step('A text', 'It stands in the page of its owner. Two parties hold the model, and run somewhere else.');

  const first = await app.ask(TEXT);
  expect(first[0].word).toBe('oslo');
  await tour.step(
    'An answer',
    'The parties computed it together. Nothing but the page can read it.',
    page.locator('#scores'),
  );

  const before = await app.sums();
  await page.locator('#sums').evaluate((node) => node.closest('details')?.setAttribute('open', ''));
  for (const { keys, total } of before) expect(BigInt.asUintN(64, keys[0] + keys[1])).toBe(BigInt(total));
  await tour.step(
    'What each server saw',
    'Each got a half, and each half opens to a number like any other. Only their sum says which word stood there: 1 for the one that was written, 0 for another.',
    page.locator('#sums'),
  );

  // The same text again: what a server keeps of both runs has nothing in common.
  await app.ask(TEXT);
  const after = await app.sums();
  for (const [i, { keys }] of after.entries()) for (const key of keys) expect(before[i].keys).not.toContain(key);
  await tour.step(
    'The same text again',
    'Other numbers: a server cannot even tell that it was the same text.',
    page.locator('#sums'),
  );

  for (const id of [1, 2] as const) expect(deployment.party(id).log).not.toMatch(/norway|oslo/i);
});
