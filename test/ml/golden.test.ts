/**
 * What the Python libraries answered (test/vectors/, made by training/golden.py) against this code, on the models
 * that ship.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadModelConfig } from '../../src/ml/config.ts';
import { folderFiles } from '../../src/ml/files-node.ts';
import { loadWeights } from '../../src/ml/models/weights.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import { finishFillMask, prepareFillMask } from '../../src/ml/tasks/fill-mask.ts';
import { finishTextClassification, prepareTextClassification } from '../../src/ml/tasks/text-classification.ts';
import { loadTokenizer } from '../../src/ml/tokenizers/tokenizer.ts';

interface TokenizerVector {
  readonly tokenizer: string;
  readonly text: string;
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
}

interface LogitCase {
  readonly text: string;
  readonly ids: readonly number[];
  readonly masks?: readonly { readonly position: number; readonly token: string; readonly logits: readonly number[] }[];
  readonly logits?: readonly number[];
}

interface ModelVectors {
  readonly cases: readonly LogitCase[];
  readonly hidden: {
    readonly ids: readonly number[];
    readonly states: readonly { readonly first: readonly number[]; readonly last: readonly number[] }[];
  };
}

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const read = (file: string): unknown => JSON.parse(readFileSync(at(`test/vectors/${file}`), 'utf8'));
const tokenizerVectors = read('tokenizer.json') as readonly TokenizerVector[];
const logitVectors = read('logits.json') as Readonly<Record<string, ModelVectors>>;
const MODELS = ['capitals-bert', 'sst2-bert'] as const;

const maxDifference = (a: ArrayLike<number>, b: readonly number[]): number =>
  Math.max(...b.map((value, i) => Math.abs(value - a[i])));

describe.each(MODELS)('the tokenizer of %s', (name) => {
  /** In these Python makes control tokens of what a user typed; here they stay text (tokenizer.test.ts holds how). */
  const CONTROL = /\[(?:CLS|SEP|PAD|UNK)\]/;
  const vectors = tokenizerVectors.filter((vector) => vector.tokenizer === name);

  it('agrees with Python', async () => {
    const tokenizer = await loadTokenizer(await folderFiles(at(`models/${name}`)));
    const comparable = vectors.filter(({ text }) => !CONTROL.test(text));
    expect(comparable.length).toBeGreaterThan(25);
    for (const { text, ids, tokens } of comparable)
      expect(tokenizer.encode(text, { allowMask: true }), text).toMatchObject({ ids, tokens });
  });

  it('differs where a text has control tokens, and only there', async () => {
    const tokenizer = await loadTokenizer(await folderFiles(at(`models/${name}`)));
    const typed = vectors.filter(({ text }) => CONTROL.test(text));
    expect(typed.length).toBeGreaterThan(0);
    for (const { text, ids } of typed) {
      const ours = tokenizer.encode(text, { allowMask: true }).ids;
      expect(ours.filter((id) => id === tokenizer.maskTokenId).length).toBe(
        ids.filter((id) => id === tokenizer.maskTokenId).length,
      );
      expect(ours.filter((id) => id === tokenizer.sepTokenId)).toEqual([tokenizer.sepTokenId]);
    }
  });
});

describe.each(MODELS)('the floating-point model %s', { timeout: 60_000 }, (name) => {
  const { cases, hidden } = logitVectors[name] ?? { cases: [], hidden: { ids: [], states: [] } };
  const open = async () => {
    const files = await folderFiles(at(`models/${name}`));
    const config = await loadModelConfig(files);
    return { config, tokenizer: await loadTokenizer(files), source: await loadWeights(files, config) };
  };

  it('agrees with PyTorch layer by layer', async () => {
    const { source, config } = await open();
    const { hiddenStates } = await runFloat(source, hidden.ids, { hiddenStates: true });
    expect(hiddenStates.length).toBe(hidden.states.length);
    expect(hiddenStates.length).toBe(config.layers + 1);
    for (const [i, { first, last }] of hidden.states.entries()) {
      const lastRow = hiddenStates[i].subarray((hidden.ids.length - 1) * config.hiddenSize);
      expect(maxDifference(hiddenStates[i], first), `state ${i}`).toBeLessThan(1e-4);
      expect(maxDifference(lastRow, last), `state ${i}`).toBeLessThan(1e-4);
    }
  });

  it('agrees with PyTorch on the logits, and the tasks on the answer', async () => {
    const { source, config, tokenizer } = await open();
    expect(cases.length).toBeGreaterThan(3);
    for (const { text, ids, masks, logits } of cases) {
      if (masks) {
        const input = prepareFillMask(text, tokenizer, config);
        expect(input).toEqual({ inputIds: ids, rows: masks.map(({ position }) => position) });
        const got = (await runFloat(source, ids, { positions: input.rows })).logits;
        for (const [i, mask] of masks.entries())
          expect(maxDifference(got.subarray(i * config.vocabSize), mask.logits), text).toBeLessThan(1e-4);
        expect(finishFillMask(got, input, tokenizer, 1).map(([best]) => best.token)).toEqual(
          masks.map(({ token }) => token),
        );
      } else {
        const input = prepareTextClassification(text, tokenizer, config);
        expect(input.inputIds).toEqual(ids);
        const got = (await runFloat(source, ids)).logits;
        const expected = logits as readonly number[];
        expect(maxDifference(got, expected), text).toBeLessThan(1e-4);
        expect(finishTextClassification(got, input, 1)[0].label).toBe(
          config.id2label[expected.indexOf(Math.max(...expected))],
        );
      }
    }
  });
});
