/** From the checked inputs of a task to what the parties run, and from its outputs back to those of every input. */
import { TercetError } from '../core/errors.ts';
import type { ModelConfig } from '../ml/config.ts';
import { type RunShape, outputShape } from '../ml/models/run.ts';
import type { TaskInput } from '../ml/tasks/common.ts';
import type { OwnerInput, RowChoice } from './inputs.ts';
import type { RequestShape } from './request.ts';

/**
 * What is public of a run before there is a text, enough to prepare for it: a shape whose `rows` counts secret rows
 * where the head needs them, masks or pooled vectors.
 */
export type RunOutline = RunShape;

/** The request's shape for an outline, by the model's head. */
export function shapeFor(
  config: ModelConfig,
  { sequences, tokens, rows, padded, pair, steps }: RunOutline,
): RequestShape {
  const chosen = { 'masked-lm': Math.max(1, rows), 'causal-lm': padded ? 1 : 0, none: rows } as const;
  const { head } = config;
  return {
    sequences,
    tokens,
    rows: head === 'masked-lm' || head === 'causal-lm' || head === 'none' ? chosen[head] : 0,
    padded,
    pair: pair && config.typeVocabSize >= 2,
    steps: head === 'causal-lm' ? steps : 0,
  };
}

/** How many secret rows an input has. */
function rowsOf(config: ModelConfig, input: TaskInput): RowChoice[] {
  if (config.head === 'masked-lm') return [...input.rows];
  if (config.head !== 'none' || (input.pooling ?? 'none') === 'none') return [];
  return [input.pooling === 'mean' ? 'mean' : 0];
}

/** What inputs of a task need. `tokens` is at least the longest; a question always counts as a pair. */
export function outlineOf(
  config: ModelConfig,
  inputs: readonly TaskInput[],
  options: Pick<RunOutline, 'tokens' | 'padded'> & { readonly steps?: number },
): RunOutline {
  return {
    sequences: inputs.length,
    rows: Math.max(...inputs.map((input) => rowsOf(config, input).length)),
    pair: config.head === 'question-answering' || inputs.some(({ typeIds }) => typeIds !== undefined),
    steps: options.steps ?? 0,
    tokens: options.tokens,
    padded: options.padded,
  };
}

/**
 * The inputs as sequences of one shape: fewer masks than the shape has are filled up with the first one, whose
 * answer then comes twice.
 */
export function ownerInputOf(
  config: ModelConfig,
  inputs: readonly TaskInput[],
  { rows, padded }: RequestShape,
): OwnerInput {
  return {
    sequences: inputs.map((input) => {
      const own = config.head === 'causal-lm' && padded ? [input.inputIds.length - 1] : rowsOf(config, input);
      const filled = Array.from({ length: rows }, (_, i) => own[i] ?? own[0] ?? 0);
      return { inputIds: input.inputIds, typeIds: input.typeIds, rows: filled };
    }),
  };
}

/**
 * Outputs of a run → those of every input, without the rows of padding and of filling.
 * @throws {TercetError} ERR_SHAPE
 */
export function outputsOf(
  config: ModelConfig,
  inputs: readonly TaskInput[],
  shape: RequestShape,
  outputs: Float32Array,
): Float32Array[] {
  const { rows, width } = outputShape({ config, ...shape });
  if (outputs.length !== rows * width)
    throw new TercetError(
      'ERR_SHAPE',
      `got ${outputs.length} outputs, expected ${rows * width}`,
      'this is a bug in Tercet, please report it',
    );
  const perSequence = rows / shape.sequences;
  return inputs.map((input, i) => {
    const perText =
      config.head === 'question-answering' ||
      config.head === 'token-classification' ||
      (config.head === 'none' && shape.rows === 0);
    const own = perText ? input.inputIds.length : Math.max(1, rowsOf(config, input).length);
    return outputs.slice(i * perSequence * width, (i * perSequence + own) * width);
  });
}
