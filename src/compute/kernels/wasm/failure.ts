/**
 * What a kernel of this backend failed with: want of memory, which is the call's, or a trap, after which the
 * instance is not trusted any more.
 */
import { TercetError } from '../../../core/errors.ts';

/**
 * Anything thrown inside an operation, as one of our errors: ERR_DEVICE_MEMORY fails the call alone (operands are
 * copied before and wiped after every operation, so nothing is left half done), ERR_KERNEL the instance. Of a
 * failure of the engine only the name is kept: its message is not ours to vouch for.
 */
export function kernelFailure(error: unknown): TercetError {
  if (error instanceof TercetError) return error;
  // A stack that is used up may have left a kernel in the middle.
  if (error instanceof RangeError && !/call stack/i.test(error.message)) return noMemory(error);
  return new TercetError(
    'ERR_KERNEL',
    `a kernel failed: ${error instanceof Error ? error.name : 'failure'}`,
    'start the backend again',
    { cause: error },
  );
}

export function noMemory(cause: unknown): TercetError {
  return new TercetError(
    'ERR_DEVICE_MEMORY',
    'no memory left for the kernels',
    'use more threads, shorter inputs or a smaller model',
    { cause },
  );
}
