import { describe, expect, it } from 'vitest';
import { prepareEach } from '../../src/ml/tasks/batch.ts';
import { softmax, topIndices } from '../../src/ml/tasks/common.ts';
import { finishFillMask, prepareFillMask } from '../../src/ml/tasks/fill-mask.ts';
import { prepareQuestion } from '../../src/ml/tasks/question-answering.ts';
import {
  chooseLabels,
  finishTextClassification,
  prepareTextClassification,
} from '../../src/ml/tasks/text-classification.ts';
import { prepareCloze } from '../../src/ml/tasks/zero-shot-cloze.ts';
import { thrown } from '../failure.ts';
import { BERT_PIECES, bertConfig, loadBert, loadRoberta, robertaConfig } from './tasks-fixtures.ts';

const tokenizer = await loadBert();
const roberta = await loadRoberta();
const V = tokenizer.vocabSize;
const LM = bertConfig('BertForMaskedLM');
const CLASSIFIER = bertConfig('BertForSequenceClassification', ['negative', 'neutral', 'positive']);
const ROBERTA = robertaConfig('RobertaForMaskedLM', roberta.vocabSize);
const id = (piece: string): number => BERT_PIECES.indexOf(piece);
const idsOf = (text: string): number[] => text.split(' ').map(id);

describe('fill-mask', () => {
  it('finds the masks', () => {
    expect(prepareFillMask('the capital is [MASK].', tokenizer, LM)).toEqual({
      inputIds: idsOf('[CLS] the capital is [MASK] . [SEP]'),
      rows: [4],
    });
    expect(prepareFillMask('[MASK] is [MASK]', tokenizer, LM).rows).toEqual([1, 3]);
  });

  it('refuses a text without one', () => {
    expect(thrown('ERR_NO_MASK', () => prepareFillMask('the [mask]', tokenizer, LM)).hint).toContain('[MASK]');
    expect(thrown('ERR_NO_MASK', () => prepareFillMask('The [MASK]', roberta, ROBERTA)).hint).toContain('<mask>');
  });

  it('takes the most tokens that the model takes, and says both numbers beyond', () => {
    expect(prepareFillMask(`[MASK] ${'a '.repeat(21)}`, tokenizer, LM).inputIds.length).toBe(24);
    const { message } = thrown('ERR_TOO_MANY_TOKENS', () =>
      prepareFillMask(`[MASK] ${'a '.repeat(23)}`, tokenizer, LM),
    );
    expect(message).toBe('the text has 26 tokens with [CLS] and [SEP], and the model takes 24: 2 too many');
    expect(thrown('ERR_TOO_MANY_TOKENS', () => prepareFillMask('!?'.repeat(20), roberta, ROBERTA)).message).toContain(
      'with <s> and </s>',
    );
  });

  it('checks the text', () => {
    thrown('ERR_TEXT_EMPTY', () => prepareFillMask('', tokenizer, LM));
    thrown('ERR_TEXT_EMPTY', () => prepareFillMask('\u200b', tokenizer, LM));
    thrown('ERR_TEXT_CONTROL', () => prepareFillMask('[MASK]\0', tokenizer, LM));
    thrown('ERR_ARGUMENT', () => prepareFillMask(undefined, tokenizer, LM));
  });

  it('refuses another model or tokenizer', () => {
    thrown('ERR_MODEL_UNSUPPORTED', () => prepareFillMask('[MASK]', tokenizer, CLASSIFIER));
    thrown('ERR_MODEL_CONFIG', () => prepareFillMask('[MASK]', tokenizer, { ...LM, vocabSize: V - 1 }));
    thrown('ERR_MODEL_UNSUPPORTED', () =>
      prepareFillMask('[MASK]', { ...tokenizer, maskToken: undefined, maskTokenId: undefined }, LM),
    );
  });

  it('ranks one mask', () => {
    const input = prepareFillMask('the capital is [MASK].', tokenizer, LM);
    const logits = new Float32Array(V);
    logits[id('paris')] = Math.log(20);
    logits[id('france')] = Math.log(8);
    const [list] = finishFillMask(logits, input, tokenizer, 3);
    const total = 20 + 8 + V - 2;
    expect(list).toEqual([
      { token: 'paris', tokenId: id('paris'), sequence: 'the capital is paris.', score: expect.closeTo(20 / total, 6) },
      {
        token: 'france',
        tokenId: id('france'),
        sequence: 'the capital is france.',
        score: expect.closeTo(8 / total, 6),
      },
      { token: '[PAD]', tokenId: 0, sequence: 'the capital is.', score: expect.closeTo(1 / total, 6) },
    ]);
  });

  it('ranks each of several masks, the others staying in the text', () => {
    const input = prepareFillMask('[MASK] is [MASK]', tokenizer, LM);
    const logits = new Float32Array(2 * V);
    logits[id('paris')] = 5;
    logits[V + id('france')] = 5;
    expect(finishFillMask(logits, input, tokenizer, 1).map(([first]) => first.sequence)).toEqual([
      'paris is [MASK]',
      '[MASK] is france',
    ]);
  });

  it('runs a byte-level model, whose pieces have their spaces', () => {
    const input = prepareFillMask('The <mask>', roberta, ROBERTA);
    const [paris] = roberta.encodeWord(' Paris');
    const logits = new Float32Array(roberta.vocabSize);
    logits[paris] = 9;
    expect(finishFillMask(logits, input, roberta, 1)[0][0]).toMatchObject({
      token: 'ĠParis',
      tokenId: paris,
      sequence: 'The Paris',
    });
  });

  it('gives no more than there are pieces, and never names the padding of a vocabulary', () => {
    const input = prepareFillMask('[MASK]', tokenizer, LM);
    expect(finishFillMask(new Float32Array(V), input, tokenizer, 1000)[0].length).toBe(V);
    const padded = new Float32Array(V + 9);
    padded[V + 8] = 100;
    const [list] = finishFillMask(padded, input, tokenizer, 1000);
    expect(list.length).toBe(V);
    expect(list[0].score).toBeLessThan(1e-40);
  });

  it('chooses among targets, whose scores stay those among all pieces', () => {
    const input = prepareFillMask('the [MASK]', tokenizer, LM, { targets: ['Berlin', 'paris', 'BERLIN'] });
    expect(input.targetIds).toEqual([[id('berlin'), id('paris')]]);
    const logits = new Float32Array(V);
    logits[id('paris')] = Math.log(V + 1);
    const [list] = finishFillMask(logits, input, tokenizer, 5);
    expect(list.map(({ token }) => token)).toEqual(['paris', 'berlin']);
    expect(list.map(({ score }) => score)).toEqual([
      expect.closeTo((V + 1) / (2 * V), 6),
      expect.closeTo(1 / (2 * V), 6),
    ]);
    expect(finishFillMask(logits, input, tokenizer, 1)[0].length).toBe(1);
  });

  it('takes a target with its space where the mask follows one', () => {
    const spaced = prepareFillMask('<mask> <mask>', roberta, ROBERTA, { targets: ['Paris'] });
    expect(spaced.targetIds).toEqual([roberta.encodeWord('Paris'), roberta.encodeWord(' Paris')]);
    expect(spaced.targetIds?.flat().length).toBe(2);
  });

  it('refuses targets that are not one piece, by name', () => {
    const prepare = (targets: unknown) => prepareFillMask('[MASK]', tokenizer, LM, { targets: targets as string[] });
    expect(thrown('ERR_ARGUMENT', () => prepare(['paris', 'johnson'])).message).toContain('"johnson"');
    expect(thrown('ERR_ARGUMENT', () => prepare(['zebra'])).message).toContain('"zebra"');
    for (const bad of [[], [''], [5], 'paris', ['paris', 'paris'], ['[MASK]']])
      thrown('ERR_ARGUMENT', () => prepare(bad));
  });

  it('refuses bad logits and counts', () => {
    const input = prepareFillMask('[MASK]', tokenizer, LM);
    for (const topK of [0, -1, 1.5, Number.NaN])
      thrown('ERR_ARGUMENT', () => finishFillMask(new Float32Array(V), input, tokenizer, topK));
    for (const length of [0, V - 1])
      thrown('ERR_SHAPE', () => finishFillMask(new Float32Array(length), input, tokenizer, 1));
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
      thrown('ERR_RANGE', () => finishFillMask(new Float32Array(V).fill(bad, 3, 4), input, tokenizer, 1));
    const two = prepareFillMask('[MASK][MASK]', tokenizer, LM);
    for (const length of [V, 2 * V + 1])
      thrown('ERR_SHAPE', () => finishFillMask(new Float32Array(length), two, tokenizer, 1));
  });
});

describe('text classification', () => {
  const logits = Float32Array.of(0, Math.log(2), Math.log(5));
  const prepare = (labels?: unknown) =>
    prepareTextClassification('the', tokenizer, CLASSIFIER, { labels: labels as string[] });

  it('takes [MASK] for plain text', () => {
    const input = prepareTextClassification('the [MASK]', tokenizer, CLASSIFIER);
    expect(input.inputIds).toEqual(idsOf('[CLS] the [ mask ] [SEP]'));
    expect(input.rows).toEqual([]);
  });

  it('ranks the labels', () => {
    expect(finishTextClassification(logits, prepare())).toEqual([
      { label: 'positive', score: expect.closeTo(5 / 8, 6) },
      { label: 'neutral', score: expect.closeTo(2 / 8, 6) },
      { label: 'negative', score: expect.closeTo(1 / 8, 6) },
    ]);
    expect(finishTextClassification(logits, prepare(), 1).length).toBe(1);
  });

  it('chooses some of the labels, with probabilities among them', () => {
    expect(finishTextClassification(logits, prepare(['negative', 'Positive']))).toEqual([
      { label: 'Positive', score: expect.closeTo(5 / 6, 6) },
      { label: 'negative', score: expect.closeTo(1 / 6, 6) },
    ]);
    expect(finishTextClassification(logits, prepare(['neutral']))).toEqual([{ label: 'neutral', score: 1 }]);
  });

  it('renames labels', () => {
    const scores = finishTextClassification(logits, prepare({ positive: 'good', negative: 'bad' }));
    expect(scores.map(({ label }) => label)).toEqual(['good', 'neutral', 'bad']);
    expect(scores.map(({ score }) => score)).toEqual([5 / 8, 2 / 8, 1 / 8].map((x) => expect.closeTo(x, 6)));
    expect(chooseLabels({ a: 'b', b: 'a' }, ['a', 'b'])).toEqual([
      { index: 0, label: 'b' },
      { index: 1, label: 'a' },
    ]);
  });

  it('refuses labels that the model does not have, naming those that it has', () => {
    for (const labels of [['great'], { great: 'x' }]) {
      const { message } = thrown('ERR_ARGUMENT', () => prepare(labels));
      for (const name of ['"great"', '"negative"', '"neutral"', '"positive"']) expect(message).toContain(name);
    }
    const bad = [
      [],
      [''],
      [5],
      'positive',
      5,
      ['positive', 'positive'],
      ['positive', 'POSITIVE'],
      { positive: '' },
      { positive: 5 },
      { positive: 'neutral' },
    ];
    for (const labels of [
      ...bad,
      { positive: 'x', POSITIVE: 'y' },
      { positive: 'x', neutral: 'x' },
      { constructor: 'x' },
      null,
    ])
      thrown('ERR_ARGUMENT', () => prepare(labels));
    thrown('ERR_ARGUMENT', () => chooseLabels(['a'], ['A', 'A']));
    expect(chooseLabels(['A'], ['a', 'A'])).toEqual([{ index: 1, label: 'A' }]);
    expect(thrown('ERR_ARGUMENT', () => chooseLabels(['x'], new Array<string>(30).fill('y'))).message).toContain(
      'and 10 more',
    );
  });

  it('refuses another model and bad logits', () => {
    thrown('ERR_MODEL_UNSUPPORTED', () => prepareTextClassification('a', tokenizer, LM));
    thrown('ERR_SHAPE', () => finishTextClassification(new Float32Array(2), prepare()));
    thrown('ERR_RANGE', () => finishTextClassification(Float32Array.of(0, 1, Number.NaN), prepare()));
    thrown('ERR_ARGUMENT', () => finishTextClassification(logits, prepare(), 0));
  });
});

describe('errors', () => {
  it('never quote a text', () => {
    const marked = 'zzsecretzz';
    const QA = bertConfig('BertForQuestionAnswering');
    const long = `${marked} `.repeat(30);
    const errors = [
      thrown('ERR_NO_MASK', () => prepareFillMask(marked, tokenizer, LM)),
      thrown('ERR_TEXT_CONTROL', () => prepareFillMask(`${marked}\0`, tokenizer, LM)),
      thrown('ERR_TOO_MANY_TOKENS', () => prepareFillMask(long, tokenizer, LM)),
      thrown('ERR_ARGUMENT', () => prepareTextClassification(marked, tokenizer, CLASSIFIER, { labels: ['x'] })),
      thrown('ERR_ARGUMENT', () => prepareCloze(`${marked} [MASK]`, ['good', 'bad'], tokenizer, LM)),
      thrown('ERR_TOO_MANY_TOKENS', () => prepareQuestion(marked, long, tokenizer, QA)),
      thrown('ERR_TEXT_CONTROL', () => prepareQuestion(`${marked}\0`, marked, tokenizer, QA)),
      thrown('ERR_NO_MASK', () =>
        prepareEach([`${marked} [MASK]`, marked], (text) => prepareFillMask(text, tokenizer, LM)),
      ),
    ];
    for (const error of errors)
      expect(`${error.message} ${error.hint} ${error.stack} ${JSON.stringify(error)}`.includes(marked)).toBe(false);
  });
});

describe('softmax', () => {
  it('is stable and sums to 1', () => {
    expect([...softmax([1000, 1000])]).toEqual([0.5, 0.5]);
    expect([...softmax([-1e30, 0])]).toEqual([0, 1]);
    expect(
      softmax(Float32Array.from({ length: 30522 }, (_, i) => Math.sin(i) * 20)).reduce((sum, x) => sum + x, 0),
    ).toBeCloseTo(1, 12);
  });
});

describe('topIndices', () => {
  it('takes the lower index of equals first', () => {
    expect(topIndices([1, 3, 3, 0], 3)).toEqual([1, 2, 0]);
    expect(topIndices([1, 3, 3, 9], 9, 3)).toEqual([1, 2, 0]);
  });
});
