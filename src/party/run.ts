/** One private inference from this process: P0 here, P1 and P2 as local processes or at given addresses, and the plaintext model beside it on request. */
import { webcrypto } from 'node:crypto';
import { TercetError } from '../core/errors.ts';
import { type FillMaskInput, type FillMaskPrediction, finishFillMask, prepareFillMask } from '../ml/tasks/fill-mask.ts';
import { type ClassificationPrediction, finishTextClassification, prepareTextClassification } from '../ml/tasks/text-classification.ts';
import { type Tokenizer, loadTokenizer } from '../ml/tokenizers/tokenizer.ts';
import type { Progress } from '../mpc/protocol/semi-honest/engine.ts';
import { protocolInfo } from '../mpc/protocol/registry.ts';
import { credentialsOf, ensureCertificates } from '../net/certificates.ts';
import { connectTls } from '../net/tls.ts';
import type { Channel, PartyId } from '../net/types.ts';
import type { Request, WeightMode } from '../session/agreement.ts';
import { type OwnerInput, type OwnerResult, OwnerSession } from '../session/owner.ts';
import { type Comparison, compareWithPlaintext } from './compare.ts';
import { shaped } from './daemon.ts';
import { LocalParties, shareInProcess } from './local.ts';
import { type ModelLocation, type OpenedModel, openModel } from './model.ts';
import { type Device, nodeKernels, peakMemory } from './node-kernels.ts';
import { type PreparedShares, ownerParameters, prepareShares } from './shares.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export type Task = 'fill-mask' | 'text-classification';

export interface RunOptions {
  readonly task: Task;
  readonly model: ModelLocation;
  /** The text, or undefined with random weights and a number of tokens. */
  readonly text: string | undefined;
  readonly tokens: number | undefined;
  readonly protocol: string;
  readonly weights: WeightMode;
  readonly device: Device;
  readonly threads: number;
  readonly topK: number;
  readonly compare: boolean;
  readonly profile?: string;
  /** Addresses of running compute parties; without them, both are started here. */
  readonly peers?: readonly [Address, Address];
  readonly certificates: string;
  readonly signal: AbortSignal;
  readonly debug: boolean;
  onPhase?(phase: RunPhase): void;
  onProgress?(party: 0 | 1 | 2, progress: Progress): void;
}

export type RunPhase = 'start' | 'connect' | 'preprocess' | 'online' | 'compare' | 'done';

/** What logits say, by task. */
export interface Answer {
  /** One list for each mask, best first. */
  readonly fillMask?: readonly (readonly FillMaskPrediction[])[];
  readonly classes?: readonly ClassificationPrediction[];
}

export interface RunResult {
  readonly model: string;
  readonly tokens: number;
  readonly masks: number;
  /** Nothing for random weights, whose logits mean nothing. */
  readonly answer: Answer;
  readonly owner: OwnerResult;
  readonly comparison?: Comparison & { readonly answer: Answer };
  readonly setupMs: number;
  readonly totalMs: number;
}

/** Longest wait for one message of a peer: the slowest step at BERT-base dimensions takes seconds. */
export const RECV_TIMEOUT_MS = 300_000;
/** Longest wait for a compute party to answer at its address. */
const CONNECT_TIMEOUT_MS = 10_000;

interface Prepared {
  readonly input: OwnerInput;
  readonly fillMask?: FillMaskInput;
  readonly tokenizer?: Tokenizer;
}

/** Checks and encodes the text before any process is started: bad input costs nothing. */
async function prepareInput(options: RunOptions, model: OpenedModel): Promise<Prepared> {
  if (model.files === undefined) return { input: syntheticInput(options, model) };
  if (options.text === undefined) throw new TercetError('ERR_ARGUMENT', 'there is no text', 'give --text "…"');
  const tokenizer = await loadTokenizer(model.files);
  if (options.task === 'fill-mask') {
    const fillMask = prepareFillMask(options.text, tokenizer, model.config);
    return { input: fillMask, fillMask, tokenizer };
  }
  const { inputIds } = prepareTextClassification(options.text, tokenizer, model.config);
  return { input: { inputIds, maskPositions: [] }, tokenizer };
}

/** Token indices for random weights, which have no tokenizer: spread over the vocabulary; the mask in the middle. */
function syntheticInput(options: RunOptions, { config }: OpenedModel): OwnerInput {
  const tokens = options.tokens ?? 0;
  if (!Number.isInteger(tokens) || tokens < 2 || tokens > config.maxPositions) {
    throw new TercetError('ERR_ARGUMENT', `--tokens must be from 2 to ${config.maxPositions}`, 'give for example --tokens 16');
  }
  const fillMask = options.task === 'fill-mask';
  if (fillMask !== (config.architecture === 'BertForMaskedLM'))
    throw new TercetError('ERR_MODEL_UNSUPPORTED', `the configuration is a ${config.architecture}`, 'choose the task that it has');
  const inputIds = Array.from({ length: tokens }, (_, i) => Math.floor(((i * 0.6180339887) % 1) * config.vocabSize));
  return { inputIds, maskPositions: fillMask ? [tokens >> 1] : [] };
}

export async function runInference(options: RunOptions): Promise<RunResult> {
  const start = performance.now();
  protocolInfo(options.protocol);
  options.onPhase?.('start');
  const model = await openModel(options.model);
  const prepared = await prepareInput(options, model);
  const { input } = prepared;
  const request: Request = { protocol: '3pc_semi_honest', weights: options.weights, tokens: input.inputIds.length, masks: input.maskPositions.length };

  const certificates = await ensureCertificates(options.certificates);
  const kernels = await nodeKernels(options.device, options.threads);
  if (options.peers !== undefined && options.weights === 'secret') {
    throw new TercetError('ERR_ARGUMENT', '--peers with secret weights is not in this build', 'leave --peers out to run all three parties here');
  }
  const shares = options.weights === 'secret' ? await prepareShares((folder) => shareInProcess(modelArguments(options.model), folder)) : undefined;
  let cluster: LocalParties | undefined;
  const channels = new Map<PartyId, Channel>();
  try {
    const addresses =
      options.peers ??
      (await startLocal(options, shares, (started) => {
        cluster = started;
      }));
    options.onPhase?.('connect');
    const session = webcrypto.getRandomValues(new Uint8Array(16));
    const credentials = credentialsOf(certificates, 0);
    for (const peer of [1, 2] as const) {
      const { host, port } = addresses[peer - 1];
      const channel = await connectTls({
        self: 0,
        peer,
        host,
        port,
        credentials,
        session,
        signal: options.signal,
        recvTimeoutMs: RECV_TIMEOUT_MS,
        timeoutMs: CONNECT_TIMEOUT_MS,
      });
      channels.set(peer, shaped(channel, options.profile));
    }
    const failed = cluster === undefined ? new Promise<never>(() => undefined) : (cluster as LocalParties).failed;
    const setupMs = performance.now() - start;
    const owner = await unlessAborted(
      options.signal,
      Promise.race([runOwner(options, { model, request, input, session, channels, kernels, seeds: shares?.seeds }), failed]),
    );
    const totalMs = performance.now() - start;
    await Promise.all([...channels.values()].map((channel) => channel.close()));
    const answer = finish(prepared, owner.logits, model, options.topK);
    let comparison: Comparison | undefined;
    if (options.compare) {
      options.onPhase?.('compare');
      comparison = await compareWithPlaintext(await model.weights(), input, owner.logits, kernels);
    }
    options.onPhase?.('done');
    return {
      model: model.name,
      tokens: request.tokens,
      masks: request.masks,
      answer,
      owner,
      ...(comparison === undefined ? {} : { comparison: { ...comparison, answer: finish(prepared, comparison.logits, model, options.topK) } }),
      setupMs,
      totalMs,
    };
  } catch (error) {
    for (const channel of channels.values()) channel.abort(error instanceof Error ? error : new Error('failed'));
    throw error;
  } finally {
    await cluster?.stop();
    await kernels.close();
    await shares?.remove();
  }
}

/** Starts both compute parties here and waits until they have loaded the model. */
async function startLocal(
  options: RunOptions,
  shares: PreparedShares | undefined,
  started: (cluster: LocalParties) => void,
): Promise<readonly [Address, Address]> {
  const cluster = await LocalParties.start({
    args: (id) => partyArguments(options, shares?.folder(id)),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
  started(cluster);
  await unlessAborted(options.signal, cluster.ready());
  return cluster.addresses();
}

/** Waits for `work`, or rejects with ERR_ABORTED as soon as the signal fires. Leaves no listener behind. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let stop = () => undefined as void;
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new TercetError('ERR_ABORTED', 'the run was cancelled', 'start it again; nothing of this attempt is reused'));
  });
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

interface OwnerParts {
  readonly model: OpenedModel;
  readonly request: Request;
  readonly input: OwnerInput;
  readonly session: Uint8Array;
  readonly channels: ReadonlyMap<PartyId, Channel>;
  readonly kernels: Awaited<ReturnType<typeof nodeKernels>>;
  readonly seeds: Uint8Array | undefined;
}

async function runOwner(options: RunOptions, parts: OwnerParts): Promise<OwnerResult> {
  const { model, request, input, session, channels, kernels, seeds } = parts;
  const attempt = await OwnerSession.open({
    config: model.config,
    request,
    channels,
    session,
    kernels,
    parameters: ownerParameters(model.config, kernels, seeds),
    random: (length) => webcrypto.getRandomValues(new Uint8Array(length)),
    now: () => performance.now(),
    peakMemory,
    signal: options.signal,
    onProgress: (progress) => options.onProgress?.(0, progress),
  });
  options.onPhase?.('preprocess');
  await attempt.prepare();
  options.onPhase?.('online');
  return attempt.run(input);
}

function modelArguments(model: ModelLocation): string[] {
  return model.kind === 'folder' ? ['--model', model.path] : ['--random-weights', String(model.seed), '--config', model.configPath];
}

function partyArguments(options: RunOptions, shares: string | undefined): string[] {
  return [
    ...modelArguments(options.model),
    ...(shares === undefined ? [] : ['--shares', shares]),
    ...['--certificates', options.certificates, '--device', options.device, '--threads', String(options.threads)],
    ...(options.profile === undefined ? [] : ['--profile', options.profile]),
    ...(options.debug ? ['--debug'] : []),
  ];
}

function finish({ tokenizer, fillMask }: Prepared, logits: Float32Array, model: OpenedModel, topK: number): Answer {
  if (tokenizer === undefined) return {};
  if (fillMask !== undefined) return { fillMask: finishFillMask(logits, fillMask, tokenizer, topK) };
  return { classes: finishTextClassification(logits, model.config) };
}
