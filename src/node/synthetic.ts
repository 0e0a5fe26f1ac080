/**
 * Inputs for random weights, which have no tokenizer: token indices spread over the vocabulary, as many as were
 * asked for.
 */
import { TercetError } from '../core/errors.ts';
import type { ModelConfig } from '../ml/config.ts';
import type { TaskInput } from '../ml/tasks/common.ts';
import type { PreparedTask, Task, TaskRequest } from './task.ts';

const HEAD_OF: Readonly<Record<Task, readonly ModelConfig['head'][]>> = {
  'fill-mask': ['masked-lm'],
  'text-classification': ['sequence-classification'],
  'zero-shot-classification': ['masked-lm', 'sequence-classification'],
  'question-answering': ['question-answering'],
  'token-classification': ['token-classification'],
  'text-generation': ['causal-lm'],
  'feature-extraction': ['none'],
};

/** New tokens of a synthetic generation, unless it says how many. */
const NEW_TOKENS = 8;

export function syntheticTask(
  { task, tokens = 0, sequences = 1, generation = {} }: TaskRequest,
  config: ModelConfig,
): PreparedTask {
  const smallest = config.head === 'causal-lm' ? 1 : 2;
  if (!Number.isInteger(tokens) || tokens < smallest || tokens > config.maxPositions) {
    throw new TercetError(
      'ERR_ARGUMENT',
      `--tokens must be from ${smallest} to ${config.maxPositions}`,
      'give for example --tokens 16',
    );
  }
  if (!HEAD_OF[task].includes(config.head)) {
    throw new TercetError(
      'ERR_MODEL_UNSUPPORTED',
      `the configuration is a ${config.architecture}`,
      'choose the task that it has',
    );
  }
  const golden = (Math.sqrt(5) - 1) / 2;
  const id = (i: number) => Math.floor(((i * golden) % 1) * config.vocabSize);
  const masked = config.head === 'masked-lm';
  const inputs: TaskInput[] = Array.from({ length: sequences }, (_, s) => ({
    inputIds: Array.from({ length: tokens }, (_id, i) => id(s * tokens + i)),
    rows: masked ? [tokens >> 1] : config.head === 'causal-lm' ? [tokens - 1] : [],
    ...(config.head === 'none' ? { pooling: 'mean' as const } : {}),
  }));
  const steps =
    config.head === 'causal-lm' ? Math.min(generation.maxNewTokens ?? NEW_TOKENS, config.maxPositions - tokens) - 1 : 0;
  return { inputs, steps, answers: () => inputs.map(() => ({})) };
}
