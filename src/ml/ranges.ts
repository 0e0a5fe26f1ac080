/**
 * Bounds on every value that meets a declared domain, from the weights alone: no text can leave them.
 *
 * A normalised row y has ‖y‖₂ ≤ √C, so an affine map of it is bounded by Cauchy–Schwarz, |y·w + b| ≤ √C·‖w‖₂ + |b|,
 * and an attention score by the largest singular value of its bilinear form. GPT-2's residual stream is bounded
 * element by element, by the sum of what every block may add. The bounds choose the gadget variants (`ModelPlan`);
 * they are computed in float64, with a margin of one part in a thousand for rounding and for the protocol's own
 * error.
 */
import { type Fold, plainFold } from '../compute/fold.ts';
import { TercetError } from '../core/errors.ts';
import { MAX_ATTENTION, valueDomain } from '../mpc/secure/attention-form.ts';
import { spreadDomain } from '../mpc/secure/attention.ts';
import type { Reading } from '../mpc/secure/measure.ts';
import { RELU_DOMAIN, geluRange } from '../mpc/secure/activation.ts';
import { type NormaliseRange, normaliseRange, varianceDomain } from '../mpc/secure/normalise.ts';
import type { ModelConfig } from './config.ts';
import { type FoldedMap, foldedMap, lastNorm } from './models/folding.ts';
import { LOGIT_DOMAIN, headDomain } from './models/domains.ts';
import { classifierActivation, headActivation } from './models/head.ts';
import type { ModelPlan } from './models/plan.ts';
import type { WeightSource } from './models/weights.ts';

const MARGIN = 1.001;

/** What the bounds came to, for `model inspect` and the model cards. */
export interface ModelRanges {
  /** Inputs of the feed-forward activation, by layer. */
  readonly activation: readonly number[];
  /** Input of the head's activation: of the masked language model's, or of the pooler; 0 where there is none. */
  readonly headActivation: number;
  /** Largest difference of two attention scores of a row, by layer. */
  readonly spread: readonly number[];
  readonly value: readonly number[];
  /** Of the two LayerNorm inputs of every layer, in the order of use. */
  readonly variance: readonly number[];
  /**
   * GPT-2: the standard deviation of what each block may add to the residual stream, two of every layer; empty for
   * encoders, whose variances start anew.
   */
  readonly added: readonly number[];
  /** Of the LayerNorm of an encoder's embeddings; 0 for GPT-2. */
  readonly embeddingVariance: number;
  /** Of the last LayerNorm: GPT-2's final one, or the one in the masked language model's head. */
  readonly headVariance: number;
  readonly logit: number;
}

/** For every output j, norm·‖W_j‖₂ + |b_j|: the bound for inputs of Euclidean norm at most `norm`. */
function outputBounds(map: FoldedMap, norm: number): Float64Array {
  return map.squares().map((square, c) => (norm * Math.sqrt(square) + Math.abs(map.bias[c])) * MARGIN);
}

function largest(values: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < values.length; i++) max = Math.max(max, Math.abs(values[i]));
  return max;
}

/** ‖(v_1, v_2, …)‖₂. */
function euclidean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2;
  return Math.sqrt(sum);
}

/** Bound on the variance of rows whose element j is at most bound_j + norm·|γ_j|: an affine map plus a residual. */
function residualVariance(bounds: Float64Array, gamma: ArrayLike<number>, norm: number): number {
  return euclidean(bounds.map((bound, j) => bound + norm * Math.abs(gamma[j]))) ** 2 / bounds.length;
}

function trace(a: Float64Array, D: number): number {
  let sum = 0;
  for (let i = 0; i < D; i++) sum += a[i * D + i];
  return sum;
}

/**
 * Upper bound on the largest singular value of Ŵq·Ŵkᵀ: its square is the largest eigenvalue of M = Gq·Gk, which has
 * only non-negative ones, so λ_max ≤ trace(M^p)^(1/p); p = 64 by six squarings overestimates by at most D^(1/64).
 */
function bilinearNorm(gq: Float64Array, gk: Float64Array, D: number, fold: Fold): number {
  let power = fold.multiply(gq, gk, D);
  let logScale = 0;
  for (let squarings = 0; squarings < 6; squarings++) {
    const size = trace(power, D);
    if (size === 0) return 0;
    for (let i = 0; i < power.length; i++) power[i] /= size;
    logScale = 2 * (logScale + Math.log(size));
    power = fold.multiply(power, power, D);
  }
  return Math.exp((logScale + Math.log(trace(power, D))) / 64 / 2);
}

/** max |q·k|/√D over heads, for rows of norm √C. W_Q carries 8/√D, and scores are read as q·k/8. */
function scoreBound(q: FoldedMap, k: FoldedMap, config: ModelConfig, fold: Fold): number {
  const D = config.hiddenSize / config.heads;
  let bound = 0;
  for (let h = 0; h < config.heads; h++) {
    const norm = bilinearNorm(q.headGram(h, D), k.headGram(h, D), D, fold);
    bound = Math.max(bound, (norm * (config.hiddenSize + 1)) / 8);
  }
  return bound * MARGIN;
}

/** Largest entry of every column of an embedded row: word, position and token type. */
async function embeddingColumns(source: WeightSource): Promise<Float64Array> {
  const { hiddenSize: C, typeVocabSize } = source.config;
  const columns = new Float64Array(C);
  const tables = [
    'embeddings.word',
    'embeddings.position',
    ...(typeVocabSize > 0 ? (['embeddings.tokenType'] as const) : []),
  ] as const;
  for (const name of tables) {
    const table = await source.tensor(name);
    const top = new Float64Array(C);
    for (let row = 0; row < table.length; row += C)
      for (let c = 0; c < C; c++) {
        const size = Math.abs(table[row + c]);
        if (size > top[c]) top[c] = size;
      }
    for (let c = 0; c < C; c++) columns[c] += top[c];
  }
  return columns;
}

/** Bounds that both kinds of layers have: scores, values, and what the two blocks may add, element by element. */
interface LayerBounds {
  readonly spread: number;
  readonly value: number;
  readonly activation: number;
  readonly attended: Float64Array;
  readonly fedForward: Float64Array;
}

async function layerBounds(source: WeightSource, i: number, fold: Fold): Promise<LayerBounds> {
  const norm = Math.sqrt(source.config.hiddenSize);
  const map = (name: string) => foldedMap(source, `layers.${i}.${name}`, fold);
  const spread = 2 * scoreBound(await map('q'), await map('k'), source.config, fold);
  const values = outputBounds(await map('v'), norm);
  // A context row is a weighted mean of value rows, element by element.
  const attended = outputBounds(await map('o'), euclidean(values));
  const inner = outputBounds(await map('inner'), norm);
  // |activation(x)| ≤ |x| for all of them.
  return {
    spread,
    value: largest(values),
    activation: largest(inner),
    attended,
    fedForward: outputBounds(await map('outer'), euclidean(inner)),
  };
}

interface LayersBounds {
  readonly layers: readonly LayerBounds[];
  readonly variance: readonly number[];
  readonly last: number;
}

/** Encoders: a LayerNorm reads a block's output and γ times a normalised row. */
async function encoderLayers(source: WeightSource, fold: Fold): Promise<LayersBounds> {
  const norm = Math.sqrt(source.config.hiddenSize);
  const layers: LayerBounds[] = [];
  const variance: number[] = [];
  let gamma = await source.tensor('embeddings.lnGamma');
  for (let i = 0; i < source.config.layers; i++) {
    const bounds = await layerBounds(source, i, fold);
    layers.push(bounds);
    variance.push(residualVariance(bounds.attended, gamma, norm));
    gamma = await source.tensor(`layers.${i}.ln1Gamma`);
    variance.push(residualVariance(bounds.fedForward, gamma, norm));
    gamma = await source.tensor(`layers.${i}.ln2Gamma`);
  }
  return { layers, variance, last: 0 };
}

/** GPT-2: a LayerNorm reads the sum of all that came before. */
async function residualStream(source: WeightSource, columns: Float64Array, fold: Fold): Promise<LayersBounds> {
  const layers: LayerBounds[] = [];
  const variance: number[] = [];
  const stream = columns.slice();
  const take = (added: Float64Array) => {
    for (let c = 0; c < stream.length; c++) stream[c] += added[c];
  };
  const now = () => euclidean(stream) ** 2 / stream.length;
  for (let i = 0; i < source.config.layers; i++) {
    const bounds = await layerBounds(source, i, fold);
    layers.push(bounds);
    variance.push(now());
    take(bounds.attended);
    variance.push(now());
    take(bounds.fedForward);
  }
  return { layers, variance, last: now() };
}

/** Bounds of the head: of its activation's input, of the variance in it, of what it opens. */
async function headBounds(
  source: WeightSource,
  fold: Fold,
): Promise<{ activation: number; variance: number; logit: number }> {
  const { config } = source;
  const norm = Math.sqrt(config.hiddenSize);
  const bounds = async (name: string, by = norm) => outputBounds(await foldedMap(source, name, fold), by);
  switch (config.head) {
    case 'masked-lm': {
      const dense = await bounds('head.dense');
      return {
        activation: largest(dense),
        variance: euclidean(dense) ** 2 / dense.length,
        logit: largest(await bounds('head.decoder')),
      };
    }
    case 'sequence-classification': {
      const pooled = await bounds('head.pooler');
      // tanh is at most 1, so its row has norm ≤ √C, like a normalised one; ReLU's is that of its input.
      const row = classifierActivation(config) === 'relu' ? euclidean(pooled) : norm;
      return { activation: largest(pooled), variance: 0, logit: largest(await bounds('head.classifier', row)) };
    }
    case 'question-answering':
    case 'token-classification':
      return { activation: 0, variance: 0, logit: largest(await bounds('head.classifier')) };
    case 'causal-lm':
      return { activation: 0, variance: 0, logit: largest(await bounds('head.decoder')) };
    case 'none': {
      const [gamma, beta] = [await source.tensor(lastNorm(config).gamma), await source.tensor(lastNorm(config).beta)];
      return { activation: 0, variance: 0, logit: norm * largest(gamma) + largest(beta) };
    }
  }
}

/**
 * Computes all bounds; reads every weight once or twice.
 * @param fold what sums are added up by: the same to the bit, whichever it is
 */
export async function provedRanges(source: WeightSource, fold: Fold = plainFold): Promise<ModelRanges> {
  const gpt2 = source.config.modelType === 'gpt2';
  const columns = await embeddingColumns(source);
  const { layers, variance, last } = gpt2
    ? await residualStream(source, columns, fold)
    : await encoderLayers(source, fold);
  const head = await headBounds(source, fold);
  const deviation = (added: Float64Array) => euclidean(added) / Math.sqrt(added.length);
  return {
    activation: layers.map(({ activation }) => activation),
    headActivation: head.activation,
    spread: layers.map(({ spread }) => spread),
    value: layers.map(({ value }) => value),
    variance,
    added: gpt2 ? layers.flatMap(({ attended, fedForward }) => [deviation(attended), deviation(fedForward)]) : [],
    embeddingVariance: gpt2 ? 0 : euclidean(columns) ** 2 / columns.length,
    headVariance: gpt2 ? last : head.variance,
    logit: head.logit,
  };
}

/** A bound beyond the widest gadget. */
export function tooFar(what: string, bound: number, limit: number): TercetError {
  return new TercetError(
    'ERR_RANGE',
    `${what} may reach ${bound.toFixed(0)}, beyond ${limit}`,
    'this checkpoint needs wider gadgets than this version has; the bound follows from its weight norms',
  );
}

function rowRange(d: number, variance: number): NormaliseRange {
  const range = normaliseRange(d, variance);
  if (range === undefined) throw tooFar('the variance of a LayerNorm input', variance, varianceDomain(d, 'broad').max);
  return range;
}

/**
 * The plan of a model whose weights alone prove every bound. @throws {TercetError} ERR_RANGE when a bound leaves
 * every variant's domain.
 * @param reading of the protocol that the plan is for
 */
export function planFromRanges(config: ModelConfig, ranges: ModelRanges, reading: Reading): ModelPlan {
  const treeBits = ranges.spread.map((spread): 8 | 9 => {
    for (const bits of [8, 9] as const) if (spread <= spreadDomain(bits, reading)) return bits;
    throw tooFar('the spread of attention scores in a row', spread, spreadDomain(9, reading));
  });
  const limit = valueDomain(Math.min(config.maxPositions, MAX_ATTENTION));
  for (const value of ranges.value) if (value >= limit) throw tooFar('an attention value', value, limit);
  if (ranges.logit >= LOGIT_DOMAIN) throw tooFar('an output', ranges.logit, LOGIT_DOMAIN);
  const d = config.hiddenSize;
  const relu = config.activation === 'relu';
  for (const bound of relu ? ranges.activation : [])
    if (bound > RELU_DOMAIN) throw tooFar('a ReLU input', bound, RELU_DOMAIN);
  checkHead(config, ranges.headActivation);
  return {
    basis: 'proved',
    activation: ranges.activation.map((bound) => (relu ? 'narrow' : geluRange(bound))),
    headActivation: hasGeluHead(config) ? geluRange(ranges.headActivation) : 'narrow',
    treeBits,
    norms: ranges.variance.map((variance) => notFiner(rowRange(d, variance), finestNorm(config))),
    embedding: rowRange(d, ranges.embeddingVariance),
    head: rowRange(d, ranges.headVariance),
    checks: null,
  };
}

/** The same; undefined where the weights prove too little. */
export function provedPlan(config: ModelConfig, ranges: ModelRanges, reading: Reading): ModelPlan | undefined {
  try {
    return planFromRanges(config, ranges, reading);
  } catch (error) {
    if (error instanceof TercetError && error.code === 'ERR_RANGE') return undefined;
    throw error;
  }
}

/** Whether the head has a GeLU: a masked language model's, unless it has ReLU. */
export function hasGeluHead(config: ModelConfig): boolean {
  return config.head === 'masked-lm' && headActivation(config) !== 'relu';
}

/**
 * The finest resolution of a LayerNorm inside the layers: bounds are loose, and typical variances are near one in
 * an encoder. GPT-2's first rows are embeddings.
 */
export function finestNorm({ modelType }: ModelConfig): NormaliseRange {
  return modelType === 'gpt2' ? 'fine' : 'normal';
}

function notFiner(range: NormaliseRange, finest: NormaliseRange): NormaliseRange {
  return range === 'fine' ? finest : range;
}

function checkHead(config: ModelConfig, bound: number): void {
  if (hasGeluHead(config)) return;
  const limit = headDomain(config, 'narrow');
  const relu = limit === RELU_DOMAIN;
  if (relu ? bound > limit : bound >= limit)
    throw tooFar(relu && config.head === 'masked-lm' ? 'a ReLU input' : 'the pooler', bound, limit);
}
