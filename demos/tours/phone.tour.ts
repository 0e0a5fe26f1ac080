import { App } from '../../e2e/support/app.ts';
import { PATIENCE_MS, expect, test } from '../tour.ts';

test.use({ viewport: { width: 390, height: 844 } });

test('On a phone', async ({ page, deployment, tour }) => {
  const app = new App(page, deployment.url);
  app.patienceMs = PATIENCE_MS;
  await app.open();
  await tour.step('The page', 'One column, from what it is for to the button.');
  const [best] = await app.ask('The capital of Norway is [MASK].');
  expect(best.word).toBe('oslo');
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(sideways, 'nothing is wider than the phone').toBeLessThanOrEqual(0);
  await tour.step('The answer', 'The same, and nothing moves sideways.', page.locator('#answer'));
});
