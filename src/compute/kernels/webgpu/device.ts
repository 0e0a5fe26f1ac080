/** Opening a device: the adapter's own limits, asked for by name (a device without them has the small default ones). */
import { TercetError } from '../../../core/errors.ts';

export interface OpenedDevice {
  readonly device: GPUDevice;
  readonly adapterInfo: GPUAdapterInfo;
  /** What to call it in a report. */
  readonly adapter: string;
  /** Whether it is a driver in software, which is slower than WebAssembly: for tests. */
  readonly software: boolean;
  /** Destroys the device. */
  readonly close: () => void;
}

/** The limits that kernels profit from. */
const WANTED = ['maxBufferSize', 'maxStorageBufferBindingSize', 'maxComputeWorkgroupsPerDimension'] as const;

export function unavailable(reason: string, hint = 'use the device "wasm"', cause?: unknown): TercetError {
  return new TercetError(
    'ERR_DEVICE_UNAVAILABLE',
    `no WebGPU: ${reason}`,
    hint,
    cause === undefined ? undefined : { cause },
  );
}

/**
 * @param gpu `navigator.gpu`, or undefined where there is none.
 * @throws {TercetError} ERR_DEVICE_UNAVAILABLE with the reason.
 */
export async function requestDevice(gpu: GPU | undefined): Promise<OpenedDevice> {
  if (gpu === undefined)
    throw unavailable(
      'this environment does not have it',
      'use a browser with WebGPU and a page on https, or the device "wasm"',
    );
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw unavailable('there is no GPU that it could use');
  try {
    const requiredLimits = Object.fromEntries(WANTED.map((name) => [name, adapter.limits[name]]));
    const { info } = adapter;
    const name = [info.vendor, info.architecture].filter((part) => part !== '').join(' ');
    const device = await adapter.requestDevice({ requiredLimits });
    return {
      device,
      adapterInfo: info,
      adapter: info.description || name || 'unnamed GPU',
      // Also by name: not every browser fills the flag.
      software:
        info.isFallbackAdapter === true ||
        /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${name} ${info.description}`),
      close: () => device.destroy(),
    };
  } catch (cause) {
    throw unavailable('the GPU did not open', 'use the device "wasm"', cause);
  }
}
