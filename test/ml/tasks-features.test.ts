import { describe, expect, it } from 'vitest';
import { TercetError } from '../../src/core/errors.ts';
import { batchOf, inParts, prepareEach, splitOutputs } from '../../src/ml/tasks/batch.ts';
import type { TaskInput } from '../../src/ml/tasks/common.ts';
import { type FeatureOptions, finishFeatures, prepareFeatures } from '../../src/ml/tasks/feature-extraction.ts';
import { prepareTextClassification } from '../../src/ml/tasks/text-classification.ts';
import { thrown } from '../failure.ts';
import { bertConfig, gpt2Config, loadBert, loadGpt2 } from './tasks-fixtures.ts';

const tokenizer = await loadBert();
const config = bertConfig('BertModel');

describe('feature extraction', () => {
  const prepare = (options?: FeatureOptions) => prepareFeatures('the city', tokenizer, config, options);
  const states = Float32Array.from({ length: 16 }, (_, i) => i);

  it('gives every position, special tokens included', () => {
    const input = prepare();
    expect(input.rows).toEqual([0, 1, 2, 3]);
    expect(finishFeatures(states, input)).toEqual({ dims: [4, 4], data: states });
  });

  it.each(['mean', 'cls'] as const)('takes the one vector that the parties made for %s', (pooling) => {
    const input = prepare({ pooling });
    expect(input).toMatchObject({ rows: [0], pooling });
    expect(finishFeatures(states.subarray(0, 4), input)).toEqual({ dims: [1, 4], data: Float32Array.of(0, 1, 2, 3) });
    thrown('ERR_SHAPE', () => finishFeatures(states, input));
  });

  it('normalizes each vector; zeros stay zeros', () => {
    const { data } = finishFeatures(
      Float32Array.of(3, 4, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 2),
      prepare({ normalize: true }),
    );
    expect([...data]).toEqual(
      [0.6, 0.8, 0, 0, 0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5, 0, 0, 0, 1].map((x) => expect.closeTo(x, 6)),
    );
    const pooled = finishFeatures(states.subarray(4, 8), prepare({ pooling: 'mean', normalize: true })).data;
    expect(Math.hypot(...pooled)).toBeCloseTo(1, 6);
    expect(pooled[3] / pooled[0]).toBeCloseTo(7 / 4, 6);
  });

  it('refuses a model with a head, another pooling, and cls where there is none', async () => {
    thrown('ERR_MODEL_UNSUPPORTED', () => prepareFeatures('a', tokenizer, bertConfig('BertForMaskedLM')));
    thrown('ERR_ARGUMENT', () => prepare({ pooling: 'max' as 'mean' }));
    const gpt2 = await loadGpt2();
    const model = { ...gpt2Config(gpt2.vocabSize), head: 'none' as const };
    thrown('ERR_ARGUMENT', () => prepareFeatures('The', gpt2, model, { pooling: 'cls' }));
    expect(prepareFeatures('The', gpt2, model, { pooling: 'mean' }).rows).toEqual([0]);
    thrown('ERR_RANGE', () => finishFeatures(new Float32Array(16).fill(Number.NaN), prepare()));
  });
});

describe('a batch', () => {
  const classifier = bertConfig('BertForSequenceClassification');
  const prepare = (text: string) => prepareTextClassification(text, tokenizer, classifier);

  it('holds texts of several lengths in the smallest bucket for the longest', () => {
    const inputs = prepareEach(['the', 'the city is good', 'a'], prepare);
    expect(inputs.map(({ inputIds }) => inputIds.length)).toEqual([3, 6, 3]);
    expect(batchOf(inputs, [4, 6, 16])).toEqual({ tokens: 6, sequences: inputs });
    expect(batchOf(inputs.slice(0, 1), [4, 6, 16]).tokens).toBe(4);
  });

  it('is refused as a whole, naming the text, before anything runs', () => {
    const seen: number[] = [];
    const error = thrown('ERR_TEXT_EMPTY', () =>
      prepareEach(['the', ' ', 'a'], (text, index) => {
        seen.push(index);
        return prepare(text);
      }),
    );
    expect(error.message).toBe('text 2 of 3: the text is empty or only white space');
    expect(seen).toEqual([0, 1]);
    const party = thrown('ERR_INTERNAL', () =>
      prepareEach([0], () => {
        throw new TercetError('ERR_INTERNAL', 'x', 'y', { party: 2 });
      }),
    );
    expect(party.party).toBe(2);
    expect(() =>
      prepareEach([0], () => {
        throw new RangeError('other');
      }),
    ).toThrow(RangeError);
  });

  it('is refused when empty or too long', () => {
    thrown('ERR_ARGUMENT', () => prepareEach([], prepare));
    thrown('ERR_ARGUMENT', () => prepareEach('text' as unknown as string[], prepare));
    // A hole in a list is a text like any other.
    thrown('ERR_ARGUMENT', () => prepareEach(new Array<string>(2), prepare));
    thrown('ERR_ARGUMENT', () => batchOf([], [16]));
    const inputs = prepareEach(['a', 'a a a a'], prepare);
    expect(thrown('ERR_TOO_MANY_TOKENS', () => batchOf(inputs, [4, 5])).message).toContain('text 2 of 2');
  });

  it('is cut into parts', () => {
    expect(inParts([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
    expect(inParts([1, 2], 8)).toEqual([[1, 2]]);
    expect(inParts([], 8)).toEqual([]);
    for (const size of [0, -1, 1.5, Number.NaN]) thrown('ERR_ARGUMENT', () => inParts([1], size));
  });

  it('has its outputs told apart', () => {
    const sequences: TaskInput[] = [
      { inputIds: [1, 2], rows: [] },
      { inputIds: [1, 2, 3], rows: [0, 2] },
    ];
    const outputs = Float32Array.of(0, 1, 2, 3, 4, 5);
    expect(splitOutputs(outputs, { tokens: 4, sequences }, 2).map((part) => [...part])).toEqual([
      [0, 1],
      [2, 3, 4, 5],
    ]);
    for (const length of [5, 7, 8])
      thrown('ERR_SHAPE', () => splitOutputs(new Float32Array(length), { tokens: 4, sequences }, 2));
  });
});
