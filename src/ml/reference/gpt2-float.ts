/**
 * GPT-2 in floating point: LayerNorm before each block, attention to earlier tokens only.
 *
 * Shapes by letter: T tokens, C hidden, F feed-forward, V vocabulary. Every call computes all T tokens; nothing is
 * cached between steps. Source: Radford et al., Language Models are Unsupervised Multitask Learners (2019), in the
 * form of the transformers library.
 */

import { loadGroup, type WeightSource } from '../models/weights.ts';
import { attention } from './attention-float.ts';
import { activationOf, add, largestOf, layerNorm, linear, rowsAt } from './math.ts';
import { type FloatInput, type FloatResult, onVariance } from './options.ts';

export async function gpt2Float(source: WeightSource, input: FloatInput): Promise<FloatResult> {
  const { config } = source;
  let x = await embed(source, input);
  const hiddenStates = input.hiddenStates ? [x] : [];
  for (let i = 0; i < config.layers; i++) {
    x = await layer(source, input, i, x);
    if (input.hiddenStates && i < config.layers - 1) hiddenStates.push(x);
  }
  const final = await loadGroup(source, 'final');
  const last = layerNorm(
    x,
    final.lnGamma,
    final.lnBeta,
    config.layerNormEps,
    onVariance(input.onActivation, config.layers),
  );
  if (input.hiddenStates) hiddenStates.push(last);
  if (config.head === 'none') return { logits: last.slice(), hiddenStates };
  const { decoder } = await loadGroup(source, 'lm');
  const logits = await linear(
    rowsAt(last, config.hiddenSize, input.positions),
    decoder,
    new Float32Array(config.vocabSize),
    input,
  );
  return { logits, hiddenStates };
}

/** word[id] + position[t] → (T,C). */
async function embed(source: WeightSource, { inputIds }: FloatInput): Promise<Float32Array> {
  const C = source.config.hiddenSize;
  const { word, position } = await loadGroup(source, 'embeddings');
  return Float32Array.from(
    { length: inputIds.length * C },
    (_, i) => word[inputIds[Math.floor(i / C)] * C + (i % C)] + position[i],
  );
}

/** One block: x (T,C) → (T,C). */
async function layer(source: WeightSource, input: FloatInput, i: number, x: Float32Array): Promise<Float32Array> {
  const { config } = source;
  const { matmul, onActivation } = input;
  const w = await loadGroup(source, `layers.${i}`);
  const norm = (y: Float32Array, gamma: Float32Array, beta: Float32Array): Float32Array =>
    layerNorm(y, gamma, beta, config.layerNormEps, onVariance(onActivation, i));
  const before = norm(x, w.ln1Gamma, w.ln1Beta);
  const q = await linear(before, w.wq, w.bq, input);
  const k = await linear(before, w.wk, w.bk, input);
  const v = await linear(before, w.wv, w.bv, input);
  onActivation('value', i, largestOf(v));
  const context = await attention({ q, k, v }, { ...config, causal: true }, matmul, (max) =>
    onActivation('score-spread', i, max),
  );
  const attended = add(x, await linear(context, w.wo, w.bo, input));
  const inner = await linear(norm(attended, w.ln2Gamma, w.ln2Beta), w.w1, w.b1, input);
  onActivation('gelu', i, largestOf(inner));
  return add(attended, await linear(inner.map(activationOf(config.activation)), w.w2, w.b2, input));
}
