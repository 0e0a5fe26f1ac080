/**
 * The failure of a backend, once and for all: the first one is kept, everything that waits is rejected with it, and
 * every later call throws it.
 *
 * Only what ends the backend for everybody is raised here: a lost device, a worker that stopped, an instance that
 * trapped. A call that is refused, or for which there is no room, fails alone. Whoever decides about a process
 * looks at this object and never at the code of an error, which may come from anywhere. Nothing is retried. A round
 * of the protocol that was lost half-way must never run again with the same masks, so the execution ends with the
 * device.
 */
import type { TercetError } from '../../core/errors.ts';

export class Fault {
  #error: TercetError | undefined;
  readonly #waiting = new Set<(error: TercetError) => void>();

  /** Throws the failure, if there was one. */
  check(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  /** The failure, if there was one. */
  get error(): TercetError | undefined {
    return this.#error;
  }

  get failed(): boolean {
    return this.#error !== undefined;
  }

  raise(error: TercetError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const tell of waiting) tell(error);
  }

  /** Has `tell` called when the backend fails (at once if it has). Returns how to stop that. */
  watch(tell: (error: TercetError) => void): () => void {
    if (this.#error !== undefined) tell(this.#error);
    else this.#waiting.add(tell);
    return () => this.#waiting.delete(tell);
  }
}
