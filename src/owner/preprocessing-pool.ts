/**
 * What was made ahead of a text: at most one prepared run, for one shape of a run. It is taken once, replaced, or
 * thrown away: on request, in time, or when a link of it ends.
 */
import { abortedError } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import type { RunShape } from '../ml/models/run.ts';
import { Circuits } from '../session/circuits.ts';
import { type PreparedRun, type PrepareRunOptions, type Preparation, startPreparing } from './prepared-run.ts';
import type { RunContext } from './run-context.ts';
import type { Lease, RunPool } from './run-pool.ts';
import type { ProgressEvent } from './types/index.ts';

/** A prepared run is let go after so long: its parties keep memory, and a place, for it. */
export const PREPARED_FOR_MS = 5 * 60_000;

type Released = Extract<ProgressEvent, { readonly status: 'released' }>;

export class PreprocessingPool implements RunPool {
  readonly #context: RunContext;
  readonly #circuits = new Circuits();
  #prepared: Preparation | undefined;
  #age: ReturnType<typeof setTimeout> | undefined;

  constructor(context: RunContext) {
    this.#context = context;
  }

  /** Makes a prepared run for later, unless a fitting one is there. @param signal throws it away. */
  async prepare(shape: RunShape, signal: AbortSignal | undefined): Promise<void> {
    const prepared = this.#fitting(shape) ?? this.#renew(shape);
    const drop = () => this.#drop(prepared);
    signal?.addEventListener('abort', drop);
    if (signal?.aborted === true) drop();
    try {
      await prepared.run;
    } catch (error) {
      this.#drop(prepared);
      throw signal?.aborted === true ? abortedError() : error;
    } finally {
      signal?.removeEventListener('abort', drop);
    }
  }

  /** The prepared run if it fits and stands, else a new one. What does not fit is thrown away. */
  async take(shape: RunShape, signal: AbortSignal): Promise<Lease> {
    const fitting = this.#fitting(shape);
    const previous = this.#empty();
    if (fitting === undefined) previous?.drop().catch(() => undefined);
    else {
      try {
        return { prepared: await waited(fitting, signal), ahead: true };
      } catch (error) {
        if (signal.aborted) throw error;
      }
    }
    return this.fresh(shape, signal);
  }

  /** A prepared run that is made now. */
  async fresh(shape: RunShape, signal: AbortSignal): Promise<Lease> {
    return { prepared: await waited(this.#make(shape, false), signal), ahead: false };
  }

  async clear(): Promise<void> {
    await this.#empty()?.drop();
  }

  #fitting(shape: RunShape): Preparation | undefined {
    const prepared = this.#prepared;
    return prepared?.broken === false && serves(prepared.shape, shape) ? prepared : undefined;
  }

  #empty(): Preparation | undefined {
    clearTimeout(this.#age);
    const prepared = this.#prepared;
    this.#prepared = undefined;
    return prepared;
  }

  #renew(shape: RunShape): Preparation {
    this.#empty()
      ?.drop()
      .catch(() => undefined);
    const prepared: Preparation = this.#make(shape, true, () =>
      this.#release(prepared, { reason: 'lost', code: 'ERR_PEER_LET_GO' }),
    );
    this.#prepared = prepared;
    this.#age = setTimeout(() => this.#release(prepared, { reason: 'age' }), PREPARED_FOR_MS);
    // One that could not be made has told whoever waits for it.
    prepared.run.then(
      async ({ session }) => {
        const error = await session.ended;
        this.#release(
          prepared,
          error instanceof TercetError ? { reason: 'lost', code: error.code } : { reason: 'lost' },
        );
      },
      () => undefined,
    );
    return prepared;
  }

  /** Nobody asked for it: tells of it. Nothing of what was taken or replaced meanwhile. */
  #release(prepared: Preparation, why: Pick<Released, 'reason' | 'code'>): void {
    if (this.#prepared !== prepared) return;
    this.#drop(prepared);
    this.#context.onProgress({ status: 'released', length: prepared.shape.tokens, ...why });
  }

  #drop(prepared: Preparation): void {
    if (this.#prepared === prepared) this.#empty();
    prepared.drop().catch(() => undefined);
  }

  #make(shape: RunShape, ahead: boolean, onLetGo?: PrepareRunOptions['onLetGo']): Preparation {
    return startPreparing(this.#context, {
      shape,
      circuits: this.#circuits,
      ahead,
      onLetGo,
    });
  }
}

/**
 * Whether a prepared run of one shape can run what needs another: the same, but for tokens that nobody will ask
 * for.
 */
function serves(prepared: RunShape, wanted: RunShape): boolean {
  const { steps, ...rest } = wanted;
  return (
    prepared.steps >= steps && (Object.keys(rest) as (keyof typeof rest)[]).every((key) => prepared[key] === rest[key])
  );
}

/** Waits for a prepared run; an abort throws it away. */
export async function waited(prepared: Preparation, signal: AbortSignal): Promise<PreparedRun> {
  const drop = () => {
    prepared.drop().catch(() => undefined);
  };
  signal.addEventListener('abort', drop);
  if (signal.aborted) drop();
  try {
    return await prepared.run;
  } finally {
    signal.removeEventListener('abort', drop);
  }
}
