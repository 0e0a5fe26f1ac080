/** The tags that `npm run docs -- --deployment URL` puts into the task pages, each on a page of another origin, live. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withWidgets } from '../scripts/docs/live.mjs';
import { ROOT } from './support/command.ts';
import { LISTEN, LONG_MS, PATIENCE_MS, cardOf, expect, heard, press, test } from './support/widget.ts';

test.setTimeout(LONG_MS);
test.use({
  deploymentOptions: {
    tasks: ['fill-mask', 'text-classification', 'question-answering', 'token-classification', 'text-generation'],
  },
});

/** A task page, what is typed on it, and what its card answers. */
const PAGES: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
  ['fill-mask', { 'Your text': 'The capital of Norway is [MASK].' }, /oslo/],
  ['text-classification', { 'Your text': 'Dull from its first line.' }, /NEGATIVE/],
  [
    'question-answering',
    { 'Text to search': 'The bridge in Marlow is 92 metres long.', Question: 'How long is the bridge?' },
    /92 metres/,
  ],
  ['token-classification', { 'Your text': 'Angela Merkel came to Berlin.' }, /Berlin\s*place/],
  ['text-generation', { 'How it begins': 'Once upon a time' }, /Once upon a time\s+\S+/],
  ['zero-shot-classification', { 'Your text': 'Japan', 'Labels, separated by commas': 'Europe, Asia' }, /Asia/],
];

for (const [task, fields, answer] of PAGES) {
  test(`the page of ${task} has a card that answers`, async ({ page, deployment, host }) => {
    const text = readFileSync(join(ROOT, 'docs/tasks', `${task}.md`), 'utf8');
    const tag = /<tercet-infer .*<\/tercet-infer>/.exec(withWidgets(text, `${deployment.url}tercet.json`))?.[0];
    if (tag === undefined) throw new Error(`the page of ${task} has no tag`);
    await page.goto(host.page(task, { body: tag, script: LISTEN }));
    const card = await cardOf(page, 'tercet-infer');
    for (const [label, value] of Object.entries(fields))
      await card.getByRole('textbox', { name: label, exact: true }).fill(value);
    await press(card);
    const shown = card.locator('#slot [data-when="result"]');
    await expect(shown).toBeVisible({ timeout: 2 * PATIENCE_MS });
    await expect(shown).toContainText(answer);
    expect((await heard(page)).filter(({ type }) => type === 'error')).toEqual([]);
  });
}
