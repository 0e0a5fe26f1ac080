import { App, type TaskName } from '../../e2e/support/app.ts';
import { PATIENCE_MS, expect, test } from '../tour.ts';

test.use({
  deploymentOptions: {
    tasks: ['fill-mask', 'text-classification', 'question-answering', 'token-classification', 'text-generation'],
  },
});

const BRIDGE = 'The old stone bridge in Marlow was built in 1783 by Thomas Hale. It is 92 metres long.';
/** A task, what is typed into which box, and where the answer is shown. */
const TASKS: readonly (readonly [TaskName, Readonly<Record<string, string>>, RegExp, string])[] = [
  ['Fill a blank', { 'Your text': 'The capital of Norway is [MASK].' }, /oslo/, 'Where the blank is stays secret too.'],
  [
    'Classify a sentence',
    { 'Your text': 'A warm, funny and moving film.' },
    /positive/i,
    'One of the classes of the model.',
  ],
  [
    'Answer a question',
    { 'Text to search': BRIDGE, Question: 'How long is the bridge?' },
    /92 metres/,
    'The answer is marked in the text.',
  ],
  [
    'Find names',
    { 'Your text': 'Angela Merkel met Barack Obama in Berlin.' },
    /Berlin\s*place/,
    'Names, with their kind.',
  ],
  [
    'Continue a text',
    { 'How it begins': 'Once upon a time there was a little girl named', 'New pieces': '6' },
    /little girl named\s+\S+/,
    'Word by word: each is a step of its own, on keys and values that the parties kept.',
  ],
];

test('The app through every task', async ({ page, deployment, tour }) => {
  const app = new App(page, deployment.url);
  app.patienceMs = PATIENCE_MS;
  await app.open();
  await tour.step('The page', 'Three parties: this browser, and two servers of two operators.');
  for (const [name, fields, answer, words] of TASKS) {
    await app.task(name);
    // Closed, its fields cannot be typed into.
    await page.locator('#options').evaluate((options: HTMLDetailsElement) => options.toggleAttribute('open', true));
    for (const [label, value] of Object.entries(fields)) await app.box(label).fill(value);
    await app.button.click();
    await app.phase('done');
    // Names have no headline: their answer is the text with its marks.
    const shown = page.locator('#slot [data-when="result"]');
    await expect(shown).toContainText(answer);
    await tour.step(name, words, shown);
  }
});
