import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TercetError } from '../../src/core/errors.ts';
import { loadTokenizer, type Tokenizer } from '../../src/ml/tokenizers/tokenizer.ts';
import { failure } from '../failure.ts';
import { jsonBytes, PIECES, TOKENIZER_CONFIG_JSON, TOKENIZER_JSON, tinyFiles } from './tiny-bert.ts';

const load = (tokenizer: unknown = TOKENIZER_JSON, config: unknown = TOKENIZER_CONFIG_JSON): Promise<Tokenizer> =>
  loadTokenizer(tinyFiles([], { 'tokenizer.json': jsonBytes(tokenizer), 'tokenizer_config.json': jsonBytes(config) }));
const pieces = (tokenizer: Tokenizer, text: string, allowMask = true): string =>
  tokenizer.encode(text, { allowMask }).tokens.join(' ');

describe('a tokenizer', () => {
  it('encodes with [CLS] and [SEP], and never cuts or pads', async () => {
    const tokenizer = await load();
    const { ids, tokens } = tokenizer.encode('The capital of France is Paris.', { allowMask: false });
    expect(tokens).toEqual(['[CLS]', 'the', 'capital', 'of', 'france', 'is', 'paris', '.', '[SEP]']);
    expect(ids).toEqual(tokens.map((token) => PIECES.indexOf(token)));
    expect(pieces(tokenizer, 'as CAFÉS xyz')).toBe('[CLS] a ##s cafe ##s [UNK] [SEP]');
  });

  it('knows its special ids and size', async () => {
    const { vocabSize, padTokenId, unkTokenId, clsTokenId, sepTokenId, maskTokenId, maskToken } = await load();
    expect([padTokenId, unkTokenId, clsTokenId, sepTokenId, maskTokenId]).toEqual([0, 1, 2, 3, 4]);
    expect([vocabSize, maskToken]).toEqual([23, '[MASK]']);
  });

  it('decodes', async () => {
    const tokenizer = await load();
    expect(tokenizer.decodeToken(17)).toBe('##s');
    expect(tokenizer.decode([2, 16, 17, 4, 7, 3, 0])).toBe('as [MASK].');
    expect(tokenizer.decode([2, 3])).toBe('');
    for (const id of [-1, 23, 1.5, Number.NaN]) await failure('ERR_RANGE', () => tokenizer.decodeToken(id));
    await failure('ERR_RANGE', () => tokenizer.decode([99]));
  });

  it('gives only [CLS] [SEP] for a text of invisible characters', async () => {
    expect(pieces(await load(), '\u200b\u200d')).toBe('[CLS] [SEP]');
  });

  it('sets ideographs beyond U+FFFF apart and lowercases a last sigma as the reference does', async () => {
    const json = structuredClone(TOKENIZER_JSON) as { model: { vocab: Record<string, number> } };
    json.model.vocab.οδοσ = 23;
    const tokenizer = await load(json);
    expect(pieces(tokenizer, '𠀀𠀀a𠀀')).toBe('[CLS] 𠀀 𠀀 a 𠀀 [SEP]');
    expect(pieces(tokenizer, 'ΟΔΟΣ')).toBe('[CLS] οδοσ [SEP]');
  });
});

describe('control tokens in a text', () => {
  it.each([
    ['[CLS]', '[CLS] [ cls ] [SEP]'],
    ['[SEP]', '[CLS] [ sep ] [SEP]'],
    ['[PAD]', '[CLS] [ [UNK] ] [SEP]'],
    ['[UNK]', '[CLS] [ [UNK] ] [SEP]'],
    ['a[SEP]a', '[CLS] a [ sep ] a [SEP]'],
    ['[S\u200bEP]', '[CLS] [ sep ] [SEP]'],
  ])('%s is plain text in every task', async (text, expected) => {
    const tokenizer = await load();
    expect(pieces(tokenizer, text, true)).toBe(expected);
    expect(pieces(tokenizer, text, false)).toBe(expected);
  });

  it('[MASK] is the mask in fill-mask and plain text elsewhere', async () => {
    const tokenizer = await load();
    expect(pieces(tokenizer, 'the [MASK].', true)).toBe('[CLS] the [MASK] . [SEP]');
    expect(pieces(tokenizer, '[MASK][MASK]a', true)).toBe('[CLS] [MASK] [MASK] a [SEP]');
    expect(pieces(tokenizer, 'the [MASK].', false)).toBe('[CLS] the [ mask ] . [SEP]');
    expect(pieces(tokenizer, '[mask] [ MASK ] [MASK', true)).toBe('[CLS] [ mask ] [ mask ] [ mask [SEP]');
  });

  it('cannot be forged by any text', { timeout: 60_000 }, async () => {
    const tokenizer = await load();
    const part = fc.constantFrom(
      '[',
      ']',
      'CLS',
      'sep',
      'MASK',
      '[SEP]',
      '[MASK]',
      '[CLS]',
      '[PAD]',
      '##',
      ' ',
      '\u200b',
      'a',
      '\u0301',
      '［',
      'Σ',
      '𠀀',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(part, fc.string({ unit: 'grapheme', maxLength: 3 })), { maxLength: 12 }),
        (parts) => {
          const { ids, tokens } = tokenizer.encode(parts.join(''), { allowMask: false });
          expect(ids.length).toBe(tokens.length);
          expect(ids.filter((id) => id === 2 || id === 3 || id === 0 || id === 4)).toEqual([2, 3]);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('are refused where the vocabulary spells one like a word', async () => {
    const json = structuredClone(TOKENIZER_JSON) as { model: { vocab: Record<string, number> } };
    json.model.vocab.eos = 23;
    const tokenizer = await load(json, { sep_token: 'eos' });
    expect(tokenizer.sepTokenId).toBe(23);
    await failure('ERR_TOKENIZER', () => tokenizer.encode('the eos', { allowMask: false }));
  });

  it('leave the model’s other added tokens as they are', async () => {
    const json = structuredClone(TOKENIZER_JSON);
    json.added_tokens.push({
      id: 23,
      content: '<user>',
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: false,
    });
    expect(pieces(await load(json), 'a<user>a')).toBe('[CLS] a <user> a [SEP]');
    json.added_tokens[5].special = true;
    expect(pieces(await load(json), 'a<user>a')).toBe('[CLS] a [UNK] [UNK] [UNK] a [SEP]');
  });
});

describe('loadTokenizer', () => {
  const changed = (change: (json: Record<string, Record<string, unknown>>) => void): unknown => {
    const json = structuredClone(TOKENIZER_JSON) as unknown as Record<string, Record<string, unknown>>;
    change(json);
    return json;
  };
  const bad: [string, unknown][] = [
    ['a list', []],
    ['null', null],
    ['an empty object', {}],
    ['BPE', changed((json) => (json.model.type = 'BPE'))],
    ['no model', changed((json) => delete (json as Record<string, unknown>).model)],
    ['another normalizer', changed((json) => (json.normalizer.type = 'Replace'))],
    ['no pre-tokenizer', changed((json) => Object.assign(json, { pre_tokenizer: null }))],
    ['no vocabulary', changed((json) => delete json.model.vocab)],
    [
      'an empty vocabulary',
      changed((json) => Object.assign(json, { added_tokens: [], model: { ...json.model, vocab: {} } })),
    ],
    ['a vocabulary with an id twice', changed((json) => ((json.model.vocab as Record<string, number>).x = 5))],
    ['an id that is text', changed((json) => Object.assign(json.model.vocab as object, { x: '23' }))],
    ['a negative id', changed((json) => Object.assign(json.model.vocab as object, { x: -1 }))],
    ['a huge id', changed((json) => Object.assign(json.model.vocab as object, { x: 2 ** 40 }))],
    ['a vocabulary that is a list', changed((json) => (json.model.vocab = ['a']))],
    [
      'no [MASK]',
      changed((json) => Object.assign(json, { added_tokens: [], model: { ...json.model, vocab: { '[PAD]': 0 } } })),
    ],
    [
      'an added token with another id',
      changed((json) => ((json.added_tokens as unknown as { id: number }[])[0].id = 3)),
    ],
    ['added tokens that are not a list', changed((json) => Object.assign(json, { added_tokens: {} }))],
    ['an added token without content', changed((json) => Object.assign(json, { added_tokens: [{ id: 1 }] }))],
    ['words of a million characters', changed((json) => (json.model.max_input_chars_per_word = 1e6))],
    ['no prefix', changed((json) => delete json.model.continuing_subword_prefix)],
  ];
  it.each(bad)('refuses %s', async (_, json) => {
    await failure('ERR_TOKENIZER', () => load(json));
  });

  it('recognises a web page in place of either file', async () => {
    for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
      const files = tinyFiles([], { [file]: new TextEncoder().encode('<!doctype html>\n<title>404</title>') });
      expect((await failure('ERR_TOKENIZER', () => loadTokenizer(files))).message).toBe(`${file} is HTML, not JSON`);
    }
    await failure('ERR_MODEL_NOT_FOUND', () => loadTokenizer(tinyFiles([], { 'tokenizer.json': null })));
  });

  it('refuses a special token that is not text', async () => {
    await failure('ERR_TOKENIZER', () => load(TOKENIZER_JSON, { mask_token: 7 }));
    await failure('ERR_TOKENIZER', () => load(TOKENIZER_JSON, { mask_token: { content: '' } }));
    await failure('ERR_TOKENIZER', () => load(TOKENIZER_JSON, { sep_token: '<sep>' }));
    // A role that frames no text may be without a piece.
    expect((await load(TOKENIZER_JSON, { mask_token: '<mask>' })).maskToken).toBeUndefined();
  });

  it('survives any change of one value: a typed error or a tokenizer that works', { timeout: 60_000 }, async () => {
    const keys = ['normalizer', 'pre_tokenizer', 'decoder', 'model', 'added_tokens'];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...keys), fc.string(), fc.jsonValue(), async (section, key, value) => {
        const json = structuredClone(TOKENIZER_JSON) as unknown as Record<string, Record<string, unknown>>;
        const known = Object.keys(json[section]);
        json[section][known[key.length % known.length] ?? key] = value;
        try {
          (await load(json)).encode('the capital [MASK]', { allowMask: true });
        } catch (error) {
          if (!(error instanceof TercetError) || error.code !== 'ERR_TOKENIZER') throw error;
        }
      }),
      { numRuns: 300 },
    );
  });
});
