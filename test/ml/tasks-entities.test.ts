import { describe, expect, it } from 'vitest';
import { tagsOf } from '../../src/ml/tasks/entity-tags.ts';
import {
  type Aggregation,
  type EntityInput,
  finishEntities,
  prepareEntities,
} from '../../src/ml/tasks/named-entities.ts';
import { thrown } from '../failure.ts';
import { BERT_PIECES, bertConfig, loadBert, loadRoberta, robertaConfig } from './tasks-fixtures.ts';

const LABELS = ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC'];
const tokenizer = await loadBert();
const roberta = await loadRoberta();
const config = bertConfig('BertForTokenClassification', LABELS);
const ROBERTA = robertaConfig('RobertaForTokenClassification', roberta.vocabSize, LABELS);

/**
 * Logits in which each piece of the text has its label with about this probability, the rest shared; special tokens
 * are sure of a name.
 */
function logitsOf(input: EntityInput, labels: readonly (string | readonly [string, number])[]): Float32Array {
  expect(labels.length).toBe(input.pieces.length);
  const L = input.id2label.length;
  const logits = new Float32Array(input.rows.length * L);
  for (const row of input.rows) logits[row * L + 1] = 30;
  for (const [i, { position }] of input.pieces.entries()) {
    const entry = labels[i];
    const [label, probability] = typeof entry === 'string' ? [entry, 0.9] : entry;
    const index = input.id2label.indexOf(label);
    expect(index).toBeGreaterThanOrEqual(0);
    for (let l = 0; l < L; l++)
      logits[position * L + l] = Math.log(l === index ? probability : (1 - probability) / (L - 1));
  }
  return logits;
}

function entities(
  text: string,
  labels: readonly (string | readonly [string, number])[],
  aggregation?: Aggregation,
): [string, string, number][] {
  const input = prepareEntities(text, tokenizer, config);
  const found = finishEntities(logitsOf(input, labels), input, aggregation);
  for (const { start, end, ...entity } of found) {
    expect(text.slice(start, end)).toBe(entity.text);
    expect(entity.entity_group).toBe(entity.label);
  }
  return found.map((entity) => [entity.text, entity.label, Math.round(entity.score * 1000) / 1000]);
}

describe('labels', () => {
  it('of BIO, BIOES, BILOU and none', () => {
    const show = (labels: readonly string[]): string[] =>
      tagsOf(labels).map(({ type, begins, ends }) => `${begins ? '<' : ''}${type}${ends ? '>' : ''}`);
    expect(show(['O', 'B-PER', 'I-PER'])).toEqual(['O', '<PER', 'PER']);
    expect(show(['O', 'B-X', 'I-X', 'E-X', 'S-X'])).toEqual(['O', '<X', 'X', 'X>', '<X>']);
    expect(show(['O', 'B-X', 'I-X', 'L-X', 'U-X'])).toEqual(['O', '<X', 'X', 'X>', '<X>']);
    expect(show(['O', 'PER', 'LOC', 'E-mail', 'S-Bahn', 'LABEL_0'])).toEqual([
      'O',
      'PER',
      'LOC',
      'E-mail',
      'S-Bahn',
      'LABEL_0',
    ]);
    expect(show(['B-work-of-art', 'B-', 'I-A'])).toEqual(['<work-of-art', 'B-', 'A']);
  });
});

describe('preparing', () => {
  it('reads every position, and takes control tokens for text', () => {
    const input = prepareEntities('John Smith lives in Paris.', tokenizer, config);
    expect(input.inputIds).toEqual(
      '[CLS] john smith lives in paris . [SEP]'.split(' ').map((piece) => BERT_PIECES.indexOf(piece)),
    );
    expect(input.rows).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(input.words).toEqual(['john', 'smith', 'lives', 'in', 'paris', '.']);
    expect(prepareEntities('[MASK]', tokenizer, config).inputIds).not.toContain(tokenizer.maskTokenId);
  });

  it('refuses another model and bad texts', () => {
    thrown('ERR_MODEL_UNSUPPORTED', () => prepareEntities('a', tokenizer, bertConfig('BertForMaskedLM')));
    thrown('ERR_TEXT_EMPTY', () => prepareEntities(' ', tokenizer, config));
    thrown('ERR_TOO_MANY_TOKENS', () => prepareEntities('a '.repeat(30), tokenizer, config));
  });
});

describe('entities', () => {
  it('are runs of one class with their places in the text as it was given', () => {
    const text = '  JOHN  Smith lives in New York.';
    const input = prepareEntities(text, tokenizer, config);
    const logits = logitsOf(input, ['B-PER', ['I-PER', 0.7], 'O', 'O', 'B-LOC', 'I-LOC', 'O']);
    expect(finishEntities(logits, input)).toEqual([
      {
        text: 'JOHN  Smith',
        word: 'JOHN  Smith',
        label: 'PER',
        entity_group: 'PER',
        score: expect.closeTo(0.8, 6),
        start: 2,
        end: 13,
      },
      {
        text: 'New York',
        word: 'New York',
        label: 'LOC',
        entity_group: 'LOC',
        score: expect.closeTo(0.9, 6),
        start: 23,
        end: 31,
      },
    ]);
  });

  it('begin anew at B-, and where the class changes; I- alone begins one', () => {
    expect(entities('john smith paris', ['B-PER', 'B-PER', 'I-LOC'])).toEqual([
      ['john', 'PER', 0.9],
      ['smith', 'PER', 0.9],
      ['paris', 'LOC', 0.9],
    ]);
    expect(entities('john smith paris', ['I-PER', 'I-PER', 'O'])).toEqual([['john smith', 'PER', 0.9]]);
    expect(entities('john in smith', ['B-PER', 'O', 'I-PER']).length).toBe(2);
    expect(entities('john in smith', ['O', 'O', 'O'])).toEqual([]);
  });

  it('with none are the pieces and labels of the model', () => {
    const input = prepareEntities('johnson in paris', tokenizer, config);
    const found = finishEntities(logitsOf(input, ['B-PER', 'I-PER', 'O', 'B-LOC']), input, 'none');
    expect(found.map(({ word, text, label, start, end }) => [word, text, label, start, end])).toEqual([
      ['john', 'john', 'B-PER', 0, 4],
      ['##son', 'son', 'I-PER', 4, 7],
      ['paris', 'paris', 'B-LOC', 11, 16],
    ]);
  });

  it('with simple may cut a word, with first, average and max never', () => {
    // The first piece says person, weakly; the second place, strongly: place wins by mean and by maximum.
    const pieces = [['B-PER', 0.5], ['I-LOC', 0.9], 'O'] as const;
    expect(entities('johnson in', pieces, 'simple')).toEqual([
      ['john', 'PER', 0.5],
      ['son', 'LOC', 0.9],
    ]);
    expect(entities('johnson in', pieces, 'first')).toEqual([['johnson', 'PER', 0.5]]);
    expect(entities('johnson in', pieces)).toEqual([['johnson', 'PER', 0.5]]);
    expect(entities('johnson in', pieces, 'max')).toEqual([['johnson', 'LOC', 0.9]]);
    // (0.125 + 0.9) / 2 = 0.5125 against (0.5 + 0.025) / 2.
    expect(entities('johnson in', pieces, 'average')).toEqual([['johnson', 'LOC', 0.513]]);
  });

  it('average and max differ where three pieces disagree', () => {
    const pieces = [
      ['B-PER', 0.6],
      ['B-PER', 0.6],
      ['B-LOC', 0.7],
    ] as const;
    // Means: person (0.6 + 0.6 + 0.075) / 3, place (0.1 + 0.1 + 0.7) / 3.
    expect(entities('johnsons', pieces, 'average')).toEqual([['johnsons', 'PER', 0.425]]);
    expect(entities('johnsons', pieces, 'max')).toEqual([['johnsons', 'LOC', 0.7]]);
    // Of equally sure ones the first counts.
    const equal = [
      ['B-PER', 0.7],
      ['B-LOC', 0.7],
      ['B-LOC', 0.7],
    ] as const;
    expect(entities('johnsons', equal, 'max')).toEqual([['johnsons', 'PER', 0.7]]);
  });

  it('join words whose pieces after the first are O', () => {
    expect(entities('johnson smith', ['B-PER', 'O', 'I-PER'], 'first')).toEqual([['johnson smith', 'PER', 0.9]]);
    expect(entities('johnson smith', ['B-PER', 'O', 'I-PER'], 'simple')).toEqual([
      ['john', 'PER', 0.9],
      ['smith', 'PER', 0.9],
    ]);
  });

  it('of BIOES end at E- and S-', () => {
    const labels = ['O', 'B-PER', 'I-PER', 'E-PER', 'S-PER'];
    const bioes = bertConfig('BertForTokenClassification', labels);
    const input = prepareEntities('john smith john smith john', tokenizer, bioes);
    const found = finishEntities(logitsOf(input, ['B-PER', 'E-PER', 'I-PER', 'S-PER', 'I-PER']), input);
    expect(found.map(({ start, end }) => [start, end])).toEqual([
      [0, 10],
      [11, 15],
      [16, 21],
      [22, 26],
    ]);
  });

  it('of labels without a scheme are neighbours of one class', () => {
    const io = bertConfig('BertForTokenClassification', ['O', 'PER', 'LOC']);
    const input = prepareEntities('john smith paris', tokenizer, io);
    expect(
      finishEntities(logitsOf(input, ['PER', 'PER', 'LOC']), input).map(({ text, label }) => [text, label]),
    ).toEqual([
      ['john smith', 'PER'],
      ['paris', 'LOC'],
    ]);
  });

  it('of a byte-level model are whole words without spaces and punctuation', () => {
    const text = 'It was  Parisé😀, Smithson';
    const input = prepareEntities(text, roberta, ROBERTA);
    const labels = input.pieces.map(({ start }) => (start >= 8 && start < 14 ? 'B-LOC' : start >= 18 ? 'B-PER' : 'O'));
    const found = finishEntities(logitsOf(input, labels), input);
    expect(found.map((entity) => [entity.text, entity.label])).toEqual([
      ['Parisé', 'LOC'],
      ['Smithson', 'PER'],
    ]);
  });

  it('do not cut a character that is several pieces, at the start of a word either', () => {
    const input = prepareEntities('It 😀x', roberta, ROBERTA);
    const inWord = input.pieces.filter(({ start }) => start === 3);
    expect(inWord.length).toBe(4);
    expect(inWord.map(({ continues }) => continues)).toEqual([false, true, true, true]);
  });

  it('has no part in a padded run: logits are those of the real positions', () => {
    const input = prepareEntities('john', tokenizer, config);
    const logits = logitsOf(input, ['B-PER']);
    expect(logits.length).toBe(3 * LABELS.length);
    expect(finishEntities(logits, input).length).toBe(1);
    thrown('ERR_SHAPE', () => finishEntities(new Float32Array(logits.length + LABELS.length), input));
  });

  it('refuses another aggregation and logits that are not finite', () => {
    const input = prepareEntities('john', tokenizer, config);
    thrown('ERR_ARGUMENT', () => finishEntities(logitsOf(input, ['O']), input, 'last' as Aggregation));
    thrown('ERR_RANGE', () => finishEntities(new Float32Array(15).fill(Number.NaN), input));
  });
});
