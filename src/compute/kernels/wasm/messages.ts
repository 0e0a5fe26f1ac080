/**
 * What the scheduler and its workers say to each other. Requests and replies are matched by `id`; a worker answers in
 * order.
 */
import type { ErrorCode } from '../../../core/errors.ts';
import type { Words } from '../../ring.ts';
import type { KernelInstance } from './instance.ts';
import type { NativeLibrary } from './link.ts';

/** The operations of an instance that a worker offers: all its methods. */
export type Operation = {
  [Name in keyof KernelInstance]: KernelInstance[Name] extends (...args: never[]) => unknown ? Name : never;
}[keyof KernelInstance];
export type OperationArguments<Op extends Operation> = Parameters<KernelInstance[Op]>;

export type Request =
  /** What ended scopes had is worth a collection. */
  | { readonly kind: 'collect'; readonly id: number }
  /** The first message: the compiled module, or where a library lies. */
  | { readonly kind: 'start'; readonly id: number; readonly module: WebAssembly.Module | NativeLibrary }
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly op: Operation;
      readonly args: readonly unknown[];
      /** In shared memory: where the result belongs. It is not sent back then. */
      readonly into?: Words | undefined;
    };

export type Result = Words | readonly [Words, Words] | Uint8Array | Float32Array | undefined;

export type Reply =
  | { readonly id: number; readonly value: Result }
  | { readonly id: number; readonly error: { readonly code: ErrorCode; readonly what: string; readonly hint: string } };

/** The scheduler's end of a worker, as the caller injects it. */
export interface WorkerPort {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  onMessage(handler: (message: unknown) => void): void;
  /** Anything after which the worker will not answer: an uncaught error, a failed start, an exit. */
  onError(handler: (error: unknown) => void): void;
  terminate(): void | Promise<void>;
}

/** The worker's end. */
export interface ServicePort {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  onMessage(handler: (message: unknown) => void): void;
  /** Has the garbage of this thread collected soon, where the platform lets one. */
  collect?(): void;
}
