/** What ends a device, and how it is said. */
import { TercetError } from '../../../core/errors.ts';
import type { Fault } from '../fault.ts';

/** Raises what the device itself says: that it is lost, or an error that no scope has caught. */
export function observe(device: GPUDevice, fault: Fault): void {
  void device.lost.then((info) => fault.raise(lostError(info.reason, info.message)));
  device.addEventListener('uncapturederror', (event) => fault.raise(kernelError(event.error.message)));
}

export function lostError(reason: string, message: string): TercetError {
  return new TercetError(
    'ERR_DEVICE_LOST',
    `the GPU device was lost (${reason || 'unknown'})`,
    'start a new run; if it happens again use the device "wasm"',
    {
      cause: new Error(message),
    },
  );
}

export function memoryError(what: string, cause?: unknown): TercetError {
  return new TercetError(
    'ERR_DEVICE_MEMORY',
    what,
    'close other programs that use the GPU, or use the device "wasm"',
    cause === undefined ? undefined : { cause },
  );
}

/** The device refused or failed a command: a bug here or in the driver. */
export function kernelError(message: string): TercetError {
  return new TercetError(
    'ERR_KERNEL',
    'the GPU refused a command',
    'use the device "wasm", and report this with the name of the GPU',
    // An error, and not its text: test runners and --debug print the causes that are errors.
    { cause: new Error(message) },
  );
}

export function closedError(): TercetError {
  return new TercetError('ERR_STATE', 'the kernels were closed', 'make new ones');
}
