/**
 * Everything that a data owner holds of a model before there is a text: what was downloaded and checked, and an
 * open device. Never weights.
 */
import type { RingKernels } from '../compute/kernels/types.ts';
import { abortedError } from '../core/abort.ts';
import { TercetError, asTercetError, invariant } from '../core/errors.ts';
import { loadModelConfig } from '../ml/config.ts';
import { ownerFiles } from '../ml/owner-files.ts';
import { type ModelFiles, fileNotFound, memoryFiles } from '../ml/files.ts';
import { headOf, taskOf } from '../ml/tasks/table.ts';
import type { OwnerCredential } from '../net/enrolment/credential.ts';
import { absentCredential } from '../net/enrolment/credential-terms.ts';
import { MAX_ATTENTION } from '../mpc/secure/attention-form.ts';
import { checkLevel, protocolNamed } from '../session/proving.ts';
import { WIDENINGS } from '../session/run-plan.ts';
import { DEFAULT_BATCH, checkBatchSize } from './batch-size.ts';
import { bucketsOf } from './buckets.ts';
import { chosenDealer } from './dealer-choice.ts';
import { loadDeployment } from './deployment.ts';
import type { Environment, RunEnvironment } from './environment.ts';
import { serversHealth } from './health.ts';
import { type ReadPinned, besideDeployment, onHub } from './model-files.ts';
import { noticeTo } from './notices.ts';
import type { RunContext } from './run-context.ts';
import { type TextContext, loadTextContext } from './text-context.ts';
import type {
  Deployment,
  Device,
  ModelEntry,
  PartyAddress,
  PretrainedOptions,
  ServersHealth,
  Task,
  Weights,
} from './types/index.ts';

/** Reason of a WebGPU that is not looked for unless it is named. */
export const NOT_ASKED = 'not-asked';

export interface ModelContext extends TextContext, RunContext {
  readonly id: string;
  readonly task: Task;
  readonly buckets: readonly number[];
  /** Texts of a batch in one run, where a call says nothing else. */
  readonly batchSize: number;
  readonly device: Device;
  readonly downloadedBytes: number;
  /** Whether both parties are there, and the dealer where one was named. */
  health(): Promise<ServersHealth>;
}

const TRANSPORT_TIMEOUT_MS = 5_000;

/** Within what parties take by default; a single sequence may need more. */
export const RUN_MEMORY = 2e9;

/**
 * Downloads what a data owner needs of a model and opens the device.
 * @throws {TercetError} ERR_CREDENTIAL_MISSING before anything is downloaded, ERR_CREDENTIAL_SHARING,
 * ERR_CREDENTIAL_EXPIRED, ERR_CREDENTIAL_SIGNATURE, ERR_CREDENTIAL_DEALER; ERR_MODEL_NOT_FOUND,
 * ERR_PROTOCOL_UNAVAILABLE, ERR_DEVICE_UNAVAILABLE, ERR_DOWNLOAD, ERR_INTEGRITY, ERR_ARGUMENT, ERR_ABORTED
 */
export async function loadModelContext(
  id: string,
  options: PretrainedOptions,
  environment: Environment,
): Promise<ModelContext> {
  const proved = environment.proving === undefined ? [] : (['3pc_malicious', 'aby3'] as const);
  const protocol = protocolNamed(options.protocol ?? '3pc_semi_honest', proved);
  const { signal, weights = 'open', plan = 'lan', hub = false } = options;
  // Before anything is downloaded or sent.
  const securityLevel = checkLevel(protocol, options.securityLevel);
  const batchSize = checkBatchSize(options.batchSize ?? DEFAULT_BATCH);
  const credential = await credentialFor(weights, options.credential);
  const network = { fetch: environment.fetch, signal };
  const { deployment, base, bytes } = await loadDeployment(
    options.deployment ?? '../sdk/tercet.json',
    environment.base,
    network,
  );
  const { entry, hash } = served(deployment, id, weights);
  const dealer =
    options.dealer === undefined || options.dealer === false
      ? undefined
      : chosenDealer(options.dealer, deployment, protocol);
  credential?.check(hash, Date.now() / 1000);
  if (dealer !== undefined) credential?.permitFor(dealer.identity);

  let downloadedBytes = bytes;
  const report = options.progress_callback ?? (() => undefined);
  const beside = besideDeployment(deployment, entry, base, network);
  const load = async (read: ReadPinned, file: string): Promise<Uint8Array> => {
    report({ status: 'initiate', name: id, file });
    report({ status: 'download', name: id, file });
    const onProgress = (loaded: number, total: number) =>
      report({ status: 'progress', name: id, file, loaded, total, progress: (100 * loaded) / Math.max(1, total) });
    const { bytes: content, downloaded } = await read(file, onProgress);
    downloadedBytes += downloaded;
    report({ status: 'done', name: id, file });
    return content;
  };
  const publicFiles = hub === false ? beside : await onHub(entry, hub, environment, signal);
  const names = await ownerFiles(listed(entry));
  const contents = await Promise.all(names.map((file) => load(publicFiles, file)));
  const files = memoryFiles(id, new Map(names.map((name, i) => [name, contents[i]])));
  const config = await loadModelConfig(files, headOf(entry.task));
  const texts = await loadTextContext(files, config, options.maxCharacters ?? deployment.maxCharacters);
  if (taskOf(config.head) !== entry.task)
    throw new TercetError(
      'ERR_MODEL_CONFIG',
      `the deployment says that ${id} is for ${entry.task}, and it is a ${config.architecture}`,
      'tell the operator of this page',
    );
  const buckets = bucketsOf(options.buckets, Math.min(config.maxPositions, MAX_ATTENTION));
  const proving = protocol === '3pc_semi_honest' ? undefined : await environment.proving?.(options.device, protocol);
  const { device, kernels } = await openDevice(options, environment);
  if (signal?.aborted === true) {
    await kernels.close();
    throw abortedError();
  }
  report({ status: 'ready', task: entry.task, model: id });
  return {
    ...texts,
    id,
    task: entry.task,
    environment: { ...environment, openLink: linksTo(deployment, dealer, options, environment) },
    terms: { model: hash, protocol, weights, dealer: dealer?.identity, widening: WIDENINGS[plan], securityLevel },
    credential,
    buckets,
    batchSize,
    runMemory: RUN_MEMORY,
    kernels,
    proving,
    reopen: () => openDevice(options, environment),
    onProgress: (event) => options.progress_callback?.(event),
    trace: options.trace,
    notice: noticeTo(options.progress_callback),
    device,
    downloadedBytes,
    health: () => serversHealth(deployment, dealer, environment),
  };
}

/** Links to the parties of a deployment, by the way that was asked for. */
function linksTo(
  { parties, iceServers = [] }: Deployment,
  dealer: PartyAddress | undefined,
  options: PretrainedOptions,
  { openLink }: Environment,
): RunEnvironment['openLink'] {
  return async ({ modelHash, ...request }) => {
    const { party } = request;
    invariant(modelHash !== undefined, 'a deployment names its models');
    const link = await openLink({
      ...request,
      modelHash,
      address: party === 3 ? dealerOf(dealer) : parties[party - 1],
      otherIdentity: party === 3 ? undefined : parties[2 - party],
      transport: options.transport ?? 'auto',
      timeoutMs: options.transportTimeoutMs ?? TRANSPORT_TIMEOUT_MS,
      iceServers,
      associations: options.associations ?? 1,
      onFallback: (event) => options.onFallback?.(event),
    });
    options.progress_callback?.({ status: 'connect', party, transport: link.transport });
    options.progress_callback?.({ status: 'handshake', party, milliseconds: link.handshakeMs });
    return link;
  };
}

function dealerOf(dealer: PartyAddress | undefined): PartyAddress {
  invariant(dealer !== undefined, 'a run names no dealer and asks for its link');
  return dealer;
}

/**
 * @throws {TercetError} ERR_CREDENTIAL_MISSING for secret weights without one, ERR_ARGUMENT for open weights with
 * one
 */
async function credentialFor(
  weights: Weights,
  source: PretrainedOptions['credential'],
): Promise<OwnerCredential | undefined> {
  if (weights === 'secret') {
    if (source === undefined) throw absentCredential('missing');
    // A page loads what reads one with the first that it is given.
    const { OwnerCredential } = await import('../net/enrolment/credential.ts');
    return OwnerCredential.read(source);
  }
  if (source !== undefined)
    throw new TercetError(
      'ERR_ARGUMENT',
      'a credential is for secret weights',
      "add weights: 'secret', or leave the credential out",
    );
  return undefined;
}

/** The files that the deployment lists, to be asked which of them a tokenizer needs. */
function listed({ id, files }: ModelEntry): ModelFiles {
  return {
    name: id,
    has: async (file) => Object.hasOwn(files, file),
    read: async (file) => Promise.reject(fileNotFound(id, file)),
  };
}

function served(deployment: Deployment, id: string, weights: Weights): { entry: ModelEntry; hash: string } {
  const entry = deployment.entries.find((model) => model.id === id);
  if (entry === undefined) {
    const names = deployment.entries.map((model) => model.id).join(', ');
    throw new TercetError('ERR_MODEL_NOT_FOUND', 'the parties serve no model of that name', `choose one of ${names}`);
  }
  const hash = entry.weights[weights];
  if (hash === undefined)
    throw new TercetError(
      'ERR_MODEL_NOT_FOUND',
      `the parties do not serve ${id} with ${weights} weights`,
      'choose the other kind of weights',
    );
  return { entry, hash };
}

/** The device that was asked for; with 'auto' the best that opens, and a word about every better one that did not. */
async function openDevice(
  options: PretrainedOptions,
  environment: Environment,
): Promise<{ device: Device; kernels: RingKernels }> {
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
  if (!wasm.ok) {
    throw new TercetError(
      'ERR_DEVICE_UNAVAILABLE',
      `neither WebGPU nor WebAssembly can be used here: ${wasm.detail}`,
      'use a current browser',
    );
  }
  return { device: 'wasm', kernels: await environment.openKernels('wasm') };
}
