/**
 * The failure of a device, once and for all: the first one is kept, everything that waits is rejected with it, and every later call throws it.
 *
 * Nothing is retried. A round of the protocol that was lost half-way must never run again with the same masks, so the attempt ends with the device.
 */
import { TercetError } from '../../../core/errors.ts';

export class Fault {
  #error: TercetError | undefined;
  readonly #waiting = new Set<(error: TercetError) => void>();

  /** Throws the failure, if there was one. */
  check(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  get failed(): boolean {
    return this.#error !== undefined;
  }

  raise(error: TercetError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const tell of waiting) tell(error);
  }

  /** Has `tell` called when the device fails (at once if it has). Returns how to stop that. */
  watch(tell: (error: TercetError) => void): () => void {
    if (this.#error !== undefined) tell(this.#error);
    else this.#waiting.add(tell);
    return () => this.#waiting.delete(tell);
  }

  /** Reports what the device itself says: that it is lost, or an error that no scope has caught. */
  observe(device: GPUDevice): void {
    void device.lost.then((info) => this.raise(lostError(info.reason, info.message)));
    device.addEventListener('uncapturederror', (event) => this.raise(kernelError(event.error.message)));
  }
}

export function lostError(reason: string, message: string): TercetError {
  return new TercetError('ERR_DEVICE_LOST', `the GPU device was lost (${reason || 'unknown'})`, 'start a new run; if it happens again use --device wasm', {
    cause: message,
  });
}

export function memoryError(what: string, cause?: unknown): TercetError {
  return new TercetError('ERR_DEVICE_MEMORY', what, 'close other programs that use the GPU, or use --device wasm', cause === undefined ? undefined : { cause });
}

/** The device refused or failed a command: a bug here or in the driver. */
export function kernelError(message: string): TercetError {
  return new TercetError('ERR_KERNEL', 'the GPU refused a command', 'use --device wasm, and report this with the name of the GPU', { cause: message });
}

export function closedError(): TercetError {
  return new TercetError('ERR_STATE', 'the kernels were closed', 'make new ones');
}
