import { App } from '../../e2e/support/app.ts';
import { PATIENCE_MS, expect, test } from '../tour.ts';

// The parties' links are paced like a home's: little goes up, more comes down.
test.use({ deploymentOptions: { profile: 'home' } });

const TEXT = 'The capital of Norway is [MASK].';

test('A thin uplink, with and without prepare', async ({ page, deployment, tour }) => {
  const app = new App(page, deployment.url);
  app.patienceMs = PATIENCE_MS;
  await app.open();
  await app.prepareWhileTyping(false);
  expect((await app.ask(TEXT))[0].word).toBe('oslo');
  const phases = page.locator('#phases');
  await tour.step('Without prepare', 'All that the parties need ahead goes up once the button is pressed.', phases);

  await app.prepareWhileTyping(true);
  await app.type('The capital of Spain is [MASK].');
  await expect(app.readiness).toHaveText(/^Ready for \d+ tokens,/, { timeout: PATIENCE_MS });
  await tour.step(
    'While one types',
    'The same bytes go up before there is a text: they do not depend on it.',
    app.readiness,
  );
  expect((await app.again())[0].word).toBe('madrid');
  await tour.step('With prepare', 'One small message went out with the text, and one came back.', phases);
});
