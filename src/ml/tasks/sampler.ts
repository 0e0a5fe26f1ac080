/**
 * Logits of the next piece → the next piece: greedy, or drawn. As transformers: penalty, what may not come,
 * temperature, top-k, top-p, in this order.
 */

import { TercetError } from '../../core/errors.ts';
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

/** What may not come next, and when. All counts are of pieces with the prompt. */
export interface Rules {
  /** Pieces of the prompt. */
  readonly promptTokens: number;
  /** No run of so many pieces comes twice; 0: any may. */
  readonly noRepeatNgramSize: number;
  readonly suppress: readonly number[];
  readonly beginSuppress: readonly number[];
  readonly badWords: readonly (readonly number[])[];
  /** No end before there are so many. */
  readonly leastTokens: number;
  readonly eosTokenIds: readonly number[];
  readonly forcedFirst: number | undefined;
  readonly forcedLast: readonly number[];
  /** The longest that the text can become. */
  readonly lastTokens: number;
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
 * The sampler itself throws a TercetError: ERR_RANGE when a logit is not finite, ERR_ARGUMENT when the rules leave no
 * piece.
 * @param vocabSize rows from here on belong to no piece and are never chosen
 */
export function sampler(options: SamplingOptions, vocabSize: number, rules?: Rules): Sampler {
  const uniform = options.seed === undefined ? systemUniform() : seededUniform(options.seed);
  return (logits, ids) => {
    const free = penalized(logits, ids, options.repetitionPenalty, vocabSize);
    const scores = rules === undefined ? free : ruled(free, ids, rules);
    return options.doSample ? draw(distribution(scores, options), uniform) : likeliest(scores);
  };
}

/**
 * Logits in float64, those of pieces that occur pulled towards less likely: divided where positive, multiplied
 * where negative.
 */
export function penalized(
  logits: Float32Array,
  ids: readonly number[],
  penalty: number,
  vocabSize: number,
): Float64Array {
  const scores = Float64Array.from(logits.subarray(0, vocabSize));
  checkFinite(scores);
  if (penalty !== 1) {
    for (const id of new Set(ids))
      if (id < scores.length) scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
  }
  return scores;
}

/** Sets the scores of pieces that may not come behind `ids` to minus infinity, or all but those that must. */
function ruled(scores: Float64Array, ids: readonly number[], rules: Rules): Float64Array {
  const ban = (banned: Iterable<number>): void => {
    for (const id of banned) if (id < scores.length) scores[id] = Number.NEGATIVE_INFINITY;
  };
  const { length } = ids;
  const { eosTokenIds, forcedFirst, promptTokens } = rules;
  ban(endsOfRuns(ids, rules.noRepeatNgramSize));
  for (const word of rules.badWords) {
    // An end is not a word; and a run that is longer than the text stands nowhere in it.
    const [last, before] = [word[word.length - 1], word.slice(0, -1)];
    const isEnd = before.length === 0 && eosTokenIds.includes(last);
    if (!isEnd && word.length <= length && before.every((id, i) => ids[length - before.length + i] === id)) ban([last]);
  }
  if (length < rules.leastTokens) ban(eosTokenIds);
  if (length === 1 && forcedFirst !== undefined) force(scores, [forcedFirst]);
  if (length === rules.lastTokens - 1 && rules.forcedLast.length > 0) force(scores, rules.forcedLast);
  ban(rules.suppress);
  if (length === (promptTokens > 1 || forcedFirst === undefined ? promptTokens : promptTokens + 1))
    ban(rules.beginSuppress);
  if (scores.every((score) => score === Number.NEGATIVE_INFINITY)) {
    throw new TercetError(
      'ERR_ARGUMENT',
      'the options, or the settings of the model, rule every piece out',
      'suppress fewer pieces',
    );
  }
  return scores;
}

function force(scores: Float64Array, ids: readonly number[]): void {
  scores.fill(Number.NEGATIVE_INFINITY);
  for (const id of ids) if (id < scores.length) scores[id] = 0;
}

/** The pieces that would end a run of `size` pieces that is there already. */
function endsOfRuns(ids: readonly number[], size: number): number[] {
  if (size === 0 || ids.length + 1 < size) return [];
  const tail = ids.slice(ids.length - size + 1);
  const banned: number[] = [];
  for (let at = 0; at + size <= ids.length; at++)
    if (tail.every((id, i) => ids[at + i] === id)) banned.push(ids[at + size - 1]);
  return banned;
}

/** Scores → what is drawn from, after temperature, top-k and top-p. */
export function distribution(
  scores: Float64Array,
  { temperature, topK, topP }: Pick<SamplingOptions, 'temperature' | 'topK' | 'topP'>,
): Distribution {
  const heated = scores.map((score) => score / temperature);
  let ids = Array.from(heated, (_, id) => id).filter((id) => heated[id] > Number.NEGATIVE_INFINITY);
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
 * Draws in the order of ids: private logits differ in their last bits from run to run, and in the order of
 * likelihood a near tie would swap whole intervals, so that a seed would not repeat a text.
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
