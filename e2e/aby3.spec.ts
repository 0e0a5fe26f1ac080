/** The symmetric reference mode in the page: offered where both parties serve it, its cost said before the run. */
import { EVERY_LOOK } from './support/app.ts';
import { expect, test } from './support/test.ts';

test.use({
  deploymentOptions: { protocols: '3pc_semi_honest,3pc_malicious,aby3', tasks: ['fill-mask'] },
});

const TEXT = 'The capital of Norway is [MASK].';

test('the browser answers in the rounds: what that comes to is said before the run, and counted after it', async ({
  app,
}) => {
  test.setTimeout(240_000);
  app.patienceMs = 120_000;
  const loaded: string[] = [];
  app.page.on('response', (response) => loaded.push(new URL(response.url()).pathname));
  const plain = await app.ask(TEXT);
  expect(await app.figure('msgs')).toBe('1 out, 1 in');

  await app.choose('protocol', 'aby3');
  await expect(app.bound('steps')).toContainText('answers in the rounds');
  await app.type(TEXT);
  await app.prepared(16);
  await expect(app.readiness).toContainText(
    /Then the browser answers in \d+ rounds with [\d.]+\s[kM]B, at least [\d.]+\ss on this line\.$/,
  );
  await app.shot('aby3-ready', EVERY_LOOK);
  const rounds = Number(/in (\d+) rounds/.exec((await app.readiness.textContent()) ?? '')?.[1]);
  const begun = app.page.waitForFunction(() =>
    document.querySelector('[data-bind="stepTitle"]')?.textContent?.startsWith('Layer'),
  );
  const answering = app.again();
  await begun;
  await app.shot('aby3-running', EVERY_LOOK);
  const answer = await answering;
  expect(answer.map(({ word }) => word)).toEqual(plain.map(({ word }) => word));
  // One word put back together from what was dealt and what left with the text.
  expect((await app.sums()).map(({ total }) => total)).toEqual(['1', '0']);
  await app.shot('aby3-answer', EVERY_LOOK);
  expect(await app.figure('msgs')).toBe(`in ${rounds} rounds`);
  // What went and came in them is no text and no answer, and the browser has computed.
  for (const [name, words] of [
    ['in', 'text, rounds'],
    ['out', 'rounds, answer'],
    ['c.0', 'counted beside'],
  ] as const)
    await expect(app.bound(name)).toHaveText(words);
  expect(rounds).toBeGreaterThan(50);
  await expect(app.page.locator('#proved tbody tr')).toHaveCount(4);
  await expect(app.page.locator('#proved')).toContainText('each of the three parties');
  // Its gates came with it, and not with the page.
  expect(loaded.filter((path) => /symmetric/.test(path))).toHaveLength(1);
});
