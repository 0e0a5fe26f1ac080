/**
 * The SDK in Node: the same calls as in a page. The party runs in this process, its kernels in worker threads.
 *
 * Files are fetched from the deployment's address, or given as a folder (`file:` addresses are read from disk).
 */
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import WebSocket from 'ws';
import type { RingKernels } from '../compute/kernels/types.ts';
import { openNodeDevice } from '../compute/kernels/webgpu/node-device.ts';
import { createWebGpuKernels } from '../compute/kernels/webgpu/index.ts';
import { loadNodeModule, nodeWorkerFactory } from '../compute/kernels/wasm/node-worker.ts';
import { createWasmKernels } from '../compute/kernels/wasm/pool.ts';
import { asTercetError } from '../core/errors.ts';
import { openOwnerLink } from '../net/owner-link.ts';
import { nodeOfferer } from '../net/webrtc/node.ts';
import { threadsFor } from './capabilities.ts';
import { loadDeployment as load } from './deployment.ts';
import type { Environment } from './environment.ts';
import { OwnerModel } from './owner-model.ts';
import { pipelineWith } from './pipeline.ts';
import type { Availability, Capabilities, Deployment, Device, Model, PretrainedOptions } from './types.ts';

export { TercetError } from '../core/errors.ts';
export type { Pipeline, PipelineRunOptions } from './pipeline.ts';
export type * from './types.ts';

const threads = () => threadsFor(availableParallelism());

function openWasm(): Promise<RingKernels> {
  return loadNodeModule().then((module) => createWasmKernels({ module, startWorker: nodeWorkerFactory(), threads: threads() }));
}

async function openKernels(device: Device): Promise<RingKernels> {
  return device === 'wasm' ? openWasm() : createWebGpuKernels(await openNodeDevice());
}

/** What this process can run, and why not. WebGPU counts only where it is asked for by name: Dawn keeps a process alive until it exits by itself. */
export async function capabilities(): Promise<Capabilities> {
  const webgpu: Availability = await openNodeDevice().then(
    (device) => {
      device.close();
      return { ok: true, detail: device.adapter } as const;
    },
    (error: unknown) => ({ ok: false, reason: 'no-adapter', detail: asTercetError(error).message }) as const,
  );
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
