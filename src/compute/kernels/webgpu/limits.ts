/**
 * What bounds a dispatch: the device's limits, and how much work may run before a watchdog of the browser or driver
 * (about ten seconds) must not be near.
 */

/** A ChaCha20 block in multiply-adds of 64-bit words, by instructions: about 1000 against 20, with room. */
export const BLOCK_WORK = 64;

export interface KernelLimits {
  /** Bytes of one storage binding. Longer vectors and matrices are worked on in ranges. */
  readonly bindingBytes: number;
  /** Bytes of one buffer: no vector is longer. */
  readonly bufferBytes: number;
  /**
   * Bytes of all buffers together; infinite unless the caller sets a budget (WebGPU does not tell how much there
   * is).
   */
  readonly memoryBytes: number;
  /** Workgroups in one dimension; more are folded into two. */
  readonly groupsPerDimension: number;
  /**
   * Multiply-adds in one dispatch, and in all of a submit: 2^31 are milliseconds on a fast GPU and a second on a
   * slow one.
   */
  readonly work: number;
  /** Dispatches in one submit, each with one slot of parameters. */
  readonly batchDispatches: number;
}

/** Limits of a device, lowered where `given` says so. */
export function limitsOf(device: GPUDevice, given: Partial<KernelLimits> = {}): KernelLimits {
  const { limits } = device;
  // Offsets and lengths are 32-bit in shaders.
  const most = 2 ** 32 - 256;
  const own: KernelLimits = {
    bindingBytes: Math.min(limits.maxStorageBufferBindingSize, most),
    bufferBytes: Math.min(limits.maxBufferSize, 2 ** 40),
    memoryBytes: Number.POSITIVE_INFINITY,
    groupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    work: 2 ** 31,
    batchDispatches: 128,
  };
  const lowered: { -readonly [name in keyof KernelLimits]: number } = { ...own };
  for (const name of Object.keys(own) as (keyof KernelLimits)[])
    lowered[name] = Math.min(own[name], given[name] ?? own[name]);
  return lowered;
}
