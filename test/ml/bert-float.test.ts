import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBertConfig } from '../../src/ml/config.ts';
import { randomBertWeights } from '../../src/ml/models/bert-random.ts';
import type { BertTensorName, BertWeightSource } from '../../src/ml/models/bert-weights.ts';
import { bertFloat, erf, gelu, layerNorm, matmulFloat, softmaxRows } from '../../src/ml/reference/bert-float.ts';
import { failure, TINY, TINY_CLASSIFIER, TINY_JSON } from './tiny-bert.ts';

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

  it('matmul is the three loops, at any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 6 }), (m, k, n) => {
        const a = Float32Array.from({ length: m * k }, (_, i) => ((i * 37) % 19) - 9);
        const b = Float32Array.from({ length: k * n }, (_, i) => ((i * 23) % 17) - 8);
        const expected = new Float32Array(m * n);
        for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) for (let p = 0; p < k; p++) expected[i * n + j] += a[i * k + p] * b[p * n + j];
        expect(matmulFloat(a, b, m, k, n)).toEqual(expected);
      }),
    );
  });

  it('softmax takes rows', () => {
    expect([...softmaxRows(Float32Array.of(500, 500, 0, Math.log(3)), 2)]).toEqual([0.5, 0.5, expect.closeTo(0.25, 6), expect.closeTo(0.75, 6)]);
  });

  it('LayerNorm divides by the population’s deviation', () => {
    const out = layerNorm(Float32Array.of(1, 3, 10, 10), Float32Array.of(2, 2), Float32Array.of(0, 1), 1e-12);
    expect([...out]).toEqual([expect.closeTo(-2, 6), expect.closeTo(3, 6), expect.closeTo(0, 6), expect.closeTo(1, 6)]);
  });
});

/** BERT again, from the paper's formulas: float64, one loop nest each, no shared code but erf. */
async function slowTwin(source: BertWeightSource, ids: readonly number[], types: readonly number[]): Promise<number[]> {
  const { hiddenSize: C, heads: H, layers, layerNormEps, architecture, vocabSize, numLabels } = source.config;
  const w = async (name: BertTensorName): Promise<number[]> => [...(await source.tensor(name))];
  const range = (n: number): number[] => [...Array(n).keys()];
  const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  const lin = (x: number[], m: number[], b: number[]): number[] => b.map((bias, o) => bias + sum(x.map((value, i) => value * m[o * x.length + i])));
  const norm = (x: number[], g: number[], b: number[]): number[] => {
    const mean = sum(x) / C;
    const variance = sum(x.map((value) => (value - mean) ** 2)) / C;
    return x.map((value, c) => ((value - mean) / Math.sqrt(variance + layerNormEps)) * g[c] + b[c]);
  };
  const act = (x: number): number => (x / 2) * (1 + erf(x / Math.sqrt(2)));
  const [word, position, type] = [await w('embeddings.word'), await w('embeddings.position'), await w('embeddings.tokenType')];
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
      Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await p(key as unknown as 'wq')]))) as Record<K, number[]>;
    const k = await all('wq', 'bq', 'wk', 'bk', 'wv', 'bv', 'wo', 'bo', 'ln1Gamma', 'ln1Beta', 'w1', 'b1', 'w2', 'b2', 'ln2Gamma', 'ln2Beta');
    const [Q, K, V] = [x.map((row) => lin(row, k.wq, k.bq)), x.map((row) => lin(row, k.wk, k.bk)), x.map((row) => lin(row, k.wv, k.bv))];
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
  const [dense, denseBias, g, b] = [await w('mlm.dense'), await w('mlm.denseBias'), await w('mlm.lnGamma'), await w('mlm.lnBeta')];
  const [decoder, decoderBias] = [await w('mlm.decoder'), await w('mlm.decoderBias')];
  expect(decoderBias.length).toBe(vocabSize);
  return x.flatMap((row) => lin(norm(lin(row, dense, denseBias).map(act), g, b), decoder, decoderBias));
}

/** Seeded weights made 20 times larger, so that attention, GeLU and softmax are far from linear. */
function strongWeights(config: typeof TINY): BertWeightSource {
  const source = randomBertWeights(config, 11);
  return { ...source, tensor: async (name) => (name.includes('ln') ? source.tensor(name) : (await source.tensor(name)).map((value) => value * 20)) };
}

describe('bertFloat', () => {
  const ids = [2, 12, 13, 4, 7, 3];
  const types = [0, 0, 0, 1, 1, 1];

  it.each([
    ['BertForMaskedLM', TINY],
    ['BertForSequenceClassification', TINY_CLASSIFIER],
  ] as const)('agrees with a slow twin: %s', async (_, config) => {
    const source = strongWeights(config);
    const expected = await slowTwin(source, ids, types);
    const { logits } = await bertFloat(source, ids, { tokenTypeIds: types });
    expect(logits.length).toBe(expected.length);
    const error = Math.max(...expected.map((value, i) => Math.abs(value - logits[i])));
    expect(error).toBeLessThan(1e-4);
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.5);
  });

  it('changes when any tensor changes, so that agreement means something', async () => {
    const source = strongWeights(TINY);
    const { logits } = await bertFloat(source, ids);
    const names: BertTensorName[] = [
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
      const other: BertWeightSource = {
        ...source,
        tensor: async (name) => (name === changed ? (await source.tensor(name)).map((x, i) => x + (i % 3) / 8) : source.tensor(name)),
      };
      const difference = (await bertFloat(other, ids)).logits.map((value, i) => Math.abs(value - logits[i]));
      expect(Math.max(...difference), changed).toBeGreaterThan(1e-3);
    }
  });

  it('gives the positions that are asked for', async () => {
    const source = randomBertWeights(TINY, 1);
    const all = (await bertFloat(source, ids)).logits;
    const some = (await bertFloat(source, ids, { positions: [3, 0] })).logits;
    expect(some).toEqual(Float32Array.from([...all.subarray(3 * 23, 4 * 23), ...all.subarray(0, 23)]));
  });

  it('keeps hidden states on demand', async () => {
    const source = randomBertWeights(TINY, 1);
    const { hiddenStates } = await bertFloat(source, ids, { hiddenStates: true });
    expect(hiddenStates.map((state) => state.length)).toEqual([48, 48, 48]);
    expect((await bertFloat(source, ids)).hiddenStates).toEqual([]);
  });

  it('uses the matmul that is passed', async () => {
    const source = randomBertWeights(TINY, 1);
    let calls = 0;
    const { logits } = await bertFloat(source, ids, {
      matmul: async (...args) => {
        calls++;
        return matmulFloat(...args);
      },
    });
    expect(logits).toEqual((await bertFloat(source, ids)).logits);
    expect(calls).toBe(2 * (6 + 2 * 2) + 2);
  });

  it('takes as many tokens as the model has positions', async () => {
    const source = randomBertWeights(TINY, 1);
    expect((await bertFloat(source, new Array(10).fill(5))).logits.length).toBe(230);
    await failure('ERR_TOO_MANY_TOKENS', () => bertFloat(source, new Array(11).fill(5)));
  });

  it('refuses ids and positions that do not exist', async () => {
    const source = randomBertWeights(TINY, 1);
    for (const bad of [[], [-1], [23], [1.5], [Number.NaN]]) await failure('ERR_RANGE', () => bertFloat(source, bad));
    await failure('ERR_RANGE', () => bertFloat(source, ids, { tokenTypeIds: [0] }));
    await failure('ERR_RANGE', () => bertFloat(source, ids, { tokenTypeIds: [0, 0, 0, 0, 0, 2] }));
    await failure('ERR_RANGE', () => bertFloat(source, ids, { positions: [6] }));
  });

  it('runs BERT-base layers at a useful speed', { timeout: 60_000 }, async () => {
    const config = parseBertConfig({
      ...TINY_JSON,
      hidden_size: 768,
      num_hidden_layers: 1,
      num_attention_heads: 12,
      intermediate_size: 3072,
      max_position_embeddings: 128,
    });
    const start = performance.now();
    await bertFloat(randomBertWeights(config, 1), new Array(128).fill(5), { positions: [0] });
    // 1.0 s on the build machine.
    expect(performance.now() - start).toBeLessThan(30_000);
  });
});
