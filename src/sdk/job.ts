/**
 * One text's part of a run: what the parties compute for it, and what its outputs say. Both at the data owner
 * alone. Made whole, or refused, before anything is sent.
 */
import { type TaskInput, checkTopK } from '../ml/tasks/common.ts';
import { finishFillMask, prepareFillMask } from '../ml/tasks/fill-mask.ts';
import type { Loaded } from './loaded.ts';
import type { PredictOptions, PredictResult } from './types.ts';

/** @typeParam R what is said of the text */
export interface Job<R> {
  /** One or more sequences of a run. */
  readonly inputs: readonly TaskInput[];
  /** Outputs of every input → the answer. */
  finish(outputs: readonly Float32Array[]): R;
}

export type Known = Pick<Loaded, 'tokenizer' | 'config'>;
export type Answered<R> = Omit<R, 'cost' | 'captured'>;

/** @throws {TercetError} what `prepareFillMask` throws; ERR_ARGUMENT for topK. */
export function predictJob(
  { tokenizer, config }: Known,
  text: string,
  { topK = 5, targets }: PredictOptions,
): Job<Answered<PredictResult>> {
  checkTopK(topK);
  const input = prepareFillMask(text, tokenizer, config, { targets });
  return {
    inputs: [input],
    finish: ([logits]) => {
      const blanks = finishFillMask(logits, input, tokenizer, topK).map((list) =>
        list.map(({ token, tokenId, score, sequence }) => ({
          token,
          token_str: tokenizer.decode([tokenId]),
          token_id: tokenId,
          score,
          sequence,
        })),
      );
      return { predictions: blanks[0], blanks };
    },
  };
}
