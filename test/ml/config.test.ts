import { describe, expect, it } from 'vitest';
import { loadModelConfig, parseModelConfig } from '../../src/ml/config.ts';
import { memoryFiles } from '../../src/ml/files.ts';
import { failure } from '../failure.ts';
import {
  TINY_CLASSIFIER_JSON,
  TINY_DISTILBERT_JSON,
  TINY_GPT2_JSON,
  TINY_JSON,
  TINY_ROBERTA_JSON,
} from './tiny-bert.ts';

/** TINY_JSON with changes; undefined removes a key. */
const json = (changes: Record<string, unknown>, base: object = TINY_JSON): unknown =>
  Object.fromEntries(Object.entries({ ...base, ...changes }).filter(([, value]) => value !== undefined));
const classifier = (changes: Record<string, unknown>): unknown => json(changes, TINY_CLASSIFIER_JSON);

describe('parseModelConfig', () => {
  it('reads a masked language model', () => {
    expect(
      parseModelConfig(json({ torch_dtype: 'float32', position_embedding_type: 'absolute', is_decoder: false })),
    ).toEqual({
      modelType: 'bert',
      architecture: 'BertForMaskedLM',
      head: 'masked-lm',
      hiddenSize: 8,
      layers: 2,
      heads: 2,
      intermediateSize: 12,
      vocabSize: 23,
      maxPositions: 10,
      positionOffset: 0,
      paddingId: 0,
      typeVocabSize: 2,
      layerNormEps: 1e-12,
      activation: 'gelu',
      tieWordEmbeddings: true,
      poolingLayer: false,
      numLabels: 0,
      id2label: [],
    });
  });

  it('reads the labels of a classifier', () => {
    expect(parseModelConfig(classifier({})).id2label).toEqual(['negative', 'neutral', 'positive']);
    expect(parseModelConfig(classifier({ id2label: undefined })).id2label).toEqual(['LABEL_0', 'LABEL_1']);
    expect(parseModelConfig(classifier({ id2label: undefined, num_labels: 4 })).numLabels).toBe(4);
    expect(parseModelConfig(classifier({ num_labels: 3 })).numLabels).toBe(3);
  });

  const SIZES = [
    'hidden_size',
    'num_hidden_layers',
    'num_attention_heads',
    'intermediate_size',
    'vocab_size',
    'max_position_embeddings',
    'type_vocab_size',
  ];
  it.each(SIZES)('wants a sane %s', async (key) => {
    for (const bad of [null, '8', 8.5, 0, -8, 1e9, 2 ** 53, true, [8], {}]) {
      const error = await failure('ERR_MODEL_CONFIG', () => parseModelConfig(json({ [key]: bad })));
      expect(error.message).toContain(key);
    }
  });

  it('accepts each size at its cap and refuses the next', async () => {
    const caps = {
      hidden_size: 16384,
      num_hidden_layers: 256,
      num_attention_heads: 256,
      intermediate_size: 65536,
      vocab_size: 2e6,
      max_position_embeddings: 65536,
      type_vocab_size: 256,
    };
    parseModelConfig(json(caps));
    for (const [key, cap] of Object.entries(caps))
      await failure('ERR_MODEL_CONFIG', () => parseModelConfig(json({ ...caps, [key]: cap + 1 })));
  });

  it('reads RoBERTa, whose positions begin behind its padding token', () => {
    const config = parseModelConfig(TINY_ROBERTA_JSON);
    expect(config).toMatchObject({
      modelType: 'roberta',
      head: 'masked-lm',
      maxPositions: 10,
      positionOffset: 2,
      typeVocabSize: 1,
      layerNormEps: 1e-5,
    });
    expect(parseModelConfig(json({ pad_token_id: undefined }, TINY_ROBERTA_JSON))).toEqual(config);
    expect(parseModelConfig(json({ pad_token_id: 0 }, TINY_ROBERTA_JSON))).toMatchObject({
      maxPositions: 11,
      positionOffset: 1,
    });
  });

  it('reads DistilBERT in its own spelling', () => {
    const config = parseModelConfig({ ...TINY_DISTILBERT_JSON, sinusoidal_pos_embds: true });
    expect(config).toMatchObject({
      modelType: 'distilbert',
      head: 'masked-lm',
      hiddenSize: 8,
      layers: 2,
      heads: 2,
      intermediateSize: 12,
    });
    expect(config).toMatchObject({
      maxPositions: 10,
      positionOffset: 0,
      typeVocabSize: 0,
      layerNormEps: 1e-12,
      activation: 'gelu',
    });
  });

  it('reads GPT-2 in its own spelling', () => {
    const config = parseModelConfig(TINY_GPT2_JSON);
    expect(config).toMatchObject({
      modelType: 'gpt2',
      head: 'causal-lm',
      hiddenSize: 8,
      layers: 2,
      heads: 2,
      intermediateSize: 12,
      numLabels: 0,
    });
    expect(config).toMatchObject({
      maxPositions: 10,
      typeVocabSize: 0,
      layerNormEps: 1e-5,
      activation: 'gelu_new',
      tieWordEmbeddings: true,
    });
    for (const inner of [undefined, null])
      expect(parseModelConfig(json({ n_inner: inner }, TINY_GPT2_JSON)).intermediateSize).toBe(32);
    expect(parseModelConfig(json({ scale_attn_weights: true, n_ctx: 10 }, TINY_GPT2_JSON))).toEqual(config);
  });

  it.each([TINY_ROBERTA_JSON, TINY_DISTILBERT_JSON, TINY_GPT2_JSON])(
    'wants every size of $model_type in its own spelling',
    async (base) => {
      const sizes = Object.entries(base).filter(
        ([key, value]) => Number.isInteger(value) && key !== 'pad_token_id' && key !== 'n_inner',
      );
      expect(sizes.length).toBeGreaterThan(4);
      for (const [key] of sizes) {
        for (const bad of [null, '8', 0, -8, 8.5, 1e9]) {
          expect(
            (await failure('ERR_MODEL_CONFIG', () => parseModelConfig(json({ [key]: bad }, base)))).message,
          ).toContain(key);
        }
      }
    },
  );

  it.each([
    ['gelu', 'gelu'],
    ['gelu_new', 'gelu_new'],
    ['gelu_pytorch_tanh', 'gelu_new'],
    ['relu', 'relu'],
  ] as const)('reads the activation %s', (name, activation) => {
    expect(parseModelConfig(json({ hidden_act: name })).activation).toBe(activation);
    expect(parseModelConfig(json({ activation: name }, TINY_DISTILBERT_JSON)).activation).toBe(activation);
    expect(parseModelConfig(json({ activation_function: name }, TINY_GPT2_JSON)).activation).toBe(activation);
  });

  it.each([
    ['Bert', TINY_JSON],
    ['Roberta', TINY_ROBERTA_JSON],
    ['DistilBert', TINY_DISTILBERT_JSON],
  ] as const)('reads every head of %s', (prefix, base) => {
    const of = (name: string, more: object = {}) =>
      parseModelConfig({ ...base, architectures: [prefix + name], ...more });
    const three = { id2label: { '0': 'a', '1': 'b', '2': 'c' } };
    expect(of('ForMaskedLM')).toMatchObject({ head: 'masked-lm', numLabels: 0, id2label: [] });
    expect(of('ForSequenceClassification', three)).toMatchObject({
      head: 'sequence-classification',
      numLabels: 3,
      id2label: ['a', 'b', 'c'],
    });
    expect(of('ForTokenClassification', three)).toMatchObject({
      head: 'token-classification',
      numLabels: 3,
      id2label: ['a', 'b', 'c'],
    });
    expect(of('ForTokenClassification', { id2label: { '0': 'only' } }).numLabels).toBe(1);
    expect(of('ForQuestionAnswering', three)).toMatchObject({ head: 'question-answering', numLabels: 2, id2label: [] });
    expect(of('Model')).toMatchObject({ head: 'none', numLabels: 0, poolingLayer: prefix !== 'DistilBert' });
    expect(of('Model', { add_pooling_layer: false }).poolingLayer).toBe(false);
  });

  const contradictory: [string, unknown][] = [
    ['is not an object', null],
    ['is a list', [TINY_JSON]],
    ['is text', 'bert'],
    ['has no model_type', json({ model_type: undefined, architectures: undefined })],
    ['has a model_type that is a number', json({ model_type: 1 })],
    ['has sizes in its prototype only', JSON.parse(`{"__proto__":${JSON.stringify(TINY_JSON)}}`)],
    ['has heads that do not divide the hidden size', json({ num_attention_heads: 3 })],
    ['has no architectures', json({ architectures: undefined })],
    ['has an empty list of architectures', json({ architectures: [] })],
    ['has two architectures', json({ architectures: ['BertForMaskedLM', 'BertForMaskedLM'] })],
    ['has architectures that are a string', json({ architectures: 'BertForMaskedLM' })],
    ['has a layer_norm_eps of 0', json({ layer_norm_eps: 0 })],
    ['has a negative layer_norm_eps', json({ layer_norm_eps: -1e-12 })],
    ['has a layer_norm_eps that is text', json({ layer_norm_eps: '1e-12' })],
    ['has a huge layer_norm_eps', json({ layer_norm_eps: 0.2 })],
    ['has tie_word_embeddings that is text', json({ tie_word_embeddings: 'yes' })],
    ['has is_decoder that is text', json({ is_decoder: 'no' })],
    ['has a negative padding token', json({ pad_token_id: -1 }, TINY_ROBERTA_JSON)],
    ['has a padding token that is text', json({ pad_token_id: '1' }, TINY_ROBERTA_JSON)],
    ['has no positions behind the padding token', json({ max_position_embeddings: 2 }, TINY_ROBERTA_JSON)],
    ['has a padding token behind the positions', json({ pad_token_id: 11 }, TINY_ROBERTA_JSON)],
    ['has an n_inner that is text', json({ n_inner: '12' }, TINY_GPT2_JSON)],
    ['has an n_inner of 0', json({ n_inner: 0 }, TINY_GPT2_JSON)],
    ['has scale_attn_weights that is text', json({ scale_attn_weights: 'no' }, TINY_GPT2_JSON)],
    ['has add_pooling_layer that is text', json({ architectures: ['BertModel'], add_pooling_layer: 'no' })],
    ['has a label missing', classifier({ id2label: { '0': 'a', '2': 'b' } })],
    ['has labels that are null', classifier({ id2label: { '0': null, '1': 'b' } })],
    ['has labels as a list', classifier({ id2label: ['a', 'b'] })],
    ['has no label', classifier({ id2label: {} })],
    ['has a label with a control character', classifier({ id2label: { '0': 'a', '1': '\u001b[2J' } })],
    ['has a label that is too long', classifier({ id2label: { '0': 'a', '1': 'x'.repeat(201) } })],
    ['has num_labels that contradicts id2label', classifier({ num_labels: 2 })],
    ['has num_labels that is text', classifier({ num_labels: '3' })],
    ['has too many labels', classifier({ id2label: undefined, num_labels: 10_001 })],
  ];
  it.each(contradictory)('refuses a config that %s', async (_, value) => {
    await failure('ERR_MODEL_CONFIG', () => parseModelConfig(value));
  });

  const foreign: [string, unknown][] = [
    ['t5', json({ model_type: 't5' })],
    ['constructor', json({ model_type: 'constructor' })],
    ['GPT2LMHeadModel', json({ architectures: ['GPT2LMHeadModel'] })],
    ['BertForMultipleChoice', json({ architectures: ['BertForMultipleChoice'] })],
    ['BertLMHeadModel', json({ architectures: ['BertLMHeadModel'] })],
    ['BertForconstructor', json({ architectures: ['BertForconstructor'] })],
    ['RobertaForCausalLM', json({ architectures: ['RobertaForCausalLM'] }, TINY_ROBERTA_JSON)],
    ['DistilBertForMultipleChoice', json({ architectures: ['DistilBertForMultipleChoice'] }, TINY_DISTILBERT_JSON)],
    ['GPT2DoubleHeadsModel', json({ architectures: ['GPT2DoubleHeadsModel'] }, TINY_GPT2_JSON)],
    ['GPT2ForSequenceClassification', json({ architectures: ['GPT2ForSequenceClassification'] }, TINY_GPT2_JSON)],
    ['silu', json({ hidden_act: 'silu' })],
    ['quick_gelu', json({ activation_function: 'quick_gelu' }, TINY_GPT2_JSON)],
    ['toString', json({ activation: 'toString' }, TINY_DISTILBERT_JSON)],
    ['scale_attn_weights false', json({ scale_attn_weights: false }, TINY_GPT2_JSON)],
    ['scale_attn_by_inverse_layer_idx true', json({ scale_attn_by_inverse_layer_idx: true }, TINY_GPT2_JSON)],
    ['add_cross_attention true', json({ add_cross_attention: true }, TINY_GPT2_JSON)],
    ['is_decoder true', json({ is_decoder: true }, TINY_ROBERTA_JSON)],
    ['relative_key', json({ position_embedding_type: 'relative_key' })],
    ['is_decoder true', json({ is_decoder: true })],
    ['add_cross_attention true', json({ add_cross_attention: true })],
    ['multi_label_classification', classifier({ problem_type: 'multi_label_classification' })],
    ['one label', classifier({ id2label: { '0': 'score' } })],
  ];
  it.each(foreign)('does not run %s, and says so', async (name, value) => {
    expect((await failure('ERR_MODEL_UNSUPPORTED', () => parseModelConfig(value))).message).toContain(name);
  });

  it('shows a hostile name on one short line', async () => {
    const error = await failure('ERR_MODEL_UNSUPPORTED', () =>
      parseModelConfig(json({ model_type: `a\n\u001b]0;${'x'.repeat(9999)}` })),
    );
    expect(error.message).toMatch(/^[\x20-\x7e…]{1,200}$/);
  });
});

describe('loadModelConfig', () => {
  const files = (text: string) => memoryFiles('m', new Map([['config.json', new TextEncoder().encode(text)]]));
  it('reads the file', async () => {
    expect((await loadModelConfig(files(JSON.stringify(TINY_JSON)))).layers).toBe(2);
  });
  it('refuses what is not JSON', async () => {
    await failure('ERR_MODEL_CONFIG', () => loadModelConfig(files('<html>')));
    await failure('ERR_MODEL_CONFIG', () => loadModelConfig(files('{')));
    await failure('ERR_MODEL_NOT_FOUND', () => loadModelConfig(memoryFiles('m', new Map())));
  });
});
