/** Fill-mask: a text with one or more `[MASK]` → the likeliest pieces at each. */

import { TercetError } from '../../core/errors.ts';
import type { BertConfig } from '../config.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { checkLogits, checkTopK, encodeForModel, softmax, topIndices } from './common.ts';

export interface FillMaskInput {
  /** [CLS] text [SEP]. */
  readonly inputIds: readonly number[];
  /** Where the masks are in inputIds, ascending, at least one. */
  readonly maskPositions: readonly number[];
}

export interface FillMaskPrediction {
  /** The piece as the vocabulary has it (`paris`, `##s`). */
  readonly token: string;
  readonly tokenId: number;
  /** Probability, in [0, 1]. */
  readonly score: number;
  /** The text with this mask filled; with several masks the others are still `[MASK]`. */
  readonly sequence: string;
}

/**
 * Encodes a text for fill-mask.
 * @throws {TercetError} ERR_NO_MASK; ERR_MODEL_UNSUPPORTED for a model without the head; and as encodeForModel.
 */
export function prepareFillMask(text: unknown, tokenizer: Tokenizer, config: BertConfig): FillMaskInput {
  if (config.architecture !== 'BertForMaskedLM') {
    throw new TercetError(
      'ERR_MODEL_UNSUPPORTED',
      `the model is a ${config.architecture}, and fill-mask needs BertForMaskedLM`,
      'choose another task or model',
    );
  }
  const inputIds = encodeForModel(text, tokenizer, config, true);
  const maskPositions = inputIds.flatMap((id, i) => (id === tokenizer.maskTokenId ? [i] : []));
  if (maskPositions.length === 0) {
    throw new TercetError('ERR_NO_MASK', `the text has no ${tokenizer.maskToken}`, `write ${tokenizer.maskToken} where a word is to be guessed`);
  }
  return { inputIds, maskPositions };
}

/**
 * Ranks the pieces at each mask.
 *
 * logits (masks, V) row-major → one list for each mask, best first, of min(topK, pieces). Rows of a padded vocabulary, which have no piece,
 * take part in the softmax and are never listed. A command or an SDK that follows transformers.js shows `lists[0]` when there is one mask.
 * @throws {TercetError} ERR_SHAPE, ERR_RANGE (not finite), ERR_ARGUMENT (topK).
 */
export function finishFillMask(logits: Float32Array, input: FillMaskInput, tokenizer: Tokenizer, topK: number): FillMaskPrediction[][] {
  checkTopK(topK);
  const { inputIds, maskPositions } = input;
  const V = logits.length / maskPositions.length;
  checkLogits(logits, Math.max(tokenizer.vocabSize, Math.floor(V)) * maskPositions.length);
  return maskPositions.map((position, row) => {
    const scores = softmax(logits.subarray(row * V, (row + 1) * V));
    return topIndices(scores, topK, tokenizer.vocabSize).map((tokenId) => ({
      token: tokenizer.decodeToken(tokenId),
      tokenId,
      score: scores[tokenId],
      sequence: tokenizer.decode(inputIds.with(position, tokenId)),
    }));
  });
}
