/** Kernels of a Node process, by the device that the user asked for. */
import { createWasmKernels, type WasmKernels } from '../compute/kernels/wasm/pool.ts';
import { loadNodeModule, nodeWorkerFactory } from '../compute/kernels/wasm/node-worker.ts';
import { TercetError } from '../core/errors.ts';

export const DEVICES = ['auto', 'wasm', 'webgpu'] as const;
export type Device = (typeof DEVICES)[number];

/**
 * @param threads workers beside the main thread, which is kept for the links.
 * @throws {TercetError} ERR_DEVICE_UNAVAILABLE for a device that this build lacks; `auto` takes the best that is there.
 */
export async function nodeKernels(device: Device, threads: number): Promise<WasmKernels> {
  if (device === 'webgpu') throw new TercetError('ERR_DEVICE_UNAVAILABLE', 'WebGPU kernels are not in this build', 'use --device wasm or --device auto');
  return createWasmKernels({ module: await loadNodeModule(), startWorker: nodeWorkerFactory(), threads });
}

/** Peak resident memory of this process in bytes. */
export function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024;
}
