/**
 * Checkpoints as other people publish them: what the Python library answers on them (transformers 4.57.6 and
 * 5.24.0) is the right value.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadModelConfig, parseModelConfig } from '../../src/ml/config.ts';
import { declaredPooling, poolingFor } from '../../src/ml/declared-pooling.ts';
import { folderFiles } from '../../src/ml/files-node.ts';
import { type ModelFiles, memoryFiles } from '../../src/ml/files.ts';
import { loadGenerationSettings } from '../../src/ml/generation-config.ts';
import { parseModelJson } from '../../src/ml/json.ts';
import { headByWeights } from '../../src/ml/models/head-by-weights.ts';
import { storedTensor } from '../../src/ml/models/weight-layouts.ts';
import { loadWeights, tensorNames } from '../../src/ml/models/weights.ts';
import { ownerFiles } from '../../src/ml/owner-files.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import { encodeSafetensors } from '../../src/ml/safetensors-encode.ts';
import { Generation, type GenerationOptions, prepareGeneration } from '../../src/ml/tasks/generate.ts';
import { prepareFillMask } from '../../src/ml/tasks/fill-mask.ts';
import { finishTextClassification, prepareTextClassification } from '../../src/ml/tasks/text-classification.ts';
import { TextStream } from '../../src/ml/tasks/text-stream.ts';
import { loadTokenizer, type Tokenizer } from '../../src/ml/tokenizers/tokenizer.ts';
import { failure } from '../failure.ts';
import { ARCHITECTURES } from '../support/architectures.ts';
import { jsonBytes } from './tiny-bert.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
type Json = Record<string, unknown>;
const read = (model: string, file: string): Json =>
  JSON.parse(readFileSync(at(`models/${model}/${file}`), 'utf8')) as Json;

/** An embedded model, some of its JSON files changed (undefined: not there). */
async function changed(
  model: string,
  changes: Readonly<Record<string, Json | Uint8Array | undefined>>,
): Promise<ModelFiles> {
  const files = await folderFiles(at(`models/${model}`));
  const has = async (file: string) => (file in changed.names(changes) ? changes[file] !== undefined : files.has(file));
  return {
    name: model,
    has,
    read: async (file) => {
      const value = changes[file];
      return value === undefined ? files.read(file) : value instanceof Uint8Array ? value : jsonBytes(value);
    },
  };
}
changed.names = (changes: object): object => changes;

const tokens = (tokenizer: Tokenizer, text: string): string =>
  tokenizer.encode(text, { allowMask: false }).tokens.join(' ');

describe('the family of a tokenizer', () => {
  const vocab = { '<pad>': 0, '<s>': 1, '</s>': 2, '<unk>': 3, '<mask>': 4, a: 5, b: 6, ab: 7 };
  const load = (config: Json) =>
    loadTokenizer(
      memoryFiles(
        'm',
        new Map([
          ['vocab.json', jsonBytes(vocab)],
          ['merges.txt', new TextEncoder().encode('#version: 0.2\na b\n')],
          ['config.json', jsonBytes(config)],
        ]),
      ),
    );

  it('is that of model_type, whatever the vocabulary has', async () => {
    const gpt2 = await load({ model_type: 'gpt2' });
    expect([gpt2.family, tokens(gpt2, 'ab')]).toEqual(['gpt2', 'ab']);
    expect(tokens(await load({ model_type: 'roberta' }), 'ab')).toBe('<s> ab </s>');
    expect(tokens(await load({ model_type: 'gpt2', tokenizer_class: 'RobertaTokenizer' }), 'ab')).toBe('<s> ab </s>');
    await failure('ERR_TOKENIZER', () => load({}));
  });

  it('has an end of its own where it is named, and needs no other role', async () => {
    const tokenizer = await load({ model_type: 'gpt2' });
    expect([tokenizer.eosTokenId, tokenizer.unkTokenId, tokenizer.maskTokenId]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('is BERT’s for a GPT-2 with BERT’s pieces, and its text is words', async () => {
    const config = { ...read('tiny-gpt2', 'config.json'), vocab_size: 10_376 };
    const tokenizer = await loadTokenizer(
      await changed('sst2-bert', {
        'config.json': config,
        'tokenizer_config.json': { clean_up_tokenization_spaces: true },
      }),
    );
    expect(tokenizer.family).toBe('bert');
    const prompt = tokenizer.encode('the film', { allowMask: false }).ids;
    const stream = new TextStream(tokenizer, [], prompt);
    const ids = [...tokenizer.encodeWord("isn't dull, filmz."), ...tokenizer.specialIds];
    expect(ids.map((id) => stream.push(id)).join('') + stream.flush()).toBe(" isn't dull, filmz.");
  });

  it('shows any words as the whole of them decodes', async () => {
    const tokenizer = await loadTokenizer(await folderFiles(at('models/sst2-bert')));
    const ordinary = fc.integer({ min: 5, max: tokenizer.vocabSize - 1 }).filter((id) => !tokenizer.specialIds.has(id));
    const drawn = fc.oneof(ordinary, fc.constantFrom(...tokenizer.encodeWord("n ' t s m ve . , ? !")));
    fc.assert(
      fc.property(fc.array(drawn, { maxLength: 24 }), (ids) => {
        const stream = new TextStream(tokenizer);
        expect(ids.map((id) => stream.push(id)).join('') + stream.flush()).toBe(tokenizer.decode(ids));
      }),
    );
  });
});

describe('case, accents and Chinese characters', () => {
  const TEXT = 'A Miserable café 東京 And Film';
  const show = async (normalizer: Json, config: Json | undefined): Promise<string> => {
    const json = read('sst2-bert', 'tokenizer.json');
    json['normalizer'] = { ...(json['normalizer'] as Json), ...normalizer };
    return tokens(
      await loadTokenizer(await changed('sst2-bert', { 'tokenizer.json': json, 'tokenizer_config.json': config })),
      TEXT,
    );
  };
  const lower = '[CLS] a miserable ca ##fe [UNK] [UNK] and film [SEP]';
  const cased = '[CLS] [UNK] [UNK] [UNK] [UNK] [UNK] [UNK] [UNK] [SEP]';

  it.each<[string, Json, Json | undefined, string]>([
    ['the configuration lowercases, the file does not', { lowercase: false }, { do_lower_case: true }, lower],
    ['the file lowercases, the configuration does not', { lowercase: true }, { do_lower_case: false }, cased],
    ['the class lowercases where the configuration is silent', { lowercase: false }, {}, lower],
    ['and where there is none', { lowercase: false }, undefined, lower],
    [
      'no case, no accents',
      {},
      { do_lower_case: false, strip_accents: true },
      '[CLS] [UNK] [UNK] ca ##fe [UNK] [UNK] [UNK] [UNK] [SEP]',
    ],
    ['case, with accents', {}, { strip_accents: false }, '[CLS] a miserable [UNK] [UNK] [UNK] and film [SEP]'],
    ['accents of the file do not count', { strip_accents: false }, {}, lower],
    [
      'Chinese characters are words',
      {},
      { tokenize_chinese_chars: false },
      '[CLS] a miserable ca ##fe [UNK] and film [SEP]',
    ],
    [
      'a class that takes the file as it stands',
      { lowercase: false },
      { tokenizer_class: 'PreTrainedTokenizerFast' },
      cased,
    ],
    [
      'and asks no configuration',
      { lowercase: true },
      { tokenizer_class: 'PreTrainedTokenizerFast', do_lower_case: false },
      lower,
    ],
  ])('%s', async (_, normalizer, config, expected) => {
    expect(await show(normalizer, config)).toBe(expected);
  });

  it('refuses what is neither true nor false, and a class with rules of its own', async () => {
    await failure('ERR_TOKENIZER', () => show({}, { do_lower_case: 'yes' }));
    await failure('ERR_TOKENIZER', () => show({}, { tokenizer_class: 'BertJapaneseTokenizer' }));
  });

  it('flips the class of a text when they are wrong', async () => {
    const files = await changed('sst2-bert', {
      'tokenizer_config.json': { ...read('sst2-bert', 'tokenizer_config.json'), do_lower_case: false },
    });
    expect(await scores(files, 'A MISERABLE And Boring Film')).toEqual(['POSITIVE', 0.61]);
  });
});

/** The likeliest class and its score, cut to hundredths. */
async function scores(files: ModelFiles, text: string, reading = false): Promise<[string, number]> {
  const config = await loadModelConfig(files, 'sequence-classification');
  const loaded = await loadTokenizer(files);
  const input = prepareTextClassification(text, reading ? loaded.readingSpecialTokens() : loaded, config);
  const { logits } = await runFloat(await loadWeights(files, config), input.inputIds);
  const [{ label, score }] = finishTextClassification(logits, input, 1);
  return [label, Math.floor(score * 100) / 100];
}

describe('special tokens in a text', () => {
  const marked = (): Promise<ModelFiles> => {
    const json = read('sst2-bert', 'tokenizer.json');
    // Two pieces that nothing else uses become markers.
    const vocab = (json['model'] as { vocab: Record<string, number> }).vocab;
    const added = ['[E1]', '[/E1]'].map((content, i) => ({
      id: Object.keys(vocab).length + i,
      content,
      special: true,
      normalized: false,
    }));
    json['added_tokens'] = [...(json['added_tokens'] as Json[]), ...added];
    return changed('sst2-bert', { 'tokenizer.json': json });
  };
  const TEXT = '[E1] the film [/E1] is [SEP] dull [PAD]';

  it('are plain text, and their owner is told', async () => {
    const files = await marked();
    const config = { ...(await loadModelConfig(files)), vocabSize: 10_400 };
    const input = prepareTextClassification(TEXT, await loadTokenizer(files), config);
    expect(input.inputIds.some((id) => id >= 10_376)).toBe(false);
    expect(input.notices?.[0]).toMatch(
      /"\[E1\]", "\[\/E1\]", "\[SEP\]", "\[PAD\]", special tokens.*--special-tokens allow/,
    );
    expect(prepareTextClassification('the film is dull', await loadTokenizer(files), config).notices).toBeUndefined();
    const filler = await loadTokenizer(await folderFiles(at('models/capitals-bert')));
    const lm = await loadModelConfig(await folderFiles(at('models/capitals-bert')));
    expect(prepareFillMask('paris is [MASK].', filler, lm).notices).toBeUndefined();
  });

  it('are tokens where the caller allows them, but for padding', async () => {
    const files = await marked();
    const tokenizer = (await loadTokenizer(files)).readingSpecialTokens();
    expect(tokens(tokenizer, TEXT)).toBe(
      '[CLS] [E1] the film [/E1] is [SEP] dull [ pad ] [SEP]'.replace(
        'pad',
        tokens(await loadTokenizer(files), 'pad').slice(6, -6),
      ),
    );
    // Beyond the embeddings there is nothing to look up.
    const config = await loadModelConfig(files);
    await failure('ERR_MODEL_CONFIG', () => prepareTextClassification(TEXT, tokenizer, config));
  });

  it('that only the configuration calls special are so too', async () => {
    const config = { ...read('tiny-gpt2', 'tokenizer_config.json'), additional_special_tokens: ['Ġking'] };
    const tokenizer = await loadTokenizer(await changed('tiny-gpt2', { 'tokenizer_config.json': config }));
    const [king] = tokenizer.encodeWord(' king');
    const stream = new TextStream(tokenizer);
    expect(stream.push(king) + stream.flush()).toBe('');
  });
});

describe('settings of generated text', () => {
  const EXPECTED = {
    eos: 'The king said that he had been a king.',
    penalty: 'The king said that he had been a little of his father,\nAnd so much more than',
  };
  async function generated(
    settings: Json | undefined,
    options: GenerationOptions = {},
    config: Json = {},
  ): Promise<{ text: string; notices: readonly string[] }> {
    const files = await changed('tiny-gpt2', {
      'generation_config.json': settings,
      'config.json': { ...read('tiny-gpt2', 'config.json'), ...config },
    });
    const model = await loadModelConfig(files);
    const tokenizer = await loadTokenizer(files);
    const input = prepareGeneration('The king said', tokenizer, model, options, await loadGenerationSettings(files));
    const source = await loadWeights(files, model);
    const generation = new Generation(input, tokenizer);
    while (!generation.done) {
      const ids = generation.inputIds;
      generation.step((await runFloat(source, ids, { positions: [ids.length - 1] })).logits);
    }
    return { text: generation.result().generated_text, notices: input.notices ?? [] };
  }

  it('name ends: one, several, in either file, and a caller overrides them', async () => {
    const sixteen = { maxNewTokens: 16 };
    expect((await generated({ eos_token_id: [0, 14] }, sixteen)).text).toBe(EXPECTED.eos);
    expect((await generated({ eos_token_id: 14 }, sixteen)).text).toBe(EXPECTED.eos);
    expect((await generated(undefined, sixteen, { eos_token_id: [0, 14] })).text).toBe(EXPECTED.eos);
    expect((await generated({ eos_token_id: [0, 14], max_new_tokens: 8 }, { eosTokenId: [] })).text).toBe(
      `${EXPECTED.eos}\n\n`,
    );
    // No end before there are so many.
    expect((await generated({ eos_token_id: 14, min_new_tokens: 8, max_new_tokens: 9 })).text).not.toContain('.');
  });

  it('name penalties, and a caller overrides them', async () => {
    const penalties = { repetition_penalty: 1.5, no_repeat_ngram_size: 2 };
    expect((await generated(penalties, { maxNewTokens: 16 })).text).toBe(EXPECTED.penalty);
    expect((await generated(penalties, { maxNewTokens: 7, repetitionPenalty: 1, noRepeatNgramSize: 0 })).text).toBe(
      EXPECTED.eos,
    );
  });

  it('name lengths and pieces that may not come', async () => {
    expect((await generated({ max_new_tokens: 7 })).text).toBe(EXPECTED.eos);
    expect((await generated({ max_length: 10 })).text).toBe(EXPECTED.eos);
    expect((await generated({ max_new_tokens: 7, suppress_tokens: [735] })).text).not.toContain('king.');
    expect((await generated({ max_new_tokens: 7, bad_words_ids: [[259, 735]] })).text).not.toContain(' a king');
    expect((await generated({ max_new_tokens: 1, begin_suppress_tokens: [338] })).text).not.toContain(' that');
    expect((await generated({ max_new_tokens: 3, forced_eos_token_id: 14 })).text).toMatch(/\.$/);
  });

  it('draw where the files say so, unless the caller does not', async () => {
    const files = (json: Json) =>
      memoryFiles(
        'm',
        new Map([
          ['config.json', jsonBytes({})],
          ['generation_config.json', jsonBytes(json)],
        ]),
      );
    expect(await loadGenerationSettings(files({ do_sample: true, temperature: 0.7 }))).toMatchObject({
      doSample: true,
      temperature: 0.7,
      topK: 50,
    });
    expect((await loadGenerationSettings(files({ do_sample: true, top_k: 0 }))).topK).toBeUndefined();
    expect((await generated({ do_sample: true, temperature: 5 }, { maxNewTokens: 7, doSample: false })).text).toBe(
      EXPECTED.eos,
    );
  });

  it('that cannot be honoured are said, and bad ones refused', async () => {
    const { notices } = await generated({ num_beams: 4, max_new_tokens: 1 });
    expect(notices).toEqual([expect.stringMatching(/num_beams 4, which this version does not do/)]);
    const task = { task_specific_params: { 'text-generation': { do_sample: true } } };
    expect((await generated({ max_new_tokens: 1, num_beams: 1 }, {}, task)).notices).toEqual([
      expect.stringContaining('task_specific_params'),
    ]);
    for (const bad of [
      { eos_token_id: 'x' },
      { repetition_penalty: 0 },
      { max_new_tokens: 0 },
      { do_sample: 1 },
      { suppress_tokens: [[1]] },
      { top_p: 2 },
    ])
      await failure('ERR_MODEL_CONFIG', () => generated(bad));
  });
});

describe('declared pooling', () => {
  const files = (contents: Record<string, unknown>) =>
    memoryFiles('m', new Map(Object.entries(contents).map(([name, value]) => [name, jsonBytes(value)])));
  const modules = (...types: string[]) => types.map((type) => ({ type: `sentence_transformers.models.${type}` }));

  it('is read with its length, and a caller overrides it', async () => {
    const cls = { '1_Pooling/config.json': { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false } };
    const bge = await declaredPooling(
      files({ ...cls, 'modules.json': modules('Transformer', 'Pooling', 'Normalize') }),
    );
    expect(poolingFor(bge, {})).toEqual({ pooling: 'cls', normalize: true });
    expect(poolingFor(bge, { pooling: 'mean', normalize: false })).toEqual({ pooling: 'mean', normalize: false });
    const plain = await declaredPooling(files({ ...cls, 'modules.json': modules('Transformer', 'Pooling') }));
    expect(poolingFor(plain, {})).toEqual({ pooling: 'cls', normalize: false });
    expect(poolingFor(await declaredPooling(files({})), {})).toEqual({ pooling: 'mean', normalize: true });
  });

  it('that cannot be done is refused, unless the caller says how', async () => {
    const max = await declaredPooling(files({ '1_Pooling/config.json': { pooling_mode_max_tokens: true } }));
    await failure('ERR_MODEL_UNSUPPORTED', () => poolingFor(max, {}));
    expect(poolingFor(max, { pooling: 'mean' }).pooling).toBe('mean');
    const dense = await declaredPooling(
      files({ 'modules.json': modules('Transformer', 'Pooling', 'Dense'), '1_Pooling/config.json': {} }),
    );
    await failure('ERR_MODEL_UNSUPPORTED', () => poolingFor(dense, {}));
  });

  it('goes to data owners with the settings of generated text', async () => {
    const there = files({
      'config.json': {},
      'tokenizer.json': {},
      'generation_config.json': {},
      'modules.json': [],
      '1_Pooling/config.json': {},
      'x.json': {},
    });
    expect(await ownerFiles(there)).toEqual([
      'config.json',
      'tokenizer.json',
      'generation_config.json',
      'modules.json',
      '1_Pooling/config.json',
    ]);
  });
});

describe('files that Python takes', () => {
  const WARM = 'A warm, funny film.';
  const config = read('sst2-bert', 'config.json');
  const without = (json: Json, ...keys: string[]): Json =>
    Object.fromEntries(Object.entries(json).filter(([key]) => !keys.includes(key)));
  const tokenizer = (change: (json: Record<string, Json>) => void): Json => {
    const json = read('sst2-bert', 'tokenizer.json') as Record<string, Json>;
    change(json);
    return json;
  };
  const infinity = new TextEncoder().encode(
    '{"do_lower_case": true, "model_max_length": Infinity, "x": "NaN Infinity \\"", "y": [NaN, -Infinity]}',
  );

  it.each<[string, Record<string, Json | Uint8Array | undefined>]>([
    ['no architectures', { 'config.json': without(config, 'architectures') }],
    ['architectures null', { 'config.json': { ...config, architectures: null } }],
    ['defaults left out', { 'config.json': without(config, 'layer_norm_eps', 'hidden_act', 'type_vocab_size') }],
    ['another name of GeLU', { 'config.json': { ...config, hidden_act: 'gelu_python' } }],
    ['no tokenizer_config.json', { 'tokenizer_config.json': undefined }],
    ['infinity in JSON', { 'tokenizer_config.json': infinity }],
    ['no decoder', { 'tokenizer.json': tokenizer((json) => Object.assign(json, { decoder: null })) }],
    [
      'sequences of one step',
      {
        'tokenizer.json': tokenizer((json) => {
          json['normalizer'] = { type: 'Sequence', normalizers: [json['normalizer']] };
          json['pre_tokenizer'] = {
            type: 'Sequence',
            pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Punctuation', behavior: 'Isolated' }],
          };
          json['decoder'] = { type: 'Sequence', decoders: [json['decoder']] };
        }),
      },
    ],
    [
      'ids that belong to no piece',
      {
        'tokenizer.json': tokenizer((json) => {
          const vocab = (json['model'] as { vocab: Record<string, number> }).vocab;
          for (const [piece, id] of Object.entries(vocab)) if (id === 9_000 || id === 9_001) delete vocab[piece];
        }),
      },
    ],
  ])('%s', async (_, changes) => {
    expect(await scores(await changed('sst2-bert', changes), WARM)).toEqual(['POSITIVE', 0.98]);
  });

  it('classes that are numbers', async () => {
    expect(
      await scores(await changed('sst2-bert', { 'config.json': { ...config, id2label: { '0': 0, '1': 1 } } }), WARM),
    ).toEqual(['1', 0.98]);
  });

  it('padding beyond the embeddings, while pieces of the vocabulary must have theirs', async () => {
    const json = read('tiny-gpt2', 'tokenizer.json');
    json['added_tokens'] = [...(json['added_tokens'] as Json[]), { id: 4096, content: '<pad>', special: true }];
    const files = await changed('tiny-gpt2', { 'tokenizer.json': json });
    const model = await loadModelConfig(files);
    expect(prepareGeneration('The king said', await loadTokenizer(files), model).inputIds).toHaveLength(3);
    const vocab = (json['model'] as { vocab: Record<string, number> }).vocab;
    vocab['ĠĠĠĠĠĠĠĠĠx'] = 4097;
    await failure('ERR_MODEL_CONFIG', async () =>
      prepareGeneration('x', await loadTokenizer(await changed('tiny-gpt2', { 'tokenizer.json': json })), model),
    );
  });

  it('sizes are the architecture’s where the file is silent, under either name', () => {
    const size = (json: Json) => {
      const { hiddenSize, layers, heads, intermediateSize, vocabSize, maxPositions, layerNormEps, activation } =
        parseModelConfig(json);
      return [hiddenSize, layers, heads, intermediateSize, vocabSize, maxPositions, layerNormEps, activation];
    };
    expect(size({ model_type: 'bert', architectures: ['BertModel'] })).toEqual([
      768,
      12,
      12,
      3072,
      30_522,
      512,
      1e-12,
      'gelu',
    ]);
    expect(size({ model_type: 'roberta', architectures: ['RobertaModel'] })).toEqual([
      768,
      12,
      12,
      3072,
      50_265,
      510,
      1e-12,
      'gelu',
    ]);
    expect(size({ model_type: 'distilbert', architectures: ['DistilBertModel'] })).toEqual([
      768,
      6,
      12,
      3072,
      30_522,
      512,
      1e-12,
      'gelu',
    ]);
    expect(size({ model_type: 'gpt2', architectures: ['GPT2LMHeadModel'] })).toEqual([
      768,
      12,
      12,
      3072,
      50_257,
      1024,
      1e-5,
      'gelu_new',
    ]);
    expect(
      size({ architectures: ['GPT2LMHeadModel'], hidden_size: 24, num_hidden_layers: 2, num_attention_heads: 3 }).slice(
        0,
        4,
      ),
    ).toEqual([24, 2, 3, 96]);
  });

  it('but not another function, nor two sizes for one', async () => {
    const bert = { model_type: 'bert', architectures: ['BertModel'] };
    for (const hidden_act of ['quick_gelu', 'gelu_10', 'silu'])
      await failure('ERR_MODEL_UNSUPPORTED', () => parseModelConfig({ ...bert, hidden_act }));
    await failure('ERR_MODEL_CONFIG', () =>
      parseModelConfig({ model_type: 'gpt2', architectures: ['GPT2Model'], n_embd: 24, hidden_size: 48 }),
    );
    await failure('ERR_MODEL_CONFIG', () => parseModelConfig({ ...bert, hidden_size: null }));
    await failure('ERR_MODEL_CONFIG', () => parseModelConfig({ model_type: 'bert' }));
    await failure('ERR_MODEL_CONFIG', () => parseModelConfig({ ...bert, layer_norm_eps: Number.NaN }));
  });

  it('numbers that JSON does not have, outside texts only', async () => {
    expect(parseModelJson(infinity, 'x.json', 'ERR_MODEL_CONFIG')).toMatchObject({
      model_max_length: Number.POSITIVE_INFINITY,
      x: 'NaN Infinity "',
      y: [Number.NaN, Number.NEGATIVE_INFINITY],
    });
    await failure('ERR_MODEL_CONFIG', () =>
      parseModelJson(new TextEncoder().encode('{"a": nan}'), 'x.json', 'ERR_MODEL_CONFIG'),
    );
  });
});

describe('the head', () => {
  it('is told by the tensors of a checkpoint', () => {
    expect(headByWeights('bert', ['bert.pooler.dense.weight', 'classifier.weight'])).toBe('sequence-classification');
    expect(headByWeights('bert', ['classifier.weight'])).toBe('token-classification');
    expect(
      headByWeights('bert', ['cls.predictions.bias', 'bert.pooler.dense.weight', 'cls.seq_relationship.weight']),
    ).toBe('masked-lm');
    expect(headByWeights('roberta', ['classifier.out_proj.weight'])).toBe('sequence-classification');
    expect(headByWeights('distilbert', ['pre_classifier.weight', 'classifier.weight'])).toBe('sequence-classification');
    expect(headByWeights('bert', ['qa_outputs.weight'])).toBe('question-answering');
    expect(headByWeights('bert', ['embeddings.word_embeddings.weight'])).toBe('none');
    expect(headByWeights('gpt2', ['wte.weight'])).toBe('causal-lm');
  });

  // GPT-2's language model may be stored without a tensor of its own.
  it.each(ARCHITECTURES.filter(([, { modelType }]) => modelType !== 'gpt2'))(
    'is told by the tensors of %s, all of which have a place in a checkpoint',
    (_name, config) => {
      const stored = tensorNames(config).flatMap((name) => storedTensor(config, name).names.slice(0, 1));
      expect(stored).toHaveLength(tensorNames(config).length);
      expect(new Set(stored).size).toBe(stored.length);
      expect(headByWeights(config.modelType, stored)).toBe(config.head);
    },
  );

  it('is left off for vectors', async () => {
    const files = await folderFiles(at('models/capitals-bert'));
    const config = await loadModelConfig(files, 'none');
    expect([config.head, config.architecture]).toEqual(['none', 'BertModel']);
    const { logits } = await runFloat(await loadWeights(files, config), [2, 5, 3]);
    expect(logits).toHaveLength(3 * config.hiddenSize);
    // Another head than the file's is not made up.
    expect((await loadModelConfig(files, 'sequence-classification')).head).toBe('masked-lm');
  });
});

describe('tensors that no text reads', () => {
  const bert = {
    model_type: 'bert',
    architectures: ['BertModel'],
    hidden_size: 4,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    intermediate_size: 4,
  };
  const config = parseModelConfig({ ...bert, vocab_size: 3, max_position_embeddings: 2, add_pooling_layer: false });
  const word = (row: number): Float32Array =>
    Float32Array.from({ length: 12 }, (_, i) => (Math.floor(i / 4) === row ? Number.NaN : 1));
  const source = async (values: Float32Array, json = config) => {
    const names = [
      ...['query', 'key', 'value'].map((part) => `encoder.layer.0.attention.self.${part}`),
      ...['attention.output.dense', 'intermediate.dense', 'output.dense'].map((part) => `encoder.layer.0.${part}`),
    ];
    const one = (name: string, ...shape: number[]) => ({
      name,
      dtype: 'F32' as const,
      shape,
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
    });
    const norms = [
      'embeddings.LayerNorm',
      'encoder.layer.0.attention.output.LayerNorm',
      'encoder.layer.0.output.LayerNorm',
    ];
    const bytes = encodeSafetensors([
      { ...one('embeddings.word_embeddings.weight', 3, 4), data: values },
      one('embeddings.position_embeddings.weight', 2, 4),
      one('embeddings.token_type_embeddings.weight', 2, 4),
      ...names.flatMap((name) => [one(`${name}.weight`, 4, 4), one(`${name}.bias`, 4)]),
      ...norms.flatMap((name) => [one(`${name}.weight`, 4), one(`${name}.bias`, 4)]),
      // Of a type that no weight is read from, and that nothing uses.
      { name: 'unused', dtype: 'F8_E4M3' as const, shape: [3], data: new Uint8Array(3) },
    ]);
    return loadWeights(memoryFiles('m', new Map([['model.safetensors', bytes]])), json);
  };

  it('are zeros for padding, and an error for any other token', async () => {
    expect([...(await (await source(word(0))).tensor('embeddings.word'))]).toEqual([
      0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
    ]);
    await failure('ERR_MODEL_FORMAT', async () => (await source(word(1))).tensor('embeddings.word'));
    // Padding that is the end of a text too is read.
    const shared = parseModelConfig({
      ...bert,
      vocab_size: 3,
      max_position_embeddings: 2,
      pad_token_id: 0,
      eos_token_id: 0,
    });
    await failure('ERR_MODEL_FORMAT', async () => (await source(word(0), shared)).tensor('embeddings.word'));
  });
});
