/**
 * A model as the data owner holds it. Runs in a worker of a page and in Node alike; `Environment` is all that differs.
 */
import { abortedError } from '../core/abort.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import { finishFillMask, prepareFillMask } from '../ml/tasks/fill-mask.ts';
import { finishTextClassification, prepareTextClassification } from '../ml/tasks/text-classification.ts';
import type { OwnerInput } from '../session/inputs.ts';
import type { OwnerResult } from '../session/owner.ts';
import { bucketFor } from './buckets.ts';
import { capture } from './captured.ts';
import type { Environment } from './environment.ts';
import { partiesHealth } from './health.ts';
import { type Loaded, loadModel, openDevice } from './loaded.ts';
import { Stock, type Taken } from './stock.ts';
import type { Captured, ClassifyResult, Device, Model, PartyHealth, PredictResult, PretrainedOptions, RunCost, RunOptions, Task, TextCheck } from './types.ts';

/** An answer and what it took. */
interface Run {
  readonly input: OwnerInput;
  readonly result: OwnerResult;
  readonly cost: RunCost;
  readonly captured: Captured;
}

export class OwnerModel implements Model {
  readonly id: string;
  readonly task: Task;
  readonly layers: number;
  readonly maxTokens: number;
  readonly downloadedBytes: number;
  #loaded: Loaded;
  #stock: Stock;
  readonly #disposed = new AbortController();
  /** Links of runs that are over, until they are closed in good order. */
  readonly #closing = new Set<Promise<void>>();

  private constructor(loaded: Loaded) {
    this.#loaded = loaded;
    this.#stock = new Stock(loaded);
    this.id = loaded.entry.id;
    this.task = loaded.entry.task;
    this.layers = loaded.config.layers;
    this.maxTokens = loaded.config.maxPositions;
    this.downloadedBytes = loaded.downloadedBytes;
  }

  get device(): Device {
    return this.#loaded.device;
  }

  /** @throws {TercetError} what `loadModel` throws */
  static async load(id: string, options: PretrainedOptions, environment: Environment): Promise<OwnerModel> {
    return new OwnerModel(await loadModel(id, options, environment));
  }

  async check(text: string): Promise<TextCheck> {
    const { tokenizer, buckets } = this.#loaded;
    let tokens = 0;
    try {
      tokens = tokenizer.encode(text, { allowMask: this.task === 'fill-mask' }).ids.length;
      const { inputIds, maskPositions } = this.#encode(text);
      return { tokens: inputIds.length, paddedTokens: bucketFor(buckets, inputIds.length), blanks: maskPositions.length };
    } catch (error) {
      return { tokens, paddedTokens: bucketFor(buckets, tokens), blanks: 0, problem: asTercetError(error) };
    }
  }

  async prepare(length: number, { blanks, signal }: { readonly blanks?: number; readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#alive();
    const bucket = Number.isInteger(length) && length >= 1 ? bucketFor(this.#loaded.buckets, length) : undefined;
    if (bucket === undefined) {
      throw new TercetError('ERR_ARGUMENT', 'cannot prepare for that many tokens', `give a length from 1 to ${this.maxTokens}`);
    }
    await this.#stock.prepare(bucket, this.task === 'fill-mask' ? (blanks ?? 1) : 0, signal);
  }

  async predict(text: string, options: RunOptions = {}): Promise<PredictResult> {
    const { tokenizer } = this.#loaded;
    const { input, result, cost, captured } = await this.#run(text, options);
    const blanks = finishFillMask(result.logits, input, tokenizer, options.topK ?? 5).map((list) =>
      list.map(({ token, tokenId, score, sequence }) => ({ token, token_str: tokenizer.decode([tokenId]), token_id: tokenId, score, sequence })),
    );
    return { predictions: blanks[0], blanks, cost, captured };
  }

  async classify(text: string, options: RunOptions = {}): Promise<ClassifyResult> {
    const { config } = this.#loaded;
    const { result, cost, captured } = await this.#run(text, options);
    const labels = finishTextClassification(result.logits, config, options.topK ?? config.numLabels);
    return { ...labels[0], labels, cost, captured };
  }

  health(): Promise<readonly [PartyHealth, PartyHealth]> {
    const { deployment, environment } = this.#loaded;
    return partiesHealth(deployment, environment);
  }

  async dispose(): Promise<void> {
    if (this.#disposed.signal.aborted) return;
    this.#disposed.abort();
    await this.#stock.clear();
    await Promise.all(this.#closing);
    this.#loaded.seeds?.fill(0);
    await this.#loaded.kernels.close();
  }

  async #run(text: string, options: RunOptions): Promise<Run> {
    try {
      return await this.#attempt(text, options);
    } catch (error) {
      // With a party in it, it is that party's device.
      if (error instanceof TercetError && error.kind === 'device' && error.party === undefined) await this.#reopen();
      throw error;
    }
  }

  /** A device that failed once fails for good. The next run gets another one, and attempts of its own; nothing of this one is repeated. */
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

  async #attempt(text: string, { signal, topK = 5 }: RunOptions): Promise<Run> {
    const { environment, buckets, config, tokenizer, kernels } = this.#loaded;
    this.#alive();
    if (!Number.isSafeInteger(topK) || topK < 1) throw new TercetError('ERR_ARGUMENT', 'topK is not a positive integer', 'give for example 5');
    const input = this.#encode(text);
    const start = environment.now();
    const either = AbortSignal.any([this.#disposed.signal, ...(signal === undefined ? [] : [signal])]);
    if (either.aborted) throw abortedError();
    const [length, blanks] = [bucketFor(buckets, input.inputIds.length) as number, input.maskPositions.length];
    let taken = await this.#stock.take(length, blanks, either);
    let result: OwnerResult;
    try {
      result = await taken.attempt.run(input, either);
    } catch (error) {
      // The links of an attempt that waited may have died meanwhile. As long as nothing left that depends on the text, another one may be made.
      if (!taken.ahead || taken.attempt.spent || either.aborted) throw error;
      taken = await this.#stock.fresh(length, blanks, either);
      result = await taken.attempt.run(input, either);
    }
    this.#remember(taken.attempt.closed);
    const cost = costOf(input, taken, result, environment.now() - start);
    return { input, result, cost, captured: await capture(text, input, config.vocabSize, tokenizer, kernels, taken.attempt.channels) };
  }

  #remember(closed: Promise<void>): void {
    const done = () => this.#closing.delete(closed);
    this.#closing.add(closed);
    closed.then(done, done);
  }

  #encode(text: string): OwnerInput {
    const { tokenizer, config } = this.#loaded;
    if (this.task === 'fill-mask') return prepareFillMask(text, tokenizer, config);
    return { inputIds: prepareTextClassification(text, tokenizer, config).inputIds, maskPositions: [] };
  }

  #alive(): void {
    if (this.#disposed.signal.aborted) throw new TercetError('ERR_STATE', 'the model was disposed of', 'load it again with fromPretrained');
  }
}

function costOf(input: OwnerInput, { attempt, ahead }: Taken, { reports, timing }: OwnerResult, totalMs: number): RunCost {
  const each = <T>(pick: (report: OwnerResult['reports'][number]) => T) => [pick(reports[0]), pick(reports[1]), pick(reports[2])] as const;
  return {
    tokens: input.inputIds.length,
    paddedTokens: attempt.options.request.tokens,
    links: attempt.links,
    sentBytes: each((report) => report.sentBytes),
    receivedBytes: each((report) => report.receivedBytes),
    peakMemoryBytes: each((report) => report.peakMemoryBytes),
    devices: each((report) => report.device),
    timing: { prepareMs: attempt.prepareMs, inputMs: timing.inputMs, computeMs: timing.computeMs, outputMs: timing.outputMs, totalMs },
    preparedAhead: ahead,
  };
}
