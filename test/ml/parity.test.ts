/**
 * Our tokenizer against the one that most browser users know, @xenova/transformers (development only), and where
 * they differ against the golden vectors of the Python library, which decides.
 */
import { readFileSync } from 'node:fs';
import { AutoTokenizer, env } from '@xenova/transformers';
import { describe, expect, it } from 'vitest';
import { folderFiles } from '../../src/ml/files-node.ts';
import { loadTokenizer } from '../../src/ml/tokenizers/tokenizer.ts';

env.allowRemoteModels = false;
env.localModelPath = 'models/';

interface Golden {
  readonly tokenizer: string;
  readonly text: string;
  readonly ids: readonly number[];
}

const golden = JSON.parse(readFileSync('test/vectors/tokenizer.json', 'utf8')) as readonly Golden[];
const TEXTS = [
  'The capital of France is [MASK].',
  'hello world',
  "It's a warm, funny film -- isn't it?",
  'Curaçao, Côte d’Ivoire and São Tomé',
  'emoji 🎬🍿 and 👩‍👩‍👧‍👦',
  '東京は日本の首都です',
  `a${'b'.repeat(150)} end`,
  'numbers 3.14 1,000,000 2026-11-22',
  'tabs\tand\nnewlines',
  'नमस्ते दुनिया',
];

// A folder without tokenizer.json (capitals-bert) is held to Python's own ids: test/ml/piece-list.test.ts.
describe.each(['sst2-bert'])('tokenizer of %s', (model) => {
  it('gives the ids of @xenova/transformers, or of the Python library where that one differs', async () => {
    const ours = await loadTokenizer(await folderFiles(`models/${model}`));
    const theirs = await AutoTokenizer.from_pretrained(model);
    const python = new Map(golden.filter((g) => g.tokenizer === model).map((g) => [g.text, g.ids]));
    const undecided: string[] = [];
    for (const text of TEXTS) {
      const own = ours.encode(text, { allowMask: true }).ids;
      const other: number[] = theirs.encode(text);
      if (JSON.stringify(own) === JSON.stringify(other)) continue;
      const right = python.get(text);
      if (right === undefined) undecided.push(`text ${TEXTS.indexOf(text)}`);
      else expect(own).toEqual(right);
    }
    expect(undecided).toEqual([]);
  });

  it('would notice a difference: another text has other ids', async () => {
    const ours = await loadTokenizer(await folderFiles(`models/${model}`));
    const theirs = await AutoTokenizer.from_pretrained(model);
    expect(ours.encode('good film', { allowMask: true }).ids).not.toEqual(theirs.encode('bad film'));
  });
});
