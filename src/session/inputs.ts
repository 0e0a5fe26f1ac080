/**
 * What the owner's texts become: the shape of a run, and the private inputs of its circuit. Padding is added here,
 * behind the text, and marked as such. And back: whose the opened outputs are.
 */
import { type Words, wordsFrom } from '../compute/ring.ts';
import { TercetError, invariant } from '../core/errors.ts';
import type { ModelConfig } from '../ml/config.ts';
import { POSITIONS, REAL_BITS, REAL_WORDS, ROWS, type RunShape, TOKENS, TYPES, outputShape } from '../ml/models/run.ts';
import type { TaskInput } from '../ml/tasks/common.ts';
import type { Inputs } from '../mpc/protocol/types.ts';
import { shapeFor } from './request.ts';

/** A token behind the prompt, and how many came before it: both known to P0 alone. */
export interface StepInput {
  readonly tokenId: number;
  readonly position: number;
}

/** The shape of one run for all these inputs. `tokens` is at least the longest; a question always counts as a pair. */
export function shapeOf(
  config: ModelConfig,
  inputs: readonly TaskInput[],
  { tokens, padded, steps }: Pick<RunShape, 'tokens' | 'padded' | 'steps'>,
): RunShape {
  return shapeFor(config, {
    sequences: inputs.length,
    tokens,
    secretRows: Math.max(...inputs.map((input) => secretRowsOf(config, input).length)),
    padded,
    pair: config.head === 'question-answering' || inputs.some(({ typeIds }) => typeIds !== undefined),
    steps,
  });
}

/**
 * The rows of an input whose places the owner alone knows. Without a head place t stands for the mean of the positions
 * up to t (`chosenRows`): the last one for that of the text, and 0 for the first position.
 */
function secretRowsOf({ head }: ModelConfig, { inputIds, rows, pooling = 'none' }: TaskInput): readonly number[] {
  if (head === 'masked-lm') return rows;
  if (head !== 'none' || pooling === 'none') return [];
  return [pooling === 'mean' ? inputIds.length - 1 : 0];
}

/** Any index of the vocabulary will do: nothing attends to padding, and its rows are not read. */
const PADDING = 0;

/**
 * The rows of an input that the shape has: fewer masks are filled up with the first one, whose answer then comes
 * twice.
 */
function filledRows(config: ModelConfig, input: TaskInput, { rows, padded }: RunShape): number[] {
  const { length } = input.inputIds;
  const own = config.head === 'causal-lm' && padded ? [length - 1] : secretRowsOf(config, input);
  invariant(own.length <= rows, 'a text has more rows than the prepared shape');
  const filled = Array.from({ length: rows }, (_, i) => own[i] ?? own[0] ?? 0);
  invariant(
    filled.every((row) => row >= 0 && row < length),
    'a row lies outside its text',
  );
  return filled;
}

function realInputs(real: readonly number[]): Record<string, Words> {
  return { [REAL_BITS]: wordsFrom(real, 1), [REAL_WORDS]: wordsFrom(real, 8) };
}

/** Inputs of the first step: every text one sequence. */
export function ownerInputs(texts: readonly TaskInput[], shape: RunShape, config: ModelConfig): Inputs {
  const { tokens, padded, pair } = shape;
  invariant(texts.length === shape.sequences, 'the texts do not fit the prepared shapes');
  for (const { inputIds } of texts) {
    const { length } = inputIds;
    invariant(length > 0 && (padded ? length <= tokens : length === tokens), 'a text does not fit the prepared shapes');
  }
  const everyPosition = <T>(value: (text: TaskInput, t: number) => T) =>
    texts.flatMap((text) => Array.from({ length: tokens }, (_, t) => value(text, t)));
  const tensors: Record<string, Words> = padded
    ? realInputs(everyPosition(({ inputIds }, t) => (t < inputIds.length ? 1 : 0)))
    : {};
  const rows = texts.map((text) => filledRows(config, text, shape));
  if (shape.rows > 0) {
    const units = rows.flat().flatMap((row) => Array.from({ length: tokens }, (_, t) => (t === row ? 1 : 0)));
    tensors[ROWS] = wordsFrom(units, 64);
  }
  if (pair)
    tensors[TYPES] = wordsFrom(
      everyPosition(({ typeIds }, t) => typeIds?.[t] ?? 0),
      64,
    );
  const indices: Record<string, readonly number[]> = {
    [TOKENS]: everyPosition(({ inputIds }, t) => inputIds[t] ?? PADDING),
  };
  if (config.modelType === 'gpt2') indices[POSITIONS] = everyPosition((_text, t) => t);
  return { tensors, indices };
}

/** Inputs of step s ≥ 1 behind a prompt of `length` tokens. */
export function stepInputs(
  { tokenId, position }: StepInput,
  { tokens, padded }: RunShape,
  length: number,
  step: number,
): Inputs {
  const real = Array.from({ length: tokens + step }, (_, t) => (t < length || t >= tokens ? 1 : 0));
  return { tensors: padded ? realInputs(real) : {}, indices: { [TOKENS]: [tokenId], [POSITIONS]: [position] } };
}

/**
 * Outputs of a run → those of every input, without the rows of padding and of filling.
 * @throws {TercetError} ERR_SHAPE
 */
export function outputsOf(
  config: ModelConfig,
  inputs: readonly TaskInput[],
  shape: RunShape,
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
    const perText = shape.rows === 0 && perSequence === shape.tokens;
    const own = perText ? input.inputIds.length : Math.max(1, secretRowsOf(config, input).length);
    return outputs.slice(i * perSequence * width, (i * perSequence + own) * width);
  });
}
