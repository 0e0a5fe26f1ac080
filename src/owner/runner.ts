/**
 * Runs inputs at the parties: takes what was prepared or makes it, counts what it took, and lets go of everything
 * in the end, whatever the end.
 */
import { abortedError } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import type { TaskInput } from '../ml/tasks/common.ts';
import type { OwnerResult } from '../session/owner.ts';
import type { RequestShape } from '../session/request.ts';
import { outlineOf, outputsOf, ownerInputOf, shapeFor } from '../session/task-run.ts';
import type { PreparedRun } from './prepared-run.ts';
import { bucketFor } from './buckets.ts';
import { type Shown, capture } from './transcript.ts';
import { costOf } from './cost.ts';
import { type ModelContext, openDevice } from './model-context.ts';
import { PreprocessingPool } from './preprocessing-pool.ts';
import type { Captured, RunCost } from './types/index.ts';

export interface RunRequest<R> {
  readonly inputs: readonly TaskInput[];
  /** Tokens that may follow the first new one of a prompt. */
  readonly steps?: number;
  /** Milliseconds when the caller asked. */
  readonly start: number;
  readonly signal: AbortSignal | undefined;
  /**
   * From the outputs of every input to the answer, with more steps in between where there are any; `steps` collects
   * their results.
   */
  finish(outputs: readonly Float32Array[], run: PreparedRun, steps: OwnerResult[], signal: AbortSignal): R | Promise<R>;
}

export interface Finished<R> {
  readonly value: R;
  readonly cost: RunCost;
  readonly preparedRun: PreparedRun;
}

export class Runner {
  #loaded: ModelContext;
  #pool: PreprocessingPool;
  readonly #disposed = new AbortController();
  /** Links of runs that are over, until they are closed in good order. */
  readonly #closing = new Set<Promise<void>>();

  constructor(loaded: ModelContext) {
    this.#loaded = loaded;
    this.#pool = new PreprocessingPool(loaded);
  }

  get loaded(): ModelContext {
    return this.#loaded;
  }

  /** @throws {TercetError} ERR_STATE once it is disposed of. */
  alive(): void {
    if (this.#disposed.signal.aborted)
      throw new TercetError('ERR_STATE', 'the model was disposed of', 'load it again with fromPretrained');
  }

  async prepare(shape: RequestShape, signal: AbortSignal | undefined): Promise<void> {
    await this.#checkRoom(shape.sequences, shape.tokens);
    await this.#pool.prepare(shape, signal);
  }

  /** Lets go of what was prepared. */
  async release(): Promise<void> {
    await this.#pool.clear();
  }

  /** @throws {TercetError} ERR_TOO_MANY_TOKENS and ERR_ARGUMENT before anything is sent; what a run can end with. */
  async run<R>(work: RunRequest<R>): Promise<Finished<R>> {
    this.alive();
    try {
      return await this.#run(work);
    } catch (error) {
      // The device itself is asked: the error may speak of anything.
      if (this.#loaded.kernels.fault.failed && !this.#disposed.signal.aborted) await this.#reopen();
      throw error;
    }
  }

  /** What left this device in a run, for people who want to look. */
  capture(shown: Shown, { channels }: PreparedRun): Promise<Captured> {
    const { config, tokenizer, kernels } = this.#loaded;
    return capture(shown, config.vocabSize, tokenizer, kernels, channels);
  }

  async dispose(): Promise<void> {
    if (this.#disposed.signal.aborted) return;
    this.#disposed.abort();
    await this.#pool.clear();
    await Promise.allSettled(this.#closing);
    this.#loaded.credential?.wipe();
    await this.#loaded.kernels.close();
  }

  async #run<R>({ inputs, steps = 0, start, signal, finish }: RunRequest<R>): Promise<Finished<R>> {
    const { environment, config } = this.#loaded;
    const tokens = paddedTokens(this.#loaded, inputs, steps);
    await this.#checkRoom(inputs.length, tokens);
    const shape = shapeFor(config, outlineOf(config, inputs, { tokens, padded: true, steps }));
    const input = ownerInputOf(config, inputs, shape);
    for (const message of new Set(inputs.flatMap(({ notices = [] }) => [...notices]))) this.#loaded.notice(message);
    const either = AbortSignal.any([this.#disposed.signal, ...(signal === undefined ? [] : [signal])]);
    if (either.aborted) throw abortedError();
    let lease = await this.#pool.take(shape, either);
    try {
      let first: OwnerResult;
      try {
        first = await lease.prepared.run(input, either);
      } catch (error) {
        // The links of a prepared run that waited may have died meanwhile. As long as nothing left that depends on the
        // text, another one may be made. A party that gave the place away has computed nothing, so that run may
        // be replaced too; the new one has keys of its own.
        const letGo = error instanceof TercetError && error.code === 'ERR_PEER_LET_GO';
        if (!lease.ahead || (lease.prepared.spent && !letGo) || either.aborted) throw error;
        this.#finish(lease.prepared);
        lease = await this.#pool.fresh(shape, either);
        first = await lease.prepared.run(input, either);
      }
      const results = [first];
      const value = await finish(outputsOf(config, inputs, shape, first.logits), lease.prepared, results, either);
      const real = inputs.reduce((total, { inputIds }) => total + inputIds.length, 0);
      return { value, cost: costOf(real, lease, results, environment.now() - start), preparedRun: lease.prepared };
    } finally {
      this.#finish(lease.prepared);
    }
  }

  /** One sequence is always taken; what more would cost is loaded when it is asked. */
  async #checkRoom(sequences: number, tokens: number): Promise<void> {
    if (sequences > 1) (await import('./room.ts')).checkRoom(this.#loaded, sequences, tokens);
  }

  #finish(run: PreparedRun): void {
    run.finish();
    const { closed } = run;
    const done = () => this.#closing.delete(closed);
    this.#closing.add(closed);
    closed.then(done, done);
  }

  /**
   * A device that failed once fails for good. The next run gets another one, and prepared runs of its own; nothing of
   * this one is repeated.
   */
  async #reopen(): Promise<void> {
    await this.#pool.clear();
    await this.#loaded.kernels.close().catch(() => undefined);
    try {
      this.#loaded = { ...this.#loaded, ...(await openDevice(this.#loaded.options, this.#loaded.environment)) };
      this.#pool = new PreprocessingPool(this.#loaded);
    } catch {
      // The next run says why there is no device.
    }
  }
}

/** What all inputs of a run are padded to. @throws {TercetError} ERR_TOO_MANY_TOKENS */
export function paddedTokens({ buckets }: ModelContext, inputs: readonly TaskInput[], steps: number): number {
  const longest = Math.max(...inputs.map(({ inputIds }) => inputIds.length));
  const tokens = bucketFor(buckets, longest, steps);
  if (tokens !== undefined) return tokens;
  const behind = steps === 0 ? '' : `, and ${steps} more are to follow`;
  throw new TercetError(
    'ERR_TOO_MANY_TOKENS',
    `the text has ${longest} tokens${behind}; a run has ${buckets.at(-1) ?? 0} positions`,
    'shorten it or split it',
  );
}
