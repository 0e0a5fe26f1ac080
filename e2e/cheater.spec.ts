/**
 * A compute party that cheats in a run that is proved: the page says that it was caught, shows no answer, and takes
 * nothing for another run that stood before.
 */
import { EVERY_LOOK } from './support/app.ts';
import { expect, test } from './support/test.ts';

test.use({ deploymentOptions: { cheater: true, tasks: ['fill-mask'] } });

const TEXT = 'The capital of Norway is [MASK].';

test('a party that cheats is caught: the page says so, opens nothing, and begins anew by new handshakes', async ({
  app,
  deployment,
}) => {
  test.setTimeout(300_000);
  app.patienceMs = 120_000;
  const root = app.page.locator('html');
  const answer = app.page.locator('#answer');
  await app.choose('protocol', '3pc_malicious');
  // Control: the same party, as long as it follows the protocol.
  expect((await app.ask(TEXT))[0].word).toBe('oslo');
  await expect(app.error).toBeHidden();
  await app.type(TEXT.replace('Norway', 'Japan'));
  await app.prepared(16);

  const before = app.signalled.length;
  await deployment.cheats(true);
  await app.button.click();
  await expect(app.error).toContainText('A party was caught', { timeout: app.patienceMs });
  await expect(app.error).toContainText('A party did not follow the protocol, and its proof was refused.');
  await expect(app.error).toContainText(
    'What to do: do not use these parties until their operators have explained it.',
  );
  // Not what a link that broke is called, and nothing invites to run it again.
  await expect(app.error).not.toContainText(/stopped answering|run it again/);
  await expect(app.error.getByRole('button')).toHaveText(['Check the settings']);
  await expect(root).toHaveAttribute('data-phase', 'lost');
  await expect(answer).toBeHidden();
  await expect(app.page.locator('#proved')).toBeHidden();
  await expect(app.page.locator('#scores')).toBeHidden();
  await app.shot('error-caught', EVERY_LOOK);
  // The party that checked tells its operator what it was; the one that was caught sees its links end.
  await expect
    .poll(() => deployment.party(2).log)
    .toContain('ERR_SECURITY_VIOLATION: proof of party 1: a check of this party refused');

  // Whoever trusts it all the same gets another handshake with both, and no word of the run before.
  await deployment.cheats(false);
  await app.button.click();
  expect((await app.answer())[0].word).toBe('tokyo');
  await expect(app.error).toBeHidden();
  expect(app.signalled.length).toBeGreaterThanOrEqual(before + 2);
  expect(new Set(app.signalled.slice(before))).toEqual(new Set([deployment.partyUrl(1), deployment.partyUrl(2)]));
});

test('where nothing is proved the same cheat is called none: nobody is caught', async ({ app, deployment }) => {
  test.setTimeout(180_000);
  app.patienceMs = 90_000;
  const found = () => deployment.party(2).log.match(/ERR_SECURITY_VIOLATION/g)?.length ?? 0;
  const before = found();
  await deployment.cheats(true);
  await app.run(TEXT);
  // An answer, whatever it is, or ranges that were left: the tables of the range check are others too.
  await expect(app.page.locator('html')).toHaveAttribute('data-phase', /^(done|lost)$/, { timeout: app.patienceMs });
  await expect(app.error).not.toContainText('caught');
  expect(found()).toBe(before);
  await deployment.cheats(false);
});
