/** The WebGPU backend as others see it. Node's way to a device is in node-device.ts. */
export { type OpenedDevice, requestDevice } from './device.ts';
export { type WebGpuDescription, WebGpuKernels, type WebGpuOptions, createWebGpuKernels } from './kernels.ts';
export type { KernelLimits } from './limits.ts';
