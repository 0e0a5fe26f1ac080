/**
 * The byte-level tokenizers of GPT-2 and RoBERTa: control tokens, prefix spaces, files, and refusals.
 * test/ml/tokenizer-golden.test.ts holds the pieces.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failure } from '../failure.ts';
import { TercetError } from '../../src/core/errors.ts';
import { memoryFiles } from '../../src/ml/files.ts';
import { loadTokenizer, type Tokenizer, tokenizerFiles } from '../../src/ml/tokenizers/tokenizer.ts';

/** The characters that stand for the 256 bytes: itself where a byte is printable, else the next of U+0100…. */
const printable = (byte: number): boolean => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
let spare = 0x100;
const BYTES = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : spare++));

const MERGES = ['Ġ a', 'a b', 'Ġa b', 'c d', 'Ġ Ġ'];
const GPT2 = [...BYTES, ...MERGES.map((merge) => merge.replace(' ', '')), '<|endoftext|>'];
const ROBERTA = ['<s>', '<pad>', '</s>', '<unk>', ...GPT2, '<mask>'];
const vocab = (pieces: readonly string[]): Record<string, number> =>
  Object.fromEntries(pieces.map((piece, id) => [piece, id]));

type Contents = Record<string, unknown>;
const files = (contents: Contents) =>
  memoryFiles(
    'tiny',
    new Map(
      Object.entries(contents)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => [
          name,
          value instanceof Uint8Array
            ? value
            : new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)),
        ]),
    ),
  );
const parts = (pieces: readonly string[], extra: Contents = {}): Contents => ({
  'vocab.json': vocab(pieces),
  'merges.txt': `#version: 0.2\n${MERGES.join('\n')}\n`,
  'config.json': { model_type: pieces.includes('<s>') ? 'roberta' : 'gpt2' },
  ...extra,
});
const load = (contents: Contents): Promise<Tokenizer> => loadTokenizer(files(contents));
const gpt2 = (config?: unknown): Promise<Tokenizer> => load(parts(GPT2, { 'tokenizer_config.json': config }));
const roberta = (config?: unknown): Promise<Tokenizer> => load(parts(ROBERTA, { 'tokenizer_config.json': config }));

const json = (
  change: (json: Record<string, unknown> & { model: Record<string, unknown> }) => void = () => undefined,
  pieces = GPT2,
): Contents => {
  const tokenizer = {
    added_tokens: [] as unknown[],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: vocab(pieces), merges: [...MERGES] } as Record<string, unknown>,
  };
  change(tokenizer);
  return { 'tokenizer.json': tokenizer, 'tokenizer_config.json': {} };
};

const shown = ({ tokens, spans }: ReturnType<Tokenizer['encode']>): string =>
  tokens.map((token, i) => `${token}${spans[i] === undefined ? '' : `@${spans[i].join('-')}`}`).join(' ');
const show = (tokenizer: Tokenizer, text: string, allowMask = true): string =>
  shown(tokenizer.encode(text, { allowMask }));

describe('GPT-2', () => {
  it('adds no control token, and knows its own', async () => {
    const tokenizer = await gpt2();
    expect(tokenizer.family).toBe('gpt2');
    expect([tokenizer.vocabSize, tokenizer.eosTokenId, tokenizer.unkTokenId]).toEqual([
      GPT2.length,
      GPT2.length - 1,
      GPT2.length - 1,
    ]);
    for (const key of ['clsTokenId', 'sepTokenId', 'padTokenId', 'maskTokenId', 'maskToken'] as const)
      expect(tokenizer[key], key).toBeUndefined();
    expect(show(tokenizer, 'ab ab  cd')).toBe('ab@0-2 Ġab@3-5 Ġ@6-6 Ġ@7-7 cd@7-9');
    expect(tokenizer.encode('', { allowMask: true })).toEqual({
      ids: [],
      tokens: [],
      spans: [],
      segments: [],
      typeIds: [],
      cut: [],
    });
    expect(tokenizer.encodeWord(' ab')).toEqual([GPT2.indexOf('Ġab')]);
  });

  it('gives a piece of a character the whole character, in UTF-16', async () => {
    expect(show(await gpt2(), 'é 😀')).toBe('Ã@0-1 ©@0-1 Ġ@2-2 ð@2-4 Ł@2-4 ĺ@2-4 Ģ@2-4');
  });

  it('takes a typed <|endoftext|> for text', async () => {
    const tokenizer = await gpt2({ eos_token: { content: '<|endoftext|>' }, pad_token: '<|endoftext|>' });
    const { ids } = tokenizer.encode('ab<|endoftext|>ab', { allowMask: true });
    expect(ids).not.toContain(tokenizer.eosTokenId);
    expect(tokenizer.decode(ids)).toBe('ab<|endoftext|>ab');
    expect(tokenizer.padTokenId).toBe(tokenizer.eosTokenId);
  });

  it('decodes without control tokens, cleans nothing up, and shows bytes that are no character as U+FFFD', async () => {
    const tokenizer = await gpt2({ clean_up_tokenization_spaces: true });
    expect(tokenizer.decode(tokenizer.encodeWord("ab , cd n't ."))).toBe("ab , cd n't .");
    expect(tokenizer.decode([...tokenizer.encodeWord('a'), GPT2.length - 1])).toBe('a');
    expect(tokenizer.decode(tokenizer.encodeWord('😀').slice(0, 2))).toBe('\ufffd');
    expect(tokenizer.decode([])).toBe('');
    expect(tokenizer.decodeToken(GPT2.indexOf('Ġab'))).toBe('Ġab');
    for (const id of [-1, GPT2.length, 0.5]) await failure('ERR_RANGE', () => tokenizer.decode([id]));
  });

  it('has no pairs', async () => {
    const tokenizer = await gpt2();
    await failure('ERR_MODEL_UNSUPPORTED', () => tokenizer.encodePair('a', 'b'));
  });

  it('looks for added tokens that are not special, with the white space that they swallow', async () => {
    const pieces = [...GPT2, '<user>', '<one>', '<hid>'];
    const tokenizer = await load(
      json((all) => {
        const at = (content: string): { id: number; content: string } => ({ id: pieces.indexOf(content), content });
        all['added_tokens'] = [
          { ...at('<|endoftext|>'), special: false },
          { ...at('<user>'), lstrip: true, rstrip: true },
          { ...at('<one>'), single_word: true, normalized: false },
          { ...at('<hid>'), special: true },
        ];
        all.model['vocab'] = vocab(GPT2);
      }),
    );
    expect(show(tokenizer, 'ab  <user>  ab')).toBe('ab@0-2 <user>@4-10 ab@12-14');
    expect(show(tokenizer, 'a<one> <one>')).toBe(`${show(tokenizer, 'a<one')} >@5-6 Ġ@7-7 <one>@7-12`);
    expect(
      tokenizer.encode('<hid><|endoftext|>', { allowMask: true }).ids.filter((id) => id >= GPT2.length - 1),
    ).toEqual([]);
    expect(tokenizer.decode(tokenizer.encodeWord('a <user> b'))).toBe('a<user>b');
  });

  it('refuses a text with a byte that the vocabulary has no piece for', async () => {
    const some = GPT2.filter((piece) => piece !== 'x');
    const tokenizer = await load(parts(some));
    expect(show(tokenizer, 'ab')).toBe('ab@0-2');
    const error = await failure('ERR_TOKENIZER', () => tokenizer.encode('abx', { allowMask: false }));
    expect(error.message).not.toContain('abx');
  });
});

describe('RoBERTa', () => {
  it('frames a text, and a pair, with type ids 0', async () => {
    const tokenizer = await roberta();
    expect(tokenizer.family).toBe('roberta');
    expect([
      tokenizer.clsTokenId,
      tokenizer.padTokenId,
      tokenizer.sepTokenId,
      tokenizer.unkTokenId,
      tokenizer.eosTokenId,
    ]).toEqual([0, 1, 2, 3, 2]);
    expect([tokenizer.maskToken, tokenizer.maskTokenId]).toEqual(['<mask>', ROBERTA.length - 1]);
    const pair = tokenizer.encodePair('ab', ' ab');
    expect(shown(pair)).toBe('<s> ab@0-2 </s> </s> Ġab@1-3 </s>');
    expect(pair.segments).toEqual([undefined, 0, undefined, undefined, 1, undefined]);
    expect(pair.typeIds).toEqual([0, 0, 0, 0, 0, 0]);
    expect(show(tokenizer, '')).toBe('<s> </s>');
    expect(tokenizer.decode(pair.ids)).toBe('ab ab');
  });

  it('swallows the space before a mask, unless the files say otherwise', async () => {
    const tokenizer = await roberta();
    expect(show(tokenizer, 'ab \u00a0<mask> ab')).toBe('<s> ab@0-2 <mask>@4-10 Ġab@11-13 </s>');
    expect(show(tokenizer, '<mask><mask>')).toBe('<s> <mask>@0-6 <mask>@6-12 </s>');
    expect(tokenizer.decode(tokenizer.encode('ab <mask>', { allowMask: true }).ids)).toBe('ab<mask>');
    const keeping = await roberta({ mask_token: { content: '<mask>', lstrip: false, rstrip: true } });
    expect(show(keeping, 'ab <mask> ab')).toBe('<s> ab@0-2 Ġ@3-3 <mask>@3-9 ab@10-12 </s>');
    expect(show(keeping, 'ab <mask> ab', false)).not.toContain('<mask>@');
  });

  it('takes typed control tokens for text, and the mask only where asked', async () => {
    const tokenizer = await roberta();
    for (const text of ['<s>', '</s>', '<pad>', '<unk>', '<|endoftext|>']) {
      const { ids } = tokenizer.encode(`a${text}`, { allowMask: true });
      expect(
        ids.slice(1, -1).filter((id) => id < 4 || id >= ROBERTA.length - 2),
        text,
      ).toEqual([]);
      expect(tokenizer.decode(ids)).toBe(`a${text}`);
    }
    expect(tokenizer.encode('<mask>', { allowMask: false }).ids).not.toContain(tokenizer.maskTokenId);
    expect(tokenizer.encodePair('<mask>', '</s><mask>').ids.filter((id) => id === tokenizer.maskTokenId)).toEqual([]);
    expect(tokenizer.encodeWord('<mask>')).not.toContain(tokenizer.maskTokenId);
  });

  it('refuses a text where the pieces spell a control token', async () => {
    const tokenizer = await roberta({ pad_token: 'ab' });
    expect(tokenizer.padTokenId).toBe(ROBERTA.indexOf('ab'));
    await failure('ERR_TOKENIZER', () => tokenizer.encode('cd ab\nab', { allowMask: false }));
  });

  it('adds the prefix space that the configuration asks for, which has no place in the text', async () => {
    const tokenizer = await roberta({ add_prefix_space: true });
    // As Python (tokenizers 0.23.3), but for the spans of " ab" and of what follows a mask, where it counts the
    // inserted space as the text's.
    expect(show(tokenizer, 'ab ab')).toBe('<s> Ġab@0-2 Ġab@3-5 </s>');
    expect(show(tokenizer, ' ab')).toBe('<s> Ġab@1-3 </s>');
    expect(show(tokenizer, '\nab')).toBe('<s> Ġ@0-0 Ċ@0-1 ab@1-3 </s>');
    expect(show(tokenizer, '  ab')).toBe('<s> Ġ@1-1 Ġab@2-4 </s>');
    expect(show(tokenizer, '<mask>ab <mask> ab')).toBe('<s> <mask>@0-6 Ġab@6-8 <mask>@9-15 Ġab@16-18 </s>');
    expect(show(tokenizer, '')).toBe('<s> </s>');
  });

  it('lets the configuration decide on the prefix space, then the pre-tokenizer', async () => {
    const asks = json((all) => (all['pre_tokenizer'] = { type: 'ByteLevel', add_prefix_space: true }));
    expect(show(await load(asks), 'ab')).toBe('Ġab@0-2');
    expect(show(await load({ ...asks, 'tokenizer_config.json': { add_prefix_space: false } }), 'ab')).toBe('ab@0-2');
  });
});

describe('the files of a byte-level tokenizer', () => {
  it('are listed for a deployment', async () => {
    const listed = async (contents: Contents): Promise<Set<string>> => new Set(await tokenizerFiles(files(contents)));
    expect(await listed(json())).toEqual(new Set(['tokenizer.json', 'tokenizer_config.json']));
    expect(await listed(parts(GPT2))).toEqual(new Set(['vocab.json', 'merges.txt']));
    const optional = { 'tokenizer_config.json': {}, 'special_tokens_map.json': {}, 'config.json': {} };
    expect(await listed(parts(GPT2, optional))).toEqual(
      new Set(['vocab.json', 'merges.txt', 'tokenizer_config.json', 'special_tokens_map.json']),
    );
    expect(await listed({ ...parts(GPT2), ...json() })).toEqual(new Set(['tokenizer.json', 'tokenizer_config.json']));
  });

  it('that are missing are named', async () => {
    expect((await failure('ERR_MODEL_NOT_FOUND', () => load({}))).message).toBe(
      'model "tiny" has no file tokenizer.json',
    );
    expect((await failure('ERR_MODEL_NOT_FOUND', () => load({ 'vocab.json': {} }))).message).toContain('merges.txt');
    const error = await failure('ERR_MODEL_NOT_FOUND', () => load({ 'merges.txt': '' }));
    expect(error.message).toContain('vocab.json');
    expect(error.hint).toMatch(/tokenizer\.json.*vocab\.json and merges\.txt/);
    await failure('ERR_TOKENIZER', () => load({ 'sentencepiece.bpe.model': 'x' }));
    await failure('ERR_TOKENIZER', () => tokenizerFiles(files({ 'spiece.model': 'x' })));
  });

  it('take special tokens from special_tokens_map.json and added_tokens.json too', async () => {
    const tokenizer = await load({
      ...parts(GPT2),
      'special_tokens_map.json': { pad_token: { content: '<p>' } },
      'added_tokens.json': { '<p>': GPT2.length },
    });
    expect([tokenizer.padTokenId, tokenizer.vocabSize]).toEqual([GPT2.length, GPT2.length + 1]);
    expect(tokenizer.encode('<p>', { allowMask: true }).ids).not.toContain(GPT2.length);
    const decoder = { [GPT2.length]: { content: '<u>', special: false } };
    expect(show(await gpt2({ added_tokens_decoder: decoder }), 'ab<u>')).toBe('ab@0-2 <u>@2-5');
  });

  const good = parts(ROBERTA);
  const lines = (...more: string[]): Contents => ({ ...parts(GPT2), 'merges.txt': [...MERGES, ...more].join('\n') });
  const html = '<!doctype html>\n<title>404</title>';
  const bad: [string, Contents, RegExp][] = [
    ['HTML for vocab.json', { ...good, 'vocab.json': html }, /^vocab\.json is HTML/],
    ['HTML for merges.txt', { ...good, 'merges.txt': html }, /^merges\.txt is HTML/],
    ['HTML for the configuration', { ...good, 'tokenizer_config.json': html }, /^tokenizer_config\.json is HTML/],
    ['merges that are not UTF-8', { ...good, 'merges.txt': Uint8Array.of(0x61, 0x20, 0xff) }, /not UTF-8/],
    ['a merge of three pieces', lines('a b c'), /line 6/],
    ['a merge of one piece', lines('ab'), /line 6/],
    ['a merge with two spaces', lines('a  b'), /line 6/],
    ['an empty line', lines('', 'a b'), /line 6/],
    ['a merge into no piece', lines('b b'), /line 6 with "bb"/],
    ['a merge of no piece', lines('bb b'), /line 6 with "bb"/],
    ['a vocabulary that is a list', { ...good, 'vocab.json': GPT2 }, /vocab\.json is array/],
    ['an id twice', { ...parts(GPT2), 'vocab.json': { ...vocab(GPT2), x2: 3 } }, /the id 3 to two pieces/],
    ['an id that is text', { ...parts(GPT2), 'vocab.json': { ...vocab(GPT2), x2: '3' } }, /not a sane integer/],
    [
      'RoBERTa without <s>',
      { ...parts([...GPT2, '</s>', '<unk>', '<mask>'], { 'config.json': { model_type: 'roberta' } }) },
      /no cls token/,
    ],
    ['nobody’s name', { ...parts(GPT2), 'config.json': {} }, /does not say whose/],
    [
      'a class of its own',
      { ...parts(GPT2), 'tokenizer_config.json': { tokenizer_class: 'BertweetTokenizer' } },
      /rules of its own/,
    ],
    [
      'another class',
      { ...parts(GPT2), 'tokenizer_config.json': { tokenizer_class: 'BertTokenizer' } },
      /needs a tokenizer\.json/,
    ],
    [
      'a bad added token',
      { ...good, 'tokenizer_config.json': { added_tokens_decoder: { x: { content: 'x' } } } },
      /sane integer/,
    ],
    [
      'a special token that is a number',
      { ...good, 'special_tokens_map.json': { pad_token: 1 } },
      /^special_tokens_map\.json/,
    ],
    ['Unigram', json((all) => (all.model['type'] = 'Unigram')), /"Unigram", and only WordPiece/],
    ['a normalizer', json((all) => (all['normalizer'] = { type: 'NFC' })), /normalizer/],
    [
      'another pre-tokenizer',
      json((all) => (all['pre_tokenizer'] = { type: 'Metaspace' })),
      /"Metaspace", and only ByteLevel/,
    ],
    [
      'words that are not cut',
      json((all) => (all['pre_tokenizer'] = { type: 'ByteLevel', use_regex: false })),
      /does not cut words/,
    ],
    ['another decoder', json((all) => (all['decoder'] = { type: 'WordPiece' })), /decoder/],
    ['byte fallback', json((all) => (all.model['byte_fallback'] = true)), /byte_fallback/],
    ['a suffix', json((all) => (all.model['end_of_word_suffix'] = '</w>')), /end_of_word_suffix/],
    ['merges that are text', json((all) => (all.model['merges'] = 'a b')), /merges of type string/],
    ['a merge that is a number', json((all) => (all.model['merges'] = [7])), /malformed merge 1/],
    ['another post-processor', json((all) => (all['post_processor'] = { type: 'Magic' })), /"Magic"/],
    [
      'a frame of another model',
      json(
        (all) => (all['post_processor'] = { type: 'RobertaProcessing', cls: ['<s>', 5], sep: ['</s>', 2] }),
        ROBERTA,
      ),
      /another cls/,
    ],
    [
      'RoBERTa’s name on GPT-2',
      { ...json(), 'tokenizer_config.json': { tokenizer_class: 'RobertaTokenizer' } },
      /no cls token/,
    ],
    ['BERT’s name on GPT-2', { ...json(), 'config.json': { model_type: 'bert' } }, /names a tokenizer of bert/],
    [
      'a template without an end',
      json(
        (all) =>
          (all['post_processor'] = {
            type: 'TemplateProcessing',
            single: [{ SpecialToken: { id: '<s>' } }, { Sequence: { id: 'A' } }],
            pair: [],
            special_tokens: { '<s>': { ids: [0] } },
          }),
        ROBERTA,
      ),
      /frames a text unlike/,
    ],
  ];
  it.each(bad)('are refused with %s', async (_, contents, message) => {
    expect((await failure('ERR_TOKENIZER', () => load(contents))).message).toMatch(message);
  });

  it('survive any change of one value: a typed error or a tokenizer that works', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('pre_tokenizer', 'post_processor', 'decoder', 'model', 'added_tokens'),
        fc.nat(20),
        fc.jsonValue(),
        async (key, which, value) => {
          const contents = json((all) => {
            all['post_processor'] = { type: 'RobertaProcessing', cls: ['<s>', 0], sep: ['</s>', 2] };
            const section = all[key] as Record<string, unknown>;
            const known = Object.keys(section);
            section[known[which % Math.max(known.length, 1)] ?? '0'] = value;
          }, ROBERTA);
          try {
            (await load(contents)).encode('ab <mask>', { allowMask: true });
          } catch (error) {
            if (!(error instanceof TercetError) || error.code !== 'ERR_TOKENIZER') throw error;
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
