/**
 * `config.json` of a model, checked: from here on every size is a sane positive integer and every unsupported
 * variant has been refused by name.
 */

import { TercetError } from '../core/errors.ts';
import { quote, typeName } from './describe.ts';
import type { ModelFiles } from './files.ts';
import { isRecord, own, parseModelJson } from './json.ts';
import { parseLabels } from './labels.ts';

export const CONFIG_FILE = 'config.json';

export type ModelType = 'bert' | 'roberta' | 'distilbert' | 'gpt2';

/** What stands on top of the layers. 'none': the last hidden states themselves, for feature extraction. */
export type Head =
  | 'masked-lm'
  | 'sequence-classification'
  | 'question-answering'
  | 'token-classification'
  | 'causal-lm'
  | 'none';

/** 'gelu' is the exact one, with erf; 'gelu_new' its tanh form. */
export type Activation = 'gelu' | 'gelu_new' | 'relu';

/** Shapes by letter: C hiddenSize, H heads, F intermediateSize, V vocabSize, L numLabels. */
export interface ModelConfig {
  readonly modelType: ModelType;
  /** As config.json names it, like `RobertaForQuestionAnswering`. */
  readonly architecture: string;
  readonly head: Head;
  readonly hiddenSize: number;
  readonly layers: number;
  /** Divides hiddenSize. */
  readonly heads: number;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  /** Positions that a text may use. RoBERTa's table has `positionOffset` more. */
  readonly maxPositions: number;
  /** Rows of the position table before the first one that is used: RoBERTa counts from its padding token's id + 1. */
  readonly positionOffset: number;
  /** The row of the word embeddings that is padding's alone: no text reads it. */
  readonly paddingId: number | undefined;
  /** Rows of the token type table; 0 where the architecture has none. */
  readonly typeVocabSize: number;
  readonly layerNormEps: number;
  readonly activation: Activation;
  /** Whether the head's decoder may be the word embeddings; false: the weights must have one of its own. */
  readonly tieWordEmbeddings: boolean;
  /** Whether a model without a head has a pooler. No task reads it. */
  readonly poolingLayer: boolean;
  /**
   * Outputs of the head for each class: 0 for language models and for no head, 2 for question answering (start,
   * end).
   */
  readonly numLabels: number;
  /** Names of the classes; empty where the head has none of its own. */
  readonly id2label: readonly string[];
}

/** How an architecture spells its sizes in config.json. */
interface Spelling {
  readonly hidden: string;
  readonly layers: string;
  readonly heads: string;
  /** Feed-forward width; a list is tried in order, and `null` values fall through to 4·C. */
  readonly inner: string;
  readonly positions: string;
  readonly activation: string;
  readonly eps: string | undefined;
}

/** What the Python library's configuration of an architecture has where the file is silent. */
interface Defaults {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly inner: number | undefined;
  readonly positions: number;
  readonly vocabulary: number;
  readonly activation: string;
  readonly eps: number;
}

const BERT_DEFAULTS: Defaults = {
  hidden: 768,
  layers: 12,
  heads: 12,
  inner: 3072,
  positions: 512,
  vocabulary: 30_522,
  activation: 'gelu',
  eps: 1e-12,
};

const DEFAULTS: Record<ModelType, Defaults> = {
  bert: BERT_DEFAULTS,
  roberta: { ...BERT_DEFAULTS, vocabulary: 50_265 },
  distilbert: { ...BERT_DEFAULTS, layers: 6 },
  gpt2: { ...BERT_DEFAULTS, inner: undefined, positions: 1024, vocabulary: 50_257, activation: 'gelu_new', eps: 1e-5 },
};

/** Other names that the library reads for the same key. */
const ALSO: Readonly<Record<string, string>> = {
  dim: 'hidden_size',
  n_layers: 'num_hidden_layers',
  n_heads: 'num_attention_heads',
  n_embd: 'hidden_size',
  n_layer: 'num_hidden_layers',
  n_head: 'num_attention_heads',
  n_positions: 'max_position_embeddings',
};

const BERT_SPELLING: Spelling = {
  hidden: 'hidden_size',
  layers: 'num_hidden_layers',
  heads: 'num_attention_heads',
  inner: 'intermediate_size',
  positions: 'max_position_embeddings',
  activation: 'hidden_act',
  eps: 'layer_norm_eps',
};

const SPELLINGS: Record<ModelType, Spelling> = {
  bert: BERT_SPELLING,
  roberta: BERT_SPELLING,
  distilbert: {
    hidden: 'dim',
    layers: 'n_layers',
    heads: 'n_heads',
    inner: 'hidden_dim',
    positions: 'max_position_embeddings',
    activation: 'activation',
    eps: undefined,
  },
  gpt2: {
    hidden: 'n_embd',
    layers: 'n_layer',
    heads: 'n_head',
    inner: 'n_inner',
    positions: 'n_positions',
    activation: 'activation_function',
    eps: 'layer_norm_epsilon',
  },
};

/** DistilBERT's configuration has no epsilon: the architecture fixes it. */
const DISTILBERT_EPS = 1e-12;

/** Names of one function by how it is computed. quick_gelu and gelu_10 are other functions. */
const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'gelu_new',
  gelu_fast: 'gelu_new',
  gelu_accurate: 'gelu_new',
  gelu_pytorch_tanh: 'gelu_new',
  gelu_python_tanh: 'gelu_new',
  relu: 'relu',
};

const HEADS: Readonly<Record<string, Head>> = {
  MaskedLM: 'masked-lm',
  PreTraining: 'masked-lm',
  SequenceClassification: 'sequence-classification',
  QuestionAnswering: 'question-answering',
  TokenClassification: 'token-classification',
};

/** Class names that config.json may give, by model type. */
const PREFIXES: Record<ModelType, string> = {
  bert: 'Bert',
  roberta: 'Roberta',
  distilbert: 'DistilBert',
  gpt2: 'GPT2',
};

/**
 * Upper limits: beyond any model of these kinds ever published, and small enough that no product of two sizes
 * leaves the exact integers.
 */
export const CAPS = {
  hidden: 16_384,
  layers: 256,
  heads: 256,
  inner: 65_536,
  vocabulary: 2_000_000,
  positions: 65_536,
  types: 256,
} as const;

/** Reads and parses `config.json`. @throws {TercetError} ERR_MODEL_NOT_FOUND, and as parseModelConfig. */
export async function loadModelConfig(files: ModelFiles, wanted?: Head): Promise<ModelConfig> {
  return parseModelConfig(parseModelJson(await files.read(CONFIG_FILE), CONFIG_FILE, 'ERR_MODEL_CONFIG'), wanted);
}

/**
 * Checks a parsed `config.json`.
 *
 * Where a size is not stated, it is the architecture's default in the Python library; the weights must have it.
 * Only what changes the function is looked at; other keys are ignored.
 * @param wanted the head, where the caller or the weights say it: it counts where the file names none, or several,
 * and 'none' always (the layers without their head)
 * @throws {TercetError} ERR_MODEL_CONFIG for absent, mistyped, contradictory or insane values;
 * ERR_MODEL_UNSUPPORTED, naming it, for a model that Tercet cannot run.
 */
export function parseModelConfig(json: unknown, wanted?: Head): ModelConfig {
  if (!isRecord(json)) throw configError(`is ${typeName(json)}, not an object`);
  const modelType = parseModelType(json);
  const { architecture, head } = parseArchitecture(json, modelType, wanted);
  const spelling = SPELLINGS[modelType];
  const defaults = DEFAULTS[modelType];
  const hiddenSize = size(json, spelling.hidden, CAPS.hidden, defaults.hidden);
  const heads = size(json, spelling.heads, CAPS.heads, defaults.heads);
  if (hiddenSize % heads !== 0)
    throw configError(`has ${spelling.hidden} ${hiddenSize}, which ${spelling.heads} ${heads} does not divide`);
  refuseVariants(json, modelType);
  const positionOffset = modelType === 'roberta' ? paddingId(json) + 1 : 0;
  const positions = size(json, spelling.positions, CAPS.positions, defaults.positions);
  if (positions <= positionOffset)
    throw configError(`has ${spelling.positions} ${positions}, and the first ${positionOffset} are not used`);
  const id2label =
    head === 'sequence-classification' || head === 'token-classification' ? parseLabels(json, head, configError) : [];
  return {
    modelType,
    architecture,
    head,
    hiddenSize,
    layers: size(json, spelling.layers, CAPS.layers, defaults.layers),
    heads,
    intermediateSize: innerSize(json, spelling, hiddenSize, defaults.inner),
    vocabSize: size(json, 'vocab_size', CAPS.vocabulary, defaults.vocabulary),
    maxPositions: positions - positionOffset,
    positionOffset,
    paddingId: paddingRow(json, modelType),
    typeVocabSize: modelType === 'bert' || modelType === 'roberta' ? size(json, 'type_vocab_size', CAPS.types, 2) : 0,
    layerNormEps: spelling.eps === undefined ? DISTILBERT_EPS : parseEps(json, spelling.eps, defaults.eps),
    activation: parseActivation(json, spelling.activation, defaults.activation),
    tieWordEmbeddings: flag(json, 'tie_word_embeddings', true),
    poolingLayer:
      head === 'none' && (modelType === 'bert' || modelType === 'roberta') && flag(json, 'add_pooling_layer', true),
    numLabels: head === 'question-answering' ? 2 : id2label.length,
    id2label,
  };
}

function configError(what: string, hint = 'take the config.json that belongs to the weights'): TercetError {
  return new TercetError('ERR_MODEL_CONFIG', `${CONFIG_FILE} ${what}`, hint);
}

function unsupported(key: string, value: unknown, hint: string): TercetError {
  const shown =
    typeof value === 'string'
      ? quote(value)
      : typeof value === 'boolean' || typeof value === 'number'
        ? String(value)
        : typeName(value);
  return new TercetError('ERR_MODEL_UNSUPPORTED', `${CONFIG_FILE} has ${key} ${shown}`, hint);
}

/** The type of a parsed config.json. @throws {TercetError} as parseModelConfig */
export function modelTypeOf(json: unknown): ModelType {
  if (!isRecord(json)) throw configError(`is ${typeName(json)}, not an object`);
  return parseModelType(json);
}

function parseModelType(json: Record<string, unknown>): ModelType {
  const value = own(json, 'model_type') ?? typeByName(json);
  if (value === undefined) throw configError('has no model_type', `add it: one of ${Object.keys(PREFIXES).join(', ')}`);
  if (typeof value !== 'string') throw configError(`has model_type of type ${typeName(value)}, expected a string`);
  if (!Object.hasOwn(PREFIXES, value))
    throw unsupported('model_type', value, 'this version runs bert, roberta, distilbert and gpt2 models');
  return value as ModelType;
}

/** Files of before model_type have its class alone. */
function typeByName(json: Record<string, unknown>): ModelType | undefined {
  const list = own(json, 'architectures');
  const name: unknown = Array.isArray(list) ? list[0] : undefined;
  if (typeof name !== 'string') return undefined;
  return (Object.keys(PREFIXES) as ModelType[]).find((type) => name.startsWith(PREFIXES[type]));
}

/** The class of a head, as config.json would name it. */
function classOf(modelType: ModelType, head: Head): string {
  const prefix = PREFIXES[modelType];
  if (head === 'none') return `${prefix}Model`;
  if (head === 'causal-lm') return `${prefix}LMHeadModel`;
  return `${prefix}For${Object.keys(HEADS).find((name) => HEADS[name] === head) ?? ''}`;
}

/** Whether config.json leaves the head to whoever loads the model. */
export function namesNoHead(json: unknown): boolean {
  const list = isRecord(json) ? (own(json, 'architectures') ?? []) : undefined;
  return Array.isArray(list) && list.length !== 1;
}

function parseArchitecture(
  json: Record<string, unknown>,
  modelType: ModelType,
  wanted: Head | undefined,
): { architecture: string; head: Head } {
  const prefix = PREFIXES[modelType];
  const fits = wanted !== undefined && (wanted === 'none' || (wanted === 'causal-lm') === (modelType === 'gpt2'));
  if (wanted !== undefined && fits && (wanted === 'none' || namesNoHead(json)))
    return { architecture: classOf(modelType, wanted), head: wanted };
  const list = own(json, 'architectures') ?? [];
  if (Array.isArray(list) && list.length === 0)
    throw configError(
      'has no architectures, and neither the task nor the weights say what the model is for',
      'name the task (--task)',
    );
  if (Array.isArray(list) && list.length > 1)
    throw configError(`has ${list.length} architectures`, 'name the task (--task)');
  if (!Array.isArray(list) || typeof list[0] !== 'string') {
    throw configError(`has architectures of type ${typeName(list)}, expected a list of one name`);
  }
  const name: string = list[0];
  const hint = `this version runs, of ${modelType} models, ${namesOf(modelType).join(', ')}`;
  if (!name.startsWith(prefix)) throw unsupported('architectures', name, hint);
  const rest = name.slice(prefix.length);
  if (rest === 'Model') return { architecture: name, head: 'none' };
  if (modelType === 'gpt2') {
    if (rest === 'LMHeadModel') return { architecture: name, head: 'causal-lm' };
    throw unsupported('architectures', name, hint);
  }
  const head = rest.startsWith('For') && Object.hasOwn(HEADS, rest.slice(3)) ? HEADS[rest.slice(3)] : undefined;
  if (head === undefined) throw unsupported('architectures', name, hint);
  return { architecture: name, head };
}

function namesOf(modelType: ModelType): string[] {
  const prefix = PREFIXES[modelType];
  if (modelType === 'gpt2') return [`${prefix}LMHeadModel`, `${prefix}Model`];
  return [...Object.keys(HEADS).map((head) => `${prefix}For${head}`), `${prefix}Model`];
}

/** Variants that change the function and that this version does not have. */
function refuseVariants(json: Record<string, unknown>, modelType: ModelType): void {
  const encoders = 'this version runs it as an encoder only';
  if (modelType === 'gpt2') {
    optionalValue(
      json,
      'scale_attn_weights',
      true,
      'this version divides attention scores by the root of the head width',
    );
    optionalValue(json, 'scale_attn_by_inverse_layer_idx', false, 'this version does not scale attention by layer');
    optionalValue(json, 'add_cross_attention', false, 'this version has no cross attention');
    return;
  }
  if (modelType === 'distilbert') {
    // Its sinusoidal tables are stored in the checkpoint like learnt ones, so `sinusoidal_pos_embds` changes nothing.
    return;
  }
  optionalValue(json, 'position_embedding_type', 'absolute', 'this version has absolute position embeddings only');
  optionalValue(json, 'is_decoder', false, encoders);
  optionalValue(json, 'add_cross_attention', false, encoders);
}

function size(json: Record<string, unknown>, key: string, cap: number, absent: number): number {
  const said = stated(json, key);
  const value = said === undefined ? absent : said;
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw configError(`has ${key} of type ${typeName(value)}, expected an integer`);
  if (value < 1 || value > cap) throw configError(`has ${key} ${value}, expected 1 to ${cap}`);
  return value;
}

/** GPT-2 leaves its feed-forward width out, or null, for 4·C. */
function innerSize(
  json: Record<string, unknown>,
  { inner }: Spelling,
  hiddenSize: number,
  absent: number | undefined,
): number {
  const value = own(json, inner);
  if (inner === 'n_inner' && value === null) return 4 * hiddenSize;
  return size(json, inner, CAPS.inner, absent ?? 4 * hiddenSize);
}

/** Padding's id, by the file or the architecture, unless it is another token's too. */
function paddingRow(json: Record<string, unknown>, modelType: ModelType): number | undefined {
  const absent = { bert: 0, distilbert: 0, roberta: 1, gpt2: undefined }[modelType];
  const said = own(json, 'pad_token_id');
  const id = said === undefined ? absent : said;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0 || id >= CAPS.vocabulary) return undefined;
  const others = ['bos_token_id', 'eos_token_id', 'sep_token_id', 'cls_token_id'].flatMap((key) => own(json, key));
  return others.includes(id) ? undefined : id;
}

function paddingId(json: Record<string, unknown>): number {
  const value = own(json, 'pad_token_id') ?? 1;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > 1024)
    throw configError('has a pad_token_id that is not a small integer');
  return value;
}

/**
 * What the file says under a key or its other name. undefined where it says nothing; null is a value, of the wrong
 * type.
 */
function stated(json: Record<string, unknown>, key: string): unknown {
  const [value, also] = [own(json, key), Object.hasOwn(ALSO, key) ? own(json, ALSO[key]) : undefined];
  if (value !== undefined && also !== undefined && value !== also)
    throw configError(`has ${key} and ${ALSO[key]}, which differ`);
  return value === undefined ? also : value;
}

function parseEps(json: Record<string, unknown>, key: string, absent: number): number {
  const value = own(json, key) === undefined ? absent : own(json, key);
  if (typeof value !== 'number') throw configError(`has ${key} of type ${typeName(value)}, expected a number`);
  if (!(value > 0 && value <= 0.1)) throw configError(`has ${key} ${value}, expected above 0 and at most 0.1`);
  return value;
}

function parseActivation(json: Record<string, unknown>, key: string, absent: string): Activation {
  const value = own(json, key) === undefined ? absent : own(json, key);
  if (typeof value !== 'string') throw configError(`has ${key} of type ${typeName(value)}, expected a string`);
  if (!Object.hasOwn(ACTIVATIONS, value)) throw unsupported(key, value, 'this version has gelu, gelu_new and relu');
  return ACTIVATIONS[value];
}

function flag(json: Record<string, unknown>, key: string, absent: boolean): boolean {
  const value = own(json, key) ?? absent;
  if (typeof value !== 'boolean') throw configError(`has ${key} of type ${typeName(value)}, expected a boolean`);
  return value;
}

function optionalValue(json: Record<string, unknown>, key: string, allowed: string | boolean, hint: string): void {
  const value = own(json, key);
  if (value === undefined || value === null || value === allowed) return;
  if (typeof value !== typeof allowed)
    throw configError(`has ${key} of type ${typeName(value)}, expected a ${typeof allowed}`);
  throw unsupported(key, value, hint);
}
