/** A text that leaves the ranges of its model: the page says so and keeps it, and a wider plan answers it. */
import { OUTLYING_TEXT } from '../test/support/planted.ts';
import { EVERY_LOOK } from './support/app.ts';
import { expect, test } from './support/test.ts';

test.use({ deploymentOptions: { outlier: true, tasks: ['fill-mask'] } });

test('a text beyond its model has no answer, costs no word, and is answered when both parties plan wider', async ({
  app,
  deployment,
}) => {
  await app.run(OUTLYING_TEXT);
  await expect(app.error).toContainText('This text goes beyond what the model was planned for');
  await expect(app.error).toContainText('Only this device was told.');
  await expect(app.error).toContainText('What to do: shorten or reword the text, then run it again.');
  await expect(app.text).toHaveValue(OUTLYING_TEXT);
  await expect(app.page.locator('#scores tbody tr')).toHaveCount(0);
  await app.shot('error-ranges', EVERY_LOOK);
  await app.page.getByText('Details for a bug report').click();
  await expect(app.page.locator('#tech')).toContainText('ERR_RANGE_EXCEEDED');
  await expect(app.page.locator('#tech')).not.toContainText(/zulu/i);

  await Promise.all(([1, 2] as const).map((id) => deployment.restart(id, { ranges: 'wide' })));
  await app.button.click();
  expect(await app.answer()).not.toHaveLength(0);
  await expect(app.error).toBeHidden();
  await expect(app.text).toHaveValue(OUTLYING_TEXT);
});
