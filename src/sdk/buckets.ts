/** Lengths that texts are padded to: what the compute parties learn of a text's length. */
import { TercetError } from '../core/errors.ts';

const DEFAULT: readonly number[] = [16, 32, 64, 128];

/** The buckets of a model, ascending, the last one its maximum. @throws {TercetError} ERR_ARGUMENT */
export function bucketsOf(wanted: readonly number[] | undefined, maxTokens: number): readonly number[] {
  const given = wanted ?? DEFAULT;
  if (!given.every((length) => Number.isSafeInteger(length) && length >= 2)) {
    throw new TercetError('ERR_ARGUMENT', 'buckets expected whole numbers from 2', 'for example [16, 32, 64, 128]');
  }
  const below = [...new Set(given)].filter((length) => length < maxTokens).sort((a, b) => a - b);
  return [...below, maxTokens];
}

/** The smallest bucket that holds `tokens`, or undefined when none does. */
export function bucketFor(buckets: readonly number[], tokens: number): number | undefined {
  return buckets.find((length) => length >= tokens);
}
