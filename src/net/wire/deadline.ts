/** Waiting for something of the network: for a stated time at most, and no longer than the caller wants it. */
import { abortedError } from '../../core/abort.ts';
import { TercetError } from '../../core/errors.ts';
import { startTimer } from '../../core/event-loop.ts';

export interface Limits {
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
  /** The error at the time-out. */
  readonly late: () => Error;
  /** Ends the work when nobody waits for it any more. */
  readonly undo: () => void;
}

/**
 * Settles like `work`, or rejects at the time-out or the signal after `undo`. Leaves no timer and no listener
 * behind.
 */
export function within<T>(work: Promise<T>, { ms, signal, late, undo }: Limits): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const giveUp = (error: Error): void => {
      settle();
      reject(error);
      undo();
    };
    const onAbort = (): void => giveUp(signal?.reason instanceof TercetError ? signal.reason : abortedError());
    const timer = startTimer(ms, () => giveUp(late()));
    signal?.addEventListener('abort', onAbort);
    work.then(
      (value) => {
        settle();
        resolve(value);
      },
      (error: Error) => {
        settle();
        reject(error);
      },
    );
    if (signal?.aborted) onAbort();
  });
}
