/** A BERT whose vocabulary is vocab.txt alone, as models were published before there was tokenizer.json. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { memoryFiles } from '../../src/ml/files.ts';
import { loadTokenizer, tokenizerFiles } from '../../src/ml/tokenizers/tokenizer.ts';
import { failure } from '../failure.ts';

const encoder = new TextEncoder();
const filesOf = (files: Readonly<Record<string, string | object | Uint8Array>>) =>
  memoryFiles(
    'listed',
    new Map(
      Object.entries(files).map(([name, value]) => [
        name,
        value instanceof Uint8Array ? value : encoder.encode(typeof value === 'string' ? value : JSON.stringify(value)),
      ]),
    ),
  );
const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const LIST = [...SPECIAL, 'the', 'caf', '##e', 'é', 'caf', '!', 'X'].join('\n');
const CONFIG = { tokenizer_class: 'BertTokenizer' };
const load = (files: Readonly<Record<string, string | object | Uint8Array>>) =>
  loadTokenizer(filesOf({ 'vocab.txt': LIST, 'tokenizer_config.json': CONFIG, ...files }));

describe('a list of pieces', () => {
  it('is what tokenizer.json says of the same pieces, for every text of the vectors', async () => {
    const model = (name: string, file: string) =>
      readFileSync(new URL(`../../models/${name}/${file}`, import.meta.url));
    const config = model('sst2-bert', 'tokenizer_config.json');
    const listed = await load({ 'vocab.txt': model('sst2-bert', 'vocab.txt'), 'tokenizer_config.json': config });
    const json = await loadTokenizer(
      filesOf({ 'tokenizer.json': model('sst2-bert', 'tokenizer.json'), 'tokenizer_config.json': config }),
    );
    const texts = JSON.parse(readFileSync(new URL('../vectors/tokenizer.json', import.meta.url), 'utf8')) as {
      readonly text: string;
    }[];
    expect(texts.length).toBeGreaterThan(50);
    for (const { text } of texts) {
      const encoding = listed.encode(text, { allowMask: true });
      expect(encoding, text).toEqual(json.encode(text, { allowMask: true }));
      expect(listed.decode(encoding.ids)).toBe(json.decode(encoding.ids));
    }
    expect(listed.encodePair('a good', 'film')).toEqual(json.encodePair('a good', 'film'));
    expect([...listed.specialIds].sort()).toEqual([...json.specialIds].sort());
    for (const key of ['family', 'vocabSize', 'ownVocabSize', 'maskToken', 'padTokenId', 'unkTokenId'] as const)
      expect(listed[key], key).toBe(json[key]);
  });

  it('counts lines from 0, ends them in either way, and lets the last of two alike count', async () => {
    for (const list of [LIST, `${LIST}\n`, `${LIST.replaceAll('\n', '\r\n')}\r\n`]) {
      const { ids } = (await load({ 'vocab.txt': list })).encode('The CAFÉ!', { allowMask: false });
      expect(ids).toEqual([2, 5, 9, 7, 10, 3]);
    }
  });

  it('keeps case and accents where the configuration says so', async () => {
    const cased = await load({ 'tokenizer_config.json': { ...CONFIG, do_lower_case: false } });
    expect(cased.encode('X é x', { allowMask: false }).ids).toEqual([2, 11, 8, 1, 3]);
  });

  it('spells special tokens as the configuration does, and adds what it lists', async () => {
    const tokenizer = await load({
      'vocab.txt': LIST.replace('[MASK]', '<mask>'),
      'tokenizer_config.json': { ...CONFIG, mask_token: '<mask>' },
      'added_tokens.json': { '[E1]': 12 },
    });
    expect(tokenizer.encode('the <mask> [E1]', { allowMask: true }).ids).toEqual([2, 5, 4, 12, 3]);
  });

  it('goes after tokenizer.json, and is a file of data owners', async () => {
    expect(await tokenizerFiles(filesOf({ 'vocab.txt': LIST, 'tokenizer_config.json': CONFIG }))).toEqual([
      'vocab.txt',
      'tokenizer_config.json',
    ]);
    expect(await tokenizerFiles(filesOf({ 'vocab.txt': LIST, 'tokenizer.json': {} }))).toEqual(['tokenizer.json']);
  });

  it.each([
    ['names no class and no model', { 'tokenizer_config.json': {} }, /^vocab\.txt does not say whose/],
    [
      'of RoBERTa',
      { 'tokenizer_config.json': { tokenizer_class: 'RobertaTokenizer' } },
      /names a tokenizer of roberta/,
    ],
    ['a web page', { 'vocab.txt': '<!doctype html>' }, /^vocab\.txt is HTML/],
    ['damaged', { 'vocab.txt': Uint8Array.of(0x61, 0xff) }, /^vocab\.txt is not UTF-8/],
    ['empty', { 'vocab.txt': '' }, /^vocab\.txt has no cls token/],
    ['without a piece for unknown words', { 'vocab.txt': LIST.replace('[UNK]', 'u') }, /no piece for unknown words/],
    [
      'another way of cutting',
      { 'tokenizer_config.json': { ...CONFIG, do_basic_tokenize: false } },
      /do_basic_tokenize/,
    ],
  ])('is refused: %s', async (_name, files, says) => {
    expect((await failure('ERR_TOKENIZER', () => load(files))).message).toMatch(says);
  });

  it('of a model without a tokenizer class is BERT’s where the model is', async () => {
    const files = { 'tokenizer_config.json': {}, 'config.json': { model_type: 'distilbert' } };
    expect((await load(files)).family).toBe('bert');
  });
});
