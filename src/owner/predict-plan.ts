/**
 * One text's part of a run: what the parties compute for it, and what its outputs say. Both at the data owner
 * alone. Made whole, or refused, before anything is sent.
 */
import { type TaskInput, checkTopK } from '../ml/tasks/common.ts';
import { finishFillMask, prepareFillMask } from '../ml/tasks/fill-mask.ts';
import type { ModelContext } from './model-context.ts';
import type { PredictOptions, PredictResult } from './types/index.ts';

/** @typeParam R what is said of the text */
export interface TaskPlan<R> {
  /** One or more sequences of a run. */
  readonly inputs: readonly TaskInput[];
  /** Outputs of every input → the answer. */
  finish(outputs: readonly Float32Array[]): R;
}

export type TaskContext = Pick<ModelContext, 'tokenizer' | 'config'>;
export type Answered<R> = Omit<R, 'cost' | 'captured'>;

/** @throws {TercetError} what `prepareFillMask` throws; ERR_ARGUMENT for topK. */
export function planPredict(
  { tokenizer, config }: TaskContext,
  text: string,
  { topK = 5, targets }: PredictOptions,
): TaskPlan<Answered<PredictResult>> {
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
