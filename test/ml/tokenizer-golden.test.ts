/**
 * What the Python tokenizers made of some hundred texts (training/golden_tokenizers.py), against this code: ids,
 * UTF-16 spans, type ids.
 *
 * The tokenizers are those of gpt2, roberta-base and bert-base-uncased, cut down to what the texts use. With
 * TERCET_TOKENIZERS naming a folder that has the published ones, these are held to the same tokens and spans.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { folderFiles } from '../../src/ml/files-node.ts';
import { type ModelFiles, memoryFiles } from '../../src/ml/files.ts';
import { type Encoding, loadTokenizer, type Tokenizer } from '../../src/ml/tokenizers/tokenizer.ts';

interface Case {
  readonly text?: string;
  readonly pair?: readonly [string, string];
  readonly ids: readonly number[];
  readonly spans: readonly number[];
  readonly typeIds?: readonly number[];
}
interface Vectors {
  readonly vocab: Readonly<Record<string, number>>;
  readonly merges?: readonly string[];
  readonly texts: readonly Case[];
  readonly masked?: readonly Case[];
  readonly pairs?: readonly Case[];
}

const vectorsOf = (family: string): Vectors =>
  JSON.parse(
    readFileSync(fileURLToPath(new URL(`../vectors/tokenizer-${family}.json`, import.meta.url)), 'utf8'),
  ) as Vectors;
const memory = (files: Readonly<Record<string, unknown>>): ModelFiles =>
  memoryFiles(
    'm',
    new Map(
      Object.entries(files).map(([name, value]) => [
        name,
        new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)),
      ]),
    ),
  );

const fromMerges = ({ vocab, merges = [] }: Vectors): ModelFiles =>
  memory({
    'vocab.json': vocab,
    'merges.txt': `#version: 0.2\n${merges.join('\n')}\n`,
    'config.json': { model_type: vocab['<mask>'] === undefined ? 'gpt2' : 'roberta' },
  });
const byteLevelJson = (
  { vocab, merges = [] }: Vectors,
  post: unknown,
  control: readonly string[],
  pairs: boolean,
): ModelFiles =>
  memory({
    'tokenizer.json': {
      added_tokens: control.map((content) => ({
        id: vocab[content],
        content,
        lstrip: content === '<mask>',
        normalized: false,
        special: true,
      })),
      normalizer: null,
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true },
      post_processor: post,
      decoder: { type: 'ByteLevel' },
      model: { type: 'BPE', vocab, merges: pairs ? merges.map((merge) => merge.split(' ')) : merges },
    },
    'tokenizer_config.json': {},
  });
const bertFiles = ({ vocab }: Vectors): ModelFiles =>
  memory({
    'tokenizer.json': {
      added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].map((content) => ({
        id: vocab[content],
        content,
        normalized: false,
        special: true,
      })),
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: { type: 'BertProcessing', cls: ['[CLS]', vocab['[CLS]']], sep: ['[SEP]', vocab['[SEP]']] },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab,
      },
    },
    'tokenizer_config.json': {},
  });

const ROBERTA_CONTROL = ['<s>', '<pad>', '</s>', '<unk>', '<mask>'];
const roberta = vectorsOf('roberta');
const gpt2 = vectorsOf('gpt2');
const bert = vectorsOf('bert');
const robertaPost = {
  type: 'RobertaProcessing',
  cls: ['<s>', roberta.vocab['<s>']],
  sep: ['</s>', roberta.vocab['</s>']],
};
const template = {
  type: 'TemplateProcessing',
  single: [
    { SpecialToken: { id: '<s>', type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: '</s>', type_id: 0 } },
  ],
  pair: ['<s>', 'A', '</s>', '</s>', 'B', '</s>'].map((id) =>
    id.length === 1 ? { Sequence: { id, type_id: 0 } } : { SpecialToken: { id, type_id: 0 } },
  ),
  special_tokens: Object.fromEntries(['<s>', '</s>'].map((id) => [id, { id, ids: [roberta.vocab[id]], tokens: [id] }])),
};

/** Where Python has a span for the mask that a user wrote, or for text; -1 in the vectors is a token of the frame. */
const flat = ({ spans }: Encoding): number[] => spans.flatMap((span) => span ?? [-1, -1]);
const encodeCase = (tokenizer: Tokenizer, { text, pair }: Case, allowMask: boolean): Encoding =>
  pair === undefined ? tokenizer.encode(text as string, { allowMask }) : tokenizer.encodePair(...pair);

function holds(tokenizer: Tokenizer, vectors: Vectors): void {
  const names = Object.entries(vectors.vocab).reduce<string[]>(
    (list, [piece, id]) => Object.assign(list, { [id]: piece }),
    [],
  );
  for (const [key, cases] of Object.entries({
    texts: vectors.texts,
    masked: vectors.masked ?? [],
    pairs: vectors.pairs ?? [],
  })) {
    for (const each of cases) {
      const encoding = encodeCase(tokenizer, each, key === 'masked');
      const where = JSON.stringify(each.text ?? each.pair);
      expect(encoding.tokens, where).toEqual(each.ids.map((id) => names[id]));
      expect(
        encoding.ids.map((id) => tokenizer.decodeToken(id)),
        where,
      ).toEqual(encoding.tokens);
      expect(flat(encoding), where).toEqual(each.spans);
      expect(encoding.typeIds, where).toEqual(each.typeIds ?? each.ids.map(() => 0));
      expect(
        encoding.segments.map((segment) => segment !== undefined),
        where,
      ).toEqual(encoding.spans.map((span) => span !== undefined));
    }
  }
}

describe('against Python', () => {
  it.each([
    ['GPT-2, vocab.json and merges.txt', gpt2, fromMerges(gpt2), 'gpt2'],
    [
      'GPT-2, tokenizer.json',
      gpt2,
      byteLevelJson(gpt2, { type: 'ByteLevel', trim_offsets: false }, ['<|endoftext|>'], false),
      'gpt2',
    ],
    [
      'GPT-2, tokenizer.json without a post-processor, merges as pairs',
      gpt2,
      byteLevelJson(gpt2, null, ['<|endoftext|>'], true),
      'gpt2',
    ],
    ['RoBERTa, vocab.json and merges.txt', roberta, fromMerges(roberta), 'roberta'],
    ['RoBERTa, tokenizer.json', roberta, byteLevelJson(roberta, robertaPost, ROBERTA_CONTROL, true), 'roberta'],
    [
      'RoBERTa, tokenizer.json with a template',
      roberta,
      byteLevelJson(
        roberta,
        { type: 'Sequence', processors: [{ type: 'ByteLevel' }, template] },
        ROBERTA_CONTROL,
        false,
      ),
      'roberta',
    ],
    ['BERT', bert, bertFiles(bert), 'bert'],
  ] as const)('%s: ids, spans and type ids agree', async (_, vectors, files, family) => {
    const tokenizer = await loadTokenizer(files);
    expect(tokenizer.family).toBe(family);
    expect(vectors.texts.length).toBeGreaterThan(300);
    holds(tokenizer, vectors);
    for (const each of vectors.texts) expect(encodeCase(tokenizer, each, false).ids).toEqual(each.ids);
  });

  it('a byte-level text survives encoding and decoding', async () => {
    for (const vectors of [gpt2, roberta]) {
      const tokenizer = await loadTokenizer(fromMerges(vectors));
      for (const { text = '' } of vectors.texts)
        expect(tokenizer.decode(tokenizer.encode(text, { allowMask: false }).ids)).toBe(text);
    }
  });
});

const published = process.env['TERCET_TOKENIZERS'];
describe.skipIf(published === undefined)('the published tokenizers', () => {
  it.each([
    ['gpt2', gpt2],
    ['roberta-base', roberta],
    ['bert-base-uncased', bert],
  ] as const)('%s gives the same tokens and spans', async (folder, vectors) => {
    holds(await loadTokenizer(await folderFiles(join(published as string, folder))), vectors);
  });
});
