/**
 * Bounds on every value that meets a declared domain, from the weights alone: no text can leave them.
 *
 * A normalised row y has ‖y‖₂ ≤ √C, so an affine map of it is bounded by Cauchy–Schwarz, |y·w + b| ≤ √C·‖w‖₂ + |b|, and an attention score by the
 * largest singular value of its bilinear form. The bounds choose the gadget variants (`BertPlan`); a checkpoint that fits none is refused before
 * anything is shared. They are computed in float64, with a margin of one part in a thousand for rounding and for the protocol's own error.
 */
import { TercetError } from '../core/errors.ts';
import { SPREAD } from '../mpc/secure/attention.ts';
import { geluRange } from '../mpc/secure/activation.ts';
import { type NormaliseRange, normaliseRange, varianceDomain } from '../mpc/secure/normalise.ts';
import type { BertConfig } from './config.ts';
import { type FoldedMap, foldedMap } from './models/bert-parameters.ts';
import type { BertPlan } from './models/bert-secure.ts';
import type { BertWeightSource } from './models/bert-weights.ts';

const MARGIN = 1.001;
/** Attention values: O'·r and Σ E·V must keep their slack (design notes §14.5), with the scale of 1/Z for up to 128 positions or for more. */
function valueBound(positions: number): number {
  return positions <= 128 ? 256 : 64;
}
/** Logits open in 32 bits at scale 16. */
const LOGIT_BOUND = 2 ** 15;
const TANH_BOUND = 63;

/** What the bounds came to, for `model inspect` and the model cards. */
export interface BertRanges {
  readonly gelu: readonly number[];
  readonly headGelu: number;
  readonly spread: readonly number[];
  readonly value: readonly number[];
  /** Of the two LayerNorm inputs of every layer. */
  readonly variance: readonly number[];
  readonly embeddingVariance: number;
  readonly headVariance: number;
  readonly logit: number;
}

/** For every output j, norm·‖W_j‖₂ + |b_j|: the bound for inputs of Euclidean norm at most `norm`. */
function outputBounds({ weight, bias, rows, cols }: FoldedMap, norm: number): Float64Array {
  const squares = new Float64Array(cols);
  for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) squares[c] += weight[r * cols + c] ** 2;
  return squares.map((square, c) => (norm * Math.sqrt(square) + Math.abs(bias[c])) * MARGIN);
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

/** Gram matrix ŴᵀŴ (D × D) of one head of a map, its bias as one more row (for the input (y, 1)). */
function headGram({ weight, bias, rows, cols }: FoldedMap, head: number, D: number): Float64Array {
  const gram = new Float64Array(D * D);
  const at = head * D;
  for (let r = 0; r <= rows; r++) {
    const row = r === rows ? bias.subarray(at, at + D) : weight.subarray(r * cols + at, r * cols + at + D);
    for (let i = 0; i < D; i++) {
      const value = row[i];
      for (let j = 0; j < D; j++) gram[i * D + j] += value * row[j];
    }
  }
  return gram;
}

function multiply(a: Float64Array, b: Float64Array, D: number): Float64Array {
  const out = new Float64Array(D * D);
  for (let i = 0; i < D; i++) for (let k = 0; k < D; k++) for (let j = 0; j < D; j++) out[i * D + j] += a[i * D + k] * b[k * D + j];
  return out;
}

function trace(a: Float64Array, D: number): number {
  let sum = 0;
  for (let i = 0; i < D; i++) sum += a[i * D + i];
  return sum;
}

/**
 * Upper bound on the largest singular value of Ŵq·Ŵkᵀ: its square is the largest eigenvalue of M = Gq·Gk, which has only non-negative ones, so
 * λ_max ≤ trace(M^p)^(1/p); p = 64 by six squarings overestimates by at most D^(1/64).
 */
function bilinearNorm(gq: Float64Array, gk: Float64Array, D: number): number {
  let power = multiply(gq, gk, D);
  let logScale = 0;
  for (let squarings = 0; squarings < 6; squarings++) {
    const size = trace(power, D);
    if (size === 0) return 0;
    for (let i = 0; i < power.length; i++) power[i] /= size;
    logScale = 2 * (logScale + Math.log(size));
    power = multiply(power, power, D);
  }
  return Math.exp((logScale + Math.log(trace(power, D))) / 64 / 2);
}

/** max |q·k|/√D over heads, for rows of norm √C. W_Q carries 8/√D, and scores are read as q·k/8. */
function scoreBound(q: FoldedMap, k: FoldedMap, config: BertConfig): number {
  const D = config.hiddenSize / config.heads;
  let bound = 0;
  for (let h = 0; h < config.heads; h++) {
    const norm = bilinearNorm(headGram(q, h, D), headGram(k, h, D), D);
    bound = Math.max(bound, (norm * (config.hiddenSize + 1)) / 8);
  }
  return bound * MARGIN;
}

/** Bound on the variance of an embedded row: the largest word, position and token-type entry of every column. */
async function embeddingVariance(source: BertWeightSource): Promise<number> {
  const C = source.config.hiddenSize;
  const columns = new Float64Array(C);
  for (const name of ['embeddings.word', 'embeddings.position', 'embeddings.tokenType'] as const) {
    const table = await source.tensor(name);
    const top = new Float64Array(C);
    for (let i = 0; i < table.length; i++) top[i % C] = Math.max(top[i % C], Math.abs(table[i]));
    for (let c = 0; c < C; c++) columns[c] += top[c];
  }
  return euclidean(columns) ** 2 / C;
}

/** Computes all bounds; reads every weight once or twice. */
export async function bertRanges(source: BertWeightSource): Promise<BertRanges> {
  const { config } = source;
  const norm = Math.sqrt(config.hiddenSize);
  const gelu: number[] = [];
  const spread: number[] = [];
  const value: number[] = [];
  const variance: number[] = [];
  let gamma = await source.tensor('embeddings.lnGamma');
  for (let i = 0; i < config.layers; i++) {
    const map = (name: string) => foldedMap(source, `layers.${i}.${name}`);
    spread.push(2 * scoreBound(await map('wq'), await map('wk'), config));
    const values = outputBounds(await map('wv'), norm);
    value.push(largest(values));
    // A context row is a weighted mean of value rows, element by element.
    variance.push(residualVariance(outputBounds(await map('wo'), euclidean(values)), gamma, norm));
    const inner = outputBounds(await map('w1'), norm);
    gelu.push(largest(inner));
    gamma = await source.tensor(`layers.${i}.ln1Gamma`);
    // |gelu(x)| ≤ |x|.
    variance.push(residualVariance(outputBounds(await map('w2'), euclidean(inner)), gamma, norm));
    gamma = await source.tensor(`layers.${i}.ln2Gamma`);
  }
  const mlm = config.architecture === 'BertForMaskedLM';
  const head = outputBounds(await foldedMap(source, mlm ? 'mlm.dense' : 'classifier.pooler'), norm);
  // The pooler's tanh is at most 1, so its row has norm ≤ √C, like a normalised one.
  const logit = largest(outputBounds(await foldedMap(source, mlm ? 'mlm.decoder' : 'classifier.weight'), norm));
  return {
    gelu,
    headGelu: largest(head),
    spread,
    value,
    variance,
    embeddingVariance: await embeddingVariance(source),
    headVariance: mlm ? euclidean(head) ** 2 / head.length : 0,
    logit,
  };
}

function tooFar(what: string, bound: number, limit: number): TercetError {
  return new TercetError(
    'ERR_RANGE',
    `${what} may reach ${bound.toFixed(0)}, beyond ${limit}`,
    'this checkpoint needs wider gadgets than this version has; the bound follows from its weight norms',
  );
}

function rowRange(d: number, variance: number): NormaliseRange {
  const range = normaliseRange(d, variance);
  if (range === undefined) throw tooFar('the variance of a LayerNorm input', variance, varianceDomain(d, 'coarse').max);
  return range;
}

/** Chooses the gadget variants. @throws {TercetError} ERR_RANGE when a bound leaves every variant's domain. */
export function planFromRanges(config: BertConfig, ranges: BertRanges): BertPlan {
  const treeBits = ranges.spread.map((spread): 8 | 9 => {
    if (spread <= SPREAD[8]) return 8;
    if (spread <= SPREAD[9]) return 9;
    throw tooFar('the spread of attention scores in a row', spread, SPREAD[9]);
  });
  const limit = valueBound(config.maxPositions);
  for (const value of ranges.value) if (value >= limit) throw tooFar('an attention value', value, limit);
  if (ranges.logit >= LOGIT_BOUND) throw tooFar('a logit', ranges.logit, LOGIT_BOUND);
  const d = config.hiddenSize;
  // Never finer than normal inside the layers: bounds are loose, and typical variances are near one.
  const residual = ranges.variance.map((variance) => (rowRange(d, variance) === 'coarse' ? 'coarse' : 'normal'));
  const mlm = config.architecture === 'BertForMaskedLM';
  if (!mlm && ranges.headGelu >= TANH_BOUND) throw tooFar('the pooler', ranges.headGelu, TANH_BOUND);
  return {
    gelu: ranges.gelu.map(geluRange),
    headGelu: mlm ? geluRange(ranges.headGelu) : 'wide',
    treeBits,
    residual,
    embedding: rowRange(d, ranges.embeddingVariance),
    head: mlm ? rowRange(d, ranges.headVariance) : 'fine',
  };
}

/** The public plan of a model. */
export async function bertPlan(source: BertWeightSource): Promise<BertPlan> {
  return planFromRanges(source.config, await bertRanges(source));
}
