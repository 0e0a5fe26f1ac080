import { describe, expect, it } from 'vitest';
import { fillTemplate } from '../../src/ml/tasks/zero-shot.ts';
import { finishCloze, prepareCloze } from '../../src/ml/tasks/zero-shot-cloze.ts';
import { finishNli, prepareNli } from '../../src/ml/tasks/zero-shot-nli.ts';
import { thrown } from '../failure.ts';
import { BERT_PIECES, bertConfig, loadBert, loadGpt2, loadRoberta, robertaConfig } from './tasks-fixtures.ts';

const tokenizer = await loadBert();
const roberta = await loadRoberta();
const V = tokenizer.vocabSize;
const LM = bertConfig('BertForMaskedLM');
const ROBERTA = robertaConfig('RobertaForMaskedLM', roberta.vocabSize);
const NLI = bertConfig('BertForSequenceClassification', ['CONTRADICTION', 'NEUTRAL', 'ENTAILMENT']);
const id = (piece: string): number => BERT_PIECES.indexOf(piece);
const idsOf = (text: string): number[] => text.split(' ').map(id);

describe('templates', () => {
  it('are filled once, and what fills them is not read again', () => {
    expect(fillTemplate('{text} It was {mask}.', { text: '{mask} $& {text}', mask: 'M' })).toBe(
      '{mask} $& {text} It was M.',
    );
    expect(fillTemplate('{mask}{other}{}{text}', { text: 'a', mask: 'b' })).toBe('b{other}{}a');
  });

  it('are refused without a slot, with one twice, and as anything but text', () => {
    for (const bad of ['{text}', '{text} {mask} {mask}', 5, null, `{text}{mask}${'a'.repeat(1000)}`])
      thrown('ERR_ARGUMENT', () => fillTemplate(bad, { text: 'a', mask: 'b' }));
  });
});

describe('zero-shot by a cloze', () => {
  const prepare = (text: unknown, labels: unknown, options = {}) => prepareCloze(text, labels, tokenizer, LM, options);

  it('asks for the word behind the text', () => {
    const input = prepare('a movie', ['good', 'bad']);
    expect(input).toEqual({
      inputIds: idsOf('[CLS] a movie it was [MASK] . [SEP]'),
      rows: [5],
      sequence: 'a movie',
      labels: ['good', 'bad'],
      labelIds: [id('good'), id('bad')],
    });
    expect(prepare('a movie', ['sports', 'politics'], { template: 'this is {mask}: {text}' }).inputIds).toEqual(
      idsOf('[CLS] this is [MASK] : a movie [SEP]'),
    );
  });

  it('scores by softmax over the labels alone', () => {
    const input = prepare('a movie', ['good', 'bad', 'positive'], { verbalizers: { positive: 'great' } });
    const logits = new Float32Array(V).fill(50);
    for (const [word, odds] of [
      ['good', 2],
      ['bad', 1],
      ['great', 5],
    ] as const)
      logits[id(word)] = Math.log(odds);
    expect(finishCloze(logits, input, tokenizer)).toEqual({
      sequence: 'a movie',
      labels: ['positive', 'good', 'bad'],
      scores: [5 / 8, 2 / 8, 1 / 8].map((x) => expect.closeTo(x, 6)),
    });
  });

  it('runs a byte-level model, whose words follow a space or not', () => {
    const input = prepareCloze('The Paris', ['good', 'bad'], roberta, ROBERTA);
    expect(input.labelIds).toEqual([...roberta.encodeWord(' good'), ...roberta.encodeWord(' bad')]);
    expect(input.inputIds[input.rows[0]]).toBe(roberta.maskTokenId);
    const inFront = () => prepareCloze('The Paris', ['good', 'bad'], roberta, ROBERTA, { template: '{mask}: {text}' });
    expect(thrown('ERR_ARGUMENT', inFront).message).toContain('"bad"');
  });

  it('refuses labels that are not one word, naming them and the way out', () => {
    const { message, hint } = thrown('ERR_ARGUMENT', () => prepare('a movie', ['good', 'johnson']));
    expect(message).toContain('"johnson"');
    expect(hint).toContain('verbalizers');
    for (const labels of [
      ['good', 'zebra'],
      ['good', 'very bad'],
      ['good'],
      [],
      undefined,
      ['good', 'good'],
      ['good', ' '],
    ])
      thrown('ERR_ARGUMENT', () => prepare('a movie', labels));
    expect(thrown('ERR_ARGUMENT', () => prepare('a movie', ['good', 'Good'])).message).toContain('same word');
  });

  it('refuses bad verbalizers', () => {
    for (const verbalizers of [{ good: 'johnson' }, { good: '' }, { good: 5 }, { other: 'good' }, 'good', []])
      thrown('ERR_ARGUMENT', () => prepare('a movie', ['good', 'bad'], { verbalizers }));
    thrown('ERR_ARGUMENT', () => prepare('a movie', ['good', 'toString'], { verbalizers: {} }));
  });

  it('does not let a text or a template bring masks', () => {
    expect(thrown('ERR_ARGUMENT', () => prepare('a [MASK] movie', ['good', 'bad'])).message).toContain('the text has');
    thrown('ERR_ARGUMENT', () => prepare('a movie', ['good', 'bad'], { template: '{text} [MASK] {mask}' }));
    expect(prepare('a {mask} movie', ['good', 'bad']).rows.length).toBe(1);
  });

  it('counts the template against the positions', () => {
    prepare('a '.repeat(17), ['good', 'bad']);
    expect(thrown('ERR_TOO_MANY_TOKENS', () => prepare('a '.repeat(19), ['good', 'bad'])).message).toContain(
      '1 too many',
    );
    thrown('ERR_TEXT_EMPTY', () => prepare('\u200b', ['good', 'bad']));
    thrown('ERR_TEXT_EMPTY', () => prepare('', ['good', 'bad']));
  });

  it('refuses another model and bad logits', () => {
    thrown('ERR_MODEL_UNSUPPORTED', () => prepareCloze('a', ['good', 'bad'], tokenizer, NLI));
    const input = prepare('a', ['good', 'bad']);
    thrown('ERR_SHAPE', () => finishCloze(new Float32Array(V - 1), input, tokenizer));
    thrown('ERR_RANGE', () => finishCloze(new Float32Array(V).fill(Number.NaN), input, tokenizer));
  });
});

describe('zero-shot by entailment', () => {
  const prepare = (labels: unknown, options = {}, config = NLI) =>
    prepareNli('a movie', labels, tokenizer, config, options);

  it('makes a pair for each label', () => {
    const input = prepare(['sports', 'politics']);
    expect(input.inputs.map(({ inputIds }) => inputIds)).toEqual(
      ['sports', 'politics'].map((label) => idsOf(`[CLS] a movie [SEP] this example is ${label} . [SEP]`)),
    );
    expect(input.inputs[0].typeIds).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
    expect(input.inputs[0].rows).toEqual([]);
    for (const hypothesisTemplate of ['about {label}', 'about {}'])
      expect(prepare(['sports'], { hypothesisTemplate }).inputs[0].inputIds).toEqual(
        idsOf('[CLS] a movie [SEP] about sports [SEP]'),
      );
  });

  it('has no token types where the model has one or none', () => {
    expect(prepare(['sports'], {}, { ...NLI, typeVocabSize: 0 }).inputs[0].typeIds).toBeUndefined();
    expect(prepare(['sports'], {}, { ...NLI, typeVocabSize: 1 }).inputs[0].typeIds).toBeUndefined();
  });

  it('scores entailment over the labels, the way of transformers', () => {
    const input = prepare(['sports', 'politics', 'a city']);
    const logits = Float32Array.of(9, 9, Math.log(1), 7, 7, Math.log(5), -3, -3, Math.log(2));
    expect(finishNli(logits, input)).toEqual({
      sequence: 'a movie',
      labels: ['politics', 'a city', 'sports'],
      scores: [5 / 8, 2 / 8, 1 / 8].map((x) => expect.closeTo(x, 6)),
    });
  });

  it('scores each label against its contradiction with multiLabel, and one label always', () => {
    const input = prepare(['sports', 'politics'], { multiLabel: true });
    const logits = Float32Array.of(Math.log(3), 99, Math.log(1), Math.log(1), -99, Math.log(4));
    expect(finishNli(logits, input)).toMatchObject({
      labels: ['politics', 'sports'],
      scores: [expect.closeTo(0.8, 6), expect.closeTo(0.25, 6)],
    });
    expect(finishNli(Float32Array.of(Math.log(3), 99, 0), prepare(['sports'])).scores).toEqual([
      expect.closeTo(0.25, 6),
    ]);
  });

  it('finds the classes by name, in any case and order', () => {
    const two = bertConfig('BertForSequenceClassification', ['entailment', 'not_entailment']);
    expect(prepare(['a', 'the'], { multiLabel: true }, two)).toMatchObject({ entailment: 0, contradiction: 1 });
    const other = bertConfig('BertForSequenceClassification', ['Entailment', 'Neutral', 'Contradiction']);
    expect(prepare(['a', 'the'], { multiLabel: true }, other)).toMatchObject({ entailment: 0, contradiction: 2 });
    expect(prepare(['a', 'the'])).not.toHaveProperty('contradiction');
  });

  it('refuses classifiers of anything else', () => {
    thrown('ERR_MODEL_UNSUPPORTED', () =>
      prepare(['a'], {}, bertConfig('BertForSequenceClassification', ['negative', 'positive'])),
    );
    thrown('ERR_MODEL_UNSUPPORTED', () =>
      prepare(['a'], {}, bertConfig('BertForSequenceClassification', ['x', 'entailment', 'y'])),
    );
    thrown('ERR_MODEL_UNSUPPORTED', () => prepare(['a'], {}, LM));
  });

  it('refuses bad labels, templates, texts and logits', async () => {
    for (const labels of [[], 'sports', [''], ['a', 'a'], [5]]) thrown('ERR_ARGUMENT', () => prepare(labels));
    for (const hypothesisTemplate of ['no slot', '{} {label}', '{} {}'])
      thrown('ERR_ARGUMENT', () => prepare(['a'], { hypothesisTemplate }));
    thrown('ERR_TEXT_EMPTY', () => prepareNli('', ['a'], tokenizer, NLI));
    thrown('ERR_TEXT_EMPTY', () => prepareNli('\u200b', ['a'], tokenizer, NLI));
    expect(thrown('ERR_TOO_MANY_TOKENS', () => prepareNli('a '.repeat(20), ['a'], tokenizer, NLI)).message).toContain(
      'text and hypothesis have 28 tokens',
    );
    thrown('ERR_SHAPE', () => finishNli(new Float32Array(5), prepare(['a', 'the'])));
    thrown('ERR_RANGE', () => finishNli(Float32Array.of(0, Number.NaN, 0), prepare(['a'])));
    const gpt2 = await loadGpt2();
    thrown('ERR_MODEL_UNSUPPORTED', () => prepareNli('a', ['b'], gpt2, { ...NLI, vocabSize: gpt2.vocabSize }));
  });
});
