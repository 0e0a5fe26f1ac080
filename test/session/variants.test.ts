/**
 * Every variant of a plan in whole models, privately: GeLU narrow, wide and far, in both forms; spreads of 8 and 9
 * bits; proved and measured; padded and not, causal and not. The float model says what is right. A plan that is
 * measured also refuses what leaves its variant.
 */
import { describe, expect, it } from 'vitest';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { parseModelConfig } from '../../src/ml/config.ts';
import type { ModelPlan } from '../../src/ml/models/plan.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import type { WeightSource } from '../../src/ml/models/weights.ts';
import { planFromRanges, provedRanges } from '../../src/ml/ranges.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import { GELU_DOMAIN, type GeluRange } from '../../src/mpc/secure/activation.ts';
import { SEMI_HONEST } from '../../src/mpc/protocol/registry.ts';
import { spreadDomain } from '../../src/mpc/secure/attention.ts';
import { Circuits } from '../../src/session/circuits.ts';
import { OpenParameters } from '../../src/session/open-parameters.ts';
import { dearestPlan } from '../../src/session/price.ts';
import { failure } from '../failure.ts';
import { planOf } from '../support/architectures.ts';
import { prepared } from './harness.ts';

const on = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });

const bert = parseModelConfig({
  ...{ model_type: 'bert', architectures: ['BertForMaskedLM'], hidden_act: 'gelu', hidden_size: 16 },
  ...{ num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 24, vocab_size: 40, type_vocab_size: 2 },
  ...{ max_position_embeddings: 24, layer_norm_eps: 1e-5 },
});
const gpt2 = parseModelConfig({
  ...{ model_type: 'gpt2', architectures: ['GPT2LMHeadModel'], activation_function: 'gelu_new', n_embd: 16 },
  ...{ n_layer: 1, n_head: 2, n_positions: 24, vocab_size: 40, layer_norm_epsilon: 1e-5 },
});

/** Random weights of ordinary variances, the first map of the feed-forward block `factor` times as large. */
function lively(config: typeof bert, factor = 1): WeightSource {
  const source = randomWeights(config, 3);
  return {
    ...source,
    tensor: async (name) => {
      const scale = (name.includes('Gamma') ? 1 : 12) * (name === 'layers.0.w1' ? factor : 1);
      return (await source.tensor(name)).map((v) => v * scale);
    },
  };
}

const MODELS = [
  ['encoder', bert, false],
  ['encoder, padded', bert, true],
  ['causal', gpt2, false],
  ['causal, padded', gpt2, true],
] as const;
const RANGES = Object.keys(GELU_DOMAIN) as GeluRange[];
const BITS = [8, 9] as const;
const [NARROW, WIDE] = BITS.map((bits) => spreadDomain(bits, SEMI_HONEST.truncation));
const BASES = ['proved', 'measured'] as const;

/** Half of all: of any three properties every choice is there, because the spread follows from the other three. */
const CELLS = MODELS.flatMap(([name, config, padded], m) =>
  RANGES.flatMap((range, r) =>
    BASES.map((basis, b) => ({ name, config, padded, range, basis, bits: BITS[(m + r + b) % 2] })),
  ),
);

const TEXT = [2, 9, 4, 17, 3];
const circuits = new Circuits();

async function answer({ config, padded, range, basis, bits }: (typeof CELLS)[number], source: WeightSource) {
  const variant = planOf(config, range, bits);
  const plan: ModelPlan = basis === 'proved' ? variant : { ...variant, basis, checks: dearestPlan(config).checks };
  const model = {
    ...{ name: 'variant', config, plan, hash: 'ab'.repeat(32) },
    parameters: await OpenParameters.load(source, on),
  };
  const causal = config === gpt2;
  const rows = causal && !padded ? [] : [TEXT.length - 1];
  const shape = { sequences: 1, tokens: padded ? 8 : TEXT.length, rows: rows.length, padded, pair: false, steps: 0 };
  const steps = causal ? 1 : 0;
  const { session } = await prepared({
    request: { model: model.hash, protocol: '3pc_semi_honest', weights: 'open', ...shape, steps },
    ...{ model, on, circuits },
  });
  const logits = [(await session.run([{ inputIds: TEXT, rows }])).logits];
  if (steps > 0) logits.push((await session.next({ tokenId: 8, position: TEXT.length })).logits);
  const texts = steps > 0 ? [TEXT, [...TEXT, 8]] : [TEXT];
  const wanted = await Promise.all(
    texts.map(async (ids) => (await runFloat(source, ids, { positions: [ids.length - 1] })).logits),
  );
  return logits.flatMap((own, i) => Array.from(own, (value, j) => Math.abs(value - wanted[i][j])));
}

describe('every variant of a plan', () => {
  it('is in this matrix, with every choice of three of its four properties', () => {
    const triples = (of: (cell: (typeof CELLS)[number]) => readonly unknown[]) =>
      new Set(CELLS.map((c) => of(c).join()));
    expect(triples(({ name, range, basis }) => [name, range, basis]).size).toBe(24);
    expect(triples(({ name, range, bits }) => [name, range, bits]).size).toBe(24);
    expect(triples(({ name, basis, bits }) => [name, basis, bits]).size).toBe(16);
    expect(triples(({ range, basis, bits }) => [range, basis, bits]).size).toBe(12);
  });

  it('a spread of scores takes the narrowest one that holds it, and beyond the widest there is no plan', async () => {
    const ranges = await provedRanges(randomWeights(bert, 3));
    const bitsFor = (spread: number) =>
      planFromRanges(bert, { ...ranges, spread: [spread] }, SEMI_HONEST.truncation).treeBits;
    expect([0, NARROW, NARROW + 0.01, WIDE].map(bitsFor)).toEqual([[8], [8], [9], [9]]);
    for (const spread of [WIDE + 0.01, Number.POSITIVE_INFINITY])
      expect((await failure('ERR_RANGE', async () => bitsFor(spread))).message).toContain('spread of attention scores');
  });

  it.each(CELLS)(
    '$name, $range, $bits bits, $basis: the float model, and a measured one refuses what leaves it',
    { timeout: 60_000 },
    async (cell) => {
      const errors = await answer(cell, lively(cell.config));
      expect(errors.length).toBeGreaterThanOrEqual(cell.config.vocabSize);
      expect(Math.max(...errors)).toBeLessThan(0.01);
      if (cell.basis === 'proved') return;
      const past = lively(cell.config, 8 * GELU_DOMAIN[cell.range]);
      await failure('ERR_RANGE_EXCEEDED', () => answer(cell, past));
    },
  );
});
