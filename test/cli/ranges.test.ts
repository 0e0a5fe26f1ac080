/** A text that leaves the ranges of its model, as the command line tells it: no answer, and what to do. */
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ORDINARY_TEXT, OUTLYING_TEXT, plantOutlier } from '../support/planted.ts';
import { type Ended, Workplace, expectFailure, expectSuccess } from './command.ts';

const place = new Workplace();
afterAll(() => place.close());
const model = join(place.folder, 'planted');
plantOutlier(model);

function infer(text: string, ...more: string[]): Promise<Ended> {
  return place.run(['infer', '--model', model, '--device', 'wasm', '--text', text, ...more]);
}

/** The private answer is the plaintext model's. */
function expectRight(ended: Ended): void {
  expectSuccess(ended);
  const { plaintext } = JSON.parse(ended.stdout) as {
    readonly plaintext: { readonly maxAbsLogitError: number; readonly argmaxEqual: boolean };
  };
  expect(plaintext.argmaxEqual).toBe(true);
  expect(plaintext.maxAbsLogitError).toBeLessThan(0.02);
}

it('is refused with one line that says so, and answered rightly with --ranges wide', async () => {
  expectFailure(await infer(OUTLYING_TEXT), {
    exit: 2,
    code: 'ERR_RANGE_EXCEEDED',
    text: OUTLYING_TEXT,
    says: /: the text left the ranges that the model was planned for, so there is no answer — shorten or reword the text, .*--ranges wide$/,
  });
  // Control: under the same plan another text is answered.
  expectRight(await infer(ORDINARY_TEXT, '--json', '--compare'));
  expectRight(await infer(OUTLYING_TEXT, '--json', '--compare', '--ranges', 'wide'));
});
