/** The SDK in Node: the same calls as in a page. The party runs in this process, its kernels in worker threads. */
import { availableParallelism } from 'node:os';
import type { RingKernels } from '../compute/kernels/types.ts';
import { loadNodeProofModule, nodeBackend } from '../compute/kernels/wasm/node-worker.ts';
import { createWasmKernels } from '../compute/kernels/wasm/kernels.ts';
import { checkEnvironment, refuseSettings } from '../core/environment-node.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import { threadsFor } from '../owner/capabilities.ts';
import { loadDeployment as load } from '../owner/deployment.ts';
import type { Environment } from '../owner/environment.ts';
import { NODE_BASE, nodeEnvironment } from '../owner/environment-node.ts';
import { NOT_ASKED } from '../owner/model-context.ts';
import { OwnerModel } from '../owner/owner-model.ts';
import { type DeploymentOptions, openByPeers, type PeerOptions } from './local/data-owner.ts';
import { OwnerParty } from './owner-party.ts';
import { pipelineWith } from './pipeline.ts';
import type { Availability, Capabilities, Deployment, Device, Model, PretrainedOptions } from '../owner/types/index.ts';

export * from './errors.ts';
export { releaseWebRtc } from '../net/webrtc/node.ts';
export type { CollectedMetrics, HealthStatus } from './watching.ts';
export type { TaskResult, TaskRunOptions } from './any-task.ts';
export type { InputShares } from './owner-party.ts';
export type { CoordinatorOptions } from './local/coordinator.ts';
export type * from './local/audit-logger.ts';
export type { DeploymentOptions, PeerOptions } from './local/data-owner.ts';
export { measureStep } from './measure.ts';
export { MetricsCollector, checkPartyConnectivity, getHealthStatus } from './watching.ts';
export { AuditLogger } from './local/audit-logger.ts';
export { type BackupFor, type BackupOpens, type KeyEntry, KeyManager } from './local/key-manager.ts';
export { MpcCoordinator } from './local/coordinator.ts';
export type * from './pipeline-types.ts';
export type * from '../owner/types/index.ts';

const threads = () => threadsFor(availableParallelism());

function environment(): Environment {
  return {
    ...nodeEnvironment(),
    peakMemory: () => process.resourceUsage().maxRSS * 1024,
    capabilities: async () =>
      withWebGpu({
        ok: false,
        reason: NOT_ASKED,
        detail: "Dawn runs in the caller's process and can end it: it is opened by name only",
      }),
    openKernels,
    async proving(device) {
      const [{ provingWith }, { symmetric }, { WasmProofKernels }] = await Promise.all([
        import('../session/proved-session.ts'),
        import('../session/symmetric.ts'),
        import('../compute/kernels/wasm/proof.ts'),
      ]);
      const kernels = new WasmProofKernels(await loadNodeProofModule());
      if (device !== 'webgpu') return provingWith({ kernels, symmetric });
      const { besideDevice } = await import('../compute/kernels/webgpu/proof-engine.ts');
      const near = async () => createWasmKernels(await nodeBackend(0));
      return provingWith({ kernels, symmetric, ...besideDevice(kernels, near) });
    },
  };
}

/**
 * What this process can run, and why not. Opens a graphics device for a moment; a driver that crashes takes the process
 * with it.
 *
 * @example
 * const { threads, webgpu } = await capabilities();
 * console.log(threads, webgpu.ok ? webgpu.detail : webgpu.reason);
 *
 * @throws never: what is not there is said in the answer.
 */
export async function capabilities(): Promise<Capabilities> {
  return withWebGpu(await probeWebGpu());
}

function withWebGpu(webgpu: Availability): Capabilities {
  return {
    webgpu,
    wasm: { ok: true, detail: 'WebAssembly with SIMD' },
    webrtc: { ok: true, detail: 'node-datachannel' },
    workers: { ok: true, detail: 'worker threads' },
    threads: threads(),
    crossOriginIsolated: false,
    device: 'wasm',
  };
}

async function probeWebGpu(): Promise<Availability> {
  try {
    const { openNodeDevice } = await import('../compute/kernels/webgpu/node-device.ts');
    const { close, adapterInfo } = await openNodeDevice();
    close();
    return { ok: true, detail: adapterInfo?.description ?? 'a graphics device' };
  } catch (error) {
    return { ok: false, reason: 'no-adapter', detail: asTercetError(error).message };
  }
}

async function openKernels(device: Device): Promise<RingKernels> {
  if (device === 'wasm') return createWasmKernels(await nodeBackend(threads()));
  const [{ openNodeDevice }, { createWebGpuKernels }] = await Promise.all([
    import('../compute/kernels/webgpu/node-device.ts'),
    import('../compute/kernels/webgpu/kernels.ts'),
  ]);
  return createWebGpuKernels(await openNodeDevice());
}

/**
 * Loads a model for private inference: its configuration and tokenizer, which are checked against the hashes of the
 * deployment, and the kernels. Weights are never downloaded. No party is asked for anything before `prepare` or a run.
 *
 * Security: a compute party is trusted only as far as its identity in the deployment goes, so the deployment must
 * come from somebody whom you trust, over HTTPS or with the page.
 *
 * @param id a model that the deployment serves.
 * @param options `deployment` is needed here: a document, or the address of one.
 * @example
 * const model = await SecureTransformer.fromPretrained('capitals-bert', {
 *   deployment: 'http://127.0.0.1:7600/tercet.json',
 * });
 * const { predictions } = await model.predict('The capital of France is [MASK].');
 * await model.dispose();
 *
 * @throws {TercetError} ERR_DOWNLOAD, ERR_INTEGRITY, ERR_MODEL_CONFIG, ERR_MODEL_NOT_FOUND, ERR_MODEL_UNSUPPORTED,
 * ERR_TOKENIZER, ERR_PROTOCOL_UNAVAILABLE, ERR_DEVICE_UNAVAILABLE, ERR_CREDENTIAL_*, ERR_INSECURE, ERR_ARGUMENT,
 * ERR_ABORTED.
 */
async function fromPretrained(id: string, options: PretrainedOptions): Promise<Model> {
  checkEnvironment(process.env);
  refuseSettings(process.env);
  if (options.deployment === undefined) {
    throw new TercetError('ERR_ARGUMENT', 'no deployment was given', "give { deployment: 'https://…/tercet.json' }");
  }
  return OwnerModel.load(id, options, environment());
}

/**
 * Private inference on a model that the parties of a deployment serve.
 *
 * @example
 * const model = await SecureTransformer.fromPretrained('sst2-bert', { deployment: 'https://alder.example/tercet.json' });
 * console.log((await model.classify('A warm and funny film.')).label);
 */
export const SecureTransformer = { fromPretrained } as const;

/**
 * Loads a model and returns a function for texts, as transformers.js does: names, options and results are those of its
 * pipelines (docs/TASKS.md lists the differences).
 *
 * @example
 * const fill = await pipeline('fill-mask', 'capitals-bert', { deployment: 'https://alder.example/tercet.json' });
 * const [best] = (await fill('The capital of France is [MASK].')).flat();
 * console.log(best.token_str, best.score);
 * await fill.dispose();
 *
 * @throws {TercetError} ERR_ARGUMENT for a task that there is not, ERR_MODEL_UNSUPPORTED for a model of another one;
 * else as `SecureTransformer.fromPretrained`.
 */
export const pipeline = pipelineWith((id, options) => fromPretrained(id, options));

/**
 * The data owner's party in the steps of the protocol, on the parties of a deployment, or on two that are named by
 * address.
 *
 * @example
 * await using party = new DataOwnerParty({
 *   model: 'capitals-bert',
 *   peers: ['compute1.example:8001', 'compute2.example:8001'],
 *   tlsCert: 'cert.pem', tlsKey: 'key.pem', tlsCa: 'ca.pem',
 * });
 * await party.start();
 * party.distributeShares(await party.shareInput('The capital of France is [MASK].'));
 * const result = await party.getComputationResult();
 */
export class DataOwnerParty extends OwnerParty {
  /** Nobody is asked for anything yet. */
  constructor(options: DeploymentOptions | PeerOptions) {
    super(async () => {
      if ((options.partyId ?? 0) !== 0)
        throw new TercetError('ERR_ARGUMENT', 'the data owner is party 0', 'tercet party runs the other two');
      if ('peers' in options) return openByPeers(options);
      const { partyId: _, model, ...rest } = options;
      return { model: await fromPretrained(model, rest) };
    });
  }
}

/**
 * Fetches and checks a deployment document.
 *
 * @param source its whole address.
 * @example
 * const { entries } = await loadDeployment('https://alder.example/tercet.json');
 * console.log(entries.map(({ id }) => id));
 *
 * @throws {TercetError} ERR_ARGUMENT, ERR_DOWNLOAD, ERR_MODEL_CONFIG naming the field that is wrong, ERR_INSECURE
 * for an address where anybody on the way could change it.
 */
export async function loadDeployment(source: string | URL): Promise<Deployment> {
  return (await load(source, NODE_BASE, { fetch: (url, init) => fetch(url, init) })).deployment;
}
