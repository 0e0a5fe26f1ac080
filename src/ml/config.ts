/** `config.json` of a BERT model, checked: from here on every size is a sane positive integer and every unsupported variant has been refused. */

import { TercetError } from '../core/errors.ts';
import { quote, typeName } from './describe.ts';
import type { ModelFiles } from './files.ts';
import { isRecord, own, parseModelJson } from './json.ts';

export const CONFIG_FILE = 'config.json';

export type BertArchitecture = 'BertForMaskedLM' | 'BertForSequenceClassification';

/** Shapes by letter: C hiddenSize, H heads, F intermediateSize, V vocabSize. */
export interface BertConfig {
  readonly modelType: 'bert';
  readonly architecture: BertArchitecture;
  readonly hiddenSize: number;
  readonly layers: number;
  /** Divides hiddenSize. */
  readonly heads: number;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly typeVocabSize: number;
  readonly layerNormEps: number;
  /** Whether the masked language model's decoder may be the word embeddings; false: the weights must have one of its own. */
  readonly tieWordEmbeddings: boolean;
  /** 'gelu' is the exact one, with erf. */
  readonly hiddenAct: 'gelu';
  /** Classes of a sequence classifier; 0 for a masked language model. */
  readonly numLabels: number;
  /** Names of the classes, numLabels of them. */
  readonly id2label: readonly string[];
}

/** Upper limits: beyond any BERT ever published, and small enough that no product of two sizes leaves the exact integers. */
const CAPS = {
  hidden_size: 16_384,
  num_hidden_layers: 256,
  num_attention_heads: 256,
  intermediate_size: 65_536,
  vocab_size: 2_000_000,
  max_position_embeddings: 65_536,
  type_vocab_size: 256,
} as const;
const MAX_LABELS = 10_000;
const MAX_LABEL_LENGTH = 200;

/** Reads and parses `config.json`. @throws {TercetError} ERR_MODEL_NOT_FOUND, and as parseBertConfig. */
export async function loadBertConfig(files: ModelFiles): Promise<BertConfig> {
  return parseBertConfig(parseModelJson(await files.read(CONFIG_FILE), CONFIG_FILE, 'ERR_MODEL_CONFIG'));
}

/**
 * Checks a parsed `config.json`.
 *
 * Every size must be stated: a guessed one would give another model. Only what changes the function is looked at; other keys are ignored.
 * @throws {TercetError} ERR_MODEL_CONFIG for absent, mistyped, contradictory or insane values; ERR_MODEL_UNSUPPORTED, naming it, for a model
 * that Tercet cannot run.
 */
export function parseBertConfig(json: unknown): BertConfig {
  if (!isRecord(json)) throw configError(`is ${typeName(json)}, not an object`);
  requireValue(json, 'model_type', ['bert'], 'this version runs BERT models only (model_type "bert")');
  const architecture = parseArchitecture(json);
  const hiddenSize = size(json, 'hidden_size');
  const heads = size(json, 'num_attention_heads');
  if (hiddenSize % heads !== 0) throw configError(`has hidden_size ${hiddenSize}, which num_attention_heads ${heads} does not divide`);
  requireValue(json, 'hidden_act', ['gelu'], 'this version has the exact GeLU only (hidden_act "gelu")');
  optionalValue(json, 'position_embedding_type', 'absolute', 'this version has absolute position embeddings only');
  optionalValue(json, 'is_decoder', false, 'this version runs encoders only');
  optionalValue(json, 'add_cross_attention', false, 'this version runs encoders only');
  const id2label = architecture === 'BertForSequenceClassification' ? parseLabels(json) : [];
  return {
    modelType: 'bert',
    architecture,
    hiddenSize,
    layers: size(json, 'num_hidden_layers'),
    heads,
    intermediateSize: size(json, 'intermediate_size'),
    vocabSize: size(json, 'vocab_size'),
    maxPositions: size(json, 'max_position_embeddings'),
    typeVocabSize: size(json, 'type_vocab_size'),
    layerNormEps: parseEps(json),
    tieWordEmbeddings: parseTie(json),
    hiddenAct: 'gelu',
    numLabels: id2label.length,
    id2label,
  };
}

function configError(what: string): TercetError {
  return new TercetError('ERR_MODEL_CONFIG', `${CONFIG_FILE} ${what}`, 'take the config.json that belongs to the weights');
}

function unsupported(key: string, value: unknown, hint: string): TercetError {
  const shown = typeof value === 'string' ? quote(value) : typeof value === 'boolean' ? String(value) : typeName(value);
  return new TercetError('ERR_MODEL_UNSUPPORTED', `${CONFIG_FILE} has ${key} ${shown}`, hint);
}

function size(json: Record<string, unknown>, key: keyof typeof CAPS): number {
  const value = own(json, key);
  if (value === undefined) throw configError(`has no ${key}`);
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw configError(`has ${key} of type ${typeName(value)}, expected an integer`);
  if (value < 1 || value > CAPS[key]) throw configError(`has ${key} ${value}, expected 1 to ${CAPS[key]}`);
  return value;
}

function parseEps(json: Record<string, unknown>): number {
  const value = own(json, 'layer_norm_eps');
  if (value === undefined) throw configError('has no layer_norm_eps');
  if (typeof value !== 'number') throw configError(`has layer_norm_eps of type ${typeName(value)}, expected a number`);
  if (!(value > 0 && value <= 0.1)) throw configError(`has layer_norm_eps ${value}, expected above 0 and at most 0.1`);
  return value;
}

function parseTie(json: Record<string, unknown>): boolean {
  const value = own(json, 'tie_word_embeddings') ?? true;
  if (typeof value !== 'boolean') throw configError(`has tie_word_embeddings of type ${typeName(value)}, expected a boolean`);
  return value;
}

function requireValue(json: Record<string, unknown>, key: string, allowed: readonly string[], hint: string): void {
  const value = own(json, key);
  if (value === undefined) throw configError(`has no ${key}`);
  if (typeof value !== 'string') throw configError(`has ${key} of type ${typeName(value)}, expected a string`);
  if (!allowed.includes(value)) throw unsupported(key, value, hint);
}

function optionalValue(json: Record<string, unknown>, key: string, allowed: string | boolean, hint: string): void {
  const value = own(json, key);
  if (value === undefined || value === null || value === allowed) return;
  if (typeof value !== typeof allowed) throw configError(`has ${key} of type ${typeName(value)}, expected a ${typeof allowed}`);
  throw unsupported(key, value, hint);
}

function parseArchitecture(json: Record<string, unknown>): BertArchitecture {
  const list = own(json, 'architectures');
  const hint = 'this version runs BertForMaskedLM and BertForSequenceClassification';
  if (list === undefined) throw configError('has no architectures');
  if (!Array.isArray(list) || list.length !== 1 || typeof list[0] !== 'string') {
    throw configError(`has architectures of type ${typeName(list)}, expected a list of one name`);
  }
  const name: string = list[0];
  if (name !== 'BertForMaskedLM' && name !== 'BertForSequenceClassification') throw unsupported('architectures', name, hint);
  return name;
}

/** Class names from `id2label`, else LABEL_0… for `num_labels`, else for two classes, as the transformers library has it. */
function parseLabels(json: Record<string, unknown>): string[] {
  optionalValue(json, 'problem_type', 'single_label_classification', 'this version classifies into one of several classes only');
  const stated = own(json, 'num_labels');
  if (stated !== undefined && (!Number.isSafeInteger(stated) || (stated as number) < 1 || (stated as number) > MAX_LABELS)) {
    throw configError(`has num_labels that is not an integer from 1 to ${MAX_LABELS}`);
  }
  const table = own(json, 'id2label');
  const labels = table === undefined || table === null ? unnamed((stated as number | undefined) ?? 2) : namedLabels(table);
  if (stated !== undefined && stated !== labels.length) throw configError(`has num_labels ${stated as number} but ${labels.length} entries in id2label`);
  if (labels.length === 1)
    throw new TercetError('ERR_MODEL_UNSUPPORTED', `${CONFIG_FILE} has one label, a regression`, 'use a classifier with two or more labels');
  return labels;
}

function unnamed(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `LABEL_${i}`);
}

function namedLabels(table: unknown): string[] {
  if (!isRecord(table)) throw configError(`has id2label of type ${typeName(table)}, expected an object`);
  const count = Object.keys(table).length;
  if (count < 1 || count > MAX_LABELS) throw configError(`has ${count} entries in id2label, expected 1 to ${MAX_LABELS}`);
  return Array.from({ length: count }, (_, i) => {
    const label = own(table, String(i));
    // Control characters would let a label write to the terminal that shows it.
    if (typeof label !== 'string' || label.length > MAX_LABEL_LENGTH || /\p{Cc}/u.test(label)) {
      throw configError(`has no printable name of at most ${MAX_LABEL_LENGTH} characters for label ${i} in id2label, whose keys must be 0 to ${count - 1}`);
    }
    return label;
  });
}
