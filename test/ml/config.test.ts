import { describe, expect, it } from 'vitest';
import { loadBertConfig, parseBertConfig } from '../../src/ml/config.ts';
import { memoryFiles } from '../../src/ml/files.ts';
import { failure, TINY_CLASSIFIER_JSON, TINY_JSON } from './tiny-bert.ts';

/** TINY_JSON with changes; undefined removes a key. */
const json = (changes: Record<string, unknown>, base: object = TINY_JSON): unknown =>
  Object.fromEntries(Object.entries({ ...base, ...changes }).filter(([, value]) => value !== undefined));
const classifier = (changes: Record<string, unknown>): unknown => json(changes, TINY_CLASSIFIER_JSON);

describe('parseBertConfig', () => {
  it('reads a masked language model', () => {
    expect(parseBertConfig(json({ torch_dtype: 'float32', position_embedding_type: 'absolute', is_decoder: false }))).toEqual({
      modelType: 'bert',
      architecture: 'BertForMaskedLM',
      hiddenSize: 8,
      layers: 2,
      heads: 2,
      intermediateSize: 12,
      vocabSize: 23,
      maxPositions: 10,
      typeVocabSize: 2,
      layerNormEps: 1e-12,
      tieWordEmbeddings: true,
      hiddenAct: 'gelu',
      numLabels: 0,
      id2label: [],
    });
  });

  it('reads the labels of a classifier', () => {
    expect(parseBertConfig(classifier({})).id2label).toEqual(['negative', 'neutral', 'positive']);
    expect(parseBertConfig(classifier({ id2label: undefined })).id2label).toEqual(['LABEL_0', 'LABEL_1']);
    expect(parseBertConfig(classifier({ id2label: undefined, num_labels: 4 })).numLabels).toBe(4);
    expect(parseBertConfig(classifier({ num_labels: 3 })).numLabels).toBe(3);
  });

  const SIZES = ['hidden_size', 'num_hidden_layers', 'num_attention_heads', 'intermediate_size', 'vocab_size', 'max_position_embeddings', 'type_vocab_size'];
  it.each(SIZES)('wants a sane %s', async (key) => {
    for (const bad of [undefined, null, '8', 8.5, 0, -8, 1e9, 2 ** 53, true, [8], {}]) {
      const error = await failure('ERR_MODEL_CONFIG', () => parseBertConfig(json({ [key]: bad })));
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
    parseBertConfig(json(caps));
    for (const [key, cap] of Object.entries(caps)) await failure('ERR_MODEL_CONFIG', () => parseBertConfig(json({ ...caps, [key]: cap + 1 })));
  });

  const contradictory: [string, unknown][] = [
    ['is not an object', null],
    ['is a list', [TINY_JSON]],
    ['is text', 'bert'],
    ['has no model_type', json({ model_type: undefined })],
    ['has a model_type that is a number', json({ model_type: 1 })],
    ['has sizes in its prototype only', JSON.parse(`{"__proto__":${JSON.stringify(TINY_JSON)}}`)],
    ['has heads that do not divide the hidden size', json({ num_attention_heads: 3 })],
    ['has no architectures', json({ architectures: undefined })],
    ['has an empty list of architectures', json({ architectures: [] })],
    ['has two architectures', json({ architectures: ['BertForMaskedLM', 'BertForMaskedLM'] })],
    ['has architectures that are a string', json({ architectures: 'BertForMaskedLM' })],
    ['has no hidden_act', json({ hidden_act: undefined })],
    ['has no layer_norm_eps', json({ layer_norm_eps: undefined })],
    ['has a layer_norm_eps of 0', json({ layer_norm_eps: 0 })],
    ['has a negative layer_norm_eps', json({ layer_norm_eps: -1e-12 })],
    ['has a layer_norm_eps that is text', json({ layer_norm_eps: '1e-12' })],
    ['has a huge layer_norm_eps', json({ layer_norm_eps: 0.2 })],
    ['has tie_word_embeddings that is text', json({ tie_word_embeddings: 'yes' })],
    ['has is_decoder that is text', json({ is_decoder: 'no' })],
    ['has a label missing', classifier({ id2label: { '0': 'a', '2': 'b' } })],
    ['has labels that are numbers', classifier({ id2label: { '0': 1, '1': 2 } })],
    ['has labels as a list', classifier({ id2label: ['a', 'b'] })],
    ['has no label', classifier({ id2label: {} })],
    ['has a label with a control character', classifier({ id2label: { '0': 'a', '1': '\u001b[2J' } })],
    ['has a label that is too long', classifier({ id2label: { '0': 'a', '1': 'x'.repeat(201) } })],
    ['has num_labels that contradicts id2label', classifier({ num_labels: 2 })],
    ['has num_labels that is text', classifier({ num_labels: '3' })],
    ['has too many labels', classifier({ id2label: undefined, num_labels: 10_001 })],
  ];
  it.each(contradictory)('refuses a config that %s', async (_, value) => {
    await failure('ERR_MODEL_CONFIG', () => parseBertConfig(value));
  });

  const foreign: [string, unknown][] = [
    ['gpt2', json({ model_type: 'gpt2' })],
    ['BertForQuestionAnswering', json({ architectures: ['BertForQuestionAnswering'] })],
    ['gelu_new', json({ hidden_act: 'gelu_new' })],
    ['relu', json({ hidden_act: 'relu' })],
    ['relative_key', json({ position_embedding_type: 'relative_key' })],
    ['is_decoder true', json({ is_decoder: true })],
    ['add_cross_attention true', json({ add_cross_attention: true })],
    ['multi_label_classification', classifier({ problem_type: 'multi_label_classification' })],
    ['one label', classifier({ id2label: { '0': 'score' } })],
  ];
  it.each(foreign)('does not run %s, and says so', async (name, value) => {
    expect((await failure('ERR_MODEL_UNSUPPORTED', () => parseBertConfig(value))).message).toContain(name);
  });

  it('shows a hostile name on one short line', async () => {
    const error = await failure('ERR_MODEL_UNSUPPORTED', () => parseBertConfig(json({ model_type: `a\n\u001b]0;${'x'.repeat(9999)}` })));
    expect(error.message).toMatch(/^[\x20-\x7e…]{1,200}$/);
  });
});

describe('loadBertConfig', () => {
  const files = (text: string) => memoryFiles('m', new Map([['config.json', new TextEncoder().encode(text)]]));
  it('reads the file', async () => {
    expect((await loadBertConfig(files(JSON.stringify(TINY_JSON)))).layers).toBe(2);
  });
  it('refuses what is not JSON', async () => {
    await failure('ERR_MODEL_CONFIG', () => loadBertConfig(files('<html>')));
    await failure('ERR_MODEL_CONFIG', () => loadBertConfig(files('{')));
    await failure('ERR_MODEL_NOT_FOUND', () => loadBertConfig(memoryFiles('m', new Map())));
  });
});
