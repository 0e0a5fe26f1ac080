/** A dealer of a deployment: offered, chosen, seen as a fourth box; the browser then sends its locked text only. */
import { expect, test } from './support/test.ts';

test.use({ deploymentOptions: { dealer: true, profile: 'home', tasks: ['fill-mask'], secret: true } });

const TEXT = 'The capital of Norway is [MASK].';

test('a dealer deals for the page: the same answer, a fourth box, and a small upload; it is named when it is gone', async ({
  app,
  deployment,
}) => {
  const box = app.page.locator('svg.tri-wide .dealer');
  await expect(box).toBeHidden();
  const alone = await app.ask(TEXT);
  const before = (await app.connections()).reduce((sum, { sent }) => sum + sent, 0);
  expect(before).toBeGreaterThan(100_000);

  await app.choose('dealer', 'dealer');
  await expect(box).toBeVisible();
  await expect(box).toContainText('Cedar');
  await expect(app.bound('picLine')).toContainText('No two of the three servers');
  await app.openSettings();
  await expect(app.settings).toContainText('the dealer and either party together learn your text');
  await app.closeSettings();
  await app.prepareWhileTyping(false);
  const from = (await app.connections()).reduce((sum, { sent }) => sum + sent, 0);
  const dealt = await app.ask(TEXT);
  expect(dealt.map(({ word }) => word)).toEqual(alone.map(({ word }) => word));
  const sent = (await app.connections()).reduce((sum, one) => sum + one.sent, 0) - from;
  expect(sent).toBeGreaterThan(1_000);
  expect(sent, 'bytes that the browser sent').toBeLessThan(before / 4);
  await expect(box).toContainText('identity checked');
  await expect(app.bound('p03.sent').first()).not.toHaveText('–');
  await app.shot('dealer-result', ['light', 'narrow']);

  // Secret weights too, where the credential names the dealer; the settings say what that trusts it with.
  await app.secretWeights(deployment.credential('fill-mask'));
  await expect(box).toBeVisible();
  const start = (await app.connections()).reduce((sum, one) => sum + one.sent, 0);
  const secret = await app.ask(TEXT);
  expect(secret[0].word).toBe(alone[0].word);
  const sentSecret = (await app.connections()).reduce((sum, one) => sum + one.sent, 0) - start;
  // Beyond open weights: a word of 64 bits for every looked-up value.
  expect(sentSecret, 'bytes that the browser sent with secret weights').toBeLessThan(before / 2);
  await app.openSettings();
  await expect(app.settings).toContainText('learn your text, and the weights for good');
  await app.page.locator('#set-weights-open').check();
  await app.closeSettings();
  await app.ready();

  await deployment.dealer.stop();
  await app.run(TEXT);
  await expect(app.error).toContainText(/the dealer/i);
});
