/** What was made ahead of a text: at most one attempt, for one length and number of blanks. It is taken once, replaced, or thrown away. */
import { abortedError } from '../core/abort.ts';
import { ownerParameters } from '../session/owner-parameters.ts';
import { type Attempt, type AttemptOptions, type Prepared, prepareAttempt } from './attempt.ts';
import type { Loaded } from './loaded.ts';

const TRANSPORT_TIMEOUT_MS = 5_000;
/** A prepared attempt is replaced after so long: its parties keep memory for it. */
const PREPARED_FOR_MS = 5 * 60_000;

/** An attempt for a run, and whether it was there before. */
export interface Taken {
  readonly attempt: Attempt;
  readonly ahead: boolean;
}

export class Stock {
  readonly #loaded: Loaded;
  #prepared: Prepared | undefined;
  #preparedAt = 0;

  constructor(loaded: Loaded) {
    this.#loaded = loaded;
  }

  /** Makes an attempt for later, unless a fitting one is there. @param signal throws it away. */
  async prepare(length: number, blanks: number, signal: AbortSignal | undefined): Promise<void> {
    const prepared = this.#fitting(length, blanks) ?? this.#renew(length, blanks);
    const drop = () => this.#drop(prepared);
    signal?.addEventListener('abort', drop);
    if (signal?.aborted === true) drop();
    try {
      await prepared.attempt;
    } catch (error) {
      this.#drop(prepared);
      throw signal?.aborted === true ? abortedError() : error;
    } finally {
      signal?.removeEventListener('abort', drop);
    }
  }

  /** The prepared attempt if it fits and stands, else a new one. What does not fit is thrown away. */
  async take(length: number, blanks: number, signal: AbortSignal): Promise<Taken> {
    const fitting = this.#fitting(length, blanks);
    const previous = this.#prepared;
    this.#prepared = undefined;
    if (fitting === undefined) previous?.drop().catch(() => undefined);
    else {
      try {
        return { attempt: await waited(fitting, signal), ahead: true };
      } catch (error) {
        if (signal.aborted) throw error;
      }
    }
    return this.fresh(length, blanks, signal);
  }

  /** An attempt that is made now. */
  async fresh(length: number, blanks: number, signal: AbortSignal): Promise<Taken> {
    return { attempt: await waited(this.#make(length, blanks, false), signal), ahead: false };
  }

  async clear(): Promise<void> {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    await prepared?.drop();
  }

  #fitting(length: number, blanks: number): Prepared | undefined {
    const prepared = this.#prepared;
    const fresh = this.#loaded.environment.now() - this.#preparedAt < PREPARED_FOR_MS;
    return fresh && prepared?.broken === false && prepared.length === length && prepared.blanks === blanks ? prepared : undefined;
  }

  #renew(length: number, blanks: number): Prepared {
    this.#prepared?.drop().catch(() => undefined);
    const prepared = this.#make(length, blanks, true);
    this.#prepared = prepared;
    this.#preparedAt = this.#loaded.environment.now();
    return prepared;
  }

  #drop(prepared: Prepared): void {
    if (this.#prepared === prepared) this.#prepared = undefined;
    prepared.drop().catch(() => undefined);
  }

  #make(length: number, blanks: number, ahead: boolean): Prepared {
    const { environment, deployment, config, hash, protocol, weights, kernels, seeds, options } = this.#loaded;
    const made: AttemptOptions = {
      environment,
      deployment,
      config,
      request: { model: hash, protocol, weights, tokens: length, masks: blanks, padded: true },
      kernels,
      parameters: ownerParameters(config, seeds),
      transport: options.transport ?? 'auto',
      transportTimeoutMs: options.transportTimeoutMs ?? TRANSPORT_TIMEOUT_MS,
      associations: options.associations ?? 1,
      ahead,
      onProgress: (event) => options.progress_callback?.(event),
      onFallback: (event) => options.onFallback?.(event),
    };
    return prepareAttempt(made);
  }
}

/** Waits for an attempt; an abort throws it away. */
async function waited(prepared: Prepared, signal: AbortSignal): Promise<Attempt> {
  const drop = () => {
    prepared.drop().catch(() => undefined);
  };
  signal.addEventListener('abort', drop);
  if (signal.aborted) drop();
  try {
    return await prepared.attempt;
  } finally {
    signal.removeEventListener('abort', drop);
  }
}
