/**
 * For every task a model of one layer, with the architecture, the head and the kind of tokenizer of the model that
 * ships for it, and a vocabulary of a few words. Weights are random, so that an answer says nothing; how it comes about
 * is as with any model: files, tokenizer, plan, session and decoder.
 */
import { type ModelConfig, parseModelConfig } from '../../ml/config.ts';
import { CONFIG_FILE } from '../../ml/config-fields.ts';
import { type ModelFiles, memoryFiles } from '../../ml/files.ts';
import { randomWeights } from '../../ml/models/random.ts';
import type { WeightSource } from '../../ml/models/weights.ts';
import { type Task, headOf } from '../../ml/tasks/table.ts';
import { MERGES_FILE, PIECES_FILE, TOKENIZER_CONFIG_FILE, VOCAB_FILE } from '../../ml/tokenizers/errors.ts';
import type { TaskOptions } from '../../owner/task-plans.ts';
import type { TaskText } from '../../owner/types/index.ts';

/** What is asked of it: a word or two. */
export const ASKED_TINY = {
  'fill-mask': { text: 'red [MASK]', options: {} },
  'text-classification': { text: 'red fox', options: {} },
  'zero-shot-classification': { text: 'fox', options: { labels: ['red', 'old'], template: '{text} {mask}' } },
  'question-answering': { text: { question: 'fox', context: 'red fox' }, options: {} },
  'token-classification': { text: 'ab', options: {} },
  // Behind the first token two more, each on kept keys and values.
  'text-generation': { text: 'ab', options: { generation: { maxNewTokens: 3, minNewTokens: 3 } } },
  'feature-extraction': { text: 'red fox', options: {} },
} as const satisfies Readonly<Record<Task, { readonly text: TaskText; readonly options: TaskOptions }>>;

type Files = Readonly<Record<string, unknown>>;

const WORDS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'red', 'fox', 'old'];
/** A piece for each byte of a text, and what two of them make. */
const BYTES = ['a', 'b', 'ab', 'Ġ'];
const OF_ROBERTA = ['<s>', '<pad>', '</s>', '<unk>', ...BYTES, '<mask>'];
const OF_GPT2 = ['<|endoftext|>', ...BYTES];

const POSITIONS = 8;
const LABELS = { id2label: { '0': 'O', '1': 'B-person' } };
const SIZES = { hidden_size: 4, num_hidden_layers: 1, num_attention_heads: 1, intermediate_size: 4 };

function wordPieces(config: object): Files {
  return {
    [CONFIG_FILE]: { vocab_size: WORDS.length, max_position_embeddings: POSITIONS, ...config },
    [TOKENIZER_CONFIG_FILE]: { tokenizer_class: 'BertTokenizer', do_lower_case: true },
    [PIECES_FILE]: WORDS.join('\n'),
  };
}

function bytePairs(pieces: readonly string[], tokenizer: object, config: object): Files {
  return {
    [CONFIG_FILE]: { vocab_size: pieces.length, ...config },
    [TOKENIZER_CONFIG_FILE]: tokenizer,
    [VOCAB_FILE]: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
    [MERGES_FILE]: '#version: 0.2\na b\n',
  };
}

const bert = (architecture: string) =>
  wordPieces({
    ...{ model_type: 'bert', architectures: [architecture], hidden_act: 'gelu', layer_norm_eps: 1e-12 },
    ...{ type_vocab_size: 2, ...SIZES, ...LABELS },
  });

/** By task, as `embeddedModel` has them: which architecture, with which head. */
const FILES: Readonly<Record<Task, () => Files>> = {
  'fill-mask': () => bert('BertForMaskedLM'),
  'text-classification': () => bert('BertForSequenceClassification'),
  'zero-shot-classification': () => bert('BertForMaskedLM'),
  'question-answering': () =>
    wordPieces({
      ...{ model_type: 'distilbert', architectures: ['DistilBertForQuestionAnswering'], activation: 'gelu' },
      ...{ dim: 4, n_layers: 1, n_heads: 1, hidden_dim: 4 },
    }),
  'token-classification': () =>
    bytePairs(
      OF_ROBERTA,
      { tokenizer_class: 'RobertaTokenizer', add_prefix_space: true },
      {
        ...{ model_type: 'roberta', architectures: ['RobertaForTokenClassification'], hidden_act: 'gelu' },
        ...{ layer_norm_eps: 1e-5, type_vocab_size: 1, pad_token_id: 1, max_position_embeddings: POSITIONS + 2 },
        ...{ ...SIZES, ...LABELS },
      },
    ),
  'text-generation': () =>
    bytePairs(
      OF_GPT2,
      { tokenizer_class: 'GPT2Tokenizer' },
      {
        ...{ model_type: 'gpt2', architectures: ['GPT2LMHeadModel'], activation_function: 'gelu_new' },
        ...{ n_embd: 4, n_layer: 1, n_head: 1, n_inner: 4, n_positions: POSITIONS, layer_norm_epsilon: 1e-5 },
        ...{ bos_token_id: 0, eos_token_id: 0 },
      },
    ),
  'feature-extraction': () => bert('BertForMaskedLM'),
};

export interface TaskModel {
  readonly config: ModelConfig;
  readonly files: ModelFiles;
  readonly source: WeightSource;
}

export function tinyModel(task: Task): TaskModel {
  const made = FILES[task]();
  const contents = Object.entries(made).map(([name, value]): [string, Uint8Array] => [
    name,
    new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)),
  ]);
  const config = parseModelConfig(made[CONFIG_FILE], headOf(task));
  return {
    ...{ config, files: memoryFiles(`tiny-${task}`, new Map(contents)) },
    source: randomWeights(config, 5, { outliers: false }),
  };
}
