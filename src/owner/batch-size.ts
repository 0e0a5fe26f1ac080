/** How many texts of a batch one run may have. */
import { TercetError } from '../core/errors.ts';
import { MAX_SEQUENCES } from '../session/request.ts';

export const DEFAULT_BATCH = 8;

/** @throws {TercetError} ERR_ARGUMENT unless it is an integer from 1 to 256. */
export function checkBatchSize(size: number): number {
  if (Number.isSafeInteger(size) && size >= 1 && size <= MAX_SEQUENCES) return size;
  throw new TercetError(
    'ERR_ARGUMENT',
    `batchSize expected an integer from 1 to ${MAX_SEQUENCES}`,
    `leave it out for ${DEFAULT_BATCH}`,
  );
}
