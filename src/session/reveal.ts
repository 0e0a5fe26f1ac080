/**
 * The one door out of secrecy: opened output words become numbers here and nowhere else. Only P0's engine opens any
 * (mpc/protocol/semi-honest/io.ts).
 */
import { decodeFixed } from '../compute/fixed-point.ts';
import type { Words } from '../compute/ring.ts';
import { TercetError } from '../core/errors.ts';
import { LOGITS, OUTPUT_FORM, OUTSIDE } from '../ml/models/run.ts';
import type { WeightMode } from './request.ts';

/**
 * Logits as floats: error of the opening itself at most 2^-16 with open weights, 2^-10 with secret ones.
 * @throws {TercetError} ERR_STATE at a party that does not own the output.
 */
export function revealLogits(opened: ReadonlyMap<string, Words>, weights: WeightMode): Float32Array {
  const words = opened.get(LOGITS);
  if (words === undefined)
    throw new TercetError('ERR_STATE', 'this party does not open the output', 'only the data owner learns the answer');
  return Float32Array.from(decodeFixed(words, OUTPUT_FORM[weights].scale));
}

/**
 * The sequences, counted from 0, in which a value left its domain; their outputs mean nothing. None where the plan
 * checks nothing.
 */
export function revealOutside(opened: ReadonlyMap<string, Words>): readonly number[] {
  const words = opened.get(OUTSIDE);
  return words === undefined
    ? []
    : Array.from({ length: words.data.length }, (_, i) => i).filter((i) => Number(words.data[i]) !== 0);
}

/**
 * What the owner gets in place of an answer.
 * @param outside sequences, counted from 0 @param sequences of the run @param step 0 for the texts, then the tokens
 * behind a prompt
 */
export function rangeExceeded(outside: readonly number[], sequences: number, step: number): TercetError {
  const which =
    outside.length === sequences
      ? sequences === 1
        ? 'the text'
        : 'every text'
      : `text ${outside.map((i) => i + 1).join(', ')} of ${sequences}`;
  const where = step === 0 ? which : `the text with ${step} new ${step === 1 ? 'token' : 'tokens'}`;
  return new TercetError(
    'ERR_RANGE_EXCEEDED',
    `${where} left the ranges that the model was planned for, so there is no answer`,
    'shorten or reword the text, or have both compute parties serve the model with --ranges wide',
  );
}
