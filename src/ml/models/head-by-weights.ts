/** Which head a checkpoint has, by the names of its tensors: for a config.json that does not say it. */
import type { Head, ModelType } from '../model-types.ts';

/**
 * Tensors that a head alone has, by model type, tried in order: a classifier of texts has a layer before its last
 * one, and one of tokens has not.
 */
const SIGNS: Readonly<Record<Exclude<ModelType, 'gpt2'>, readonly (readonly [tensor: RegExp, head: Head])[]>> = {
  bert: [
    [/^cls\.predictions\./, 'masked-lm'],
    [/^qa_outputs\./, 'question-answering'],
  ],
  roberta: [
    [/^lm_head\./, 'masked-lm'],
    [/^qa_outputs\./, 'question-answering'],
    [/^classifier\.out_proj\./, 'sequence-classification'],
    [/^classifier\.weight$/, 'token-classification'],
  ],
  distilbert: [
    [/^vocab_transform\./, 'masked-lm'],
    [/^qa_outputs\./, 'question-answering'],
    [/^pre_classifier\./, 'sequence-classification'],
    [/^classifier\.weight$/, 'token-classification'],
  ],
};

/** GPT-2 has one head, and it may be the word embeddings. */
export function headByWeights(type: ModelType, tensors: readonly string[]): Head {
  if (type === 'gpt2') return 'causal-lm';
  const found = SIGNS[type].find(([sign]) => tensors.some((name) => sign.test(name)));
  if (found !== undefined) return found[1];
  if (type === 'bert' && tensors.includes('classifier.weight'))
    return tensors.some((name) => /(^|\.)pooler\.dense\.weight$/.test(name))
      ? 'sequence-classification'
      : 'token-classification';
  return 'none';
}
