/** What the tasks share: text → checked ids before, logits → probabilities after. All of it runs at the data owner, in the clear. */

import { TercetError } from '../../core/errors.ts';
import type { BertConfig } from '../config.ts';
import { checkText } from '../text.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';

/**
 * Checks and encodes a text for a model: [CLS] text [SEP], not padded.
 * @throws {TercetError} as checkText; ERR_TEXT_EMPTY when only invisible characters are in it; ERR_TOO_MANY_TOKENS beyond the model's
 * positions; ERR_MODEL_CONFIG when the tokenizer is of another model.
 */
export function encodeForModel(text: unknown, tokenizer: Tokenizer, config: BertConfig, allowMask: boolean): number[] {
  if (tokenizer.vocabSize > config.vocabSize) {
    throw new TercetError(
      'ERR_MODEL_CONFIG',
      `the tokenizer has ${tokenizer.vocabSize} pieces, and config.json says vocab_size ${config.vocabSize}`,
      'take tokenizer.json and config.json from the same model',
    );
  }
  const { ids } = tokenizer.encode(checkText(text), { allowMask });
  if (ids.length <= 2) throw new TercetError('ERR_TEXT_EMPTY', 'the text has no visible characters', 'give a sentence, for example --text "hello"');
  if (ids.length > config.maxPositions) {
    throw new TercetError(
      'ERR_TOO_MANY_TOKENS',
      `the text has ${ids.length} tokens with [CLS] and [SEP], and the model takes ${config.maxPositions}`,
      'shorten the text or split it',
    );
  }
  return ids;
}

/**
 * Softmax of a row of logits, in float64, stable: n → n probabilities that sum to 1.
 * @throws {TercetError} ERR_RANGE when a logit is not finite.
 */
export function softmax(logits: ArrayLike<number>): Float64Array {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) {
    if (!Number.isFinite(logits[i]))
      throw new TercetError('ERR_RANGE', `logit ${i} of ${logits.length} is not a finite number`, 'the model or the run is broken');
    largest = Math.max(largest, logits[i]);
  }
  const out = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
  let sum = 0;
  for (const value of out) sum += value;
  return out.map((value) => value / sum);
}

/** The indices of the `count` largest of values[0 … limit), largest first; of equals the lower index first. */
export function topIndices(values: ArrayLike<number>, count: number, limit = values.length): number[] {
  const order = Array.from({ length: Math.min(limit, values.length) }, (_, i) => i);
  return order.sort((a, b) => values[b] - values[a] || a - b).slice(0, count);
}

/** @throws {TercetError} ERR_ARGUMENT unless topK is a positive integer; more than there are answers is allowed. */
export function checkTopK(topK: number): void {
  if (!Number.isSafeInteger(topK) || topK < 1) throw new TercetError('ERR_ARGUMENT', 'top-k is not a positive integer', 'give for example 5');
}

/** @throws {TercetError} ERR_SHAPE unless there are `expected` logits. */
export function checkLogits(logits: ArrayLike<number>, expected: number): void {
  if (logits.length !== expected)
    throw new TercetError('ERR_SHAPE', `got ${logits.length} logits, expected ${expected}`, 'this is a bug in Tercet, please report it');
}
