/** How many texts of a batch one run may have. */
import { TercetError } from '../core/errors.ts';
import { MAX_SEQUENCES } from '../session/request.ts';

export const DEFAULT_BATCH = 8;
/** As many as a run may have at all; the parties may take fewer of long ones. */
export const MAX_BATCH = MAX_SEQUENCES;

/** @throws {TercetError} ERR_ARGUMENT unless it is an integer from 1 to 256. */
export function checkBatchSize(size: number): number {
  if (Number.isSafeInteger(size) && size >= 1 && size <= MAX_BATCH) return size;
  throw new TercetError(
    'ERR_ARGUMENT',
    `batchSize expected an integer from 1 to ${MAX_BATCH}`,
    `leave it out for ${DEFAULT_BATCH}`,
  );
}
