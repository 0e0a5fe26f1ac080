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
import type { Attempt } from './attempt.ts';
import { bucketFor } from './buckets.ts';
import { type Shown, capture } from './captured.ts';
import { costOf } from './cost.ts';
import { type Loaded, openDevice } from './loaded.ts';
import { Stock } from './stock.ts';
import type { Captured, RunCost } from './types.ts';

export interface Work<R> {
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
  finish(outputs: readonly Float32Array[], attempt: Attempt, steps: OwnerResult[], signal: AbortSignal): R | Promise<R>;
}

export interface Ran<R> {
  readonly value: R;
  readonly cost: RunCost;
  readonly attempt: Attempt;
}

export class Runner {
  #loaded: Loaded;
  #stock: Stock;
  readonly #disposed = new AbortController();
  /** Links of runs that are over, until they are closed in good order. */
  readonly #closing = new Set<Promise<void>>();

  constructor(loaded: Loaded) {
    this.#loaded = loaded;
    this.#stock = new Stock(loaded);
  }

  get loaded(): Loaded {
    return this.#loaded;
  }

  /** @throws {TercetError} ERR_STATE once it is disposed of. */
  alive(): void {
    if (this.#disposed.signal.aborted)
      throw new TercetError('ERR_STATE', 'the model was disposed of', 'load it again with fromPretrained');
  }

  async prepare(shape: RequestShape, signal: AbortSignal | undefined): Promise<void> {
    await this.#checkRoom(shape.sequences, shape.tokens);
    await this.#stock.prepare(shape, signal);
  }

  /** Lets go of what was prepared. */
  async release(): Promise<void> {
    await this.#stock.clear();
  }

  /** @throws {TercetError} ERR_TOO_MANY_TOKENS and ERR_ARGUMENT before anything is sent; what a run can end with. */
  async run<R>(work: Work<R>): Promise<Ran<R>> {
    this.alive();
    try {
      return await this.#attempt(work);
    } catch (error) {
      // The device itself is asked: the error may speak of anything.
      if (this.#loaded.kernels.fault.failed && !this.#disposed.signal.aborted) await this.#reopen();
      throw error;
    }
  }

  /** What left this device in a run, for people who want to look. */
  capture(shown: Shown, { channels }: Attempt): Promise<Captured> {
    const { config, tokenizer, kernels } = this.#loaded;
    return capture(shown, config.vocabSize, tokenizer, kernels, channels);
  }

  async dispose(): Promise<void> {
    if (this.#disposed.signal.aborted) return;
    this.#disposed.abort();
    await this.#stock.clear();
    await Promise.allSettled(this.#closing);
    this.#loaded.credential?.wipe();
    await this.#loaded.kernels.close();
  }

  async #attempt<R>({ inputs, steps = 0, start, signal, finish }: Work<R>): Promise<Ran<R>> {
    const { environment, config } = this.#loaded;
    const tokens = paddedTokens(this.#loaded, inputs, steps);
    await this.#checkRoom(inputs.length, tokens);
    const shape = shapeFor(config, outlineOf(config, inputs, { tokens, padded: true, steps }));
    const input = ownerInputOf(config, inputs, shape);
    for (const message of new Set(inputs.flatMap(({ notices = [] }) => [...notices]))) this.#loaded.notice(message);
    const either = AbortSignal.any([this.#disposed.signal, ...(signal === undefined ? [] : [signal])]);
    if (either.aborted) throw abortedError();
    let taken = await this.#stock.take(shape, either);
    try {
      let first: OwnerResult;
      try {
        first = await taken.attempt.run(input, either);
      } catch (error) {
        // The links of an attempt that waited may have died meanwhile. As long as nothing left that depends on the
        // text, another one may be made. A party that gave the place away has computed nothing, so that attempt may
        // be replaced too; the new one has keys of its own.
        const letGo = error instanceof TercetError && error.code === 'ERR_PEER_LET_GO';
        if (!taken.ahead || (taken.attempt.spent && !letGo) || either.aborted) throw error;
        this.#finish(taken.attempt);
        taken = await this.#stock.fresh(shape, either);
        first = await taken.attempt.run(input, either);
      }
      const results = [first];
      const value = await finish(outputsOf(config, inputs, shape, first.logits), taken.attempt, results, either);
      const real = inputs.reduce((total, { inputIds }) => total + inputIds.length, 0);
      return { value, cost: costOf(real, taken, results, environment.now() - start), attempt: taken.attempt };
    } finally {
      this.#finish(taken.attempt);
    }
  }

  /** One sequence is always taken; what more would cost is loaded when it is asked. */
  async #checkRoom(sequences: number, tokens: number): Promise<void> {
    if (sequences > 1) (await import('./room.ts')).checkRoom(this.#loaded, sequences, tokens);
  }

  #finish(attempt: Attempt): void {
    attempt.finish();
    const { closed } = attempt;
    const done = () => this.#closing.delete(closed);
    this.#closing.add(closed);
    closed.then(done, done);
  }

  /**
   * A device that failed once fails for good. The next run gets another one, and attempts of its own; nothing of
   * this one is repeated.
   */
  async #reopen(): Promise<void> {
    await this.#stock.clear();
    await this.#loaded.kernels.close().catch(() => undefined);
    try {
      this.#loaded = { ...this.#loaded, ...(await openDevice(this.#loaded.options, this.#loaded.environment)) };
      this.#stock = new Stock(this.#loaded);
    } catch {
      // The next run says why there is no device.
    }
  }
}

/** What all inputs of a run are padded to. @throws {TercetError} ERR_TOO_MANY_TOKENS */
export function paddedTokens({ buckets }: Loaded, inputs: readonly TaskInput[], steps: number): number {
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
