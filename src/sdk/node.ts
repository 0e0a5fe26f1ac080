/** The SDK in Node: the same calls as in a page. The party runs in this process, its kernels in worker threads. */
import { availableParallelism } from 'node:os';
import WebSocket from 'ws';
import type { RingKernels } from '../compute/kernels/types.ts';
import { loadNodeModule, nodeWorkerFactory } from '../compute/kernels/wasm/node-worker.ts';
import { createWasmKernels } from '../compute/kernels/wasm/kernels.ts';
import { checkEnvironment } from '../core/environment-node.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import { nodeHub } from '../hub/environment-node.ts';
import { openOwnerLink } from '../net/gateway/owner-link.ts';
import { nodeOfferer } from '../net/webrtc/node.ts';
import type { WebSocketConstructor } from '../net/websocket/link.ts';
import { threadsFor } from '../owner/capabilities.ts';
import { loadDeployment as load } from '../owner/deployment.ts';
import type { Environment } from '../owner/environment.ts';
import { NOT_ASKED } from '../owner/model-context.ts';
import { OwnerModel } from '../owner/owner-model.ts';
import { pipelineWith } from './pipeline.ts';
import type { Availability, Capabilities, Deployment, Device, Model, PretrainedOptions } from '../owner/types/index.ts';

export { TercetError } from '../core/errors.ts';
export { releaseWebRtc } from '../net/webrtc/node.ts';
export type * from './pipeline-types.ts';
export type * from '../owner/types/index.ts';

const threads = () => threadsFor(availableParallelism());

/** Relative addresses have nothing to be relative to here. */
const BASE = 'http://127.0.0.1/';

function environment(): Environment {
  const offerer = nodeOfferer();
  return {
    base: BASE,
    fetch: (url, init) => fetch(url, init),
    hub: async () => nodeHub(),
    now: () => performance.now(),
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    peakMemory: () => process.resourceUsage().maxRSS * 1024,
    capabilities: async () =>
      withWebGpu({
        ok: false,
        reason: NOT_ASKED,
        detail: "Dawn runs in the caller's process and can end it: it is opened by name only",
      }),
    openKernels,
    openLink: ({ onFallback, ...request }) =>
      openOwnerLink({
        ...request,
        offerer,
        // ws has the browser's interface; its types say more than is used.
        WebSocket: WebSocket as unknown as WebSocketConstructor,
        onFallback: (event) => onFallback({ what: 'transport', ...event }),
      }),
  };
}

/** What this process can run, and why not. */
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
  if (device === 'wasm')
    return createWasmKernels({ module: await loadNodeModule(), startWorker: nodeWorkerFactory(), threads: threads() });
  const [{ openNodeDevice }, { createWebGpuKernels }] = await Promise.all([
    import('../compute/kernels/webgpu/node-device.ts'),
    import('../compute/kernels/webgpu/kernels.ts'),
  ]);
  return createWebGpuKernels(await openNodeDevice());
}

/** @param options `deployment` is needed here: a document, or the address of one. */
async function fromPretrained(id: string, options: PretrainedOptions): Promise<Model> {
  checkEnvironment(process.env);
  if (options.deployment === undefined) {
    throw new TercetError('ERR_ARGUMENT', 'no deployment was given', "give { deployment: 'https://…/tercet.json' }");
  }
  return OwnerModel.load(id, options, environment());
}

/** Private inference on a model that the parties of a deployment serve. */
export const SecureTransformer = { fromPretrained } as const;

export const pipeline = pipelineWith((id, options) => fromPretrained(id, options));

/** Fetches and checks a deployment document. @throws {TercetError} ERR_DOWNLOAD, ERR_MODEL_CONFIG */
export async function loadDeployment(source: string | URL): Promise<Deployment> {
  return (await load(source, BASE, { fetch: (url, init) => fetch(url, init) })).deployment;
}
