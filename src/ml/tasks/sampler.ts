/** Logits of the next piece → the next piece: greedy, or drawn. As transformers: repetition penalty, temperature, top-k, top-p, in this order. */

import { checkFinite } from './common.ts';
import { seededUniform, systemUniform, type Uniform } from './random.ts';

export interface SamplingOptions {
  /** False: always the likeliest piece, by logits with the penalty. */
  readonly doSample: boolean;
  /** Above 0. */
  readonly temperature: number;
  /** Only the topK likeliest pieces, and those that are as likely as the last of them; undefined: all. */
  readonly topK: number | undefined;
  /** Only the likeliest pieces whose probabilities sum to topP or more, in (0, 1]. */
  readonly topP: number;
  /** Above 1 makes pieces of the text so far less likely; 1 does nothing. */
  readonly repetitionPenalty: number;
  /** For a repeatable choice; undefined: the system's generator. */
  readonly seed: number | undefined;
}

/** Pieces that may be drawn, likeliest first, and their probabilities, which sum to 1. */
export interface Distribution {
  readonly ids: readonly number[];
  readonly probabilities: Float64Array;
}

/** logits (V) and the ids so far, prompt included → the next id. */
export type Sampler = (logits: Float32Array, ids: readonly number[]) => number;

/**
 * Makes a sampler; with a seed, its n-th draw is always the same for the same logits.
 * @param vocabSize rows from here on belong to no piece and are never chosen
 * The sampler throws {TercetError} ERR_RANGE when a logit is not finite.
 */
export function sampler(options: SamplingOptions, vocabSize: number): Sampler {
  const uniform = options.seed === undefined ? systemUniform() : seededUniform(options.seed);
  return (logits, ids) => {
    const scores = penalized(logits, ids, options.repetitionPenalty, vocabSize);
    return options.doSample ? draw(distribution(scores, options), uniform) : likeliest(scores);
  };
}

/** Logits in float64, those of pieces that occur pulled towards less likely: divided where positive, multiplied where negative. */
export function penalized(logits: Float32Array, ids: readonly number[], penalty: number, vocabSize: number): Float64Array {
  const scores = Float64Array.from(logits.subarray(0, vocabSize));
  checkFinite(scores);
  if (penalty !== 1) {
    for (const id of new Set(ids)) if (id < scores.length) scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
  }
  return scores;
}

/** Scores → what is drawn from, after temperature, top-k and top-p. */
export function distribution(scores: Float64Array, { temperature, topK, topP }: Pick<SamplingOptions, 'temperature' | 'topK' | 'topP'>): Distribution {
  const heated = scores.map((score) => score / temperature);
  let ids = Array.from(heated, (_, id) => id);
  if (topK !== undefined && topK < heated.length) {
    const last = heated.toSorted()[heated.length - topK];
    ids = ids.filter((id) => heated[id] >= last);
  }
  ids.sort((a, b) => heated[b] - heated[a] || a - b);
  const weights = Float64Array.from(ids, (id) => Math.exp(heated[id] - heated[ids[0]]));
  const kept = nucleus(weights, topP);
  const total = sum(weights.subarray(0, kept));
  return { ids: ids.slice(0, kept), probabilities: weights.slice(0, kept).map((weight) => weight / total) };
}

/** How many of the largest weights, which come first, make up at least `topP` of all; one or more. */
function nucleus(weights: Float64Array, topP: number): number {
  if (topP === 1) return weights.length;
  const wanted = topP * sum(weights);
  let before = 0;
  let kept = 0;
  while (kept < weights.length && before < wanted) before += weights[kept++];
  return kept;
}

/**
 * Draws in the order of ids: private logits differ in their last bits from run to run, and in the order of likelihood a near tie would swap whole intervals, so that a
 * seed would not repeat a text.
 */
function draw({ ids, probabilities }: Distribution, uniform: Uniform): number {
  const order = Array.from(ids, (_, i) => i).sort((a, b) => ids[a] - ids[b]);
  let left = uniform();
  for (const i of order.slice(0, -1)) {
    left -= probabilities[i];
    if (left < 0) return ids[i];
  }
  return ids[order[order.length - 1]];
}

function likeliest(scores: Float64Array): number {
  let best = 0;
  for (let id = 1; id < scores.length; id++) if (scores[id] > scores[best]) best = id;
  return best;
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
