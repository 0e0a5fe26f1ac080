import { describe, expect, it } from 'vitest';
import { parseBertConfig } from '../../src/ml/config.ts';
import { randomBertWeights } from '../../src/ml/models/bert-random.ts';
import { bertGroups, bertTensorNames, bertTensorShape, loadBertWeights, loadGroup, transpose } from '../../src/ml/models/bert-weights.ts';
import type { TensorToWrite } from '../../src/ml/safetensors-encode.ts';
import { failure, TINY, TINY_CLASSIFIER, TINY_JSON, tinyFiles, tinyNames, tinyTensors } from './tiny-bert.ts';

const renamed = (tensors: readonly TensorToWrite[], rename: (name: string) => string): TensorToWrite[] =>
  tensors.map((tensor) => ({ ...tensor, name: rename(tensor.name) }));

describe('names and shapes', () => {
  it.each([false, true])('are those of the checkpoint (classifier: %s)', (classifier) => {
    const config = classifier ? TINY_CLASSIFIER : TINY;
    const expected = new Map(tinyNames(classifier).map(([name, , shape]) => [name, shape]));
    if (!classifier) expected.set('mlm.decoder', [23, 8]);
    expect(new Map(bertTensorNames(config).map((name) => [name, bertTensorShape(config, name)]))).toEqual(expected);
  });

  it('come in groups in the order of use', () => {
    expect(bertGroups(TINY)).toEqual(['embeddings', 'layers.0', 'layers.1', 'mlm']);
    expect(bertGroups(TINY_CLASSIFIER)).toEqual(['embeddings', 'layers.0', 'layers.1', 'classifier']);
  });

  it.each(['classifier.weight', 'layers.2.wq', 'layers.00.wq', 'layers.-1.wq', 'layers.0.w3', 'layers.0', 'x', '', 'mlm.word', 'mlm.constructor'])(
    'do not include %j',
    async (name) => {
      await failure('ERR_INTERNAL', () => bertTensorShape(TINY, name as 'mlm.dense'));
      await failure('ERR_INTERNAL', () => randomBertWeights(TINY, 1).tensor(name as 'mlm.dense'));
    },
  );
});

describe('loadBertWeights', () => {
  it.each([false, true])('gives every tensor under its canonical name (classifier: %s)', async (classifier) => {
    const config = classifier ? TINY_CLASSIFIER : TINY;
    const tensors = await tinyTensors(classifier);
    const source = await loadBertWeights(tinyFiles(tensors), config);
    expect(source.label).toBe('tiny');
    expect(source.tiedDecoder).toBe(!classifier);
    for (const [i, [name]] of tinyNames(classifier).entries()) expect(await source.tensor(name), name).toEqual(tensors[i].data);
    if (!classifier) expect(await source.tensor('mlm.decoder')).toEqual(await source.tensor('embeddings.word'));
  });

  it('loads a group', async () => {
    const source = await loadBertWeights(tinyFiles(await tinyTensors()), TINY);
    const layer = await loadGroup(source, 'layers.1');
    expect(Object.keys(layer).length).toBe(16);
    expect(layer.w1).toEqual(await source.tensor('layers.1.w1'));
    expect((await loadGroup(source, 'mlm')).decoder.length).toBe(23 * 8);
  });

  it('takes a decoder that is stored', async () => {
    const decoder: TensorToWrite = { name: 'cls.predictions.decoder.weight', dtype: 'F32', shape: [23, 8], data: new Float32Array(23 * 8).fill(2) };
    const source = await loadBertWeights(tinyFiles([...(await tinyTensors()), decoder]), TINY);
    expect(source.tiedDecoder).toBe(false);
    expect(await source.tensor('mlm.decoder')).toEqual(decoder.data);
  });

  it('wants a stored decoder where the config says that it is not tied', async () => {
    const untied = parseBertConfig({ ...TINY_JSON, tie_word_embeddings: false });
    const files = tinyFiles(await tinyTensors());
    expect((await failure('ERR_MODEL_CONFIG', () => loadBertWeights(files, untied))).message).toContain('decoder.weight');
  });

  const olds: [string, (name: string) => string][] = [
    ['gamma and beta', (name) => name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta')],
    ['no bert. prefix', (name) => name.replace(/^bert\./, '')],
    [
      'both',
      (name) =>
        name
          .replace(/^bert\./, '')
          .replace('LayerNorm.weight', 'LayerNorm.gamma')
          .replace('LayerNorm.bias', 'LayerNorm.beta'),
    ],
    ['the decoder bias', (name) => name.replace('cls.predictions.bias', 'cls.predictions.decoder.bias')],
  ];
  it.each(olds)('accepts the other spelling: %s', async (_, rename) => {
    const tensors = await tinyTensors();
    const source = await loadBertWeights(tinyFiles(renamed(tensors, rename)), TINY);
    for (const [i, [name]] of tinyNames().entries()) expect(await source.tensor(name), name).toEqual(tensors[i].data);
  });

  it('leaves alone what the architecture does not use', async () => {
    const more: TensorToWrite[] = [
      { name: 'bert.embeddings.position_ids', dtype: 'I64', shape: [1, 10], data: new BigInt64Array(10) },
      { name: 'cls.seq_relationship.weight', dtype: 'F32', shape: [2, 8], data: new Float32Array(16) },
    ];
    await loadBertWeights(tinyFiles([...(await tinyTensors()), ...more]), TINY);
  });

  it('reads half precision', async () => {
    const tensors = (await tinyTensors()).map((tensor) => ({
      ...tensor,
      dtype: 'F16' as const,
      data: new Uint16Array(tensor.data.byteLength / 4).fill(0x3c00),
    }));
    expect(await (await loadBertWeights(tinyFiles(tensors), TINY)).tensor('layers.0.bq')).toEqual(new Float32Array(8).fill(1));
  });

  it('misses each tensor by name', async () => {
    const tensors = await tinyTensors();
    for (const missing of tensors) {
      const files = tinyFiles(tensors.filter((tensor) => tensor !== missing));
      expect((await failure('ERR_MODEL_CONFIG', () => loadBertWeights(files, TINY))).message).toContain(missing.name);
    }
  });

  it('names a tensor whose shape the config contradicts, with both shapes', async () => {
    const files = tinyFiles(await tinyTensors());
    const changes = { vocab_size: 24, max_position_embeddings: 11, type_vocab_size: 1, hidden_size: 10, intermediate_size: 13 };
    for (const [key, value] of Object.entries(changes)) {
      const error = await failure('ERR_MODEL_CONFIG', () => loadBertWeights(files, parseBertConfig({ ...TINY_JSON, [key]: value })));
      expect(error.message).toMatch(/tensor "bert\.[\w.]+" has shape \(\d+(, \d+)?\), and config.json says \(\d+(, \d+)?\)/);
    }
  });

  it('refuses layers fewer or more than the config says', async () => {
    const files = tinyFiles(await tinyTensors());
    for (const layers of [1, 3]) await failure('ERR_MODEL_CONFIG', () => loadBertWeights(files, parseBertConfig({ ...TINY_JSON, num_hidden_layers: layers })));
  });

  it('does not read quantized weights', async () => {
    const tensors = (await tinyTensors()).map((tensor) => ({ ...tensor, dtype: 'I8' as const, data: new Int8Array(tensor.data.byteLength / 4) }));
    await failure('ERR_MODEL_UNSUPPORTED', () => loadBertWeights(tinyFiles(tensors), TINY));
  });

  it('finds a value that is not finite when the tensor is read', async () => {
    const tensors = await tinyTensors();
    (tensors[5].data as Float32Array)[3] = Number.NaN;
    const source = await loadBertWeights(tinyFiles(tensors), TINY);
    expect((await failure('ERR_MODEL_FORMAT', () => source.tensor('layers.0.wq'))).message).toContain('query.weight');
  });
});

describe('randomBertWeights', () => {
  const BASE = parseBertConfig({
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
      [...(await randomBertWeights(TINY, seed).tensor(name)).subarray(0, 4)].map((value) => value * 2 ** 20);
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
    const tensor = (seed: number, name: 'layers.0.wq' | 'layers.0.wk' | 'layers.1.wq'): Promise<Float32Array> => randomBertWeights(TINY, seed).tensor(name);
    const base = await tensor(7, 'layers.0.wq');
    expect(await tensor(7, 'layers.0.wq')).toEqual(base);
    for (const other of [await tensor(8, 'layers.0.wq'), await tensor(7, 'layers.0.wk'), await tensor(7, 'layers.1.wq')]) {
      expect(other.filter((value, i) => value === base[i]).length).toBeLessThan(4);
    }
  });

  it('has the standard deviation 0.02, no bias, and no correlation of neighbours or tensors', { timeout: 60_000 }, async () => {
    const source = randomBertWeights(BASE, 7);
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
    const { ln1Gamma, ln1Beta } = await loadGroup(randomBertWeights(BASE, 7), 'layers.0');
    expect(ln1Gamma.every((value) => Math.abs(value - 1) < 0.035) && ln1Gamma.some((value) => value !== 1)).toBe(true);
    expect(ln1Beta.every((value) => Math.abs(value) < 0.035) && ln1Beta.some((value) => value !== 0)).toBe(true);
  });

  it('ties the decoder', async () => {
    const source = randomBertWeights(TINY, 7);
    expect(source.tiedDecoder).toBe(true);
    expect(await source.tensor('mlm.decoder')).toEqual(await source.tensor('embeddings.word'));
  });

  it('makes BERT-base in seconds', { timeout: 60_000 }, async () => {
    const source = randomBertWeights(BASE, 7);
    const start = performance.now();
    let count = 0;
    for (const name of bertTensorNames(BASE)) if (name !== 'mlm.decoder') count += (await source.tensor(name)).length;
    expect(count).toBe(109_514_298);
    // 0.7 s on the build machine; the bound only catches a change of order.
    expect(performance.now() - start).toBeLessThan(30_000);
  });

  it.each([-1, 1.5, 2 ** 32, Number.NaN])('refuses the seed %s', async (seed) => {
    await failure('ERR_ARGUMENT', () => randomBertWeights(TINY, seed));
  });
});

describe('transpose', () => {
  it.each([
    [1, 1],
    [3, 5],
    [32, 32],
    [33, 70],
  ])('of %i × %i', (rows, cols) => {
    const w = Float32Array.from({ length: rows * cols }, (_, i) => i);
    const t = transpose(w, rows, cols);
    for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) expect(t[c * rows + r]).toBe(w[r * cols + c]);
  });
});
