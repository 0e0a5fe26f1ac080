/**
 * Tiny models of every kind for tests of the tasks: real tokenizer files and configurations, made here, read by the
 * real loaders.
 */

import { type ModelConfig, parseModelConfig } from '../../src/ml/config.ts';
import { memoryFiles } from '../../src/ml/files.ts';
import { loadTokenizer, type Tokenizer } from '../../src/ml/tokenizers/tokenizer.ts';

export const BERT_PIECES = (
  '[PAD] [UNK] [CLS] [SEP] [MASK] [ ] . , ? ! the capital of france is paris berlin city it was good bad great awful who what where lives in ' +
  "this example about sports politics a john smith smith ##son ##s new york u s ' mask text text : in stein ##ing movie and"
)
  .split(' ')
  .filter((piece, i, all) => all.indexOf(piece) === i);

const BERT_SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

function addedToken(content: string, id: number, lstrip = false): Record<string, unknown> {
  return { id, content, single_word: false, lstrip, rstrip: false, normalized: false, special: true };
}

function load(tokenizer: Record<string, unknown>, config: Record<string, unknown>): Promise<Tokenizer> {
  const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const files = new Map([
    ['tokenizer.json', bytes({ version: '1.0', truncation: null, padding: null, ...tokenizer })],
    ['tokenizer_config.json', bytes(config)],
  ]);
  return loadTokenizer(memoryFiles('tiny', files));
}

export function loadBert(): Promise<Tokenizer> {
  return load(
    {
      added_tokens: BERT_SPECIAL.map((content, id) => addedToken(content, id)),
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: {
        type: 'TemplateProcessing',
        single: [
          { SpecialToken: { id: '[CLS]', type_id: 0 } },
          { Sequence: { id: 'A', type_id: 0 } },
          { SpecialToken: { id: '[SEP]', type_id: 0 } },
        ],
        pair: [
          { SpecialToken: { id: '[CLS]', type_id: 0 } },
          { Sequence: { id: 'A', type_id: 0 } },
          { SpecialToken: { id: '[SEP]', type_id: 0 } },
          { Sequence: { id: 'B', type_id: 1 } },
          { SpecialToken: { id: '[SEP]', type_id: 1 } },
        ],
        special_tokens: {
          '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
          '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
        },
      },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(BERT_PIECES.map((piece, id) => [piece, id])),
      },
    },
    { tokenizer_class: 'BertTokenizer' },
  );
}

/** The 256 characters that stand for bytes, in the order of GPT-2's vocabulary. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  const printable = Array.from({ length: 256 }, (_, b) => b).filter(
    (b) => (b > 32 && b < 127) || (b > 160 && b !== 173),
  );
  const others = Array.from({ length: 256 }, (_, b) => b).filter((b) => !printable.includes(b));
  return [...printable.map((b) => String.fromCharCode(b)), ...others.map((_, i) => String.fromCharCode(256 + i))];
})();

/**
 * Each word grows from its left: one merge for each further character. Words with a space come first, so that they
 * win.
 */
const WORDS = ['Ġgood', 'Ġbad', 'Ġis', 'Ġit', 'Ġwas', 'ĠIt', 'ĠParis', 'ĠThe', 'Paris', 'The', 'good', 'Smith'];

function mergesAndPieces(): { merges: string[]; pieces: string[] } {
  const merges: string[] = [];
  const pieces = [...BYTE_CHARACTERS];
  for (const word of WORDS) {
    for (let i = 1; i < word.length; i++) {
      const merge = `${word.slice(0, i)} ${word[i]}`;
      if (merges.includes(merge)) continue;
      merges.push(merge);
      pieces.push(word.slice(0, i + 1));
    }
  }
  return { merges, pieces };
}

function byteLevel(
  before: readonly string[],
  after: readonly string[],
): { vocab: Record<string, number>; model: Record<string, unknown> } {
  const { merges, pieces } = mergesAndPieces();
  const vocab = Object.fromEntries([...before, ...pieces, ...after].map((piece, id) => [piece, id]));
  const model = {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: '',
    end_of_word_suffix: '',
    fuse_unk: false,
    vocab,
    merges,
  };
  return { vocab, model };
}

const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };

export function loadRoberta(): Promise<Tokenizer> {
  const { vocab, model } = byteLevel(['<s>', '<pad>', '</s>', '<unk>'], ['<mask>']);
  return load(
    {
      added_tokens: ['<s>', '<pad>', '</s>', '<unk>', '<mask>'].map((content) =>
        addedToken(content, vocab[content], content === '<mask>'),
      ),
      normalizer: null,
      pre_tokenizer: BYTE_LEVEL,
      post_processor: {
        type: 'RobertaProcessing',
        sep: ['</s>', 2],
        cls: ['<s>', 0],
        trim_offsets: true,
        add_prefix_space: false,
      },
      decoder: { ...BYTE_LEVEL, add_prefix_space: true },
      model,
    },
    {
      tokenizer_class: 'RobertaTokenizer',
      cls_token: '<s>',
      sep_token: '</s>',
      pad_token: '<pad>',
      unk_token: '<unk>',
      mask_token: '<mask>',
      eos_token: '</s>',
    },
  );
}

export function loadGpt2(): Promise<Tokenizer> {
  const { vocab, model } = byteLevel([], ['<|endoftext|>']);
  const end = '<|endoftext|>';
  return load(
    {
      added_tokens: [addedToken(end, vocab[end])],
      normalizer: null,
      pre_tokenizer: BYTE_LEVEL,
      post_processor: { ...BYTE_LEVEL, trim_offsets: false },
      decoder: { ...BYTE_LEVEL, add_prefix_space: true },
      model,
    },
    { tokenizer_class: 'GPT2Tokenizer', bos_token: end, eos_token: end, unk_token: end },
  );
}

const BERT_SIZES = {
  hidden_act: 'gelu',
  hidden_size: 4,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  intermediate_size: 4,
  layer_norm_eps: 1e-12,
};

function id2label(labels: readonly string[] | undefined): Record<string, unknown> {
  return labels === undefined ? {} : { id2label: Object.fromEntries(labels.entries()) };
}

/** 24 positions. */
export function bertConfig(architecture: string, labels?: readonly string[]): ModelConfig {
  const own = {
    architectures: [architecture],
    model_type: 'bert',
    vocab_size: BERT_PIECES.length,
    max_position_embeddings: 24,
    type_vocab_size: 2,
  };
  return parseModelConfig({ ...BERT_SIZES, ...own, ...id2label(labels) });
}

/** 24 positions behind the two that RoBERTa leaves out. */
export function robertaConfig(architecture: string, vocabSize: number, labels?: readonly string[]): ModelConfig {
  const own = {
    architectures: [architecture],
    model_type: 'roberta',
    vocab_size: vocabSize,
    max_position_embeddings: 26,
    type_vocab_size: 1,
    pad_token_id: 1,
  };
  return parseModelConfig({ ...BERT_SIZES, ...own, ...id2label(labels) });
}

export function gpt2Config(vocabSize: number, positions = 24): ModelConfig {
  return parseModelConfig({
    architectures: ['GPT2LMHeadModel'],
    model_type: 'gpt2',
    activation_function: 'gelu_new',
    n_embd: 4,
    n_layer: 1,
    n_head: 1,
    n_positions: positions,
    vocab_size: vocabSize,
    layer_norm_epsilon: 1e-5,
  });
}
