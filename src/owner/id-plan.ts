/** Runs on token ids alone: for models that have no tokenizer, as random weights do. */
import type { ModelConfig } from '../ml/config.ts';
import type { TaskInput } from '../ml/tasks/common.ts';
import { greedyDecoder } from './decoder.ts';
import type { TaskPlan } from './predict-plan.ts';
import type { TaskAnswer } from './task-plans.ts';

/** New tokens of a sequence that goes on, unless it is said how many. */
const NEW_TOKENS = 8;

/**
 * One run for sequences of ids. The head reads what it would of a text: of a masked model the middle position, of a
 * causal one the last and greedily what follows, of one without a head the mean. Its outputs say nothing: an empty
 * answer for each.
 * @param newTokens of a causal model (default 8), as far as it has positions
 */
export function planIds(
  { head, maxPositions }: ModelConfig,
  sequences: readonly (readonly number[])[],
  { newTokens = NEW_TOKENS }: { readonly newTokens?: number | undefined } = {},
): TaskPlan<TaskAnswer[]> {
  const inputs = sequences.map((inputIds): TaskInput => {
    const { length } = inputIds;
    const rows = head === 'masked-lm' ? [length >> 1] : head === 'causal-lm' ? [length - 1] : [];
    return { inputIds, rows, pooling: head === 'none' ? 'mean' : undefined };
  });
  const longest = Math.max(...sequences.map(({ length }) => length));
  const decoder =
    head === 'causal-lm' ? greedyDecoder(Math.max(1, Math.min(newTokens, maxPositions - longest))) : undefined;
  return { inputs, decoder, finish: () => inputs.map(() => ({})) };
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Ids that are spread over the vocabulary, the same for the same numbers. */
export function spreadIds({ vocabSize }: ModelConfig, tokens: number, sequences: number): number[][] {
  const id = (i: number) => Math.floor(((i * GOLDEN) % 1) * vocabSize);
  return Array.from({ length: sequences }, (_, s) => Array.from({ length: tokens }, (_id, i) => id(s * tokens + i)));
}
