/**
 * BERT, RoBERTa and DistilBERT in floating point: LayerNorm behind each block, attention over the whole text.
 *
 * Shapes by letter: T tokens, C hidden, F feed-forward, V vocabulary, L labels. Batch is always one text, so no
 * attention mask. Sources: Devlin et al., https://arxiv.org/abs/1810.04805; Liu et al.,
 * https://arxiv.org/abs/1907.11692; Sanh et al., https://arxiv.org/abs/1910.01108, in the form of the transformers
 * library.
 */

import { invariant } from '../../core/errors.ts';
import type { Activation } from '../model-types.ts';
import { classifierActivation, headActivation } from '../models/head.ts';
import { loadGroup, type WeightSource } from '../models/weights.ts';
import { attention } from './attention-float.ts';
import { activationOf, add, largestOf, layerNorm, linear, rowsAt } from './math.ts';
import { type FloatInput, type FloatResult, onVariance } from './options.ts';

export async function encoderFloat(source: WeightSource, input: FloatInput): Promise<FloatResult> {
  const { config } = source;
  let x = await embed(source, input);
  const hiddenStates = input.hiddenStates ? [x] : [];
  for (let i = 0; i < config.layers; i++) {
    x = await layer(source, input, i, x);
    if (input.hiddenStates) hiddenStates.push(x);
  }
  return { logits: await headOf(source, input, x), hiddenStates };
}

/** LayerNorm(word[id] + position[t] + tokenType[type]) → (T,C). */
async function embed(
  source: WeightSource,
  { inputIds, tokenTypeIds, onActivation }: FloatInput,
): Promise<Float32Array> {
  const { hiddenSize: C, layerNormEps } = source.config;
  const { word, position, tokenType, lnGamma, lnBeta } = await loadGroup(source, 'embeddings');
  invariant(lnGamma !== undefined && lnBeta !== undefined, 'the embeddings of an encoder have a LayerNorm');
  const x = new Float32Array(inputIds.length * C);
  for (let t = 0; t < inputIds.length; t++) {
    for (let c = 0; c < C; c++) {
      x[t * C + c] =
        word[inputIds[t] * C + c] +
        position[t * C + c] +
        (tokenType === undefined ? 0 : tokenType[tokenTypeIds[t] * C + c]);
    }
  }
  return layerNorm(x, lnGamma, lnBeta, layerNormEps, onVariance(onActivation, -1));
}

/** One encoder layer: x (T,C) → (T,C). */
async function layer(source: WeightSource, input: FloatInput, i: number, x: Float32Array): Promise<Float32Array> {
  const { config } = source;
  const { matmul, onActivation } = input;
  const w = await loadGroup(source, `layers.${i}`);
  const norm = (y: Float32Array, gamma: Float32Array, beta: Float32Array): Float32Array =>
    layerNorm(y, gamma, beta, config.layerNormEps, onVariance(onActivation, i));
  const q = await linear(x, w.wq, w.bq, input);
  const k = await linear(x, w.wk, w.bk, input);
  const v = await linear(x, w.wv, w.bv, input);
  onActivation('value', i, largestOf(v));
  const context = await attention({ q, k, v }, { ...config, causal: false }, matmul, (max) =>
    onActivation('score-spread', i, max),
  );
  const attended = norm(add(x, await linear(context, w.wo, w.bo, input)), w.ln1Gamma, w.ln1Beta);
  const inner = activate(config.activation, await linear(attended, w.w1, w.b1, input), i, input);
  return norm(add(attended, await linear(inner, w.w2, w.b2, input)), w.ln2Gamma, w.ln2Beta);
}

function activate(activation: Activation, x: Float32Array, layer: number, { onActivation }: FloatInput): Float32Array {
  onActivation('gelu', layer, largestOf(x));
  return x.map(activationOf(activation));
}

async function headOf(source: WeightSource, input: FloatInput, x: Float32Array): Promise<Float32Array> {
  switch (source.config.head) {
    case 'masked-lm':
      return maskedLmHead(source, input, x);
    case 'sequence-classification':
      return classifierHead(source, input, x);
    case 'question-answering':
    case 'token-classification': {
      const { weight, bias } = await loadGroup(source, 'perToken');
      return linear(x, weight, bias, input);
    }
    case 'none':
      return x.slice();
    case 'causal-lm':
      invariant(false, 'an encoder has no causal language model');
  }
}

/**
 * decoder(LayerNorm(activation(dense(x[positions])))) → (positions, V). RoBERTa's head has GeLU whatever its layers
 * have.
 */
async function maskedLmHead(source: WeightSource, input: FloatInput, x: Float32Array): Promise<Float32Array> {
  const { config } = source;
  const w = await loadGroup(source, 'mlm');
  const dense = await linear(rowsAt(x, config.hiddenSize, input.positions), w.dense, w.denseBias, input);
  const active = activate(headActivation(config), dense, config.layers, input);
  const normed = layerNorm(
    active,
    w.lnGamma,
    w.lnBeta,
    config.layerNormEps,
    onVariance(input.onActivation, config.layers),
  );
  return linear(normed, w.decoder, w.decoderBias, input);
}

/** weight(f(pooler(x[0]))) → (L), with f = tanh, of DistilBERT ReLU. */
async function classifierHead(source: WeightSource, input: FloatInput, x: Float32Array): Promise<Float32Array> {
  const { config } = source;
  const w = await loadGroup(source, 'classifier');
  const dense = await linear(x.slice(0, config.hiddenSize), w.pooler, w.poolerBias, input);
  if (classifierActivation(config) === 'relu')
    return linear(activate('relu', dense, config.layers, input), w.weight, w.bias, input);
  input.onActivation('tanh', config.layers, largestOf(dense));
  return linear(dense.map(Math.tanh), w.weight, w.bias, input);
}
