/**
 * Configurations of every architecture and head, and shapes that each of them takes: for tests that go through all
 * of them.
 */
import type { RunShape } from '../../src/ml/models/run.ts';
import { readFileSync } from 'node:fs';
import { type ModelConfig, parseModelConfig } from '../../src/ml/config.ts';
import { MODEL_TYPES, type ModelType, TRAITS } from '../../src/ml/model-types.ts';
import type { ModelPlan } from '../../src/ml/models/plan.ts';
import { shapeFor } from '../../src/session/request.ts';

const SIZES = {
  hidden_size: 24,
  num_hidden_layers: 3,
  num_attention_heads: 3,
  intermediate_size: 56,
  vocab_size: 90,
  layer_norm_eps: 1e-5,
};
const LABELS = { id2label: { '0': 'O', '1': 'B-X', '2': 'I-X' } };

const bert = {
  model_type: 'bert' as const,
  hidden_act: 'gelu',
  max_position_embeddings: 512,
  type_vocab_size: 2,
  ...SIZES,
};
const roberta = {
  ...bert,
  model_type: 'roberta' as const,
  max_position_embeddings: 514,
  type_vocab_size: 1,
  pad_token_id: 1,
};
const distilbert = {
  ...{
    model_type: 'distilbert' as const,
    activation: 'relu',
    dim: 24,
    n_layers: 3,
    n_heads: 3,
    hidden_dim: 56,
    vocab_size: 90,
    max_position_embeddings: 512,
  },
};
const gpt2 = {
  ...{
    model_type: 'gpt2',
    activation_function: 'gelu_new',
    n_embd: 24,
    n_layer: 3,
    n_head: 3,
    n_positions: 512,
    vocab_size: 90,
    layer_norm_epsilon: 1e-5,
  },
};

/** With labels, which heads without any leave alone. */
const SMALL: Readonly<Record<ModelType, object>> = {
  bert: { ...bert, ...LABELS },
  roberta: { ...roberta, ...LABELS },
  distilbert: { ...distilbert, ...LABELS },
  gpt2: { ...gpt2, ...LABELS },
};

/** A class for each head that the type has. */
function classesOf(type: ModelType): string[] {
  const { prefix, heads } = TRAITS[type];
  const names = Object.keys(heads);
  return [...new Set(Object.values(heads))].map(
    (head) => `${prefix}${names.find((name) => heads[name] === head) ?? ''}`,
  );
}

function read(path: string): ModelConfig {
  return parseModelConfig(JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')));
}

/** Every architecture with every head, small; a model of ordinary size; and the embedded ones. */
export const ARCHITECTURES: readonly (readonly [name: string, config: ModelConfig])[] = [
  ...MODEL_TYPES.flatMap((type) =>
    classesOf(type).map((name) => [name, parseModelConfig({ ...SMALL[type], architectures: [name] })] as const),
  ),
  ...['bert-base', 'gpt2'].map((name) => [name, read(`bench/configs/${name}.json`)] as const),
  ...['capitals-bert', 'sst2-bert', 'squad-distilbert', 'wnut-roberta', 'tiny-gpt2'].map(
    (name) => [name, read(`models/${name}/config.json`)] as const,
  ),
];

/** A plan of one variant throughout. */
export function planOf(config: ModelConfig, activation: ModelPlan['headActivation'], treeBits: 8 | 9): ModelPlan {
  const each = <T>(count: number, value: T) => new Array<T>(count).fill(value);
  return {
    basis: 'proved',
    activation: each(config.layers, activation),
    headActivation: activation,
    treeBits: each(config.layers, treeBits),
    norms: each(2 * config.layers, 'normal'),
    embedding: 'normal',
    head: 'normal',
    checks: null,
  };
}

/** Shapes of a model, from one short text to a batch: padded and not, pairs, rows, steps. */
export function shapesOf(config: ModelConfig): RunShape[] {
  const steps = config.head === 'causal-lm' ? 5 : 0;
  const needs = [
    { sequences: 1, tokens: 5, secretRows: 0, padded: false, pair: false, steps: 0 },
    { sequences: 1, tokens: 16, secretRows: 1, padded: true, pair: false, steps },
    { sequences: 3, tokens: 33, secretRows: 2, padded: true, pair: true, steps: 0 },
    { sequences: 2, tokens: 150, secretRows: 1, padded: true, pair: false, steps: 0 },
  ];
  const fitting = needs.filter(({ tokens }) => tokens <= config.maxPositions);
  return fitting.map((each) => shapeFor(config, each));
}
