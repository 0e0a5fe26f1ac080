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

/**
 * What `tokens` are padded to: the smallest bucket that holds them, cut where the model has no positions left for
 * the `steps` behind it. Both are public, so the cut says nothing more of the text. Undefined when they do not fit.
 */
export function bucketFor(buckets: readonly number[], tokens: number, steps = 0): number | undefined {
  const bucket = buckets.find((length) => length >= tokens);
  if (bucket === undefined) return undefined;
  const cut = Math.min(bucket, (buckets.at(-1) ?? 0) - steps);
  return cut >= tokens ? cut : undefined;
}
