import { describe, expect, it } from 'vitest';
import { parseModelConfig } from '../../src/ml/config.ts';
import { outlierChannels, randomWeights } from '../../src/ml/models/random.ts';
import { loadGroup, type TensorName, tensorNames, tensorShape } from '../../src/ml/models/weights.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import { failure } from '../failure.ts';
import {
  TINY,
  TINY_CLASSIFIER,
  TINY_DISTILBERT_JSON,
  TINY_GPT2_JSON,
  TINY_JSON,
  TINY_ROBERTA_JSON,
} from './tiny-bert.ts';

const GPT2 = parseModelConfig({
  ...TINY_GPT2_JSON,
  n_embd: 256,
  n_head: 4,
  n_inner: 1024,
  n_layer: 6,
  n_positions: 24,
});

describe('randomWeights', () => {
  const BASE = parseModelConfig({
    ...TINY_JSON,
    hidden_size: 768,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    intermediate_size: 3072,
    vocab_size: 30522,
    max_position_embeddings: 512,
  });

  it('gives the same values for ever', async () => {
    const first = async (seed: number, name: 'layers.0.wq' | 'layers.0.ln1Gamma'): Promise<number[]> =>
      [...(await randomWeights(TINY, seed).tensor(name)).subarray(0, 4)].map((value) => value * 2 ** 20);
    expect({
      wq: await first(7, 'layers.0.wq'),
      gamma: await first(7, 'layers.0.ln1Gamma'),
      other: await first(4294967295, 'layers.0.wq'),
    }).toMatchInlineSnapshot(`
      {
        "gamma": [
          1047166,
          1034949,
          1022346,
          1074862,
        ],
        "other": [
          -199,
          -19092,
          29559,
          29664,
        ],
        "wq": [
          32402,
          26973,
          -15761,
          -35430,
        ],
      }
    `);
  });

  it('gives other values for another seed, tensor or layer, and the same for the same', async () => {
    const tensor = (seed: number, name: 'layers.0.wq' | 'layers.0.wk' | 'layers.1.wq'): Promise<Float32Array> =>
      randomWeights(TINY, seed).tensor(name);
    const base = await tensor(7, 'layers.0.wq');
    expect(await tensor(7, 'layers.0.wq')).toEqual(base);
    for (const other of [
      await tensor(8, 'layers.0.wq'),
      await tensor(7, 'layers.0.wk'),
      await tensor(7, 'layers.1.wq'),
    ]) {
      expect(other.filter((value, i) => value === base[i]).length).toBeLessThan(4);
    }
  });

  it('has the standard deviation 0.02, no bias, and no correlation of neighbours or tensors', {
    timeout: 60_000,
  }, async () => {
    const source = randomWeights(BASE, 7);
    const [x, y] = [await source.tensor('layers.0.w1'), await source.tensor('layers.0.w2')];
    const mean = (f: (i: number) => number): number => x.reduce((sum, _, i) => sum + f(i), 0) / x.length;
    const noise = 5 / Math.sqrt(x.length);
    expect(Math.abs(mean((i) => x[i]))).toBeLessThan(0.02 * noise);
    expect(Math.abs(Math.sqrt(mean((i) => x[i] ** 2)) / 0.02 - 1)).toBeLessThan(noise);
    for (const [u, v] of [
      [x, x.subarray(1)],
      [x, x.subarray(2)],
      [x, x.subarray(768)],
      [x, y],
    ]) {
      expect(Math.abs(mean((i) => u[i] * (v[i] ?? 0)))).toBeLessThan(0.0004 * noise);
    }
    expect(x.every((value) => Math.abs(value) <= 36324 / 2 ** 20 && Number.isInteger(value * 2 ** 20))).toBe(true);
  });

  it('has LayerNorm about 1 and 0', async () => {
    const { ln1Gamma, ln1Beta } = await loadGroup(randomWeights(BASE, 7), 'layers.0');
    expect(ln1Gamma.every((value) => Math.abs(value - 1) < 0.035) && ln1Gamma.some((value) => value !== 1)).toBe(true);
    expect(ln1Beta.every((value) => Math.abs(value) < 0.035) && ln1Beta.some((value) => value !== 0)).toBe(true);
  });

  it('ties the decoder', async () => {
    const source = randomWeights(TINY, 7);
    expect(source.tiedDecoder).toBe(true);
    expect(await source.tensor('mlm.decoder')).toEqual(await source.tensor('embeddings.word'));
  });

  it('makes BERT-base in seconds', { timeout: 60_000 }, async () => {
    const source = randomWeights(BASE, 7);
    const start = performance.now();
    let count = 0;
    for (const name of tensorNames(BASE)) if (name !== 'mlm.decoder') count += (await source.tensor(name)).length;
    expect(count).toBe(109_514_298);
    // 0.7 s on the build machine; the bound only catches a change of order.
    expect(performance.now() - start).toBeLessThan(30_000);
  });

  it.each([-1, 1.5, 2 ** 32, Number.NaN])('refuses the seed %s', async (seed) => {
    await failure('ERR_ARGUMENT', () => randomWeights(TINY, seed));
  });

  it.each([TINY_JSON, TINY_ROBERTA_JSON, TINY_DISTILBERT_JSON, TINY_GPT2_JSON])(
    'has every tensor of $model_type, exact in 2^-20',
    async (json) => {
      const base = json.architectures[0].replace(/For.*|LMHeadModel/, '');
      const heads =
        base === 'GPT2'
          ? ['LMHeadModel', 'Model']
          : ['ForMaskedLM', 'ForSequenceClassification', 'ForTokenClassification', 'ForQuestionAnswering', 'Model'];
      for (const head of heads) {
        const config = parseModelConfig({ ...json, architectures: [base + head] });
        const source = randomWeights(config, 7, { outliers: true });
        for (const name of tensorNames(config)) {
          const values = await source.tensor(name);
          expect(values.length, name).toBe(tensorShape(config, name).reduce((product, size) => product * size, 1));
          expect(
            values.every((value) => Number.isInteger(value * 2 ** 20)),
            name,
          ).toBe(true);
          expect(new Set(values).size, name).toBeGreaterThan(1);
        }
      }
    },
  );

  it('has a decoder of its own where the config does not tie it', async () => {
    const source = randomWeights(parseModelConfig({ ...TINY_JSON, tie_word_embeddings: false }), 7);
    expect(source.tiedDecoder).toBe(false);
    expect(await source.tensor('mlm.decoder')).not.toEqual(await source.tensor('embeddings.word'));
    expect(randomWeights(TINY_CLASSIFIER, 7).tiedDecoder).toBe(false);
  });

  it('narrows what GPT-2 adds to the residual stream', async () => {
    const source = randomWeights(GPT2, 7, { outliers: false });
    const deviation = async (name: TensorName): Promise<number> => {
      const values = await source.tensor(name);
      return Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
    };
    for (const name of ['layers.0.wq', 'layers.3.w1', 'embeddings.word'] as const)
      expect((await deviation(name)) / 0.02).toBeCloseTo(1, 1);
    for (const name of ['layers.0.wo', 'layers.5.w2'] as const)
      expect((await deviation(name)) / (0.02 / Math.sqrt(12))).toBeCloseTo(1, 1);
  });
});

describe('outliers', () => {
  it('are of GPT-2 unless asked for otherwise, and stand where the width says', async () => {
    expect([8, 63, 64, 128, 256, 768].map(outlierChannels)).toEqual([
      [],
      [],
      [32],
      [32, 96],
      [32, 96, 160, 224],
      [96, 288, 480, 672],
    ]);
    const name = 'layers.2.w2';
    const [plain, large] = [
      await randomWeights(GPT2, 7, { outliers: false }).tensor(name),
      await randomWeights(GPT2, 7).tensor(name),
    ];
    const rows = new Set([...plain].flatMap((value, i) => (value === large[i] ? [] : [Math.floor(i / 1024)])));
    expect([...rows]).toEqual([32, 96, 160, 224]);
    expect(large.every((value, i) => value === plain[i] || value === 32 * plain[i])).toBe(true);
    const wide = parseModelConfig({ ...TINY_JSON, hidden_size: 64 });
    expect(await randomWeights(wide, 7).tensor('layers.0.wo')).toEqual(
      await randomWeights(wide, 7, { outliers: false }).tensor('layers.0.wo'),
    );
    expect(await randomWeights(wide, 7, { outliers: true }).tensor('layers.0.wo')).not.toEqual(
      await randomWeights(wide, 7).tensor('layers.0.wo'),
    );
  });

  it('make channels of the residual stream 20 to 50 times the others', { timeout: 60_000 }, async () => {
    const ids = Array.from({ length: 16 }, (_, i) => (i * 5 + 2) % 23);
    const C = GPT2.hiddenSize;
    const channels = outlierChannels(C);
    const rms = (state: Float32Array, outlier: boolean): number => {
      const some = state.filter((_, i) => channels.includes(i % C) === outlier);
      return Math.sqrt(some.reduce((sum, value) => sum + value ** 2, 0) / some.length);
    };
    const { hiddenStates } = await runFloat(randomWeights(GPT2, 7), ids, { hiddenStates: true });
    // The last state is behind the final LayerNorm.
    for (const state of hiddenStates.slice(0, -1)) {
      const ratio = rms(state, true) / rms(state, false);
      expect(ratio).toBeGreaterThan(20);
      expect(ratio).toBeLessThan(50);
    }
    const plain = await runFloat(randomWeights(GPT2, 7, { outliers: false }), ids, { hiddenStates: true });
    for (const state of plain.hiddenStates) expect(rms(state, true) / rms(state, false)).toBeLessThan(2);
  });
});
