/**
 * Every task in the page: the answer that Node gives, marked where it is; texts that grow; and what is said of a
 * form that cannot run.
 */
import type { Locator } from '@playwright/test';
import { type App, EVERY_LOOK, plain } from './support/app.ts';
import { inNode } from './support/node.ts';
import { expect, test } from './support/test.ts';

test.use({
  deploymentOptions: { tasks: ['fill-mask', 'question-answering', 'token-classification', 'text-generation'] },
});

const NEAR = 0.01;
const CONTEXT =
  'The old stone bridge in Marlow was built in 1783 by Thomas Hale. It crosses the river Wend and is 92 metres long.';
const QUESTION = 'How long is the bridge?';
const ANSWER = '92 metres';
const SENTENCE = 'Maria Silva flew from Lisbon to Toronto with her brother Pedro.';
const PROMPT = 'Once upon a time there was a little girl named';

async function ask(app: App, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(fields)) await app.box(label).fill(value);
  await app.button.click();
}

/** Of what is marked in a passage: the words, and where they start. */
function marks(passage: Locator): Promise<readonly { readonly text: string; readonly start: number }[]> {
  return passage.evaluate((node) => {
    let at = 0;
    return [...node.childNodes].flatMap((part) => {
      if (part instanceof HTMLElement && part.matches('.ent-k')) return [];
      const text = part.textContent ?? '';
      const start = at;
      at += text.length;
      return part instanceof HTMLElement && part.matches('mark') ? [{ text, start }] : [];
    });
  });
}

test('a question is answered as in Node, and the answer is marked in the text', async ({ app, deployment }) => {
  await app.task('Answer a question');
  await app.shot('question-idle', ['narrow']);
  await ask(app, { 'Text to search': CONTEXT, Question: QUESTION });
  const list = await app.answer();
  const { answers } = await inNode(deployment, 'question-answering', (model) =>
    model.answerQuestion({ question: QUESTION, context: CONTEXT }, { topK: 3 }),
  );
  expect(list.map(({ word }) => word)).toEqual(answers.map(({ answer }) => answer));
  for (const [i, { score }] of list.entries()) expect(Math.abs(score - answers[i].score)).toBeLessThan(NEAR);
  const [best] = answers;
  expect(best.answer).toBe(ANSWER);
  await expect(app.page.locator('#answer')).toHaveText(best.answer);
  const passage = app.page.locator('#scores .passage');
  await expect(passage).toHaveText(CONTEXT);
  expect(await marks(passage)).toEqual([{ text: best.answer, start: best.start }]);
  await expect(app.said).toHaveText(/Answer: 92 metres\.$/);
  await expect(app.page.locator('#still')).toContainText(/the padded length \(64 tokens, not \d+\)/);
  await app.shot('result-question', EVERY_LOOK);
  // Control: another question about the same text is answered in another way.
  await ask(app, { Question: 'When was the bridge built?' });
  await expect(app.page.locator('#answer')).toHaveText('1783');
});

test('names are found as in Node, and marked with their kind in words', async ({ app, deployment }) => {
  await app.task('Find names');
  await ask(app, { 'Your text': SENTENCE });
  await app.answer();
  const { entities } = await inNode(deployment, 'token-classification', (model) => model.extractEntities(SENTENCE));
  expect(entities.length).toBeGreaterThan(1);
  expect(await marks(app.page.locator('#scores .passage'))).toEqual(
    entities.map(({ text, start }) => ({ text, start })),
  );
  const rows = await app.page
    .locator('#scores tbody tr')
    .evaluateAll((list) => list.map((row) => [...row.children].map((cell) => cell.textContent)));
  expect(rows.map(([name]) => name)).toEqual(entities.map(({ text }) => text));
  for (const [i, [, kind, score]] of rows.entries()) {
    expect(kind).toBe(entities[i].label === 'location' ? 'place' : entities[i].label);
    expect(Math.abs(Number.parseFloat((score ?? '').replace(/[<>]/, '')) / 100 - entities[i].score)).toBeLessThan(NEAR);
  }
  await expect(app.page.locator('#scores .ent-k')).toHaveText(rows.map(([, kind]) => ` ${kind}`));
  await app.shot('result-names', EVERY_LOOK);
});

test('own labels sort a text as in Node', async ({ app, deployment }) => {
  await app.task('Sort by your own labels');
  const template = '{text} is in {mask}.';
  await ask(app, {
    'Your text': 'Norway',
    'Labels, separated by commas': 'Asia, Europe, Africa',
    'Sentence that a label completes': template,
  });
  const list = await app.answer();
  const { labels } = await inNode(deployment, 'fill-mask', (model) =>
    model.classify('Norway', { labels: ['Asia', 'Europe', 'Africa'], template }),
  );
  expect(list.map(({ word }) => word)).toEqual(labels.map(({ label }) => label));
  for (const [i, { score }] of list.entries()) expect(Math.abs(score - labels[i].score)).toBeLessThan(NEAR);
  await expect(app.page.locator('#answer')).toHaveText('Norway is in Europe.');
  await app.shot('result-sorted');
});

test('a text grows piece by piece, is the one that Node writes, and is announced in few words', async ({
  app,
  deployment,
}) => {
  const { page } = app;
  await app.task('Continue a text');
  await page.evaluate(() => {
    const said: string[] = [];
    Object.assign(window, { said });
    new MutationObserver(() => said.push(document.querySelector('#say')?.textContent ?? '')).observe(
      document.querySelector('#say') as Element,
      {
        childList: true,
      },
    );
  });
  await page.locator('#options summary').click();
  await app.prepareWhileTyping(false);
  await ask(app, { 'How it begins': PROMPT, 'New pieces': '8' });
  await expect(app.growth).toHaveText(/^[3-6] of 8 pieces, each [\d.]+.s and .* between parties 1 and 2$/);
  await expect(app.button).toHaveText('Stop');
  const early = (await app.added.textContent()) ?? '';
  expect(early.trim()).not.toBe('');
  await app.phase('done');
  const whole = (await app.added.textContent()) ?? '';
  expect(whole.startsWith(early) && whole.length > early.length).toBe(true);
  const node = await inNode(deployment, 'text-generation', (model) =>
    model.generate(PROMPT, { maxNewTokens: 8, temperature: 0 }),
  );
  expect(whole).toBe(node.text);
  expect(await app.figure('msgs')).toBe(`${node.pieceMs.length} out, ${node.pieceMs.length} in`);
  await expect(app.page.locator('#still')).toContainText(`that ${node.pieceMs.length} pieces came and when`);
  await app.shot('result-text', EVERY_LOOK);
  const said = await page.evaluate(() => (window as unknown as { said: string[] }).said);
  expect(said.length, said.join('\n')).toBeLessThan(10);
  expect(said.at(-1)).toContain(node.text.trim());
});

test('options of a drawn text are those of Node: with the same seed the same text', async ({ app, deployment }) => {
  await app.task('Continue a text');
  await app.page.locator('#options summary').click();
  const fields = {
    'How it begins': PROMPT,
    'New pieces': '4',
    Temperature: '0.9',
    'Top-p': '0.95',
    'Top-k': '40',
    Seed: '11',
  };
  for (const [label, value] of Object.entries(fields)) await app.box(label).fill(value);
  // Keys are made for the text, and for its first pieces, before the button.
  await app.prepared(16);
  await app.button.click();
  await app.phase('done');
  expect(await app.figure('t.when')).toBe('before the button');
  const options = { maxNewTokens: 4, temperature: 0.9, topP: 0.95, topK: 40, seed: 11 };
  const node = await inNode(deployment, 'text-generation', (model) => model.generate(PROMPT, options));
  expect(await app.added.textContent()).toBe(node.text);
  await app.shot('text-options', ['narrow']);
});

test('Stop in the middle of a text keeps what came, and ends the sessions of both parties', async ({
  app,
  deployment,
}) => {
  await app.prepareWhileTyping(false);
  await app.task('Continue a text');
  await deployment.deserted();
  await app.page.locator('#options summary').click();
  await ask(app, { 'How it begins': PROMPT, 'New pieces': '60' });
  await expect(app.growth).toHaveText(/^[3-9] of 60 pieces/);
  for (const id of [1, 2] as const) expect((await deployment.places(id)).taken).toBe(1);
  await app.shot('growing', EVERY_LOOK);
  await app.button.click();
  await expect(app.said).toHaveText('Stopped on all three parties. What had come stays.');
  await expect(app.page.getByRole('heading', { name: 'Stopped' })).toBeVisible();
  const kept = ((await app.added.textContent()) ?? '').trim();
  expect(kept).not.toBe('');
  await expect(app.text).toHaveValue(PROMPT);
  await expect(app.error).toBeHidden();
  await deployment.deserted();
  await app.shot('stopped-text', ['narrow']);
  // The next run works, and goes on from the beginning again.
  await ask(app, { 'New pieces': '2' });
  await app.phase('done');
  expect(kept.startsWith(((await app.added.textContent()) ?? '').trim())).toBe(true);
});

test('what cannot run is said under its box, before anything is sent', async ({ app }) => {
  const refused = async (fields: Readonly<Record<string, string>>, label: string, words: RegExp): Promise<void> => {
    await ask(app, fields);
    await expect(app.problem).toHaveText(words);
    const box = app.box(label);
    await expect(box).toHaveAttribute('aria-invalid', 'true');
    await expect(box).toBeFocused();
    await expect(box).toHaveAccessibleDescription(words);
    // The other boxes are not blamed.
    await expect(app.page.locator('[aria-invalid]')).toHaveCount(1);
  };
  await app.prepareWhileTyping(false);
  await app.task('Answer a question');
  await refused({ Question: ' ', 'Text to search': CONTEXT }, 'Question', /^There is no question\. .*What to do:/);
  await app.shot('error-question', ['narrow']);
  await refused({ Question: QUESTION, 'Text to search': '' }, 'Text to search', /^There is no text to search\./);
  await refused(
    { 'Text to search': CONTEXT.repeat(40) },
    'Text to search',
    /^Text and question are too long\..*shorten the text by \d+ or more/,
  );
  await app.task('Find names');
  await refused({ 'Your text': '' }, 'Your text', /^There is no text\./);
  await app.task('Sort by your own labels');
  await refused(
    { 'Your text': 'Norway', 'Labels, separated by commas': 'Europe' },
    'Labels, separated by commas',
    /^There are too few labels\./,
  );
  await refused(
    { 'Labels, separated by commas': 'Europe, zwxqv kj' },
    'Labels, separated by commas',
    /^The label “.+” cannot be used\./,
  );
  await app.shot('error-label');
  await refused(
    { 'Labels, separated by commas': 'Europe, Asia', 'Sentence that a label completes': '{text} is there.' },
    'Sentence that a label completes',
    /^The sentence is not complete\./,
  );
  await app.task('Continue a text');
  await app.page.locator('#options summary').click();
  await refused({ 'How it begins': PROMPT, 'New pieces': 'many' }, 'New pieces', /^An option is out of range\./);
  await refused({ 'New pieces': '5', Temperature: '1', 'Top-p': '2' }, 'Top-p', /^An option is out of range\..*top-p/);
  await refused({ 'Top-p': '', 'How it begins': '' }, 'How it begins', /^There is no text\..*type how it begins/);
  expect(await app.connections(), 'nobody was asked for anything').toEqual([]);
});

test('every task works by keyboard alone', async ({ app }) => {
  const { page } = app;
  await page.locator('#tasks input:checked').focus();
  const next = async (times: number, name: string): Promise<void> => {
    await page.locator('#tasks input:checked').focus();
    for (let i = 0; i < times; i++) await page.keyboard.press('ArrowRight');
    await expect(page.getByRole('radio', { name })).toBeFocused();
    await expect(page.getByRole('radio', { name })).toBeChecked();
    await app.ready();
  };
  const type = async (text: string): Promise<void> => {
    await page.keyboard.press('Tab');
    await page.keyboard.press('Control+A');
    await page.keyboard.type(text);
  };
  // Past the classifier, which is not served here.
  await next(1, 'Answer a question');
  await type(QUESTION);
  await type(CONTEXT);
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(app.said).toHaveText(/Answer: 92 metres\.$/);

  await next(1, 'Find names');
  await type(SENTENCE);
  await page.keyboard.press('Control+Enter');
  await expect(app.said).toHaveText(/Answer: Maria Silva.*, person; Lisbon, place;/);

  await next(1, 'Continue a text');
  await type(PROMPT);
  while (await page.evaluate(() => document.activeElement?.localName !== 'summary')) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await type('3');
  await page.keyboard.press('Enter');
  // Not what was said: that is still of the task before until the run begins.
  await app.phase('done');
  await expect(app.growth).toHaveText(/^3 pieces/);

  await next(1, 'Sort by your own labels');
  await type('Japan');
  await type('Europe, Asia');
  await type('{text} is in {mask}.');
  await page.keyboard.press('Enter');
  await expect(app.said).toHaveText(/Answer: Asia\.$/);
  expect(plain(await page.locator('#answer').textContent())).toBe('Japan is in Asia.');
});

test('before the run the page says what the parties will learn of each task', async ({ app }) => {
  const leaks = app.bound('leaks');
  await expect(leaks).toHaveText(
    'The parties will see which model, the padded length (16 tokens) and that there is one blank but not where, never the words.',
  );
  await app.task('Answer a question');
  await expect(leaks).toHaveText(/the padded length of both texts together \((32|64) tokens\), never the words\.$/);
  await app.task('Find names');
  await expect(leaks).toHaveText(
    /^The parties will see which model and the padded length \((16|32) tokens\), never the words\.$/,
  );
  await app.task('Continue a text');
  await expect(leaks).toHaveText(/how many pieces come \(up to 20\), never the words\.$/);
  await app.page.locator('#options summary').click();
  await app.box('New pieces').fill('7');
  await expect(leaks).toHaveText(/how many pieces come \(up to 7\)/);
  await app.task('Sort by your own labels');
  await expect(leaks).toHaveText(/that one word is asked for, never the words\.$/);
});
