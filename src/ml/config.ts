/**
 * `config.json` of a model, checked: from here on every size is a sane positive integer and every unsupported
 * variant has been refused by name.
 */

import { CONFIG_FILE, configError, flag, optionalValue, parseEps, size, unsupported } from './config-fields.ts';
import { typeName } from './describe.ts';
import type { ModelFiles } from './files.ts';
import { parseArchitecture, parseModelType } from './heads.ts';
import { isRecord, own, parseModelJson } from './json.ts';
import { parseLabels } from './labels.ts';
import { type Activation, type Head, type ModelType, type Spelling, TRAITS } from './model-types.ts';

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
  layerNormEps: 0.1,
} as const;

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
  const { spelling, defaults, ...traits } = TRAITS[modelType];
  const hiddenSize = size(json, spelling.hidden, CAPS.hidden, defaults.hidden);
  const heads = size(json, spelling.heads, CAPS.heads, defaults.heads);
  if (hiddenSize % heads !== 0)
    throw configError(`has ${spelling.hidden} ${hiddenSize}, which ${spelling.heads} ${heads} does not divide`);
  refuseVariants(json, modelType);
  const positionOffset = traits.positionsBehindPadding ? paddingId(json) + 1 : 0;
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
    paddingId: paddingRow(json, traits.paddingId),
    typeVocabSize: traits.tokenTypes ? size(json, 'type_vocab_size', CAPS.types, 2) : 0,
    layerNormEps:
      spelling.eps === undefined ? defaults.eps : parseEps(json, spelling.eps, CAPS.layerNormEps, defaults.eps),
    activation: parseActivation(json, spelling.activation, defaults.activation),
    tieWordEmbeddings: flag(json, 'tie_word_embeddings', true),
    poolingLayer: head === 'none' && traits.pooler && flag(json, 'add_pooling_layer', true),
    numLabels: head === 'question-answering' ? 2 : id2label.length,
    id2label,
  };
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
function paddingRow(json: Record<string, unknown>, absent: number | undefined): number | undefined {
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

function parseActivation(json: Record<string, unknown>, key: string, absent: string): Activation {
  const value = own(json, key) === undefined ? absent : own(json, key);
  if (typeof value !== 'string') throw configError(`has ${key} of type ${typeName(value)}, expected a string`);
  if (!Object.hasOwn(ACTIVATIONS, value)) throw unsupported(key, value, 'this version has gelu, gelu_new and relu');
  return ACTIVATIONS[value];
}
