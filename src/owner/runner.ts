/**
 * Runs texts at the parties. Uses what was prepared or makes it, records what it cost, and always releases links and
 * keys.
 */
import { abortedError } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import type { RunShape } from '../ml/models/run.ts';
import type { TaskInput } from '../ml/tasks/common.ts';
import { outputsOf, shapeOf } from '../session/inputs.ts';
import type { OwnerResult } from '../session/owner.ts';
import { checkShape } from '../session/request.ts';
import { bucketFor } from './buckets.ts';
import { costOf } from './cost.ts';
import type { CountingChannel } from './counting-channel.ts';
import { continueText } from './decoder.ts';
import type { PreparedRun } from './prepared-run.ts';
import { PreprocessingPool } from './preprocessing-pool.ts';
import type { RunContext } from './run-context.ts';
import type { RunPool } from './run-pool.ts';
import { type TaskPlan, noticesOf } from './predict-plan.ts';
import type { ShapeContext } from './room.ts';
import type { RunCost } from './types/index.ts';

export interface RunCall {
  /** Milliseconds when the caller asked (default: now). */
  readonly start?: number;
  /** Stops all three parties. */
  readonly signal?: AbortSignal | undefined;
  /** Of generated text: a step is over, and this much of the text is certain with it. */
  onStep?(text: string, index: number): void;
}

export interface RunResult<R> {
  readonly value: R;
  /** Of every input of the plan; of generated text what its prompt opened. */
  readonly outputs: readonly Float32Array[];
  /** One, and of generated text one more for every token behind the first. */
  readonly steps: readonly OwnerResult[];
  /** The tokens that were sent behind the prompt: one less than steps. */
  readonly sent: readonly number[];
  readonly cost: RunCost;
  /** What left this device. */
  readonly channels: readonly [CountingChannel, CountingChannel];
}

/** Makes the pool of a device: another device gets another one. */
export type PoolOf = (context: RunContext) => RunPool;

export class Runner<C extends RunContext = RunContext> {
  #context: C;
  readonly #poolOf: PoolOf;
  #pool: RunPool;
  readonly #disposed = new AbortController();
  /** Links of runs that are over, until they are closed in good order. */
  readonly #closing = new Set<Promise<void>>();

  /** @param poolOf what keeps runs that were made ahead (default: at most one, that a caller asked for) */
  constructor(context: C, poolOf: PoolOf = (own) => new PreprocessingPool(own)) {
    this.#context = context;
    this.#poolOf = poolOf;
    this.#pool = poolOf(context);
  }

  get context(): C {
    return this.#context;
  }

  /** @throws {TercetError} ERR_STATE once it is disposed of. */
  alive(): void {
    if (this.#disposed.signal.aborted)
      throw new TercetError('ERR_STATE', 'the model was disposed of', 'load it again with fromPretrained');
  }

  async prepare(shape: RunShape, signal: AbortSignal | undefined): Promise<void> {
    await checkSequences(this.#context, shape.sequences, shape.tokens);
    await this.#pool.prepare(shape, signal);
  }

  /** Lets go of what was prepared. */
  async release(): Promise<void> {
    await this.#pool.clear();
  }

  /** @throws {TercetError} ERR_TOO_MANY_TOKENS and ERR_ARGUMENT before anything is sent; what a run can end with. */
  async run<R>(plan: TaskPlan<R>, call: RunCall = {}): Promise<RunResult<R>> {
    this.alive();
    try {
      return await this.#run(plan, call);
    } catch (error) {
      if (error instanceof TercetError && error.code === 'ERR_SECURITY_VIOLATION') await this.#distrust();
      // The device itself is asked: the error may speak of anything.
      if (this.#context.kernels.fault.failed && !this.#disposed.signal.aborted) await this.#reopen();
      throw error;
    }
  }

  /** Ends what runs, waits until its links are closed, and closes the device. */
  async dispose(): Promise<void> {
    if (this.#disposed.signal.aborted) return;
    this.#disposed.abort();
    await this.#pool.clear();
    await Promise.allSettled(this.#closing);
    this.#context.credential?.wipe();
    await this.#context.kernels.close();
  }

  async #run<R>(plan: TaskPlan<R>, call: RunCall): Promise<RunResult<R>> {
    const { environment, config, onPhase } = this.#context;
    const { inputs, decoder } = plan;
    const { start = environment.now(), signal, onStep } = call;
    const shape = await shapeOfPlan(this.#context, plan);
    for (const message of noticesOf(plan)) this.#context.notice(message);
    const either = AbortSignal.any([this.#disposed.signal, ...(signal === undefined ? [] : [signal])]);
    if (either.aborted) throw abortedError();
    let lease = await this.#pool.take(shape, either);
    try {
      onPhase?.('online');
      const send = () => {
        lease.prepared.span?.used();
        return step(lease.prepared, either, ({ session }) => session.run(inputs));
      };
      const first = await send().catch(async (error: unknown) => {
        // The links of a prepared run that waited may have died meanwhile. As long as nothing left that depends on the
        // text, another one may be made. A party that gave the place away has computed nothing, so that run may
        // be replaced too; the new one has keys of its own.
        const letGo = error instanceof TercetError && error.code === 'ERR_PEER_LET_GO';
        if (!lease.ahead || (lease.prepared.session.spent && !letGo) || either.aborted) throw error;
        this.#finish(lease.prepared);
        lease = await this.#pool.fresh(shape, either);
        return send();
      });
      const { prepared } = lease;
      const outputs = outputsOf(config, inputs, shape, first.logits);
      const { steps, sent } = await continueText(decoder, first, inputs[0].inputIds.length, {
        onStep(text, index) {
          prepared.reporter.token(index, text);
          onStep?.(text, index);
        },
        next: (input) =>
          step(prepared, either, async ({ session, reporter }) => {
            // A step that is dealt knows its rounds.
            await session.prepare();
            reporter.begin(session.rounds);
            return session.next(input);
          }),
      });
      const value = plan.finish(outputs);
      const real = inputs.reduce((total, { inputIds }) => total + inputIds.length, 0);
      const cost = costOf(real, lease, steps, environment.now() - start);
      const [sentBytes] = cost.sentBytes;
      const { prepareMs } = prepared;
      prepared.span?.ran({ sentBytes, rounds: cost.links.between.rounds, prepareMs });
      return { value, outputs, steps, sent, cost, channels: prepared.channels };
    } finally {
      this.#finish(lease.prepared);
    }
  }

  /** Says goodbye to both parties, also in the middle of a text. An answer does not wait for it: `dispose` does. */
  #finish({ session, channels, span }: PreparedRun): void {
    span?.end();
    const goodbye = session.more ? session.discard() : Promise.all(channels.map((channel) => channel.close()));
    const closed = goodbye.then(() => undefined);
    const done = () => this.#closing.delete(closed);
    this.#closing.add(closed);
    closed.then(done, done);
  }

  /**
   * Somebody does not follow the protocol. SECURITY: what was made ahead stands on handshakes from before, so it is let
   * go, and the next run has new ones. test/sdk/proved.test.ts.
   */
  async #distrust(): Promise<void> {
    if (this.#disposed.signal.aborted) return;
    const before = this.#pool;
    this.#pool = this.#poolOf(this.#context);
    await before.clear();
  }

  /**
   * A device that failed once fails for good. The next run gets another one, and prepared runs of its own; nothing of
   * this one is repeated.
   */
  async #reopen(): Promise<void> {
    const { reopen } = this.#context;
    if (reopen === undefined) return;
    await this.#pool.clear();
    await this.#context.kernels.close().catch(() => undefined);
    try {
      this.#context = { ...this.#context, ...(await reopen()) };
      this.#pool = this.#poolOf(this.#context);
    } catch {
      // The next run says why there is no device.
    }
  }
}

/** One step of a run; the signal ends the run at all three parties. */
async function step(
  prepared: PreparedRun,
  signal: AbortSignal,
  work: (prepared: PreparedRun) => Promise<OwnerResult>,
): Promise<OwnerResult> {
  const abort = () => prepared.abort();
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    const result = await work(prepared);
    prepared.reporter.opened();
    return result;
  } catch (error) {
    throw signal.aborted ? abortedError() : error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/**
 * The shape of the run for a plan: nothing is sent for it.
 * @throws {TercetError} ERR_TOO_MANY_TOKENS, ERR_ARGUMENT for more than the parties take
 */
export async function shapeOfPlan(context: ShapeContext, { inputs, decoder }: TaskPlan<unknown>): Promise<RunShape> {
  const { config, buckets } = context;
  const steps = decoder?.steps ?? 0;
  const tokens = paddedTokens(context, inputs, steps);
  await checkSequences(context, inputs.length, tokens);
  const padded = buckets !== undefined || inputs.some(({ inputIds }) => inputIds.length < tokens);
  const shape = shapeOf(config, inputs, { tokens, padded, steps });
  checkShape(config, shape);
  return shape;
}

/** One sequence is always taken; what more would cost is loaded when it is asked. @throws {TercetError} ERR_ARGUMENT */
async function checkSequences(context: ShapeContext, sequences: number, tokens: number): Promise<void> {
  if (sequences > 1) (await import('./room.ts')).checkRoom(context, sequences, tokens);
}

/** What all inputs of a run are padded to. @throws {TercetError} ERR_TOO_MANY_TOKENS */
export function paddedTokens(
  { buckets }: Pick<RunContext, 'buckets'>,
  inputs: readonly TaskInput[],
  steps: number,
): number {
  const longest = Math.max(...inputs.map(({ inputIds }) => inputIds.length));
  const tokens = buckets === undefined ? longest : bucketFor(buckets, longest, steps);
  if (tokens !== undefined) return tokens;
  const behind = steps === 0 ? '' : `, and ${steps} more are to follow`;
  throw new TercetError(
    'ERR_TOO_MANY_TOKENS',
    `the text has ${longest} tokens${behind}; a run has ${buckets?.at(-1) ?? 0} positions`,
    'shorten it or split it',
  );
}
