/**
 * What transformers answers for the models for questions, names and texts (test/vectors/tasks.json, made by
 * training/golden_tasks.py), against this code.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadModelConfig } from '../../src/ml/config.ts';
import { folderFiles } from '../../src/ml/files-node.ts';
import { loadWeights } from '../../src/ml/models/weights.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import { Generation, prepareGeneration } from '../../src/ml/tasks/generate.ts';
import { loadTokenizer } from '../../src/ml/tokenizers/tokenizer.ts';

interface Vectors {
  readonly 'squad-distilbert': readonly {
    readonly question: string;
    readonly context: string;
    readonly ids: number[];
    readonly start: number[];
    readonly end: number[];
  }[];
  readonly 'wnut-roberta': readonly {
    readonly text: string;
    readonly ids: number[];
    readonly tokens: string[];
    readonly logits: number[][];
    readonly labels: string[];
  }[];
  readonly 'tiny-gpt2': readonly {
    readonly text: string;
    readonly ids: number[];
    readonly logits: number[];
    readonly greedy: number[];
    readonly continuation: string;
  }[];
}

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const vectors = JSON.parse(readFileSync(at('test/vectors/tasks.json'), 'utf8')) as Vectors;
/** Six digits in the file, float32 sums in another order here. */
const NEAR = 2e-4;

async function load(name: keyof Vectors) {
  const files = await folderFiles(at(`models/${name}`));
  const config = await loadModelConfig(files);
  return { config, tokenizer: await loadTokenizer(files), source: await loadWeights(files, config) };
}

function worst(got: ArrayLike<number>, want: ArrayLike<number>): number {
  expect(got.length).toBe(want.length);
  return Array.from(got, (value, i) => Math.abs(value - want[i])).reduce((a, b) => Math.max(a, b), 0);
}

describe('as transformers', () => {
  it('squad-distilbert scores the same starts and ends', async () => {
    const { tokenizer, source } = await load('squad-distilbert');
    for (const { question, context, ids, start, end } of vectors['squad-distilbert']) {
      expect(tokenizer.encodePair(question, context).ids).toEqual(ids);
      const { logits } = await runFloat(source, ids);
      expect(
        worst(
          logits,
          start.flatMap((value, t) => [value, end[t]]),
        ),
      ).toBeLessThan(NEAR);
    }
  });

  it('wnut-roberta gives every piece the same label', async () => {
    const { tokenizer, source, config } = await load('wnut-roberta');
    for (const { text, ids, tokens, logits: want, labels } of vectors['wnut-roberta']) {
      const encoding = tokenizer.encode(text, { allowMask: false });
      expect([encoding.ids, encoding.tokens]).toEqual([ids, tokens]);
      const { logits } = await runFloat(source, ids);
      expect(worst(logits, want.flat())).toBeLessThan(NEAR);
      const best = want.map((_row, t) => want[t].reduce((top, value, i) => (value > want[t][top] ? i : top), 0));
      expect(best.map((i) => config.id2label[i])).toEqual(labels);
    }
  });

  it('tiny-gpt2 goes on with the same tokens and the same text', async () => {
    const { tokenizer, source, config } = await load('tiny-gpt2');
    for (const { text, ids, logits: want, greedy, continuation } of vectors['tiny-gpt2']) {
      const input = prepareGeneration(text, tokenizer, config, { maxNewTokens: greedy.length, eosTokenId: [] });
      expect(input.inputIds).toEqual(ids);
      const generation = new Generation(input, tokenizer);
      const last = async () =>
        (await runFloat(source, generation.inputIds, { positions: [generation.inputIds.length - 1] })).logits;
      expect(worst(await last(), want)).toBeLessThan(NEAR);
      while (!generation.done) generation.step(await last());
      expect(generation.result()).toMatchObject({ ids: greedy, text: continuation });
    }
  });
});
