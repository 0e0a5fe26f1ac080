/**
 * Reloading, several tabs, and keys made ahead: sessions end when their page does, do not disturb each other, and
 * no key is used for two texts.
 */
import type { App } from './support/app.ts';
import { SLOW_LINK } from './support/deployment.ts';
import { sdkAnswer } from './support/node.ts';
import { expect, test } from './support/test.ts';

test.use({ deploymentOptions: SLOW_LINK });

const SHORT = 'The capital of Norway is [MASK].';
/** More than 16 tokens. */
const LONG = 'The capital of Norway, which is a country far in the north of Europe, with many fjords, is [MASK].';
/** Figures of what was prepared, at both links. */
const AHEAD = ['p01.ahead', 'p02.ahead'] as const;
/** An input of 16 tokens with its frames is far smaller, and what is prepared for it far larger. */
const INPUT_BYTES = 50_000;

test('a reload in the middle of a run ends its session at both parties within 5 s, and they serve the next one', async ({
  app,
  deployment,
}) => {
  await app.prepareWhileTyping(false);
  await deployment.deserted();
  await app.run(SHORT);
  await app.middle();
  for (const id of [1, 2] as const) expect(await deployment.places(id)).toEqual({ taken: 1, idle: 0 });
  await app.page.reload();
  await deployment.deserted();
  await app.ready();
  await app.prepareWhileTyping(false);
  expect((await app.ask(SHORT))[0].word).toBe('oslo');
});

test('a tab that is put away gives its places back, says so, and takes them again when somebody comes back', async ({
  app,
  deployment,
}) => {
  await deployment.deserted();
  // A person: from here on keys are made for the example that stands in the box.
  await app.page.mouse.move(10, 10);
  await app.prepared(16);
  // It only waits: it would give way.
  for (const id of [1, 2] as const) expect(await deployment.places(id)).toEqual({ taken: 1, idle: 1 });
  await app.page.evaluate(() => document.dispatchEvent(new Event('freeze')));
  await expect(app.readiness).toHaveText('The prepared keys were let go while this tab was hidden.');
  await deployment.deserted();
  await app.page.mouse.move(20, 20);
  await app.prepared(16);
  await Promise.all([deployment.restart(1), deployment.restart(2)]);
  await expect(app.readiness, 'keys of parties that ended are not called ready').not.toHaveText(/^Ready/);
});

/** Of the run that comes, when its button is pressed and when its answer is drawn, by the clock of the machine. */
async function runTimes(app: App): Promise<() => Promise<{ readonly asked: number; readonly answered: number }>> {
  await app.page.evaluate(() => {
    const times = { asked: 0, answered: 0 };
    Object.assign(globalThis, { runTimes: times });
    document.addEventListener('click', () => (times.asked ||= Date.now()), { capture: true });
    new MutationObserver(() => (times.answered = Date.now())).observe(document.documentElement, {
      attributeFilter: ['data-phase'],
    });
  });
  return () => app.page.evaluate(() => (globalThis as unknown as { runTimes: never }).runTimes);
}

test('two tabs run at the same time, and each gets its own answer', async ({ app, openTab }) => {
  const other = await openTab();
  const [myTimes, theirTimes] = [await runTimes(app), await runTimes(other)];
  // A run takes about a second: one that waits for the other to be asked may be over before.
  await Promise.all([app.run(SHORT), other.run('The capital of Japan is [MASK].')]);
  const [mine, theirs] = await Promise.all([app.answer(), other.answer()]);
  expect([mine[0].word, theirs[0].word]).toEqual(['oslo', 'tokyo']);
  // A tab behind another one may draw nothing of its run before the answer.
  const [one, two] = [await myTimes(), await theirTimes()];
  expect(Math.min(one.asked, two.asked)).toBeGreaterThan(0);
  expect(Math.max(one.asked, two.asked)).toBeLessThan(Math.min(one.answered, two.answered));
});

test('what is prepared while typing is there before the button, and the button sends one input and nothing more ahead', async ({
  app,
}) => {
  await app.type(SHORT);
  await app.prepared(16);
  await expect(app.bound('p02.ahead')).toHaveText(/kB/);
  for (const figure of ['p01.input', 'p02.input', 'elapsed', 'msgs'] as const)
    expect(await app.figure(figure), figure).toBe('–');
  await app.shot('prepared', ['light', 'narrow']);
  const shown = await Promise.all(AHEAD.map((name) => app.figure(name)));
  const before = await app.connections();
  expect(before).toHaveLength(2);

  await app.button.click();
  // Counted while the parties compute: after the answer the page prepares for the next text.
  await app.middle();
  const during = await app.connections();
  expect(during, 'no other connection').toHaveLength(2);
  const sent = during.map(({ sent: bytes }, i) => bytes - before[i].sent);
  for (const bytes of sent) {
    expect(bytes, 'an input').toBeGreaterThan(1_000);
    expect(bytes, 'nothing but an input').toBeLessThan(INPUT_BYTES);
  }
  expect((await app.answer())[0].word).toBe('oslo');
  expect(await Promise.all(AHEAD.map((name) => app.figure(name)))).toEqual(shown);
  expect(await app.figure('msgs')).toBe('1 out, 1 in');
  expect(await app.figure('t.when')).toBe('before the button');
  await app.shot('result-prepared');
});

test('without preparing, all of it is sent after the button', async ({ app }) => {
  await app.prepareWhileTyping(false);
  await app.type(SHORT);
  await expect(app.readiness).toHaveText('Keys are made after you press the button.');
  expect(await app.connections()).toHaveLength(0);
  await app.button.click();
  await app.middle();
  const sent = await app.connections();
  expect(sent).toHaveLength(2);
  expect(Math.max(...sent.map(({ sent: bytes }) => bytes))).toBeGreaterThan(4 * INPUT_BYTES);
  await app.answer();
  expect(await app.figure('t.when')).toBe('after the button');
});

test('a text of another length is prepared for anew, and what was made for the first one is thrown away', async ({
  app,
  deployment,
}) => {
  await app.type(SHORT);
  await app.prepared(16);
  const first = await app.connections();
  await app.type(LONG);
  await app.prepared(32);
  const prepared = await app.connections();
  expect(prepared).toHaveLength(4);
  await expect
    .poll(async () => (await app.connections()).map(({ closed }) => closed))
    .toEqual([true, true, false, false]);

  await app.button.click();
  await app.middle();
  const during = await app.connections();
  expect(during).toHaveLength(4);
  for (const i of [0, 1]) expect(during[i].sent - first[i].sent, 'only the end of the first link').toBeLessThan(1_000);
  for (const i of [2, 3]) expect(during[i].sent - prepared[i].sent, 'an input').toBeGreaterThan(1_000);
  const [answer, reference] = [await app.answer(), await sdkAnswer(deployment, 'fill-mask', LONG, 'open')];
  expect(answer.map(({ word }) => word)).toEqual(reference.map(({ word }) => word));
  await expect(app.page.locator('#still')).toContainText(/the padded length \(32 tokens, not \d+\)/);
});
