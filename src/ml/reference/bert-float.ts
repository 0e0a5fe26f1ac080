/**
 * BERT in the clear, in floating point: the oracle that secure inference is compared with. Clarity first; nothing here is secret or fast.
 *
 * Activations and weights are float32, and so is every stored result; sums (matrix products, LayerNorm, softmax) accumulate in float64 unless
 * a caller passes its own `matmul`. Agrees with PyTorch in float32 to about 1e-5 (test/ml/golden.test.ts).
 * Shapes by letter: T tokens, C hidden, H heads, D = C/H, F feed-forward, V vocabulary, L labels. Batch is always one text, so no attention mask.
 * Source: Devlin et al., BERT, https://arxiv.org/abs/1810.04805, in the form of the transformers library (post-LayerNorm, erf GeLU).
 */

import { TercetError } from '../../core/errors.ts';
import type { BertConfig } from '../config.ts';
import { type BertWeightSource, type BertWeights, loadGroup, transpose } from '../models/bert-weights.ts';

/** a (m,k) · b (k,n) → (m,n), row-major, a new array; a and b are left unchanged. */
export type Matmul = (a: Float32Array, b: Float32Array, m: number, k: number, n: number) => Float32Array | Promise<Float32Array>;

export interface BertFloatOptions {
  /** One per token; all 0 when absent. */
  readonly tokenTypeIds?: readonly number[];
  /** Where a masked language model's logits are wanted; every position when absent. */
  readonly positions?: readonly number[];
  /** Whether to keep the embeddings and every layer's output. */
  readonly hiddenStates?: boolean;
  readonly matmul?: Matmul;
}

export interface BertFloatResult {
  /** (positions, V) of a masked language model, (L) of a classifier. */
  readonly logits: Float32Array;
  /** layers + 1 states of (T,C), the embeddings' output first; empty unless asked for. */
  readonly hiddenStates: readonly Float32Array[];
}

/**
 * Runs a BERT model on one text.
 * @throws {TercetError} ERR_TOO_MANY_TOKENS beyond the model's positions; ERR_RANGE for no tokens or an id or position that does not exist.
 */
export async function bertFloat(source: BertWeightSource, inputIds: readonly number[], options: BertFloatOptions = {}): Promise<BertFloatResult> {
  const { config } = source;
  const matmul = options.matmul ?? matmulFloat;
  const tokenTypeIds = options.tokenTypeIds ?? inputIds.map(() => 0);
  const positions = options.positions ?? inputIds.map((_, i) => i);
  checkInput(config, inputIds, tokenTypeIds, positions);

  let x = embed(config, await loadGroup(source, 'embeddings'), inputIds, tokenTypeIds);
  const hiddenStates = options.hiddenStates ? [x] : [];
  for (let i = 0; i < config.layers; i++) {
    x = await layer(config, await loadGroup(source, `layers.${i}`), x, matmul);
    if (options.hiddenStates) hiddenStates.push(x);
  }
  const logits =
    config.architecture === 'BertForMaskedLM'
      ? await mlmHead(config, await loadGroup(source, 'mlm'), x, positions, matmul)
      : await classifierHead(config, await loadGroup(source, 'classifier'), x, matmul);
  return { logits, hiddenStates };
}

function checkInput(config: BertConfig, inputIds: readonly number[], tokenTypeIds: readonly number[], positions: readonly number[]): void {
  const range = (what: string): TercetError => new TercetError('ERR_RANGE', what, 'take the tokenizer that belongs to the model');
  const all = (values: readonly number[], limit: number): boolean => values.every((value) => Number.isInteger(value) && value >= 0 && value < limit);
  if (inputIds.length > config.maxPositions) {
    throw new TercetError('ERR_TOO_MANY_TOKENS', `${inputIds.length} tokens, and the model takes ${config.maxPositions}`, 'shorten the text');
  }
  if (inputIds.length === 0) throw range('there are no tokens');
  if (!all(inputIds, config.vocabSize)) throw range(`a token id is not an integer below vocab_size ${config.vocabSize}`);
  if (tokenTypeIds.length !== inputIds.length || !all(tokenTypeIds, config.typeVocabSize)) throw range('the token type ids do not fit the tokens or the model');
  if (!all(positions, inputIds.length)) throw range(`a position is not an integer below the ${inputIds.length} tokens`);
}

/** LayerNorm(word[id] + position[t] + tokenType[type]) → (T,C). */
function embed(config: BertConfig, w: BertWeights<'embeddings'>, inputIds: readonly number[], tokenTypeIds: readonly number[]): Float32Array {
  const C = config.hiddenSize;
  const x = new Float32Array(inputIds.length * C);
  for (let t = 0; t < inputIds.length; t++) {
    for (let c = 0; c < C; c++) x[t * C + c] = w.word[inputIds[t] * C + c] + w.position[t * C + c] + w.tokenType[tokenTypeIds[t] * C + c];
  }
  return layerNorm(x, w.lnGamma, w.lnBeta, config.layerNormEps);
}

/** One encoder layer: x (T,C) → (T,C). */
async function layer(config: BertConfig, w: BertWeights<`layers.${number}`>, x: Float32Array, matmul: Matmul): Promise<Float32Array> {
  const { hiddenSize: C, intermediateSize: F, layerNormEps: eps } = config;
  const q = await linear(x, w.wq, w.bq, C, C, matmul);
  const k = await linear(x, w.wk, w.bk, C, C, matmul);
  const v = await linear(x, w.wv, w.bv, C, C, matmul);
  const context = await attention(config, q, k, v, matmul);
  const attended = layerNorm(add(x, await linear(context, w.wo, w.bo, C, C, matmul)), w.ln1Gamma, w.ln1Beta, eps);
  const inner = (await linear(attended, w.w1, w.b1, C, F, matmul)).map(gelu);
  return layerNorm(add(attended, await linear(inner, w.w2, w.b2, F, C, matmul)), w.ln2Gamma, w.ln2Beta, eps);
}

/** softmax(q·kᵀ / √D)·v for each head: q, k, v (T,C) → (T,C). */
async function attention(config: BertConfig, q: Float32Array, k: Float32Array, v: Float32Array, matmul: Matmul): Promise<Float32Array> {
  const { hiddenSize: C, heads } = config;
  const D = C / heads;
  const T = q.length / C;
  const out = new Float32Array(T * C);
  for (let head = 0; head < heads; head++) {
    const part = (x: Float32Array): Float32Array => columns(x, C, head * D, D);
    const scores = await matmul(part(q), transpose(part(k), T, D), T, D, T);
    const weights = softmaxRows(
      scores.map((score) => score / Math.sqrt(D)),
      T,
    );
    const context = await matmul(weights, part(v), T, T, D);
    for (let t = 0; t < T; t++) out.set(context.subarray(t * D, (t + 1) * D), t * C + head * D);
  }
  return out;
}

/** decoder(LayerNorm(gelu(dense(x[positions])))) → (positions, V). */
async function mlmHead(config: BertConfig, w: BertWeights<'mlm'>, x: Float32Array, positions: readonly number[], matmul: Matmul): Promise<Float32Array> {
  const C = config.hiddenSize;
  const picked = new Float32Array(positions.length * C);
  for (const [i, position] of positions.entries()) picked.set(x.subarray(position * C, (position + 1) * C), i * C);
  const dense = (await linear(picked, w.dense, w.denseBias, C, C, matmul)).map(gelu);
  const normed = layerNorm(dense, w.lnGamma, w.lnBeta, config.layerNormEps);
  return linear(normed, w.decoder, w.decoderBias, C, config.vocabSize, matmul);
}

/** classifier(tanh(pooler(x[0]))) → (L). */
async function classifierHead(config: BertConfig, w: BertWeights<'classifier'>, x: Float32Array, matmul: Matmul): Promise<Float32Array> {
  const C = config.hiddenSize;
  const pooled = (await linear(x.slice(0, C), w.pooler, w.poolerBias, C, C, matmul)).map(Math.tanh);
  return linear(pooled, w.weight, w.bias, C, config.numLabels, matmul);
}

/** x (T,inSize)·wᵀ + b, with w (outSize,inSize) as the checkpoints store it → (T,outSize). */
async function linear(x: Float32Array, w: Float32Array, b: Float32Array, inSize: number, outSize: number, matmul: Matmul): Promise<Float32Array> {
  const y = await matmul(x, transpose(w, outSize, inSize), x.length / inSize, inSize, outSize);
  return y.map((value, i) => value + b[i % outSize]);
}

/** The default `Matmul`: float64 sums in the order of k. Four rows of b a pass, for the sums' sake of staying in the cache. */
export function matmulFloat(a: Float32Array, b: Float32Array, m: number, k: number, n: number): Float32Array {
  const out = new Float32Array(m * n);
  const sums = new Float64Array(n);
  for (let i = 0; i < m; i++) {
    sums.fill(0);
    let p = 0;
    for (; p + 4 <= k; p += 4) {
      const [a0, a1, a2, a3] = [a[i * k + p], a[i * k + p + 1], a[i * k + p + 2], a[i * k + p + 3]];
      const [b0, b1, b2, b3] = [p * n, (p + 1) * n, (p + 2) * n, (p + 3) * n];
      for (let j = 0; j < n; j++) sums[j] = sums[j] + a0 * b[b0 + j] + a1 * b[b1 + j] + a2 * b[b2 + j] + a3 * b[b3 + j];
    }
    for (; p < k; p++) {
      const a0 = a[i * k + p];
      for (let j = 0; j < n; j++) sums[j] += a0 * b[p * n + j];
    }
    out.set(sums, i * n);
  }
  return out;
}

/** Normalises each row of gamma's length to mean 0 and variance 1, then scales and shifts it. */
export function layerNorm(x: Float32Array, gamma: Float32Array, beta: Float32Array, eps: number): Float32Array {
  const C = gamma.length;
  const out = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += C) {
    let mean = 0;
    for (let c = 0; c < C; c++) mean += x[start + c] / C;
    let variance = 0;
    for (let c = 0; c < C; c++) variance += (x[start + c] - mean) ** 2 / C;
    const scale = 1 / Math.sqrt(variance + eps);
    for (let c = 0; c < C; c++) out[start + c] = (x[start + c] - mean) * scale * gamma[c] + beta[c];
  }
  return out;
}

/** Softmax of each row of n; stable, as the largest of a row is taken off first. */
export function softmaxRows(x: Float32Array, n: number): Float32Array {
  const out = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += n) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < n; j++) largest = Math.max(largest, x[start + j]);
    let sum = 0;
    for (let j = 0; j < n; j++) sum += Math.exp(x[start + j] - largest);
    for (let j = 0; j < n; j++) out[start + j] = Math.exp(x[start + j] - largest) / sum;
  }
  return out;
}

/** x·Φ(x), with the exact erf. */
export function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x * Math.SQRT1_2));
}

/**
 * The error function; error below 1e-14 on all numbers.
 *
 * erf(x) = 2/√π · e^(-x²) · Σ 2^n x^(2n+1) / (1·3·…·(2n+1)), whose terms have one sign, so nothing cancels (Abramowitz & Stegun 7.1.6).
 * Beyond |x| = 6 the result is ±1 in float64.
 */
export function erf(x: number): number {
  if (Math.abs(x) >= 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function add(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value + b[i]);
}

/** The columns [from, from + count) of x (·,width). */
function columns(x: Float32Array, width: number, from: number, count: number): Float32Array {
  const rows = x.length / width;
  const out = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++) out.set(x.subarray(row * width + from, row * width + from + count), row * count);
  return out;
}
