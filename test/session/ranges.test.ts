/**
 * Values past their domains in whole models, privately: with a plan whose samples never saw them, an answer is
 * right or it is ERR_RANGE_EXCEEDED. The float model says what is right.
 */
import { SEMI_HONEST } from '../../src/mpc/protocol/registry.ts';
import type { RunShape } from '../../src/ml/models/run.ts';
import { describe, expect, it } from 'vitest';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import type { TercetError } from '../../src/core/errors.ts';
import { checkedPlan } from '../../src/ml/checked-plan.ts';
import { type ModelConfig, parseModelConfig } from '../../src/ml/config.ts';
import { measuredRanges } from '../../src/ml/measured-ranges.ts';
import { isChecked } from '../../src/ml/models/guards.ts';
import type { ModelPlan } from '../../src/ml/models/plan.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import type { TensorName } from '../../src/ml/models/weight-names.ts';
import type { WeightSource } from '../../src/ml/models/weights.ts';
import { planFromRanges, provedRanges } from '../../src/ml/ranges.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import type { TaskInput } from '../../src/ml/tasks/common.ts';
import { COMPLETE_ROUNDING } from '../../src/mpc/protocol/malicious/rounding.ts';
import type { TruncationModel } from '../../src/mpc/protocol/types.ts';
import { varianceDomain, wrappingVariance } from '../../src/mpc/secure/normalise.ts';
import { OpenParameters } from '../../src/session/open-parameters.ts';
import { failure } from '../failure.ts';
import { prepared } from './harness.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });

const SIZES = {
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 24,
  vocab_size: 40,
  layer_norm_eps: 1e-5,
};
const bert = { model_type: 'bert', hidden_act: 'gelu', max_position_embeddings: 24, type_vocab_size: 2, ...SIZES };
const distilbert = {
  model_type: 'distilbert',
  activation: 'gelu',
  dim: 16,
  n_layers: 2,
  n_heads: 2,
  hidden_dim: 24,
  vocab_size: 40,
  max_position_embeddings: 24,
};
const gpt2 = {
  model_type: 'gpt2',
  activation_function: 'gelu_new',
  n_embd: 16,
  n_layer: 2,
  n_head: 2,
  n_positions: 24,
  vocab_size: 40,
  layer_norm_epsilon: 1e-5,
};
const LABELS = { id2label: { '0': 'O', '1': 'B-X', '2': 'I-X' } };

const TEXT = [2, 9, 4, 17, 3];
const SHAPE: RunShape = { sequences: 1, tokens: 8, rows: 0, padded: true, pair: false, steps: 0 };

function modelOf(json: object, architecture: string): ModelConfig {
  return parseModelConfig({ ...json, architectures: [architecture] });
}

/** Random weights twelve times as large as usual, so that rows have variances of ordinary models. */
function lively(config: ModelConfig): WeightSource {
  const source = randomWeights(config, 3);
  return {
    ...source,
    tensor: async (name) => (await source.tensor(name)).map((v) => (name.includes('Gamma') ? v : 12 * v)),
  };
}

/** The same with some tensors enlarged. */
function enlarged(source: WeightSource, factors: Partial<Record<TensorName, number>>): WeightSource {
  return { ...source, tensor: async (name) => (await source.tensor(name)).map((v) => v * (factors[name] ?? 1)) };
}

/** A plan for `source` whose samples saw `tame` only: what planning is when no sample shows an outlier. */
async function blindPlan(source: WeightSource, tame: WeightSource, options?: { wide: boolean }): Promise<ModelPlan> {
  return checkedPlan(
    source.config,
    await provedRanges(source),
    await measuredRanges(tame),
    SEMI_HONEST.truncation,
    options,
  );
}

async function answer(
  source: WeightSource,
  plan: ModelPlan,
  shape: RunShape,
  texts: readonly TaskInput[],
): Promise<Float32Array> {
  const model = {
    name: 'planted',
    config: source.config,
    plan,
    hash: 'ab'.repeat(32),
    parameters: await OpenParameters.load(source, wasm),
  };
  const { session, ends } = await prepared({
    request: { model: model.hash, protocol: '3pc_semi_honest', weights: 'open', ...shape },
    model,
    on: wasm,
  });
  try {
    return (await session.run(texts)).logits;
  } finally {
    // Whatever the owner finds, the compute parties see the end of an ordinary session.
    expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
  }
}

/** How far logits may be from the float model's, of its largest one. */
const TOLERANCE = 0.02;

async function rightOrRefused(
  source: WeightSource,
  plan: ModelPlan,
  shape: RunShape,
  sequence: TaskInput,
): Promise<'right' | 'refused'> {
  const positions = sequence.rows.filter((row) => typeof row === 'number');
  const { logits: want } = await runFloat(source, sequence.inputIds, positions.length > 0 ? { positions } : {});
  let got: Float32Array;
  try {
    got = await answer(source, plan, shape, [sequence]);
  } catch (error) {
    expect((error as TercetError).code).toBe('ERR_RANGE_EXCEEDED');
    return 'refused';
  }
  const scale = Math.max(1, ...want.map(Math.abs));
  for (const [i, value] of want.entries())
    expect(Math.abs(got[i] - value) / scale, `logit ${i}: ${got[i]}, want ${value}`).toBeLessThan(TOLERANCE);
  return 'right';
}

/**
 * What a planted model is run on, and by how much its tensor is enlarged: inside the domain or not, outside, and as
 * far as a plan goes.
 */
interface Planted {
  readonly config: ModelConfig;
  readonly tensor: TensorName;
  readonly rows?: readonly number[];
  readonly factors: readonly number[];
  /**
   * Takes LayerNorms of the finest resolution, planned with this factor: one step from a variance inside can hardly
   * leave the one that a plan takes.
   */
  readonly fine?: number;
}

describe('a value that no sample showed', () => {
  const fillMask = modelOf(bert, 'BertForMaskedLM');
  const writer = modelOf(gpt2, 'GPT2LMHeadModel');
  const kinds: [string, Planted][] = [
    ['inputs of GeLU', { config: fillMask, tensor: 'layers.1.w1', rows: [2], factors: [20, 1e3] }],
    [
      'inputs of ReLU',
      {
        config: modelOf({ ...bert, hidden_act: 'relu' }, 'BertForMaskedLM'),
        tensor: 'layers.0.w1',
        rows: [2],
        factors: [1e3],
      },
    ],
    ["inputs of the head's GeLU", { config: fillMask, tensor: 'mlm.dense', rows: [2], factors: [100] }],
    [
      "inputs of a pooler's tanh",
      {
        config: modelOf({ ...bert, ...LABELS }, 'BertForSequenceClassification'),
        tensor: 'classifier.pooler',
        factors: [20, 1e4],
      },
    ],
    [
      "inputs of a pooler's ReLU",
      {
        config: modelOf({ ...distilbert, ...LABELS }, 'DistilBertForSequenceClassification'),
        tensor: 'classifier.pooler',
        factors: [1e4],
      },
    ],
    ['spread of scores', { config: fillMask, tensor: 'layers.0.wq', rows: [2], factors: [60, 140] }],
    ['attention values', { config: fillMask, tensor: 'layers.0.wv', rows: [2], factors: [100, 1e3] }],
    [
      'variance behind attention',
      { config: fillMask, tensor: 'layers.1.wo', rows: [2], factors: [100, 1200], fine: 1 },
    ],
    [
      'outputs',
      {
        config: modelOf({ ...bert, ...LABELS }, 'BertForTokenClassification'),
        tensor: 'perToken.weight',
        factors: [2e4],
      },
    ],
    ['spread of scores of GPT-2', { config: writer, tensor: 'layers.1.wk', rows: [4], factors: [40, 300] }],
    [
      "variance of GPT-2's residual stream",
      { config: writer, tensor: 'layers.0.w2', rows: [4], factors: [100, 1000], fine: 1 },
    ],
  ];
  it.each(kinds)(
    '%s: the answer is right, or there is none',
    { timeout: 240_000 },
    async (_what, { config, tensor, rows = [], factors, fine }) => {
      const tame = lively(config);
      const shape = { ...SHAPE, rows: rows.length };
      const sequence = { inputIds: TEXT, rows };
      const planFor = async (factor: number) => {
        const plan = await blindPlan(enlarged(tame, { [tensor]: fine ?? factor }), tame);
        return fine === undefined ? plan : { ...plan, norms: plan.norms.map(() => 'fine' as const) };
      };
      const outcomes: string[] = [];
      for (const factor of factors) {
        const source = enlarged(tame, { [tensor]: factor });
        const plan = await planFor(factor);
        outcomes.push(await rightOrRefused(source, plan, shape, sequence));
        if (fine !== undefined)
          for (const variance of (await measuredRanges(source)).variance)
            expect(variance).toBeLessThan(wrappingVariance(16, 'fine'));
      }
      expect(outcomes[outcomes.length - 1]).toBe('refused');
      // Control: what the samples did see is answered under the last plan, with the same checks.
      expect(await rightOrRefused(tame, await planFor(factors[factors.length - 1]), shape, sequence)).toBe('right');
    },
  );
});

describe('a plan is for a protocol', () => {
  it('a spread of 251 fits 8 tree bits where a reading has one coin, and needs 9 where it has two', async () => {
    const source = lively(modelOf(bert, 'BertForMaskedLM'));
    const { config } = source;
    const reach = await provedRanges(source);
    const measured = await measuredRanges(source);
    const treeBits = (spread: number, reading: TruncationModel, seen = 0) => {
      const far = { ...reach, spread: reach.spread.map(() => spread) };
      const plan =
        seen === 0
          ? planFromRanges(config, far, reading)
          : checkedPlan(config, far, { ...measured, spread: far.spread.map(() => seen) }, reading);
      return plan.treeBits[0];
    };
    const [one, two] = [SEMI_HONEST.truncation, COMPLETE_ROUNDING];
    expect([250, 251, 252, 253].map((spread) => treeBits(spread, one))).toEqual([8, 8, 8, 9]);
    expect([250, 251, 252, 253].map((spread) => treeBits(spread, two))).toEqual([8, 9, 9, 9]);
    // Checked: what is seen, three times, must be accepted: 188 or 186.
    expect([62, 62.5, 63].map((seen) => treeBits(900, one, seen))).toEqual([8, 8, 9]);
    expect([62, 62.5, 63].map((seen) => treeBits(900, two, seen))).toEqual([8, 9, 9]);
  });
});

describe('a row of almost equal values', () => {
  // Weights bound its variance from above: this plan is proved, and nothing measured is in it.
  const shape = { ...SHAPE, rows: 1 };
  const sequence = { inputIds: TEXT, rows: [2] };
  /** A model whose first feed-forward block, and what it is added to, is so small that its rows are nearly flat. */
  async function flattened(epsilon: number, factor: number): Promise<[WeightSource, ModelPlan]> {
    const config = modelOf({ ...bert, layer_norm_eps: epsilon }, 'BertForMaskedLM');
    const source = enlarged(lively(config), {
      'layers.0.ln1Gamma': factor,
      'layers.0.ln1Beta': factor,
      'layers.0.w2': factor,
      'layers.0.b2': factor,
    });
    const plan = planFromRanges(config, await provedRanges(source), SEMI_HONEST.truncation);
    expect([plan.basis, plan.checks]).toEqual(['proved', null]);
    return [source, plan];
  }

  it('is refused under a proved plan too, where its answer would have faded', { timeout: 60_000 }, async () => {
    const [source, plan] = await flattened(1e-12, 1e-3);
    const least = varianceDomain(source.config.hiddenSize, plan.norms[1]).min;
    expect((await measuredRanges(source)).leastVariance[1]).toBeLessThan(least);
    await failure('ERR_RANGE_EXCEEDED', () => answer(source, plan, shape, [sequence]));
    // Control: with rows as models have them the same plan answers, rightly.
    const [ordinary, same] = await flattened(1e-12, 1);
    expect(await rightOrRefused(ordinary, same, shape, sequence)).toBe('right');
  });

  it('is answered without a check where ε proves that it cannot fade', { timeout: 60_000 }, async () => {
    const [source, plan] = await flattened(0.01, 1e-3);
    expect(isChecked(source.config, plan)).toBe(false);
    expect(await rightOrRefused(source, plan, shape, sequence)).toBe('right');
  });
});

describe('a refusal', () => {
  const config = modelOf({ ...bert, ...LABELS }, 'BertForSequenceClassification');
  const tame = lively(config);

  async function poolerOf(inputIds: readonly number[]): Promise<number> {
    let largest = 0;
    const onActivation = (kind: string, _layer: number, value: number) => {
      if (kind === 'tanh') largest = value;
    };
    await runFloat(tame, inputIds, { onActivation });
    return largest;
  }

  it('names the texts of a batch, and only those', { timeout: 60_000 }, async () => {
    const candidates = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const inputIds = [i % 40, (7 * i + 3) % 40, (11 * i) % 40];
        return { inputIds, value: await poolerOf(inputIds) };
      }),
    );
    candidates.sort((x, y) => x.value - y.value);
    const [low, high] = [candidates.slice(0, 2), candidates.slice(-2)];
    const source = enlarged(tame, { 'classifier.pooler': 70 / high[0].value });
    expect((70 / high[0].value) * low[1].value).toBeLessThan(48);
    const texts = [low[0], high[0], low[1], high[1]].map(({ inputIds }) => ({ inputIds, rows: [] }));
    const plan = await blindPlan(source, tame);
    const error = await failure('ERR_RANGE_EXCEEDED', () => answer(source, plan, { ...SHAPE, sequences: 4 }, texts));
    expect(error.message).toContain('text 2, 4 of 4');
    expect(error.hint).toContain('--ranges wide');
    expect(error.kind).toBe('usage');
    // Control: without them the others are answered.
    await answer(source, plan, { ...SHAPE, sequences: 2 }, [texts[0], texts[2]]);
  });

  it('ends a generated text at the token that left its ranges, and the session with it', {
    timeout: 60_000,
  }, async () => {
    const writer = modelOf(gpt2, 'GPT2LMHeadModel');
    const calm = lively(writer);
    const C = writer.hiddenSize;
    const far = (await calm.tensor('embeddings.position')).slice(5 * C, 6 * C);
    const mean = far.reduce((sum, v) => sum + v, 0) / C;
    const deviation = Math.sqrt(far.reduce((sum, v) => sum + (v - mean) ** 2, 0) / C);
    // A neuron that fires at position 5, where the second new token stands, and hardly before it.
    const odd: WeightSource = {
      ...calm,
      tensor: async (name) => {
        const values = await calm.tensor(name);
        if (name === 'embeddings.position') return values.map((v, i) => (Math.floor(i / C) === 5 ? 250 * v : v));
        return name === 'layers.0.w1'
          ? values.map((v, i) => (i < C ? (5.5 * (far[i] - mean)) / deviation : v))
          : values;
      },
    };
    const plan = checkedPlan(writer, await provedRanges(odd), await measuredRanges(calm), SEMI_HONEST.truncation);
    const model = {
      name: 'planted',
      config: writer,
      plan,
      hash: 'ab'.repeat(32),
      parameters: await OpenParameters.load(odd, wasm),
    };
    const request = {
      model: model.hash,
      protocol: '3pc_semi_honest',
      weights: 'open',
      ...SHAPE,
      tokens: 4,
      padded: false,
      steps: 3,
    } as const;
    const { session, ends } = await prepared({ request, model, on: wasm });
    await session.run([{ inputIds: [5, 11, 30, 2], rows: [] }]);
    // Control: the token before it is answered.
    await session.next({ tokenId: 8, position: 4 });
    const error = await failure('ERR_RANGE_EXCEEDED', () => session.next({ tokenId: 9, position: 5 }));
    expect(error.message).toContain('2 new tokens');
    expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
    await failure('ERR_STATE', () => session.next({ tokenId: 9, position: 6 }));
  });
});
