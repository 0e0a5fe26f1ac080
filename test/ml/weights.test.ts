import { describe, expect, it } from 'vitest';
import { type ModelConfig, parseModelConfig } from '../../src/ml/config.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import {
  loadGroup,
  loadWeights,
  type TensorName,
  tensorNames,
  tensorShape,
  transpose,
  weightGroups,
} from '../../src/ml/models/weights.ts';
import type { TensorToWrite } from '../../src/ml/safetensors-encode.ts';
import { failure } from '../failure.ts';
import {
  TINY,
  TINY_CLASSIFIER,
  TINY_DISTILBERT_JSON,
  TINY_GPT2,
  TINY_GPT2_JSON,
  TINY_JSON,
  TINY_ROBERTA_JSON,
  tinyFiles,
  tinyNames,
  tinyTensors,
} from './tiny-bert.ts';

const renamed = (tensors: readonly TensorToWrite[], rename: (name: string) => string): TensorToWrite[] =>
  tensors.map((tensor) => ({ ...tensor, name: rename(tensor.name) }));

describe('names and shapes', () => {
  it.each([false, true])('are those of the checkpoint (classifier: %s)', (classifier) => {
    const config = classifier ? TINY_CLASSIFIER : TINY;
    const expected = new Map(tinyNames(classifier).map(([name, , shape]) => [name, shape]));
    if (!classifier) expected.set('mlm.decoder', [23, 8]);
    expect(new Map(tensorNames(config).map((name) => [name, tensorShape(config, name)]))).toEqual(expected);
  });

  it('come in groups in the order of use', () => {
    expect(weightGroups(TINY)).toEqual(['embeddings', 'layers.0', 'layers.1', 'mlm']);
    expect(weightGroups(TINY_CLASSIFIER)).toEqual(['embeddings', 'layers.0', 'layers.1', 'classifier']);
  });

  it('leave out what an architecture does not have', () => {
    const embeddings = (json: object): string[] =>
      tensorNames(parseModelConfig(json)).filter((name) => name.startsWith('embeddings.'));
    expect(embeddings(TINY_DISTILBERT_JSON)).toEqual([
      'embeddings.word',
      'embeddings.position',
      'embeddings.lnGamma',
      'embeddings.lnBeta',
    ]);
    expect(embeddings(TINY_GPT2_JSON)).toEqual(['embeddings.word', 'embeddings.position']);
    expect(weightGroups(TINY_GPT2)).toEqual(['embeddings', 'layers.0', 'layers.1', 'final', 'lm']);
    expect(weightGroups(parseModelConfig({ ...TINY_GPT2_JSON, architectures: ['GPT2Model'] }))).toEqual([
      'embeddings',
      'layers.0',
      'layers.1',
      'final',
    ]);
    expect(weightGroups(parseModelConfig({ ...TINY_JSON, architectures: ['BertModel'] }))).toEqual([
      'embeddings',
      'layers.0',
      'layers.1',
    ]);
    const perToken = parseModelConfig({ ...TINY_JSON, architectures: ['BertForQuestionAnswering'] });
    expect(weightGroups(perToken).at(-1)).toBe('perToken');
    expect(tensorShape(perToken, 'perToken.weight')).toEqual([2, 8]);
  });

  it.each([
    'classifier.weight',
    'layers.2.wq',
    'layers.00.wq',
    'layers.-1.wq',
    'layers.0.w3',
    'layers.0',
    'x',
    '',
    'mlm.word',
    'mlm.constructor',
    'lm.decoder',
    'final.lnGamma',
    'perToken.bias',
  ])('do not include %j', async (name) => {
    await failure('ERR_INTERNAL', () => tensorShape(TINY, name as 'mlm.dense'));
    await failure('ERR_INTERNAL', () => randomWeights(TINY, 1).tensor(name as 'mlm.dense'));
    const source = await loadWeights(tinyFiles(await tinyTensors()), TINY);
    await failure('ERR_INTERNAL', () => source.tensor(name as 'mlm.dense'));
  });
});

describe('loadWeights', () => {
  it.each([false, true])('gives every tensor under its canonical name (classifier: %s)', async (classifier) => {
    const config = classifier ? TINY_CLASSIFIER : TINY;
    const tensors = await tinyTensors(classifier);
    const source = await loadWeights(tinyFiles(tensors), config);
    expect(source.label).toBe('tiny');
    expect(source.tiedDecoder).toBe(!classifier);
    for (const [i, [name]] of tinyNames(classifier).entries())
      expect(await source.tensor(name), name).toEqual(tensors[i].data);
    if (!classifier) expect(await source.tensor('mlm.decoder')).toEqual(await source.tensor('embeddings.word'));
  });

  it('loads a group', async () => {
    const source = await loadWeights(tinyFiles(await tinyTensors()), TINY);
    const layer = await loadGroup(source, 'layers.1');
    expect(Object.keys(layer).length).toBe(16);
    expect(layer.w1).toEqual(await source.tensor('layers.1.w1'));
    expect((await loadGroup(source, 'mlm')).decoder.length).toBe(23 * 8);
  });

  it('takes a decoder that is stored', async () => {
    const decoder: TensorToWrite = {
      name: 'cls.predictions.decoder.weight',
      dtype: 'F32',
      shape: [23, 8],
      data: new Float32Array(23 * 8).fill(2),
    };
    const source = await loadWeights(tinyFiles([...(await tinyTensors()), decoder]), TINY);
    expect(source.tiedDecoder).toBe(false);
    expect(await source.tensor('mlm.decoder')).toEqual(decoder.data);
  });

  it('takes the bias of the decoder before that of the head', async () => {
    const bias: TensorToWrite = {
      name: 'cls.predictions.decoder.bias',
      dtype: 'F32',
      shape: [23],
      data: new Float32Array(23).fill(2),
    };
    const source = await loadWeights(tinyFiles([...(await tinyTensors()), bias]), TINY);
    expect(await source.tensor('mlm.decoderBias')).toEqual(bias.data);
  });

  it('wants a stored decoder where the config says that it is not tied', async () => {
    const untied = parseModelConfig({ ...TINY_JSON, tie_word_embeddings: false });
    const files = tinyFiles(await tinyTensors());
    expect((await failure('ERR_MODEL_CONFIG', () => loadWeights(files, untied))).message).toContain('decoder.weight');
  });

  const olds: [string, (name: string) => string][] = [
    [
      'gamma and beta',
      (name) => name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta'),
    ],
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
    const source = await loadWeights(tinyFiles(renamed(tensors, rename)), TINY);
    for (const [i, [name]] of tinyNames().entries()) expect(await source.tensor(name), name).toEqual(tensors[i].data);
  });

  it('leaves alone what the architecture does not use', async () => {
    const more: TensorToWrite[] = [
      { name: 'bert.embeddings.position_ids', dtype: 'I64', shape: [1, 10], data: new BigInt64Array(10) },
      { name: 'cls.seq_relationship.weight', dtype: 'F32', shape: [2, 8], data: new Float32Array(16) },
      { name: 'bert.pooler.dense.weight', dtype: 'F32', shape: [3, 3], data: new Float32Array(9) },
    ];
    await loadWeights(tinyFiles([...(await tinyTensors()), ...more]), TINY);
  });

  it('reads half precision', async () => {
    const tensors = (await tinyTensors()).map((tensor) => ({
      ...tensor,
      dtype: 'F16' as const,
      data: new Uint16Array(tensor.data.byteLength / 4).fill(0x3c00),
    }));
    expect(await (await loadWeights(tinyFiles(tensors), TINY)).tensor('layers.0.bq')).toEqual(
      new Float32Array(8).fill(1),
    );
  });

  it('misses each tensor by name', async () => {
    const tensors = await tinyTensors();
    for (const missing of tensors) {
      const files = tinyFiles(tensors.filter((tensor) => tensor !== missing));
      expect((await failure('ERR_MODEL_CONFIG', () => loadWeights(files, TINY))).message).toContain(
        missing.name.replace('predictions.bias', 'predictions.decoder.bias'),
      );
    }
  });

  it('names a tensor whose shape the config contradicts, with both shapes', async () => {
    const files = tinyFiles(await tinyTensors());
    const changes = {
      vocab_size: 24,
      max_position_embeddings: 11,
      type_vocab_size: 1,
      hidden_size: 10,
      intermediate_size: 13,
    };
    for (const [key, value] of Object.entries(changes)) {
      const error = await failure('ERR_MODEL_CONFIG', () =>
        loadWeights(files, parseModelConfig({ ...TINY_JSON, [key]: value })),
      );
      expect(error.message).toMatch(
        /tensor "bert\.[\w.]+" has shape \(\d+(, \d+)?\), and config.json says \(\d+(, \d+)?\)/,
      );
    }
  });

  it('refuses layers fewer or more than the config says', async () => {
    const files = tinyFiles(await tinyTensors());
    for (const layers of [1, 3])
      await failure('ERR_MODEL_CONFIG', () =>
        loadWeights(files, parseModelConfig({ ...TINY_JSON, num_hidden_layers: layers })),
      );
  });

  it('does not read quantized weights', async () => {
    const tensors = (await tinyTensors()).map((tensor) => ({
      ...tensor,
      dtype: 'I8' as const,
      data: new Int8Array(tensor.data.byteLength / 4),
    }));
    await failure('ERR_MODEL_UNSUPPORTED', () => loadWeights(tinyFiles(tensors), TINY));
  });

  it('finds a value that is not finite when the tensor is read', async () => {
    const tensors = await tinyTensors();
    (tensors[5].data as Float32Array)[3] = Number.NaN;
    const source = await loadWeights(tinyFiles(tensors), TINY);
    expect((await failure('ERR_MODEL_FORMAT', () => source.tensor('layers.0.wq'))).message).toContain('query.weight');
  });
});

/** F32 of 1, 2, 3, … from `from` on. */
function counting(name: string, shape: number[], from: number): TensorToWrite {
  const length = shape.reduce((product, size) => product * size, 1);
  return { name, dtype: 'F32', shape, data: Float32Array.from({ length }, (_, i) => from + i) };
}

/**
 * A tiny checkpoint of GPT-2 in its own layout, (in, out) with q, k and v in one; each tensor counts up from a
 * number of its own.
 */
function gpt2Tensors(base = 'transformer.'): TensorToWrite[] {
  const [V, C, F, P] = [23, 8, 12, 10];
  const table: [string, number[]][] = [
    ['wte.weight', [V, C]],
    ['wpe.weight', [P, C]],
    ...[0, 1].flatMap((i): [string, number[]][] => [
      [`h.${i}.ln_1.weight`, [C]],
      [`h.${i}.ln_1.bias`, [C]],
      [`h.${i}.attn.c_attn.weight`, [C, 3 * C]],
      [`h.${i}.attn.c_attn.bias`, [3 * C]],
      [`h.${i}.attn.c_proj.weight`, [C, C]],
      [`h.${i}.attn.c_proj.bias`, [C]],
      [`h.${i}.ln_2.weight`, [C]],
      [`h.${i}.ln_2.bias`, [C]],
      [`h.${i}.mlp.c_fc.weight`, [C, F]],
      [`h.${i}.mlp.c_fc.bias`, [F]],
      [`h.${i}.mlp.c_proj.weight`, [F, C]],
      [`h.${i}.mlp.c_proj.bias`, [C]],
    ]),
    ['ln_f.weight', [C]],
    ['ln_f.bias', [C]],
  ];
  return table.map(([name, shape], i) => counting(base + name, shape, 1000 * i));
}

describe('loadWeights of GPT-2', () => {
  const stored = (tensors: readonly TensorToWrite[], end: string): Float32Array =>
    tensors.find(({ name }) => name.endsWith(end))?.data as Float32Array;

  it.each(['transformer.', ''])('splits and turns its matrices (base %j)', async (base) => {
    const tensors = gpt2Tensors(base);
    const source = await loadWeights(tinyFiles(tensors), TINY_GPT2);
    const [all, bias] = [stored(tensors, 'h.1.attn.c_attn.weight'), stored(tensors, 'h.1.attn.c_attn.bias')];
    for (const [n, part] of (['q', 'k', 'v'] as const).entries()) {
      const w = await source.tensor(`layers.1.w${part}`);
      for (let o = 0; o < 8; o++) for (let i = 0; i < 8; i++) expect(w[o * 8 + i]).toBe(all[i * 24 + 8 * n + o]);
      expect(await source.tensor(`layers.1.b${part}`)).toEqual(bias.slice(8 * n, 8 * n + 8));
    }
    const [w1, fc] = [await source.tensor('layers.0.w1'), stored(tensors, 'h.0.mlp.c_fc.weight')];
    for (let o = 0; o < 12; o++) for (let i = 0; i < 8; i++) expect(w1[o * 8 + i]).toBe(fc[i * 12 + o]);
    expect(await source.tensor('layers.0.w2')).toEqual(transpose(stored(tensors, 'h.0.mlp.c_proj.weight'), 12, 8));
    expect(await source.tensor('layers.0.wo')).toEqual(transpose(stored(tensors, 'h.0.attn.c_proj.weight'), 8, 8));
    expect(await source.tensor('layers.0.ln2Beta')).toEqual(stored(tensors, 'h.0.ln_2.bias'));
    expect(await source.tensor('final.lnGamma')).toEqual(stored(tensors, 'ln_f.weight'));
  });

  it('ties the decoder, or takes the stored one', async () => {
    const tied = await loadWeights(tinyFiles(gpt2Tensors()), TINY_GPT2);
    expect(tied.tiedDecoder).toBe(true);
    expect(await tied.tensor('lm.decoder')).toEqual(await tied.tensor('embeddings.word'));
    const own = counting('lm_head.weight', [23, 8], 5);
    const source = await loadWeights(
      tinyFiles([...gpt2Tensors(), own]),
      parseModelConfig({ ...TINY_GPT2_JSON, tie_word_embeddings: false }),
    );
    expect(source.tiedDecoder).toBe(false);
    expect(await source.tensor('lm.decoder')).toEqual(own.data);
  });

  it('leaves the masks of old checkpoints alone', async () => {
    const mask: TensorToWrite = {
      name: 'h.0.attn.bias',
      dtype: 'U8',
      shape: [1, 1, 10, 10],
      data: new Uint8Array(100),
    };
    const low: TensorToWrite = { name: 'h.0.attn.masked_bias', dtype: 'F32', shape: [], data: Float32Array.of(-1e4) };
    const source = await loadWeights(tinyFiles([...gpt2Tensors(''), mask, low]), TINY_GPT2);
    expect((await source.tensor('layers.0.bq')).length).toBe(8);
  });

  it('refuses matrices that lie the other way round, by name and both shapes', async () => {
    const turned = gpt2Tensors().map((tensor) =>
      tensor.name.endsWith('h.0.mlp.c_fc.weight') ? { ...tensor, shape: [12, 8] } : tensor,
    );
    const { message } = await failure('ERR_MODEL_CONFIG', () => loadWeights(tinyFiles(turned), TINY_GPT2));
    expect(message).toContain(
      'tensor "transformer.h.0.mlp.c_fc.weight" has shape (12, 8), and config.json says (8, 12)',
    );
  });

  it('refuses more layers than the config says', async () => {
    for (const base of ['transformer.', '']) {
      const config = parseModelConfig({ ...TINY_GPT2_JSON, n_layer: 1 });
      expect(
        (await failure('ERR_MODEL_CONFIG', () => loadWeights(tinyFiles(gpt2Tensors(base)), config))).message,
      ).toContain('layer 1');
    }
  });
});

describe('loadWeights of RoBERTa and DistilBERT', () => {
  /** TINY's checkpoint under the names of another architecture. */
  const encoder = async (rename: (name: string) => string, drop: RegExp): Promise<TensorToWrite[]> =>
    renamed(await tinyTensors(), rename).filter(({ name }) => !drop.test(name));
  const roberta = (name: string): string =>
    name
      .replace(/^bert/, 'roberta')
      .replace('cls.predictions.transform.', 'lm_head.')
      .replace('cls.predictions.', 'lm_head.')
      .replace('lm_head.LayerNorm', 'lm_head.layer_norm');

  it('leaves out the rows of the position table that no text uses', async () => {
    const tensors = (await encoder(roberta, /position_emb|token_type/)).concat([
      counting('roberta.embeddings.position_embeddings.weight', [12, 8], 0),
      counting('roberta.embeddings.token_type_embeddings.weight', [1, 8], 500),
    ]);
    const source = await loadWeights(tinyFiles(tensors), parseModelConfig(TINY_ROBERTA_JSON));
    expect(await source.tensor('embeddings.position')).toEqual(Float32Array.from({ length: 80 }, (_, i) => 16 + i));
    expect(await source.tensor('mlm.lnBeta')).toEqual(
      tensors.find(({ name }) => name === 'lm_head.layer_norm.bias')?.data,
    );
    const short = parseModelConfig({ ...TINY_ROBERTA_JSON, max_position_embeddings: 10 });
    expect((await failure('ERR_MODEL_CONFIG', () => loadWeights(tinyFiles(tensors), short))).message).toContain(
      'has shape (12, 8), and config.json says (10, 8)',
    );
  });

  const distilbert = (name: string): string =>
    name
      .replace('bert.encoder', 'distilbert.transformer')
      .replace(/^bert\./, 'distilbert.')
      .replace('attention.output.LayerNorm', 'sa_layer_norm')
      .replace('output.LayerNorm', 'output_layer_norm')
      .replace('attention.output.dense', 'attention.out_lin')
      .replace(/attention\.self\.([qkv])\w+/, 'attention.$1_lin')
      .replace('intermediate.dense', 'ffn.lin1')
      .replace('output.dense', 'ffn.lin2')
      .replace('cls.predictions.transform.dense', 'vocab_transform')
      .replace('cls.predictions.transform.LayerNorm', 'vocab_layer_norm')
      .replace('cls.predictions.bias', 'vocab_projector.bias');

  it('finds the modules of DistilBERT', async () => {
    const config: ModelConfig = parseModelConfig(TINY_DISTILBERT_JSON);
    const tensors = await encoder(distilbert, /token_type/);
    const bert = await loadWeights(tinyFiles(await tinyTensors()), TINY);
    for (const strip of [false, true]) {
      const files = tinyFiles(strip ? renamed(tensors, (name) => name.replace(/^distilbert\./, '')) : tensors);
      const source = await loadWeights(files, config);
      for (const name of tensorNames(config)) expect(await source.tensor(name), name).toEqual(await bert.tensor(name));
      const less = parseModelConfig({ ...TINY_DISTILBERT_JSON, n_layers: 1 });
      await failure('ERR_MODEL_CONFIG', () => loadWeights(files, less));
    }
    for (const missing of tensors) {
      const files = tinyFiles(tensors.filter((tensor) => tensor !== missing));
      expect((await failure('ERR_MODEL_CONFIG', () => loadWeights(files, config))).message).toContain(missing.name);
    }
  });

  it('wants the head that the architecture names', async () => {
    const classifier = parseModelConfig({ ...TINY_ROBERTA_JSON, architectures: ['RobertaForSequenceClassification'] });
    const tensors = (await encoder(roberta, /position_emb|token_type/)).concat([
      counting('roberta.embeddings.position_embeddings.weight', [12, 8], 0),
      counting('roberta.embeddings.token_type_embeddings.weight', [1, 8], 0),
    ]);
    expect((await failure('ERR_MODEL_CONFIG', () => loadWeights(tinyFiles(tensors), classifier))).message).toContain(
      '"classifier.dense.weight"',
    );
    const name: TensorName = 'layers.0.wq';
    const bare = parseModelConfig({ ...TINY_ROBERTA_JSON, architectures: ['RobertaModel'] });
    expect((await (await loadWeights(tinyFiles(tensors), bare)).tensor(name)).length).toBe(64);
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
