/** Text classification: a text → its classes with probabilities. */

import { TercetError } from '../../core/errors.ts';
import type { BertConfig } from '../config.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { checkLogits, checkTopK, encodeForModel, softmax, topIndices } from './common.ts';

export interface ClassificationInput {
  /** [CLS] text [SEP]; a `[MASK]` in the text is plain text here. */
  readonly inputIds: readonly number[];
}

export interface ClassificationPrediction {
  readonly label: string;
  /** Probability, in [0, 1]. */
  readonly score: number;
}

/**
 * Encodes a text for classification.
 * @throws {TercetError} ERR_MODEL_UNSUPPORTED for a model without the head; and as encodeForModel.
 */
export function prepareTextClassification(text: unknown, tokenizer: Tokenizer, config: BertConfig): ClassificationInput {
  if (config.architecture !== 'BertForSequenceClassification') {
    throw new TercetError(
      'ERR_MODEL_UNSUPPORTED',
      `the model is a ${config.architecture}, and text classification needs BertForSequenceClassification`,
      'choose another task or model',
    );
  }
  return { inputIds: encodeForModel(text, tokenizer, config, false) };
}

/**
 * logits (L) → the min(topK, L) likeliest classes, best first; all of them when topK is absent.
 * @throws {TercetError} ERR_SHAPE, ERR_RANGE (not finite), ERR_ARGUMENT (topK).
 */
export function finishTextClassification(logits: Float32Array, config: BertConfig, topK: number = config.numLabels): ClassificationPrediction[] {
  checkTopK(topK);
  checkLogits(logits, config.numLabels);
  const scores = softmax(logits);
  return topIndices(scores, topK).map((i) => ({ label: config.id2label[i], score: scores[i] }));
}
