import { LISTEN, cardOf, heard, run, tag } from '../../e2e/support/widget.ts';
import { PATIENCE_MS, expect, test } from '../tour.ts';

const TEXT = 'What a warm and funny column, said Ludmila.';

test('The widget on a stranger’s news page', async ({ page, host, tour }) => {
  const body = `<p>Letters sound angrier every year. Does yours? We do not get to read it.</p>${tag('share-result')}`;
  await page.goto(host.page('news', { body, script: LISTEN }));
  const card = await cardOf(page);
  await tour.step('A newspaper', 'One tag stands in its page. The card is a frame of another server.');

  await card.locator('#text').fill(TEXT);
  await tour.step(
    'A letter',
    'It is typed into the frame. The page around it is of another origin, and cannot look in.',
  );

  await run(card, TEXT);
  await expect(card.locator('#answer')).toHaveText('POSITIVE', { timeout: PATIENCE_MS });
  const told = await heard(page);
  const result = told.find(({ type }) => type === 'result');
  expect(result?.detail).toMatchObject({ answer: { labels: [{ label: 'POSITIVE' }, { label: 'NEGATIVE' }] } });
  expect(JSON.stringify(told)).not.toContain('Ludmila');
  await page.evaluate(
    (answer) => {
      const shown = document.createElement('pre');
      shown.id = 'told';
      shown.textContent = `What this page heard:\n${answer}`;
      document.body.append(shown);
    },
    JSON.stringify(result?.detail, null, 2),
  );
  await tour.step(
    'What the newspaper heard',
    'The answer, because its tag says share-result and the frame said so beside the button. Not one word of the letter.',
    page.locator('#told'),
  );
});
