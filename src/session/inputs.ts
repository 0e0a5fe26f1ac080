/**
 * What the owner's texts become: the private inputs of a circuit. Padding is added here, behind the text, and
 * marked as such.
 */
import { type Words, wordsFrom } from '../compute/ring.ts';
import { invariant } from '../core/errors.ts';
import type { ModelConfig } from '../ml/config.ts';
import { POSITIONS, REAL_BITS, REAL_WORDS, ROWS, TOKENS, TYPES, rowScale } from '../ml/models/run.ts';
import type { Inputs } from '../mpc/protocol/types.ts';
import type { RequestShape } from './request.ts';

/** A row that the head reads: that of one position, or the mean of all positions of the text. */
export type RowChoice = number | 'mean';

/** One text, or two as one sequence. */
export interface OwnerSequence {
  readonly inputIds: readonly number[];
  /** Token types, where the model has them and the request says `pair`. */
  readonly typeIds?: readonly number[] | undefined;
  /** As many as the request says. */
  readonly rows: readonly RowChoice[];
}

/** The texts of a run. */
export interface OwnerInput {
  readonly sequences: readonly OwnerSequence[];
}

/** A token behind the prompt, and how many came before it: both known to P0 alone. */
export interface StepInput {
  readonly tokenId: number;
  readonly position: number;
}

/** Any index of the vocabulary will do: nothing attends to padding, and its rows are not read. */
const PADDING = 0;

/** Weights of a row over the positions, at the scale of `ROWS`. */
function rowWeights(row: RowChoice, length: number, tokens: number, scale: number): number[] {
  const one = 2 ** scale;
  return Array.from({ length: tokens }, (_, t) => {
    if (row === 'mean') return t < length ? Math.round(one / length) : 0;
    return t === row ? one : 0;
  });
}

function realInputs(real: readonly number[]): Record<string, Words> {
  return { [REAL_BITS]: wordsFrom(real, 1), [REAL_WORDS]: wordsFrom(real, 8) };
}

/** Inputs of the first step. */
export function ownerInputs({ sequences }: OwnerInput, shape: RequestShape, config: ModelConfig): Inputs {
  const { tokens, padded, pair } = shape;
  invariant(sequences.length === shape.sequences, 'the texts do not fit the prepared shapes');
  for (const { inputIds, rows } of sequences) {
    const { length } = inputIds;
    const fits = padded ? length <= tokens : length === tokens;
    invariant(fits && length > 0 && rows.length === shape.rows, 'a text does not fit the prepared shapes');
    invariant(
      rows.every((row) => row === 'mean' || (row >= 0 && row < length)),
      'a row lies outside its text',
    );
  }
  const everyPosition = <T>(value: (sequence: OwnerSequence, t: number) => T) =>
    sequences.flatMap((sequence) => Array.from({ length: tokens }, (_, t) => value(sequence, t)));
  const tensors: Record<string, Words> = padded
    ? realInputs(everyPosition(({ inputIds }, t) => (t < inputIds.length ? 1 : 0)))
    : {};
  if (shape.rows > 0) {
    const scale = rowScale(config);
    const weights = sequences.flatMap(({ rows, inputIds }) =>
      rows.flatMap((row) => rowWeights(row, inputIds.length, tokens, scale)),
    );
    tensors[ROWS] = wordsFrom(weights, 64);
  }
  if (pair)
    tensors[TYPES] = wordsFrom(
      everyPosition(({ typeIds }, t) => typeIds?.[t] ?? 0),
      64,
    );
  const indices: Record<string, readonly number[]> = {
    [TOKENS]: everyPosition(({ inputIds }, t) => inputIds[t] ?? PADDING),
  };
  if (config.modelType === 'gpt2') indices[POSITIONS] = everyPosition((_sequence, t) => t);
  return { tensors, indices };
}

/** Inputs of step s ≥ 1 behind a prompt of `length` tokens. */
export function stepInputs(
  { tokenId, position }: StepInput,
  { tokens, padded }: RequestShape,
  length: number,
  step: number,
): Inputs {
  const real = Array.from({ length: tokens + step }, (_, t) => (t < length || t >= tokens ? 1 : 0));
  return { tensors: padded ? realInputs(real) : {}, indices: { [TOKENS]: [tokenId], [POSITIONS]: [position] } };
}
