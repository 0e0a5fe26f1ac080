import { App } from '../../e2e/support/app.ts';
import { PATIENCE_MS, expect, test } from '../tour.ts';

// Slow enough to be interrupted.
test.use({ deploymentOptions: { profile: 'wan-cloud' } });

test('A compute party that dies', async ({ page, deployment, tour }) => {
  const app = new App(page, deployment.url);
  app.patienceMs = PATIENCE_MS;
  await app.open();
  await app.run('The capital of Spain is [MASK].');
  await app.middle();
  await tour.step('In the middle of a run', 'Both parties work on what neither can read.');

  await deployment.party(2).signal('SIGKILL');
  await expect(app.error).toBeVisible({ timeout: PATIENCE_MS });
  await expect(app.error).toContainText(/Birch|[Pp]arty 2/);
  await tour.step(
    'Party 2 is gone',
    'The page says which one, and what to do. There is no answer, and no guess.',
    app.error,
  );

  await deployment.restart(2);
  const [best] = await app.again();
  expect(best.word).toBe('madrid');
  await tour.step('It is back', 'The same tab asks again, with new keys. Nothing of the first attempt is used.');
});
