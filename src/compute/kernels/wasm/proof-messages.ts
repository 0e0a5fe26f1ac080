/** What `ThreadedProofKernels` and its thread say to each other. Requests and replies are matched by `id`, in order. */
import type { ErrorCode } from '../../../core/errors.ts';
import type { ProofKernels } from '../proof-types.ts';
import type { NativeLibrary } from './link.ts';

export type ProofOperation = Exclude<keyof ProofKernels, 'name' | 'close'>;

export type ProofRequest =
  /** The first message: the compiled module, or the library. */
  | { readonly kind: 'start'; readonly id: 0; readonly module: WebAssembly.Module | NativeLibrary }
  /** A table of the thread is `{ distant: id }`. */
  | { readonly kind: 'call'; readonly id: number; readonly op: ProofOperation; readonly args: readonly unknown[] };

export type ProofReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly code: ErrorCode; readonly what: string; readonly hint: string } };
