/**
 * Several texts in one run: checked before anything leaves, padded to one length, and their outputs told apart
 * again.
 */

import { TercetError } from '../../core/errors.ts';
import type { TaskInput } from './common.ts';

export interface Batch<Input extends TaskInput> {
  /** What every sequence is padded to by the session. */
  readonly tokens: number;
  /** Not padded, in the order given. */
  readonly sequences: readonly Input[];
}

/**
 * Prepares each of several things; when one is refused, nothing is returned, and the error says which.
 * @throws {TercetError} ERR_ARGUMENT for an empty list; what `prepare` throws, its message led by `text 3 of 8:`
 * (counted from 1).
 */
export function prepareEach<Item, Prepared>(
  items: readonly Item[],
  prepare: (item: Item, index: number) => Prepared,
): Prepared[] {
  if (!Array.isArray(items) || items.length === 0) throw emptyBatch();
  return Array.from(items, (item, index) => {
    try {
      return prepare(item, index);
    } catch (error) {
      if (!(error instanceof TercetError)) throw error;
      const options = { cause: error.cause, party: error.party };
      throw new TercetError(error.code, `text ${index + 1} of ${items.length}: ${error.message}`, error.hint, options);
    }
  });
}

/**
 * Puts inputs of any lengths into the smallest bucket that holds the longest.
 * @param buckets lengths, ascending, the last one the model's maximum
 * @throws {TercetError} ERR_ARGUMENT for no input; ERR_TOO_MANY_TOKENS, naming it, when one fits no bucket.
 */
export function batchOf<Input extends TaskInput>(
  sequences: readonly Input[],
  buckets: readonly number[],
): Batch<Input> {
  if (sequences.length === 0) throw emptyBatch();
  const lengths = sequences.map(({ inputIds }) => inputIds.length);
  const longest = Math.max(...lengths);
  const tokens = buckets.find((length) => length >= longest);
  if (tokens === undefined) {
    const where = `text ${lengths.indexOf(longest) + 1} of ${lengths.length}`;
    throw new TercetError(
      'ERR_TOO_MANY_TOKENS',
      `${where} has ${longest} tokens, and the longest run takes ${buckets.at(-1) ?? 0}`,
      'shorten it or split it',
    );
  }
  return { tokens, sequences };
}

/**
 * Cuts a list into parts of at most `size`, in order.
 * @throws {TercetError} ERR_ARGUMENT unless size is a positive integer.
 */
export function inParts<Item>(list: readonly Item[], size: number): Item[][] {
  if (!Number.isSafeInteger(size) || size < 1)
    throw new TercetError('ERR_ARGUMENT', 'the batch size is not a positive integer', 'give for example 8');
  return Array.from({ length: Math.ceil(list.length / size) }, (_, part) => list.slice(part * size, (part + 1) * size));
}

/**
 * Outputs of a batch, one sequence after the other, each with `width` values for every row that it reads (one row
 * where it names none) → one view for each sequence.
 * @throws {TercetError} ERR_SHAPE
 */
export function splitOutputs(outputs: Float32Array, { sequences }: Batch<TaskInput>, width: number): Float32Array[] {
  let at = 0;
  const parts = sequences.map(({ rows }) => {
    const from = at;
    at += Math.max(1, rows.length) * width;
    return outputs.subarray(from, at);
  });
  if (at !== outputs.length)
    throw new TercetError(
      'ERR_SHAPE',
      `got ${outputs.length} outputs of a batch, expected ${at}`,
      'this is a bug in Tercet, please report it',
    );
  return parts;
}

function emptyBatch(): TercetError {
  return new TercetError('ERR_ARGUMENT', 'there is no text in the batch', 'give a list of one or more texts');
}
