import { describe, expect, it } from 'vitest';
import { softmax, topIndices } from '../../src/ml/tasks/common.ts';
import { finishFillMask, prepareFillMask } from '../../src/ml/tasks/fill-mask.ts';
import { finishTextClassification, prepareTextClassification } from '../../src/ml/tasks/text-classification.ts';
import { loadTokenizer } from '../../src/ml/tokenizers/tokenizer.ts';
import { failure, TINY, TINY_CLASSIFIER, tinyFiles } from './tiny-bert.ts';

const tokenizer = await loadTokenizer(tinyFiles([]));

describe('fill-mask', () => {
  it('finds the masks', () => {
    expect(prepareFillMask('the capital is [MASK].', tokenizer, TINY)).toEqual({ inputIds: [2, 12, 13, 11, 4, 7, 3], maskPositions: [4] });
    expect(prepareFillMask('[MASK] is [MASK]', tokenizer, TINY).maskPositions).toEqual([1, 3]);
  });

  it('refuses a text without one', async () => {
    expect((await failure('ERR_NO_MASK', () => prepareFillMask('the [mask]', tokenizer, TINY))).hint).toContain('[MASK]');
  });

  it('takes the most tokens that the model takes, and says both numbers beyond', async () => {
    expect(prepareFillMask(`[MASK] ${'a '.repeat(7)}`, tokenizer, TINY).inputIds.length).toBe(10);
    const { message } = await failure('ERR_TOO_MANY_TOKENS', () => prepareFillMask(`[MASK] ${'a '.repeat(8)}`, tokenizer, TINY));
    expect(message).toContain('11');
    expect(message).toContain('10');
  });

  it('checks the text', async () => {
    await failure('ERR_TEXT_EMPTY', () => prepareFillMask('', tokenizer, TINY));
    await failure('ERR_TEXT_EMPTY', () => prepareFillMask('\u200b', tokenizer, TINY));
    await failure('ERR_TEXT_CONTROL', () => prepareFillMask('[MASK]\0', tokenizer, TINY));
    await failure('ERR_ARGUMENT', () => prepareFillMask(undefined, tokenizer, TINY));
  });

  it('refuses another model or tokenizer', async () => {
    await failure('ERR_MODEL_UNSUPPORTED', () => prepareFillMask('[MASK]', tokenizer, TINY_CLASSIFIER));
    await failure('ERR_MODEL_CONFIG', () => prepareFillMask('[MASK]', tokenizer, { ...TINY, vocabSize: 22 }));
  });

  it('ranks one mask', () => {
    const input = prepareFillMask('the capital is [MASK].', tokenizer, TINY);
    const logits = new Float32Array(23);
    logits[10] = Math.log(20);
    logits[15] = Math.log(8);
    const [list] = finishFillMask(logits, input, tokenizer, 3);
    expect(list.map(({ token, tokenId, sequence }) => [token, tokenId, sequence])).toEqual([
      ['paris', 10, 'the capital is paris.'],
      ['france', 15, 'the capital is france.'],
      ['[PAD]', 0, 'the capital is.'],
    ]);
    expect(list.map(({ score }) => score)).toEqual([20 / 49, 8 / 49, 1 / 49].map((score) => expect.closeTo(score, 6)));
  });

  it('ranks each of several masks, the others staying in the text', () => {
    const input = prepareFillMask('[MASK] is [MASK]', tokenizer, TINY);
    const logits = new Float32Array(46);
    logits[10] = 5;
    logits[23 + 15] = 5;
    const lists = finishFillMask(logits, input, tokenizer, 1);
    expect(lists.map(([first]) => first.sequence)).toEqual(['paris is [MASK]', '[MASK] is france']);
  });

  it('gives no more than there are pieces, and never names the padding of a vocabulary', () => {
    const input = prepareFillMask('[MASK]', tokenizer, TINY);
    expect(finishFillMask(new Float32Array(23), input, tokenizer, 1000)[0].length).toBe(23);
    const padded = new Float32Array(32);
    padded[31] = 100;
    const [list] = finishFillMask(padded, input, tokenizer, 1000);
    expect(list.length).toBe(23);
    expect(list[0].score).toBeLessThan(1e-40);
  });

  it('refuses bad logits and counts', async () => {
    const input = prepareFillMask('[MASK]', tokenizer, TINY);
    for (const topK of [0, -1, 1.5, Number.NaN]) await failure('ERR_ARGUMENT', () => finishFillMask(new Float32Array(23), input, tokenizer, topK));
    for (const length of [0, 22]) await failure('ERR_SHAPE', () => finishFillMask(new Float32Array(length), input, tokenizer, 1));
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
      await failure('ERR_RANGE', () => finishFillMask(new Float32Array(23).fill(bad, 3, 4), input, tokenizer, 1));
    const two = prepareFillMask('[MASK][MASK]', tokenizer, TINY);
    for (const length of [23, 47]) await failure('ERR_SHAPE', () => finishFillMask(new Float32Array(length), two, tokenizer, 1));
  });
});

describe('text classification', () => {
  it('takes [MASK] for plain text', () => {
    expect(prepareTextClassification('the [MASK]', tokenizer, TINY_CLASSIFIER).inputIds).toEqual([2, 12, 5, 18, 6, 3]);
  });

  it('ranks the labels', () => {
    const result = finishTextClassification(Float32Array.of(0, Math.log(2), Math.log(5)), TINY_CLASSIFIER);
    expect(result).toEqual([
      { label: 'positive', score: expect.closeTo(5 / 8, 6) },
      { label: 'neutral', score: expect.closeTo(2 / 8, 6) },
      { label: 'negative', score: expect.closeTo(1 / 8, 6) },
    ]);
    expect(finishTextClassification(Float32Array.of(0, 1, 2), TINY_CLASSIFIER, 1).length).toBe(1);
  });

  it('refuses another model and bad logits', async () => {
    await failure('ERR_MODEL_UNSUPPORTED', () => prepareTextClassification('a', tokenizer, TINY));
    await failure('ERR_SHAPE', () => finishTextClassification(new Float32Array(2), TINY_CLASSIFIER));
    await failure('ERR_RANGE', () => finishTextClassification(Float32Array.of(0, 1, Number.NaN), TINY_CLASSIFIER));
  });
});

describe('softmax', () => {
  it('is stable and sums to 1', () => {
    expect([...softmax([1000, 1000])]).toEqual([0.5, 0.5]);
    expect([...softmax([-1e30, 0])]).toEqual([0, 1]);
    expect(softmax(Float32Array.from({ length: 30522 }, (_, i) => Math.sin(i) * 20)).reduce((sum, x) => sum + x, 0)).toBeCloseTo(1, 12);
  });
});

describe('topIndices', () => {
  it('takes the lower index of equals first', () => {
    expect(topIndices([1, 3, 3, 0], 3)).toEqual([1, 2, 0]);
    expect(topIndices([1, 3, 3, 9], 9, 3)).toEqual([1, 2, 0]);
  });
});
