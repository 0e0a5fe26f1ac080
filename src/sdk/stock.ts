/** What was made ahead of a text: at most one attempt, for one shape of a run. It is taken once, replaced, or thrown away. */
import { abortedError } from '../core/abort.ts';
import { ownerParameters } from '../session/owner-parameters.ts';
import type { RequestShape } from '../session/request.ts';
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
  async prepare(shape: RequestShape, signal: AbortSignal | undefined): Promise<void> {
    const prepared = this.#fitting(shape) ?? this.#renew(shape);
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
  async take(shape: RequestShape, signal: AbortSignal): Promise<Taken> {
    const fitting = this.#fitting(shape);
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
    return this.fresh(shape, signal);
  }

  /** An attempt that is made now. */
  async fresh(shape: RequestShape, signal: AbortSignal): Promise<Taken> {
    return { attempt: await waited(this.#make(shape, false), signal), ahead: false };
  }

  async clear(): Promise<void> {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    await prepared?.drop();
  }

  #fitting(shape: RequestShape): Prepared | undefined {
    const prepared = this.#prepared;
    const fresh = this.#loaded.environment.now() - this.#preparedAt < PREPARED_FOR_MS;
    return fresh && prepared?.broken === false && serves(prepared.shape, shape) ? prepared : undefined;
  }

  #renew(shape: RequestShape): Prepared {
    this.#prepared?.drop().catch(() => undefined);
    const prepared = this.#make(shape, true);
    this.#prepared = prepared;
    this.#preparedAt = this.#loaded.environment.now();
    return prepared;
  }

  #drop(prepared: Prepared): void {
    if (this.#prepared === prepared) this.#prepared = undefined;
    prepared.drop().catch(() => undefined);
  }

  #make(shape: RequestShape, ahead: boolean): Prepared {
    const { environment, deployment, config, hash, protocol, weights, kernels, credential, options } = this.#loaded;
    const made: AttemptOptions = {
      environment,
      deployment,
      config,
      request: { model: hash, protocol, weights, ...shape },
      kernels,
      parameters: ownerParameters(config, credential?.seeds()),
      credential,
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

/** Whether an attempt of one shape can run what needs another: the same, but for tokens that nobody will ask for. */
export function serves(prepared: RequestShape, wanted: RequestShape): boolean {
  const { steps, ...rest } = wanted;
  return prepared.steps >= steps && (Object.keys(rest) as (keyof typeof rest)[]).every((key) => prepared[key] === rest[key]);
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
