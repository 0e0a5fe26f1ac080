/**
 * The weights of a BERT model under canonical names, one tensor at a time.
 *
 * A `BertWeightSource` is all that callers see, whether the weights lie in a folder or come from a seed (bert-random.ts). Nothing is kept
 * between calls, so a party that works layer by layer holds one layer, not the model: `loadGroup(source, 'layers.3')` gives a record of the
 * sixteen tensors of that layer, and dropping it frees them.
 *
 * Matrices are stored as in the checkpoints, (out, in) row-major, so that y = x·Wᵀ + b; `transpose` gives (in, out).
 */

import { invariant, TercetError } from '../../core/errors.ts';
import type { BertConfig } from '../config.ts';
import { quote, shapeText } from '../describe.ts';
import { isFloatDtype } from '../dtype.ts';
import type { ModelFiles } from '../files.ts';
import { openTensors, sameShape, type TensorStore } from '../safetensors.ts';

const EMBEDDING_KEYS = ['word', 'position', 'tokenType', 'lnGamma', 'lnBeta'] as const;
const LAYER_KEYS = [
  ...['wq', 'bq', 'wk', 'bk', 'wv', 'bv', 'wo', 'bo', 'ln1Gamma', 'ln1Beta'],
  ...['w1', 'b1', 'w2', 'b2', 'ln2Gamma', 'ln2Beta'],
] as readonly LayerKey[];
const MLM_KEYS = ['dense', 'denseBias', 'lnGamma', 'lnBeta', 'decoder', 'decoderBias'] as const;
const CLASSIFIER_KEYS = ['pooler', 'poolerBias', 'weight', 'bias'] as const;

type LayerKey = `${'w' | 'b'}${'q' | 'k' | 'v' | 'o' | '1' | '2'}` | `ln${1 | 2}${'Gamma' | 'Beta'}`;

/** Each group and its tensors. */
export interface BertGroups {
  /** word (V,C), position (P,C), tokenType (Y,C), lnGamma (C), lnBeta (C). */
  readonly embeddings: (typeof EMBEDDING_KEYS)[number];
  /** wq wk wv wo (C,C), w1 (F,C), w2 (C,F); b1 (F), every other bias and LayerNorm vector (C). ln1 follows the attention, ln2 the feed-forward. */
  readonly [layer: `layers.${number}`]: LayerKey;
  /** dense (C,C), denseBias, lnGamma, lnBeta (C), decoder (V,C), decoderBias (V). */
  readonly mlm: (typeof MLM_KEYS)[number];
  /** pooler (C,C), poolerBias (C), weight (L,C), bias (L). */
  readonly classifier: (typeof CLASSIFIER_KEYS)[number];
}

export type BertGroup = 'embeddings' | `layers.${number}` | 'mlm' | 'classifier';

/** A canonical name: `embeddings.word`, `layers.0.wq`, `mlm.decoder`, `classifier.pooler` and so on. */
export type BertTensorName =
  | `embeddings.${BertGroups['embeddings']}`
  | `layers.${number}.${LayerKey}`
  | `mlm.${BertGroups['mlm']}`
  | `classifier.${BertGroups['classifier']}`;

/** The tensors of one group by their short names. */
export type BertWeights<G extends BertGroup> = Readonly<Record<BertGroups[G], Float32Array>>;

export interface BertWeightSource {
  readonly config: BertConfig;
  /** What the weights are, for results and messages: the model's name, or `random-<seed>`. */
  readonly label: string;
  /** Whether `mlm.decoder` is `embeddings.word` itself, so that it need not be sent, shared or encoded twice. */
  readonly tiedDecoder: boolean;
  /**
   * One tensor, row-major, finite, of `bertTensorShape(config, name)`; the caller owns it.
   * @throws {TercetError} ERR_MODEL_FORMAT when the stored values are bad; ERR_INTERNAL for a name that the architecture does not have.
   */
  tensor(name: BertTensorName): Promise<Float32Array>;
}

/** The groups of the architecture in the order in which a forward pass uses them. */
export function bertGroups(config: BertConfig): BertGroup[] {
  const layers = Array.from({ length: config.layers }, (_, i) => `layers.${i}` as const);
  return ['embeddings', ...layers, config.architecture === 'BertForMaskedLM' ? 'mlm' : 'classifier'];
}

/** The canonical names of a group's tensors, in a fixed order. */
export function bertGroupNames(group: BertGroup): BertTensorName[] {
  return keysOf(group).map((key) => `${group}.${key}` as BertTensorName);
}

/** All canonical names of the architecture, in the order of use. */
export function bertTensorNames(config: BertConfig): BertTensorName[] {
  return bertGroups(config).flatMap(bertGroupNames);
}

/** The shape that `config` gives to a tensor. @throws {TercetError} ERR_INTERNAL for a name that the architecture does not have. */
export function bertTensorShape(config: BertConfig, name: BertTensorName): number[] {
  const { group, key } = splitName(config, name);
  const { hiddenSize: C, intermediateSize: F, vocabSize: V } = config;
  if (group === 'embeddings') {
    if (key === 'word') return [V, C];
    if (key === 'position') return [config.maxPositions, C];
    return key === 'tokenType' ? [config.typeVocabSize, C] : [C];
  }
  if (group === 'mlm') {
    if (key === 'decoder') return [V, C];
    if (key === 'decoderBias') return [V];
    return key === 'dense' ? [C, C] : [C];
  }
  if (group === 'classifier') {
    if (key === 'weight') return [config.numLabels, C];
    if (key === 'bias') return [config.numLabels];
    return key === 'pooler' ? [C, C] : [C];
  }
  if (key === 'w1') return [F, C];
  if (key === 'w2') return [C, F];
  if (key === 'b1') return [F];
  return key.startsWith('w') ? [C, C] : [C];
}

/** Loads the tensors of one group: `(await loadGroup(source, 'layers.0')).wq`. @throws as `source.tensor`. */
export async function loadGroup<G extends BertGroup>(source: BertWeightSource, group: G): Promise<BertWeights<G>> {
  const tensors: [string, Float32Array][] = [];
  for (const key of keysOf(group)) tensors.push([key, await source.tensor(`${group}.${key}` as BertTensorName)]);
  return Object.fromEntries(tensors) as BertWeights<G>;
}

/** w (rows, cols) → (cols, rows), in memory of its own. */
export function transpose(w: Float32Array, rows: number, cols: number): Float32Array {
  const out = new Float32Array(w.length);
  const BLOCK = 32; // keeps both sides of a block in the cache
  for (let r0 = 0; r0 < rows; r0 += BLOCK) {
    const r1 = Math.min(rows, r0 + BLOCK);
    for (let c0 = 0; c0 < cols; c0 += BLOCK) {
      const c1 = Math.min(cols, c0 + BLOCK);
      for (let r = r0; r < r1; r++) for (let c = c0; c < c1; c++) out[c * rows + r] = w[r * cols + c];
    }
  }
  return out;
}

/**
 * Opens the weights of a model folder and checks that they are the ones of `config`.
 *
 * Reads headers only: every tensor must be there, be floating point and have the config's shape before any data is read. Accepted besides
 * today's names: LayerNorm's old `gamma` and `beta`, and names without the `bert.` prefix. Tensors that the architecture does not use
 * (the next-sentence head, position_ids) are left alone.
 * @throws {TercetError} ERR_MODEL_CONFIG naming the tensor with expected and found shape; and as openTensors.
 */
export async function loadBertWeights(files: ModelFiles, config: BertConfig): Promise<BertWeightSource> {
  const store = await openTensors(files);
  const storedName = new Map<BertTensorName, string>();
  refuseMoreLayers(store, config);
  for (const name of bertTensorNames(config)) {
    const shape = bertTensorShape(config, name);
    const candidates = storedNames(config, name);
    const found = candidates.find((candidate) => store.entries.has(candidate));
    if (found === undefined && name === 'mlm.decoder' && config.tieWordEmbeddings) continue;
    const entry = found === undefined ? undefined : store.entries.get(found);
    if (found === undefined || entry === undefined) {
      throw contradiction(`the weights have no tensor ${quote(candidates[0])}, expected ${shapeText(shape)}`);
    }
    if (!sameShape(entry.shape, shape)) {
      throw contradiction(`tensor ${quote(found)} has shape ${shapeText(entry.shape)}, and config.json says ${shapeText(shape)}`);
    }
    if (!isFloatDtype(entry.dtype)) {
      throw new TercetError('ERR_MODEL_UNSUPPORTED', `tensor ${quote(found)} is ${entry.dtype}`, 'use the unquantized checkpoint (F32, F16 or BF16)');
    }
    storedName.set(name, found);
  }
  const tiedDecoder = config.architecture === 'BertForMaskedLM' && !storedName.has('mlm.decoder');
  return {
    config,
    label: files.name,
    tiedDecoder,
    async tensor(name) {
      const shape = bertTensorShape(config, name);
      const stored = storedName.get(name === 'mlm.decoder' && tiedDecoder ? 'embeddings.word' : name);
      invariant(stored !== undefined, `weights of ${name} were not located`);
      return (await store.tensor(stored, shape)).data;
    },
  };
}

function contradiction(what: string): TercetError {
  return new TercetError('ERR_MODEL_CONFIG', what, 'config.json and the weights are not of one model: take both from the same place');
}

function refuseMoreLayers(store: TensorStore, config: BertConfig): void {
  for (const name of store.entries.keys()) {
    const layer = /^(?:bert\.)?encoder\.layer\.(\d{1,9})\./.exec(name)?.[1];
    if (layer !== undefined && Number(layer) >= config.layers) {
      throw contradiction(`tensor ${quote(name)} is of layer ${layer}, and config.json says ${config.layers} layers (from 0)`);
    }
  }
}

function keysOf(group: BertGroup): readonly string[] {
  if (group === 'embeddings') return EMBEDDING_KEYS;
  if (group === 'mlm') return MLM_KEYS;
  return group === 'classifier' ? CLASSIFIER_KEYS : LAYER_KEYS;
}

function splitName(config: BertConfig, name: BertTensorName): { group: BertGroup; key: string } {
  const dot = name.lastIndexOf('.');
  const group = name.slice(0, dot) as BertGroup;
  const key = name.slice(dot + 1);
  const layer = /^layers\.(0|[1-9]\d*)$/.exec(group)?.[1];
  const known = layer === undefined ? group === 'embeddings' || bertGroups(config).at(-1) === group : Number(layer) < config.layers;
  invariant(known && keysOf(group).includes(key), `${config.architecture} has no weights called ${quote(name)}`);
  return { group, key };
}

/** Where the parts of a layer lie in a checkpoint, below `encoder.layer.i.`. */
const LAYER_PATHS: Readonly<Record<string, string>> = {
  q: 'attention.self.query',
  k: 'attention.self.key',
  v: 'attention.self.value',
  o: 'attention.output.dense',
  '1': 'intermediate.dense',
  '2': 'output.dense',
  ln1: 'attention.output.LayerNorm',
  ln2: 'output.LayerNorm',
};

const OTHER_PATHS: Readonly<Record<string, string>> = {
  'embeddings.word': 'bert.embeddings.word_embeddings.weight',
  'embeddings.position': 'bert.embeddings.position_embeddings.weight',
  'embeddings.tokenType': 'bert.embeddings.token_type_embeddings.weight',
  'embeddings.lnGamma': 'bert.embeddings.LayerNorm.weight',
  'embeddings.lnBeta': 'bert.embeddings.LayerNorm.bias',
  'mlm.dense': 'cls.predictions.transform.dense.weight',
  'mlm.denseBias': 'cls.predictions.transform.dense.bias',
  'mlm.lnGamma': 'cls.predictions.transform.LayerNorm.weight',
  'mlm.lnBeta': 'cls.predictions.transform.LayerNorm.bias',
  'mlm.decoder': 'cls.predictions.decoder.weight',
  'mlm.decoderBias': 'cls.predictions.bias',
  'classifier.pooler': 'bert.pooler.dense.weight',
  'classifier.poolerBias': 'bert.pooler.dense.bias',
  'classifier.weight': 'classifier.weight',
  'classifier.bias': 'classifier.bias',
};

/** The names under which a checkpoint may store a tensor, today's first. */
function storedNames(config: BertConfig, name: BertTensorName): string[] {
  const { group, key } = splitName(config, name);
  const layer = /^layers\.(\d+)$/.exec(group)?.[1];
  let today = OTHER_PATHS[name];
  if (layer !== undefined) {
    const isNorm = key.startsWith('ln');
    const part = LAYER_PATHS[isNorm ? key.slice(0, 3) : key.slice(1)];
    const isMatrix = isNorm ? key.endsWith('Gamma') : key.startsWith('w');
    today = `bert.encoder.layer.${layer}.${part}.${isMatrix ? 'weight' : 'bias'}`;
  }
  const names = [today];
  if (name === 'mlm.decoderBias') names.push('cls.predictions.decoder.bias');
  if (today.includes('LayerNorm.')) names.push(today.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta'));
  return names.flatMap((each) => (each.startsWith('bert.') ? [each, each.slice('bert.'.length)] : [each]));
}
