/** WebGPU kernels of a browser: a device of this worker's own, with the adapter's real limits. */
import type { RingKernels } from '../../compute/kernels/types.ts';
import { TercetError } from '../../core/errors.ts';

export async function openWebGpuKernels(gpu: GPU | undefined): Promise<RingKernels> {
  if (gpu === undefined)
    throw new TercetError('ERR_DEVICE_UNAVAILABLE', 'this browser has no WebGPU in workers', "use device: 'wasm'");
  // Loaded when it is wanted: the shaders are a third of the worker's code.
  const { createWebGpuKernels, requestDevice } = await import('../../compute/kernels/webgpu/kernels.ts');
  return createWebGpuKernels(await requestDevice(gpu));
}
