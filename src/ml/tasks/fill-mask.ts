/** Fill-mask: a text with one or more mask tokens (`[MASK]`, `<mask>`) → the likeliest pieces at each. */

import { TercetError } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import { quote } from '../describe.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import {
  checkHead,
  checkTopK,
  encodeForModel,
  idsOf,
  softmax,
  type TaskInput,
  topIndices,
  vocabularyWidth,
} from './common.ts';
import { checkNames, followsSpace, singlePiece } from './words.ts';

export interface FillMaskOptions {
  /**
   * The only words to choose from. Each must be one piece of the vocabulary; scores stay probabilities among all
   * pieces.
   */
  readonly targets?: readonly string[] | undefined;
}

/** `rows`: where the masks are, ascending, at least one. */
export interface FillMaskInput extends TaskInput {
  /** For each mask the ids that may be listed; absent: all. */
  readonly targetIds?: readonly (readonly number[])[];
}

export interface FillMaskPrediction {
  /** The piece as the vocabulary has it (`paris`, `##s`, `Ġparis`). */
  readonly token: string;
  readonly tokenId: number;
  /** Probability, in [0, 1]. */
  readonly score: number;
  /** The text with this mask filled; with several masks the others are still mask tokens. */
  readonly sequence: string;
}

/**
 * Encodes a text for fill-mask.
 * @throws {TercetError} ERR_NO_MASK; ERR_MODEL_UNSUPPORTED for a model without the head; ERR_ARGUMENT, naming it,
 * for a target that is not one piece; and as encodeForModel.
 */
export function prepareFillMask(
  text: unknown,
  tokenizer: Tokenizer,
  config: ModelConfig,
  options: FillMaskOptions = {},
): FillMaskInput {
  checkHead(config, 'masked-lm', 'fill-mask');
  const { maskToken, maskTokenId } = tokenizer;
  if (maskToken === undefined || maskTokenId === undefined)
    throw new TercetError('ERR_MODEL_UNSUPPORTED', 'the tokenizer has no mask token', 'choose another model');
  const encoding = encodeForModel(text, tokenizer, config, true);
  const rows = encoding.ids.flatMap((id, i) => (id === maskTokenId ? [i] : []));
  if (rows.length === 0)
    throw new TercetError(
      'ERR_NO_MASK',
      `the text has no ${maskToken}`,
      `write ${maskToken} where a word is to be guessed`,
    );
  const input = { ...idsOf(encoding, config), rows };
  if (options.targets === undefined) return input;
  const targets = checkNames(options.targets, 'target');
  return {
    ...input,
    targetIds: rows.map((_, mask) => idsOfTargets(targets, tokenizer, followsSpace(text as string, mask, tokenizer))),
  };
}

function idsOfTargets(targets: readonly string[], tokenizer: Tokenizer, spaced: boolean): number[] {
  const ids = targets.map((target) => {
    const id = singlePiece(target, tokenizer, spaced);
    if (id === undefined)
      throw new TercetError(
        'ERR_ARGUMENT',
        `the target ${quote(target)} is not one piece of the model's vocabulary`,
        'use a shorter or more common word',
      );
    return id;
  });
  return [...new Set(ids)];
}

/**
 * Ranks the pieces at each mask.
 *
 * logits (masks, V) row-major → one list for each mask, best first, of min(topK, pieces). Rows of a padded
 * vocabulary, which have no piece, take part in the softmax and are never listed. A command or an SDK that follows
 * transformers.js shows `lists[0]` when there is one mask.
 * @throws {TercetError} ERR_SHAPE, ERR_RANGE (not finite), ERR_ARGUMENT (topK).
 */
export function finishFillMask(
  logits: Float32Array,
  input: FillMaskInput,
  tokenizer: Tokenizer,
  topK: number,
): FillMaskPrediction[][] {
  checkTopK(topK);
  const { inputIds, rows, targetIds } = input;
  const V = vocabularyWidth(logits, rows.length, tokenizer);
  return rows.map((position, row) => {
    const scores = softmax(logits.subarray(row * V, (row + 1) * V));
    return best(scores, topK, tokenizer, targetIds?.[row]).map((tokenId) => ({
      token: tokenizer.decodeToken(tokenId),
      tokenId,
      score: scores[tokenId],
      sequence: tokenizer.decode(inputIds.with(position, tokenId)),
    }));
  });
}

function best(
  scores: Float64Array,
  topK: number,
  tokenizer: Tokenizer,
  targets: readonly number[] | undefined,
): number[] {
  if (targets === undefined) return topIndices(scores, topK, tokenizer.vocabSize);
  return targets.toSorted((a, b) => scores[b] - scores[a] || a - b).slice(0, topK);
}
