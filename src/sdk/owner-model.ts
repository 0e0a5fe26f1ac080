/**
 * A model as the data owner holds it: tokenizer, public configuration, kernels, and the attempts that are made ahead of its texts. Runs in a worker of a page
 * and in Node alike; `Environment` is all that differs.
 */
import type { RingKernels } from '../compute/kernels/types.ts';
import { abortedError } from '../core/abort.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import { type BertConfig, CONFIG_FILE, loadBertConfig } from '../ml/config.ts';
import { memoryFiles } from '../ml/files.ts';
import { finishFillMask, prepareFillMask } from '../ml/tasks/fill-mask.ts';
import { finishTextClassification, prepareTextClassification } from '../ml/tasks/text-classification.ts';
import { TOKENIZER_CONFIG_FILE, TOKENIZER_FILE, type Tokenizer, loadTokenizer } from '../ml/tokenizers/tokenizer.ts';
import { protocolInfo } from '../mpc/protocol/registry.ts';
import type { Request } from '../session/agreement.ts';
import type { OwnerInput } from '../session/inputs.ts';
import type { OwnerResult } from '../session/owner.ts';
import { ownerParameters } from '../session/owner-parameters.ts';
import { type Attempt, type AttemptOptions, type Prepared, prepareAttempt } from './attempt.ts';
import { bucketFor, bucketsOf } from './buckets.ts';
import { capture } from './captured.ts';
import { loadDeployment } from './deployment.ts';
import { downloadPinned } from './download.ts';
import type { Environment } from './environment.ts';
import { partiesHealth } from './health.ts';
import type {
  ClassifyResult,
  Deployment,
  Device,
  Model,
  ModelEntry,
  PartyHealth,
  PredictResult,
  PretrainedOptions,
  RunCost,
  RunOptions,
  Task,
  TextCheck,
  Weights,
} from './types.ts';

/** Reason of a WebGPU that is not looked for unless it is named. */
export const NOT_ASKED = 'not-asked';
const SEEDS_FILE = 'owner.seeds';
const TRANSPORT_TIMEOUT_MS = 5_000;
/** A prepared attempt is replaced after so long: its parties keep memory for it. */
const PREPARED_FOR_MS = 5 * 60_000;

interface Loaded {
  readonly environment: Environment;
  readonly options: PretrainedOptions;
  readonly deployment: Deployment;
  readonly entry: ModelEntry;
  readonly weights: Weights;
  readonly hash: string;
  readonly config: BertConfig;
  readonly tokenizer: Tokenizer;
  readonly seeds: Uint8Array | undefined;
  readonly kernels: RingKernels;
  readonly device: Device;
  readonly downloadedBytes: number;
}

/** An answer and what it took. */
interface Run {
  readonly input: OwnerInput;
  readonly attempt: Attempt;
  readonly result: OwnerResult;
  readonly cost: RunCost;
}

export class OwnerModel implements Model {
  readonly id: string;
  readonly task: Task;
  readonly device: Device;
  readonly layers: number;
  readonly maxTokens: number;
  readonly downloadedBytes: number;
  readonly #loaded: Loaded;
  readonly #buckets: readonly number[];
  /** Made ahead of a text that has not come yet. */
  #prepared: Prepared | undefined;
  #preparedAt = 0;
  readonly #disposed = new AbortController();

  private constructor(loaded: Loaded, buckets: readonly number[]) {
    this.#loaded = loaded;
    this.#buckets = buckets;
    this.id = loaded.entry.id;
    this.task = loaded.entry.task;
    this.device = loaded.device;
    this.layers = loaded.config.layers;
    this.maxTokens = loaded.config.maxPositions;
    this.downloadedBytes = loaded.downloadedBytes;
  }

  /**
   * Downloads what a data owner needs of a model (never its weights) and opens the device.
   * @throws {TercetError} ERR_MODEL_NOT_FOUND, ERR_PROTOCOL_UNAVAILABLE, ERR_DEVICE_UNAVAILABLE, ERR_DOWNLOAD, ERR_INTEGRITY, ERR_ARGUMENT, ERR_ABORTED
   */
  static async load(id: string, options: PretrainedOptions, environment: Environment): Promise<OwnerModel> {
    protocolInfo(options.protocol ?? '3pc_semi_honest');
    const signal = options.signal;
    const report = options.progress_callback ?? (() => undefined);
    const network = { fetch: environment.fetch, signal };
    const { deployment, base, bytes } = await loadDeployment(options.deployment ?? './tercet.json', environment.base, network);
    const entry = deployment.entries.find((model) => model.id === id);
    if (entry === undefined)
      throw new TercetError(
        'ERR_MODEL_NOT_FOUND',
        'the parties serve no model of that name',
        `choose one of ${deployment.entries.map((model) => model.id).join(', ')}`,
      );
    const weights = options.weights ?? 'open';
    const hash = entry.weights[weights];
    if (hash === undefined)
      throw new TercetError('ERR_MODEL_NOT_FOUND', `the parties do not serve ${id} with ${weights} weights`, 'choose the other kind of weights');

    let downloadedBytes = bytes;
    const download = async (file: string): Promise<Uint8Array> => {
      const pin = entry.files[file];
      if (pin === undefined) throw new TercetError('ERR_MODEL_CONFIG', `the deployment lists no ${file} for ${id}`, 'tell the operator of this page');
      report({ status: 'initiate', name: id, file });
      report({ status: 'download', name: id, file });
      const url = new URL(`${deployment.models.replace(/\/?$/, '/')}${id}/${file}`, base).href;
      const onProgress = (loaded: number, total: number) =>
        report({ status: 'progress', name: id, file, loaded, total, progress: (100 * loaded) / Math.max(1, total) });
      const content = await downloadPinned(url, file, pin, { ...network, onProgress });
      downloadedBytes += content.length;
      report({ status: 'done', name: id, file });
      return content;
    };
    const names = [CONFIG_FILE, TOKENIZER_FILE, TOKENIZER_CONFIG_FILE];
    const contents = await Promise.all(names.map(download));
    const files = memoryFiles(id, new Map(names.map((name, i) => [name, contents[i]])));
    const seeds = weights === 'secret' ? await download(SEEDS_FILE) : undefined;
    const [config, tokenizer] = [await loadBertConfig(files), await loadTokenizer(files)];
    const buckets = bucketsOf(options.buckets, config.maxPositions);
    const { device, kernels } = await openDevice(options, environment);
    if (signal?.aborted === true) {
      await kernels.close();
      throw abortedError();
    }
    const model = new OwnerModel(
      { environment, options, deployment, entry, weights, hash, config, tokenizer, seeds, kernels, device, downloadedBytes },
      buckets,
    );
    report({ status: 'ready', task: entry.task, model: id });
    return model;
  }

  async check(text: string): Promise<TextCheck> {
    const { tokenizer } = this.#loaded;
    let tokens = 0;
    try {
      tokens = tokenizer.encode(text, { allowMask: this.task === 'fill-mask' }).ids.length;
      const { inputIds, maskPositions } = this.#encode(text);
      return { tokens: inputIds.length, paddedTokens: bucketFor(this.#buckets, inputIds.length), blanks: maskPositions.length };
    } catch (error) {
      return { tokens, paddedTokens: bucketFor(this.#buckets, tokens), blanks: 0, problem: asTercetError(error) };
    }
  }

  async prepare(length: number, { blanks, signal }: { readonly blanks?: number; readonly signal?: AbortSignal } = {}): Promise<void> {
    const bucket = bucketFor(this.#buckets, length);
    if (bucket === undefined || !Number.isInteger(length) || length < 1) {
      throw new TercetError('ERR_ARGUMENT', `cannot prepare for ${length} tokens`, `give a length from 1 to ${this.maxTokens}`);
    }
    const masks = this.task === 'fill-mask' ? (blanks ?? 1) : 0;
    const prepared = this.#fitting(bucket, masks) ?? this.#renew(bucket, masks);
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

  async predict(text: string, options: RunOptions = {}): Promise<PredictResult> {
    const { tokenizer } = this.#loaded;
    const { input, attempt, result, cost } = await this.#run(text, options);
    const blanks = finishFillMask(result.logits, input, tokenizer, options.topK ?? 5).map((list) =>
      list.map(({ token, tokenId, score, sequence }) => ({ token, token_str: tokenizer.decode([tokenId]), token_id: tokenId, score, sequence })),
    );
    return { predictions: blanks[0], blanks, cost, captured: await this.#capture(text, input, attempt) };
  }

  async classify(text: string, options: RunOptions = {}): Promise<ClassifyResult> {
    const { config } = this.#loaded;
    const { input, attempt, result, cost } = await this.#run(text, options);
    const labels = finishTextClassification(result.logits, config, options.topK ?? config.numLabels);
    return { ...labels[0], labels, cost, captured: await this.#capture(text, input, attempt) };
  }

  health(): Promise<readonly [PartyHealth, PartyHealth]> {
    const { deployment, environment } = this.#loaded;
    return partiesHealth(deployment, environment);
  }

  async dispose(): Promise<void> {
    if (this.#disposed.signal.aborted) return;
    this.#disposed.abort();
    const prepared = this.#prepared;
    this.#prepared = undefined;
    await prepared?.drop();
    this.#loaded.seeds?.fill(0);
    await this.#loaded.kernels.close();
  }

  // ── one run ──────────────────────────────────────────────────────────────

  async #run(text: string, { signal, topK = 5 }: RunOptions): Promise<Run> {
    const { environment } = this.#loaded;
    this.#alive();
    if (!Number.isSafeInteger(topK) || topK < 1) throw new TercetError('ERR_ARGUMENT', 'topK is not a positive integer', 'give for example 5');
    const input = this.#encode(text);
    const start = environment.now();
    const both = AbortSignal.any([this.#disposed.signal, ...(signal === undefined ? [] : [signal])]);
    if (both.aborted) throw abortedError();
    const length = bucketFor(this.#buckets, input.inputIds.length) as number;
    const { attempt, ahead } = await this.#attemptFor(length, input.maskPositions.length, both);
    try {
      return this.#told(input, attempt, await attempt.run(input, both), start, ahead);
    } catch (error) {
      // The links of an attempt that waited may have died meanwhile. As long as nothing left that depends on the text, another one may be made.
      if (!ahead || attempt.spent || both.aborted) throw error;
      const fresh = await this.#taken(this.#make(length, input.maskPositions.length, false), both);
      return this.#told(input, fresh, await fresh.run(input, both), start, false);
    }
  }

  /** The prepared attempt if it fits, which is then taken; else a new one. */
  async #attemptFor(length: number, blanks: number, signal: AbortSignal): Promise<{ attempt: Attempt; ahead: boolean }> {
    const prepared = this.#fitting(length, blanks);
    const previous = this.#prepared;
    this.#prepared = undefined;
    if (prepared !== undefined) {
      try {
        return { attempt: await this.#taken(prepared, signal), ahead: true };
      } catch (error) {
        if (signal.aborted) throw error;
      }
    } else previous?.drop().catch(() => undefined);
    return { attempt: await this.#taken(this.#make(length, blanks, false), signal), ahead: false };
  }

  /** Waits for an attempt; an abort throws it away. */
  async #taken(prepared: Prepared, signal: AbortSignal): Promise<Attempt> {
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

  #told(input: OwnerInput, attempt: Attempt, result: OwnerResult, start: number, ahead: boolean): Run {
    const { reports, timing } = result;
    const each = <T>(pick: (report: OwnerResult['reports'][number]) => T) => [pick(reports[0]), pick(reports[1]), pick(reports[2])] as const;
    const cost: RunCost = {
      tokens: input.inputIds.length,
      paddedTokens: attempt.options.request.tokens,
      links: attempt.links,
      sentBytes: each((report) => report.sentBytes),
      receivedBytes: each((report) => report.receivedBytes),
      peakMemoryBytes: each((report) => report.peakMemoryBytes),
      devices: each((report) => report.device),
      timing: {
        prepareMs: attempt.prepareMs,
        inputMs: timing.inputMs,
        computeMs: timing.computeMs,
        outputMs: timing.outputMs,
        totalMs: this.#loaded.environment.now() - start,
      },
      preparedAhead: ahead,
    };
    return { input, attempt, result, cost };
  }

  #capture(text: string, input: OwnerInput, attempt: Attempt): ReturnType<typeof capture> {
    const { config, tokenizer, kernels } = this.#loaded;
    return capture(text, input, config.vocabSize, tokenizer, kernels, attempt.channels);
  }

  #encode(text: string): OwnerInput {
    const { tokenizer, config } = this.#loaded;
    if (this.task === 'fill-mask') return prepareFillMask(text, tokenizer, config);
    return { inputIds: prepareTextClassification(text, tokenizer, config).inputIds, maskPositions: [] };
  }

  // ── attempts made ahead ──────────────────────────────────────────────────

  #fitting(length: number, blanks: number): Prepared | undefined {
    const prepared = this.#prepared;
    const fresh = this.#loaded.environment.now() - this.#preparedAt < PREPARED_FOR_MS;
    return fresh && prepared?.length === length && prepared.blanks === blanks ? prepared : undefined;
  }

  #renew(length: number, blanks: number): Prepared {
    this.#alive();
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
    const { environment, deployment, config, hash, weights, kernels, seeds, options } = this.#loaded;
    const { id: protocol } = protocolInfo(options.protocol ?? '3pc_semi_honest');
    const request: Request & { model: string } = { model: hash, protocol, weights, tokens: length, masks: blanks, padded: true };
    const made: AttemptOptions = {
      environment,
      deployment,
      config,
      request,
      kernels,
      parameters: ownerParameters(config, kernels, seeds),
      transport: options.transport ?? 'auto',
      transportTimeoutMs: options.transportTimeoutMs ?? TRANSPORT_TIMEOUT_MS,
      associations: options.associations ?? 1,
      ahead,
      onProgress: (event) => options.progress_callback?.(event),
      onFallback: (event) => options.onFallback?.(event),
    };
    return prepareAttempt(made);
  }

  #alive(): void {
    if (this.#disposed.signal.aborted) throw new TercetError('ERR_STATE', 'the model was disposed of', 'load it again with fromPretrained');
  }
}

/** The device that was asked for; with 'auto' the best that opens, and a word about every better one that did not. */
async function openDevice(options: PretrainedOptions, environment: Environment): Promise<{ device: Device; kernels: RingKernels }> {
  const wanted = options.device ?? 'auto';
  if (wanted !== 'auto') return { device: wanted, kernels: await environment.openKernels(wanted) };
  const { webgpu, wasm, device } = await environment.capabilities();
  const fallBack = (reason: string) => options.onFallback?.({ what: 'device', from: 'webgpu', to: 'wasm', reason });
  if (device === 'webgpu') {
    try {
      return { device, kernels: await environment.openKernels(device) };
    } catch (error) {
      fallBack(asTercetError(error).message);
    }
  } else if (webgpu.ok || webgpu.reason !== NOT_ASKED) fallBack(webgpu.detail);
  if (!wasm.ok) throw new TercetError('ERR_DEVICE_UNAVAILABLE', `neither WebGPU nor WebAssembly can be used here: ${wasm.detail}`, 'use a current browser');
  return { device: 'wasm', kernels: await environment.openKernels('wasm') };
}
