/**
 * One text's part of a run: what the parties compute for it, and what its outputs say. Both at the data owner
 * alone. Made whole, or refused, before anything is sent. Names and heads of tasks: `ml/tasks/table.ts`.
 */
import { type TaskInput, checkTopK } from '../ml/tasks/common.ts';
import { finishFillMask, prepareFillMask } from '../ml/tasks/fill-mask.ts';
import type { Decoder } from './decoder.ts';
import type { TextContext } from './text-context.ts';
import type { PredictOptions, PredictResult } from './types/index.ts';

/** @typeParam R what is said of the text */
export interface TaskPlan<R> {
  /** One or more sequences of a run. */
  readonly inputs: readonly TaskInput[];
  /** Of a text that goes on: chooses its tokens. Its only input is the prompt. */
  readonly decoder?: Decoder | undefined;
  /** Outputs of every input → the answer. */
  finish(outputs: readonly Float32Array[]): R;
}

/** What the owner should know of how the texts were read, each once. */
export function noticesOf({ inputs }: TaskPlan<unknown>): string[] {
  return [...new Set(inputs.flatMap(({ notices = [] }) => [...notices]))];
}

/** Several plans as one run. */
export function joinPlans<R>(plans: readonly TaskPlan<R>[]): TaskPlan<R[]> {
  return {
    inputs: plans.flatMap(({ inputs }) => [...inputs]),
    decoder: plans.length === 1 ? plans[0].decoder : undefined,
    finish(outputs) {
      let at = 0;
      return plans.map((plan) => {
        const from = at;
        at += plan.inputs.length;
        return plan.finish(outputs.slice(from, at));
      });
    },
  };
}

export type TaskContext = Pick<TextContext, 'tokenizer' | 'config'>;
export type Answered<R> = Omit<R, 'cost' | 'captured'>;
/** Options of which any may be left out or undefined. */
export type Given<Options> = { readonly [Name in keyof Options]?: Options[Name] | undefined };

/** @throws {TercetError} what `prepareFillMask` throws; ERR_ARGUMENT for topK. */
export function planPredict(
  { tokenizer, config }: TaskContext,
  text: string,
  { topK = 5, targets }: Given<PredictOptions>,
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
