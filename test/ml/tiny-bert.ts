/**
 * A tiny BERT in the real layout of the hub, in memory: config, tokenizer, and random weights under the
 * checkpoints' own names.
 */

import { type ModelConfig, parseModelConfig } from '../../src/ml/config.ts';
import { type ModelFiles, memoryFiles } from '../../src/ml/files.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import type { TensorName } from '../../src/ml/models/weights.ts';
import { encodeSafetensors, type TensorToWrite } from '../../src/ml/safetensors-encode.ts';

export const TINY_JSON = {
  architectures: ['BertForMaskedLM'],
  model_type: 'bert',
  hidden_act: 'gelu',
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 12,
  vocab_size: 23,
  max_position_embeddings: 10,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
};

export const TINY_CLASSIFIER_JSON = {
  ...TINY_JSON,
  architectures: ['BertForSequenceClassification'],
  id2label: { '0': 'negative', '1': 'neutral', '2': 'positive' },
};

export const TINY_GPT2_JSON = {
  architectures: ['GPT2LMHeadModel'],
  model_type: 'gpt2',
  activation_function: 'gelu_new',
  n_embd: 8,
  n_layer: 2,
  n_head: 2,
  n_inner: 12,
  vocab_size: 23,
  n_positions: 10,
  layer_norm_epsilon: 1e-5,
};

export const TINY_ROBERTA_JSON = {
  ...TINY_JSON,
  architectures: ['RobertaForMaskedLM'],
  model_type: 'roberta',
  pad_token_id: 1,
  max_position_embeddings: 12,
  type_vocab_size: 1,
  layer_norm_eps: 1e-5,
};

export const TINY_DISTILBERT_JSON = {
  architectures: ['DistilBertForMaskedLM'],
  model_type: 'distilbert',
  activation: 'gelu',
  dim: 8,
  n_layers: 2,
  n_heads: 2,
  hidden_dim: 12,
  vocab_size: 23,
  max_position_embeddings: 10,
};

export const TINY_GPT2: ModelConfig = parseModelConfig(TINY_GPT2_JSON);
export const TINY: ModelConfig = parseModelConfig(TINY_JSON);
export const TINY_CLASSIFIER: ModelConfig = parseModelConfig(TINY_CLASSIFIER_JSON);

export const PIECES =
  '[PAD] [UNK] [CLS] [SEP] [MASK] [ ] . , ! paris is the capital of france a ##s mask sep cls cafe 𠀀'
    .split(' ')
    .slice(0, 23);

export const TOKENIZER_JSON = {
  version: '1.0',
  truncation: { direction: 'Right', max_length: 4, strategy: 'LongestFirst', stride: 0 },
  padding: null,
  added_tokens: PIECES.slice(0, 5).map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
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
  post_processor: null,
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(PIECES.map((piece, id) => [piece, id])),
  },
};

export const TOKENIZER_CONFIG_JSON = {
  tokenizer_class: 'BertTokenizer',
  mask_token: { content: '[MASK]' },
  cls_token: '[CLS]',
};

export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** canonical name → [checkpoint name, shape], written out by hand for TINY's sizes. */
export function tinyNames(classifier = false): [TensorName, string, number[]][] {
  const [V, C, F, P, Y, L] = [23, 8, 12, 10, 2, 3];
  const list: [TensorName, string, number[]][] = [
    ['embeddings.word', 'bert.embeddings.word_embeddings.weight', [V, C]],
    ['embeddings.position', 'bert.embeddings.position_embeddings.weight', [P, C]],
    ['embeddings.tokenType', 'bert.embeddings.token_type_embeddings.weight', [Y, C]],
    ['embeddings.lnGamma', 'bert.embeddings.LayerNorm.weight', [C]],
    ['embeddings.lnBeta', 'bert.embeddings.LayerNorm.bias', [C]],
  ];
  for (const i of [0, 1]) {
    const at = `bert.encoder.layer.${i}.`;
    list.push(
      [`layers.${i}.wq`, `${at}attention.self.query.weight`, [C, C]],
      [`layers.${i}.bq`, `${at}attention.self.query.bias`, [C]],
      [`layers.${i}.wk`, `${at}attention.self.key.weight`, [C, C]],
      [`layers.${i}.bk`, `${at}attention.self.key.bias`, [C]],
      [`layers.${i}.wv`, `${at}attention.self.value.weight`, [C, C]],
      [`layers.${i}.bv`, `${at}attention.self.value.bias`, [C]],
      [`layers.${i}.wo`, `${at}attention.output.dense.weight`, [C, C]],
      [`layers.${i}.bo`, `${at}attention.output.dense.bias`, [C]],
      [`layers.${i}.ln1Gamma`, `${at}attention.output.LayerNorm.weight`, [C]],
      [`layers.${i}.ln1Beta`, `${at}attention.output.LayerNorm.bias`, [C]],
      [`layers.${i}.w1`, `${at}intermediate.dense.weight`, [F, C]],
      [`layers.${i}.b1`, `${at}intermediate.dense.bias`, [F]],
      [`layers.${i}.w2`, `${at}output.dense.weight`, [C, F]],
      [`layers.${i}.b2`, `${at}output.dense.bias`, [C]],
      [`layers.${i}.ln2Gamma`, `${at}output.LayerNorm.weight`, [C]],
      [`layers.${i}.ln2Beta`, `${at}output.LayerNorm.bias`, [C]],
    );
  }
  if (classifier) {
    list.push(
      ['classifier.pooler', 'bert.pooler.dense.weight', [C, C]],
      ['classifier.poolerBias', 'bert.pooler.dense.bias', [C]],
      ['classifier.weight', 'classifier.weight', [L, C]],
      ['classifier.bias', 'classifier.bias', [L]],
    );
  } else {
    list.push(
      ['mlm.dense', 'cls.predictions.transform.dense.weight', [C, C]],
      ['mlm.denseBias', 'cls.predictions.transform.dense.bias', [C]],
      ['mlm.lnGamma', 'cls.predictions.transform.LayerNorm.weight', [C]],
      ['mlm.lnBeta', 'cls.predictions.transform.LayerNorm.bias', [C]],
      ['mlm.decoderBias', 'cls.predictions.bias', [V]],
    );
  }
  return list;
}

/** The tiny model's tensors with the values of seed 7. */
export async function tinyTensors(classifier = false): Promise<TensorToWrite[]> {
  const source = randomWeights(classifier ? TINY_CLASSIFIER : TINY, 7);
  const tensors: TensorToWrite[] = [];
  for (const [name, stored, shape] of tinyNames(classifier))
    tensors.push({ name: stored, dtype: 'F32', shape, data: await source.tensor(name) });
  return tensors;
}

/** A folder with the tiny model's files; `extra` adds files or replaces them, null removes one. */
export function tinyFiles(
  tensors: readonly TensorToWrite[],
  extra: Readonly<Record<string, Uint8Array | null>> = {},
): ModelFiles {
  const contents = new Map<string, Uint8Array>([
    ['config.json', jsonBytes(TINY_JSON)],
    ['tokenizer.json', jsonBytes(TOKENIZER_JSON)],
    ['tokenizer_config.json', jsonBytes(TOKENIZER_CONFIG_JSON)],
    ['model.safetensors', encodeSafetensors(tensors, { format: 'pt' })],
  ]);
  for (const [file, bytes] of Object.entries(extra)) {
    if (bytes === null) contents.delete(file);
    else contents.set(file, bytes);
  }
  return memoryFiles('tiny', contents);
}
