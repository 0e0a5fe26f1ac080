import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseModelConfig } from '../../src/ml/config.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import type { TensorName, WeightSource } from '../../src/ml/models/weights.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import { erf, gelu, geluNew } from '../../src/compute/special-functions.ts';
import { layerNorm, matmulFloat, relu, softmaxRows } from '../../src/ml/reference/math.ts';
import { failure } from '../failure.ts';
import { TINY, TINY_CLASSIFIER, TINY_GPT2, TINY_GPT2_JSON, TINY_JSON } from './tiny-bert.ts';

describe('erf', () => {
  // The values of Python's math.erf.
  it.each([
    [0, 0],
    [1e-8, 1.1283791670955126e-8],
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [4, 0.9999999845827421],
    [5.9, 0.9999999999999999],
    [30, 1],
  ])('of %s', (x, expected) => {
    expect(Math.abs(erf(x) - expected)).toBeLessThan(1e-14);
    expect(erf(-x)).toBe(-erf(x));
  });

  it('is odd, bounded and rising', () => {
    let before = -1;
    for (let x = -8; x <= 8; x += 0.001) {
      const y = erf(x);
      expect(y >= before - 1e-14 && Math.abs(y) <= 1 + 1e-14).toBe(true);
      before = y;
    }
  });
});

describe('the pieces', () => {
  it('gelu is x·Φ(x)', () => {
    expect(gelu(1)).toBeCloseTo(0.8413447460685429, 12);
    expect(gelu(-1)).toBeCloseTo(-0.15865525393145707, 12);
    expect([gelu(0), gelu(40), Math.abs(gelu(-40))]).toEqual([0, 40, 0]);
  });

  it('gelu_new is within 0.0005 of gelu, and not it', () => {
    // The value of PyTorch's gelu(1, approximate='tanh') in float64.
    expect(geluNew(1)).toBeCloseTo(0.8411919906082768, 12);
    expect([geluNew(0), geluNew(40), Math.abs(geluNew(-40))]).toEqual([0, 40, 0]);
    for (let x = -8; x <= 8; x += 0.01) expect(Math.abs(geluNew(x) - gelu(x))).toBeLessThan(5e-4);
    expect(Math.abs(geluNew(2.2) - gelu(2.2))).toBeGreaterThan(1e-4);
  });

  it('relu', () => {
    expect([relu(-2), relu(0), relu(3)]).toEqual([0, 0, 3]);
  });

  it('matmul is the three loops, at any size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 6 }),
        (m, k, n) => {
          const a = Float32Array.from({ length: m * k }, (_, i) => ((i * 37) % 19) - 9);
          const b = Float32Array.from({ length: k * n }, (_, i) => ((i * 23) % 17) - 8);
          const expected = new Float32Array(m * n);
          for (let i = 0; i < m; i++)
            for (let j = 0; j < n; j++) for (let p = 0; p < k; p++) expected[i * n + j] += a[i * k + p] * b[p * n + j];
          expect(matmulFloat(a, b, m, k, n)).toEqual(expected);
        },
      ),
    );
  });

  it('softmax takes rows', () => {
    expect([...softmaxRows(Float32Array.of(500, 500, 0, Math.log(3)), 2)]).toEqual([
      0.5,
      0.5,
      expect.closeTo(0.25, 6),
      expect.closeTo(0.75, 6),
    ]);
    expect([...softmaxRows(Float32Array.of(3, Number.NEGATIVE_INFINITY), 2)]).toEqual([1, 0]);
  });

  it('LayerNorm divides by the population’s deviation', () => {
    const out = layerNorm(Float32Array.of(1, 3, 10, 10), Float32Array.of(2, 2), Float32Array.of(0, 1), 1e-12);
    expect([...out]).toEqual([expect.closeTo(-2, 6), expect.closeTo(3, 6), expect.closeTo(0, 6), expect.closeTo(1, 6)]);
    const told: number[] = [];
    layerNorm(Float32Array.of(1, 3, 10, 14), Float32Array.of(2, 2), Float32Array.of(0, 1), 0.5, (variance) =>
      told.push(variance),
    );
    expect(told).toEqual([4.5]);
  });
});

/** BERT again, from the paper's formulas: float64, one loop nest each, no shared code but erf. */
async function slowTwin(source: WeightSource, ids: readonly number[], types: readonly number[]): Promise<number[]> {
  const { hiddenSize: C, heads: H, layers, layerNormEps, architecture, vocabSize, numLabels } = source.config;
  const w = async (name: TensorName): Promise<number[]> => [...(await source.tensor(name))];
  const range = (n: number): number[] => [...Array(n).keys()];
  const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  const lin = (x: number[], m: number[], b: number[]): number[] =>
    b.map((bias, o) => bias + sum(x.map((value, i) => value * m[o * x.length + i])));
  const norm = (x: number[], g: number[], b: number[]): number[] => {
    const mean = sum(x) / C;
    const variance = sum(x.map((value) => (value - mean) ** 2)) / C;
    return x.map((value, c) => ((value - mean) / Math.sqrt(variance + layerNormEps)) * g[c] + b[c]);
  };
  const act = (x: number): number => (x / 2) * (1 + erf(x / Math.sqrt(2)));
  const [word, position, type] = [
    await w('embeddings.word'),
    await w('embeddings.position'),
    await w('embeddings.tokenType'),
  ];
  const [g0, b0] = [await w('embeddings.lnGamma'), await w('embeddings.lnBeta')];
  let x = ids.map((id, t) =>
    norm(
      range(C).map((c) => word[id * C + c] + position[t * C + c] + type[types[t] * C + c]),
      g0,
      b0,
    ),
  );
  for (let l = 0; l < layers; l++) {
    const p = async (key: 'wq'): Promise<number[]> => w(`layers.${l}.${key}`);
    const all = async <K extends string>(...keys: K[]): Promise<Record<K, number[]>> =>
      Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await p(key as unknown as 'wq')]))) as Record<
        K,
        number[]
      >;
    const k = await all(
      'wq',
      'bq',
      'wk',
      'bk',
      'wv',
      'bv',
      'wo',
      'bo',
      'ln1Gamma',
      'ln1Beta',
      'w1',
      'b1',
      'w2',
      'b2',
      'ln2Gamma',
      'ln2Beta',
    );
    const [Q, K, V] = [
      x.map((row) => lin(row, k.wq, k.bq)),
      x.map((row) => lin(row, k.wk, k.bk)),
      x.map((row) => lin(row, k.wv, k.bv)),
    ];
    x = x.map((row, t) => {
      const context = range(C).map((c) => {
        const head = range(C).filter((other) => Math.floor((other * H) / C) === Math.floor((c * H) / C));
        const e = K.map((key) => Math.exp(sum(head.map((d) => Q[t][d] * key[d])) / Math.sqrt(C / H)));
        return sum(e.map((value, s) => value * V[s][c])) / sum(e);
      });
      const attended = lin(context, k.wo, k.bo).map((value, c) => value + row[c]);
      const middle = norm(attended, k.ln1Gamma, k.ln1Beta);
      const out = lin(lin(middle, k.w1, k.b1).map(act), k.w2, k.b2).map((value, c) => value + middle[c]);
      return norm(out, k.ln2Gamma, k.ln2Beta);
    });
  }
  if (architecture === 'BertForSequenceClassification') {
    const pooled = lin(x[0], await w('classifier.pooler'), await w('classifier.poolerBias')).map(Math.tanh);
    expect(numLabels).toBeGreaterThan(0);
    return lin(pooled, await w('classifier.weight'), await w('classifier.bias'));
  }
  const [dense, denseBias, g, b] = [
    await w('mlm.dense'),
    await w('mlm.denseBias'),
    await w('mlm.lnGamma'),
    await w('mlm.lnBeta'),
  ];
  const [decoder, decoderBias] = [await w('mlm.decoder'), await w('mlm.decoderBias')];
  expect(decoderBias.length).toBe(vocabSize);
  return x.flatMap((row) => lin(norm(lin(row, dense, denseBias).map(act), g, b), decoder, decoderBias));
}

/** Seeded weights made 20 times larger, so that attention, GeLU and softmax are far from linear. */
function strongWeights(config: typeof TINY): WeightSource {
  const source = randomWeights(config, 11);
  return {
    ...source,
    tensor: async (name) =>
      name.includes('ln') ? source.tensor(name) : (await source.tensor(name)).map((value) => value * 20),
  };
}

describe('runFloat', () => {
  const ids = [2, 12, 13, 4, 7, 3];
  const types = [0, 0, 0, 1, 1, 1];

  it.each([
    ['BertForMaskedLM', TINY],
    ['BertForSequenceClassification', TINY_CLASSIFIER],
  ] as const)('agrees with a slow twin: %s', async (_, config) => {
    const source = strongWeights(config);
    const expected = await slowTwin(source, ids, types);
    const { logits } = await runFloat(source, ids, { tokenTypeIds: types });
    expect(logits.length).toBe(expected.length);
    const error = Math.max(...expected.map((value, i) => Math.abs(value - logits[i])));
    expect(error).toBeLessThan(1e-4);
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.5);
  });

  it('changes when any tensor changes, so that agreement means something', async () => {
    const source = strongWeights(TINY);
    const { logits } = await runFloat(source, ids);
    const names: TensorName[] = [
      'embeddings.position',
      'embeddings.tokenType',
      'layers.1.bv',
      'layers.0.wk',
      'layers.0.ln1Beta',
      'layers.1.b2',
      'mlm.lnGamma',
      'mlm.decoderBias',
    ];
    for (const changed of names) {
      const other: WeightSource = {
        ...source,
        tensor: async (name) =>
          name === changed ? (await source.tensor(name)).map((x, i) => x + (i % 3) / 8) : source.tensor(name),
      };
      const difference = (await runFloat(other, ids)).logits.map((value, i) => Math.abs(value - logits[i]));
      expect(Math.max(...difference), changed).toBeGreaterThan(1e-3);
    }
  });

  it('gives the positions that are asked for', async () => {
    const source = randomWeights(TINY, 1);
    const all = (await runFloat(source, ids)).logits;
    const some = (await runFloat(source, ids, { positions: [3, 0] })).logits;
    expect(some).toEqual(Float32Array.from([...all.subarray(3 * 23, 4 * 23), ...all.subarray(0, 23)]));
  });

  it('keeps hidden states on demand', async () => {
    const source = randomWeights(TINY, 1);
    const { hiddenStates } = await runFloat(source, ids, { hiddenStates: true });
    expect(hiddenStates.map((state) => state.length)).toEqual([48, 48, 48]);
    expect((await runFloat(source, ids)).hiddenStates).toEqual([]);
  });

  it('uses the matmul that is passed', async () => {
    const source = randomWeights(TINY, 1);
    let calls = 0;
    const { logits } = await runFloat(source, ids, {
      matmul: async (...args) => {
        calls++;
        return matmulFloat(...args);
      },
    });
    expect(logits).toEqual((await runFloat(source, ids)).logits);
    expect(calls).toBe(2 * (6 + 2 * 2) + 2);
  });

  it('takes as many tokens as the model has positions', async () => {
    const source = randomWeights(TINY, 1);
    expect((await runFloat(source, new Array(10).fill(5))).logits.length).toBe(230);
    await failure('ERR_TOO_MANY_TOKENS', () => runFloat(source, new Array(11).fill(5)));
  });

  it('refuses ids and positions that do not exist', async () => {
    const source = randomWeights(TINY, 1);
    for (const bad of [[], [-1], [23], [1.5], [Number.NaN]]) await failure('ERR_RANGE', () => runFloat(source, bad));
    await failure('ERR_RANGE', () => runFloat(source, ids, { tokenTypeIds: [0] }));
    await failure('ERR_RANGE', () => runFloat(source, ids, { tokenTypeIds: [0, 0, 0, 0, 0, 2] }));
    await failure('ERR_RANGE', () => runFloat(source, ids, { positions: [6] }));
  });

  it('runs BERT-base layers at a useful speed', { timeout: 60_000 }, async () => {
    const config = parseModelConfig({
      ...TINY_JSON,
      hidden_size: 768,
      num_hidden_layers: 1,
      num_attention_heads: 12,
      intermediate_size: 3072,
      max_position_embeddings: 128,
    });
    const start = performance.now();
    await runFloat(randomWeights(config, 1), new Array(128).fill(5), { positions: [0] });
    // 1.0 s on the build machine.
    expect(performance.now() - start).toBeLessThan(30_000);
  });
});

describe('GPT-2', () => {
  const ids = [2, 12, 13, 4, 7, 3];

  it('never looks at what comes later', async () => {
    const source = strongWeights(TINY_GPT2);
    const [a, b] = [await runFloat(source, ids), await runFloat(source, [...ids.slice(0, 3), 9, 9, 9])];
    expect(b.logits.subarray(0, 3 * 23)).toEqual(a.logits.subarray(0, 3 * 23));
    expect(b.logits.subarray(3 * 23)).not.toEqual(a.logits.subarray(3 * 23));
    expect((await runFloat(source, ids.slice(0, 2))).logits).toEqual(a.logits.subarray(0, 2 * 23));
  });

  it('gives the positions that are asked for, and the last states without a head', async () => {
    const source = strongWeights(TINY_GPT2);
    const all = await runFloat(source, ids, { hiddenStates: true });
    expect((await runFloat(source, ids, { positions: [5] })).logits).toEqual(all.logits.slice(5 * 23));
    expect(all.hiddenStates.map((state) => state.length)).toEqual([48, 48, 48]);
    const bare = strongWeights(parseModelConfig({ ...TINY_GPT2_JSON, architectures: ['GPT2Model'] }));
    expect((await runFloat(bare, ids)).logits).toEqual(all.hiddenStates[2]);
  });

  it('has one token type', async () => {
    const source = randomWeights(TINY_GPT2, 1);
    await runFloat(source, ids, { tokenTypeIds: [0, 0, 0, 0, 0, 0] });
    await failure('ERR_RANGE', () => runFloat(source, ids, { tokenTypeIds: [0, 0, 0, 0, 0, 1] }));
    await failure('ERR_TOO_MANY_TOKENS', () => runFloat(source, new Array(11).fill(5)));
  });
});

describe('onActivation', () => {
  const ids = [2, 12, 13, 4, 7, 3];
  const [C, F, T, D] = [8, 12, 6, 4];

  /** What the forward must report, recomputed from the states and from the matrix products. */
  async function watch(source: WeightSource) {
    const told = new Map<string, number[]>();
    const products: { readonly n: number; readonly out: Float32Array }[] = [];
    const { logits, hiddenStates } = await runFloat(source, ids, {
      hiddenStates: true,
      onActivation: (kind, layer, max) => told.set(`${kind} ${layer}`, [...(told.get(`${kind} ${layer}`) ?? []), max]),
      matmul: (a, b, m, k, n) => {
        const out = matmulFloat(a, b, m, k, n);
        products.push({ n, out });
        return out;
      },
    });
    return { told, products, logits, hiddenStates };
  }

  const largest = (x: Iterable<number>): number => Math.max(...[...x].map(Math.abs));
  const variances = (x: Float32Array): number[] =>
    Array.from({ length: x.length / C }, (_, t) => {
      const row = [...x.subarray(t * C, (t + 1) * C)];
      const mean = row.reduce((a, b) => a + b, 0) / C;
      return row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / C;
    });
  /** Largest difference in a row of the raw scores of a layer's heads, by 1/√D. */
  const spreads = (scores: readonly Float32Array[], causal: boolean): number[] =>
    scores.flatMap((out) =>
      Array.from({ length: T }, (_, t) => {
        const row = [...out.subarray(t * T, t * T + (causal ? t + 1 : T))];
        return (Math.max(...row) - Math.min(...row)) / Math.sqrt(D);
      }),
    );

  it.each([
    [
      'BERT',
      TINY,
      ['-1 variance', '0 gelu', '0 score-spread', '0 value', '0 variance', '2 gelu', '2 logit', '2 variance'],
    ],
    [
      'BERT with a classifier',
      TINY_CLASSIFIER,
      ['-1 variance', '0 gelu', '0 score-spread', '0 value', '0 variance', '2 logit', '2 tanh'],
    ],
    ['GPT-2', TINY_GPT2, ['0 gelu', '0 score-spread', '0 value', '0 variance', '2 logit', '2 variance']],
  ] as const)('tells what the values are: %s', async (_, config, kinds) => {
    const source = strongWeights(config);
    const { told, products, logits, hiddenStates } = await watch(source);
    const keys = [...told.keys()].map((key) => key.split(' ').reverse().join(' '));
    // Every LayerNorm tells both ends.
    const ends = kinds
      .filter((kind) => kind.endsWith(' variance'))
      .map((kind) => kind.replace('variance', 'least-variance'));
    expect(new Set(keys.filter((key) => !key.startsWith('1 ')))).toEqual(new Set([...kinds, ...ends]));
    expect(told.get('logit 2')).toEqual([largest(logits)]);

    const isGpt2 = config.modelType === 'gpt2';
    const eps = config.layerNormEps;
    const bias = async (name: TensorName): Promise<Float32Array> => source.tensor(name);
    const wide = products.filter(({ n }) => n === F).map(({ out }) => out);
    const scores = products.filter(({ n }) => n === T).map(({ out }) => out);
    const square = products.filter(({ n, out }) => n === C && out.length === T * C).map(({ out }) => out);
    for (const i of [0, 1]) {
      const b1 = await bias(`layers.${i}.b1`);
      expect(told.get(`gelu ${i}`)).toEqual([largest(wide[i].map((x, j) => x + b1[j % F]))]);
      expect(told.get(`score-spread ${i}`)?.[0]).toBeCloseTo(
        Math.max(...spreads(scores.slice(2 * i, 2 * i + 2), isGpt2)),
        5,
      );
      // Products of width C in a layer: q, k, v, the attention's output, the feed-forward's.
      const bv = await bias(`layers.${i}.bv`);
      expect(told.get(`value ${i}`)).toEqual([largest(square[5 * i + 2].map((x, j) => x + bv[j % C]))]);
      expect(told.get(`variance ${i}`)?.length).toBe(2);
      if (isGpt2) {
        expect(told.get(`variance ${i}`)?.[0]).toBeCloseTo(Math.max(...variances(hiddenStates[i])) + eps, 4);
        expect(told.get(`least-variance ${i}`)?.[0]).toBeCloseTo(Math.min(...variances(hiddenStates[i])) + eps, 4);
      } else {
        const [bo, before] = [await bias(`layers.${i}.bo`), hiddenStates[i]];
        const attended = square[5 * i + 3].map((x, j) => Math.fround(x + bo[j % C]) + before[j]);
        expect(told.get(`variance ${i}`)?.[0]).toBeCloseTo(Math.max(...variances(attended)) + eps, 4);
      }
    }
    if (!isGpt2) {
      const [word, position, type] = [
        await bias('embeddings.word'),
        await bias('embeddings.position'),
        await bias('embeddings.tokenType'),
      ];
      const sum = Float32Array.from(
        { length: T * C },
        (_, i) => word[ids[Math.floor(i / C)] * C + (i % C)] + position[i] + type[i % C],
      );
      expect(told.get('variance -1')?.[0]).toBeCloseTo(Math.max(...variances(sum)) + eps, 5);
    }
  });
});
