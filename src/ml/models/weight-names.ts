/**
 * Names and shapes of a model's weights, the same for every architecture and whatever a checkpoint calls them.
 *
 * A name is a group and a key: `layers.3.wq`. Matrices are (out, in) row-major, so that y = x·Wᵀ + b. Shapes by
 * letter: C hiddenSize, F intermediateSize, V vocabSize, P maxPositions, Y typeVocabSize, L numLabels.
 */

import { invariant } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import { quote } from '../describe.ts';

type LayerKey = `${'w' | 'b'}${'q' | 'k' | 'v' | 'o' | '1' | '2'}` | `ln${1 | 2}${'Gamma' | 'Beta'}`;

/** Each group and the keys that it has in every architecture that has the group. */
interface GroupKeys {
  /** word (V,C), position (P,C): row p is of the token at p, whatever the architecture counts from. */
  readonly embeddings: 'word' | 'position';
  /** wq wk wv wo (C,C), w1 (F,C), w2 (C,F); b1 (F), every other bias and LayerNorm vector (C). */
  readonly [layer: `layers.${number}`]: LayerKey;
  /** GPT-2: the LayerNorm behind the last layer, (C). */
  readonly final: 'lnGamma' | 'lnBeta';
  /** dense (C,C), denseBias, lnGamma, lnBeta (C), decoder (V,C), decoderBias (V). */
  readonly mlm: 'dense' | 'denseBias' | 'lnGamma' | 'lnBeta' | 'decoder' | 'decoderBias';
  /** Sequence classification, on the first token: pooler (C,C), poolerBias (C), weight (L,C), bias (L). */
  readonly classifier: 'pooler' | 'poolerBias' | 'weight' | 'bias';
  /** Token classification and question answering, on every token: weight (L,C), bias (L). */
  readonly perToken: 'weight' | 'bias';
  /** GPT-2's language model: decoder (V,C), without a bias. */
  readonly lm: 'decoder';
}

/** Keys that some architectures do not have: tokenType (Y,C) where Y > 0; lnGamma, lnBeta (C) of encoders. */
interface OptionalKeys {
  readonly embeddings: 'tokenType' | 'lnGamma' | 'lnBeta';
}

/**
 * In encoders ln1 follows the attention and ln2 the feed-forward; in GPT-2 ln1 stands before the attention and ln2
 * before the feed-forward.
 */
export type WeightGroup = keyof GroupKeys;

/** A canonical name: `embeddings.word`, `layers.0.wq`, `classifier.pooler` and so on. */
export type TensorName =
  | { [G in WeightGroup]: `${G}.${GroupKeys[G]}` }[WeightGroup]
  | `embeddings.${OptionalKeys['embeddings']}`;

/** The tensors of one group by their keys. */
export type Weights<G extends WeightGroup> = Readonly<Record<GroupKeys[G], Float32Array>> &
  (G extends keyof OptionalKeys ? Readonly<Partial<Record<OptionalKeys[G], Float32Array>>> : unknown);

const LAYER_KEYS: readonly LayerKey[] = [
  ...(['wq', 'bq', 'wk', 'bk', 'wv', 'bv', 'wo', 'bo', 'ln1Gamma', 'ln1Beta'] as const),
  ...(['w1', 'b1', 'w2', 'b2', 'ln2Gamma', 'ln2Beta'] as const),
];

/** The groups of the architecture in the order in which a forward pass uses them. */
export function weightGroups(config: ModelConfig): WeightGroup[] {
  const layers = Array.from({ length: config.layers }, (_, i) => `layers.${i}` as const);
  const head = headGroup(config);
  return [
    'embeddings',
    ...layers,
    ...(config.modelType === 'gpt2' ? (['final'] as const) : []),
    ...(head === undefined ? [] : [head]),
  ];
}

/** The group of the head's weights; undefined for a model without one. */
function headGroup({ head }: ModelConfig): WeightGroup | undefined {
  switch (head) {
    case 'masked-lm':
      return 'mlm';
    case 'sequence-classification':
      return 'classifier';
    case 'question-answering':
    case 'token-classification':
      return 'perToken';
    case 'causal-lm':
      return 'lm';
    case 'none':
      return undefined;
    default:
      return head satisfies never;
  }
}

/** The keys of a group that the architecture has, in a fixed order. */
export function groupKeys(config: ModelConfig, group: WeightGroup): readonly string[] {
  switch (group) {
    case 'embeddings':
      return [
        'word',
        'position',
        ...(config.typeVocabSize > 0 ? ['tokenType'] : []),
        ...(config.modelType === 'gpt2' ? [] : ['lnGamma', 'lnBeta']),
      ];
    case 'final':
      return ['lnGamma', 'lnBeta'];
    case 'mlm':
      return ['dense', 'denseBias', 'lnGamma', 'lnBeta', 'decoder', 'decoderBias'];
    case 'classifier':
      return ['pooler', 'poolerBias', 'weight', 'bias'];
    case 'perToken':
      return ['weight', 'bias'];
    case 'lm':
      return ['decoder'];
    default:
      group satisfies `layers.${number}`;
      return LAYER_KEYS;
  }
}

/** The canonical names of a group's tensors, in a fixed order. */
function groupNames(config: ModelConfig, group: WeightGroup): TensorName[] {
  return groupKeys(config, group).map((key) => `${group}.${key}` as TensorName);
}

/** All canonical names of the architecture, in the order of use. */
export function tensorNames(config: ModelConfig): TensorName[] {
  return weightGroups(config).flatMap((group) => groupNames(config, group));
}

/** Whether a name is a decoder, which may be the word embeddings themselves. */
export function isDecoder(name: TensorName): boolean {
  return name === 'mlm.decoder' || name === 'lm.decoder';
}

/**
 * The shape that `config` gives to a tensor. @throws {TercetError} ERR_INTERNAL for a name that the architecture
 * does not have.
 */
export function tensorShape(config: ModelConfig, name: TensorName): number[] {
  const { group, key } = splitName(config, name);
  const { hiddenSize: C, intermediateSize: F, vocabSize: V, numLabels: L } = config;
  switch (group) {
    case 'embeddings':
      if (key === 'word') return [V, C];
      if (key === 'position') return [config.maxPositions, C];
      return key === 'tokenType' ? [config.typeVocabSize, C] : [C];
    case 'mlm':
      if (key === 'decoder') return [V, C];
      if (key === 'decoderBias') return [V];
      return key === 'dense' ? [C, C] : [C];
    case 'classifier':
    case 'perToken':
      if (key === 'weight') return [L, C];
      if (key === 'bias') return [L];
      return key === 'pooler' ? [C, C] : [C];
    case 'final':
      return [C];
    case 'lm':
      return [V, C];
    default:
      group satisfies `layers.${number}`;
      if (key === 'w1') return [F, C];
      if (key === 'w2') return [C, F];
      if (key === 'b1') return [F];
      return key.startsWith('w') ? [C, C] : [C];
  }
}

/** A name's parts. @throws {TercetError} ERR_INTERNAL for a name that the architecture does not have. */
export function splitName(
  config: ModelConfig,
  name: TensorName,
): { group: WeightGroup; key: string; layer: number | undefined } {
  const dot = name.lastIndexOf('.');
  const group = name.slice(0, dot) as WeightGroup;
  const key = name.slice(dot + 1);
  const digits = /^layers\.(0|[1-9]\d*)$/.exec(group)?.[1];
  const layer = digits === undefined ? undefined : Number(digits);
  const known =
    layer === undefined ? !group.startsWith('layers') && weightGroups(config).includes(group) : layer < config.layers;
  invariant(
    known && groupKeys(config, group).includes(key),
    `${config.architecture} has no weights called ${quote(name)}`,
  );
  return { group, key, layer };
}
