/** Cancelling: one error for it, and a wait that ends with the signal. */
import { TercetError } from './errors.ts';

export function abortedError(): TercetError {
  return new TercetError('ERR_ABORTED', 'the run was cancelled', 'start it again; nothing of this attempt is reused');
}

/** Waits for `work`, or rejects with ERR_ABORTED as soon as the signal fires. Leaves no listener behind. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(abortedError());
  });
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Resolves after `ms` milliseconds; rejects with ERR_ABORTED as soon as the signal fires, and leaves no timer
 * behind.
 */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const pause = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await (signal === undefined ? pause : unlessAborted(signal, pause));
  } finally {
    clearTimeout(timer);
  }
}

/** Things to undo at the end of a run, whatever its end: last made, first undone. */
export class Cleanup {
  readonly #steps: (() => unknown)[] = [];

  /** Remembers how to undo something, and returns it. */
  add<T>(thing: T, undo: (thing: T) => unknown): T {
    this.#steps.push(() => undo(thing));
    return thing;
  }

  /** Undoes everything, also when one step fails; the first failure is thrown at the end. */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.#steps.reverse()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    this.#steps.length = 0;
    if (failures.length > 0) throw failures[0];
  }
}
