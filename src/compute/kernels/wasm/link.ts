/**
 * What kernels are made of: their functions, and the memory that these work in. A module of WebAssembly is both; a
 * library of the processor (`node-native.ts`) has the same functions and is given a memory.
 */

/** What a kernel takes for a buffer: its address or, in a library, the buffer itself. */
export type Place =
  | number
  | Uint8Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

export type Export = (...values: (Place | bigint)[]) => number;

/** A library of the processor, by its file: a thread is told so and loads it itself. */
export interface NativeLibrary {
  readonly library: string;
}

export interface Linked {
  readonly exports: Record<string, Export>;
  readonly memory: WebAssembly.Memory;
  /** Whether other threads see the memory: then views of it stay good when it grows. */
  readonly shared?: boolean;
  /** Bytes from address 0 that calls leave shares in: the stack of a module. */
  readonly stack: number;
  /** Where nothing of the kernels' own lies any more. */
  readonly base: number;
  /** Called when the memory has grown. */
  readonly moved?: () => void;
  /** Copies to or from memory that threads share, where the platform has a faster way than `set`. */
  readonly copyShared?: (to: Uint8Array, at: number, from: Uint8Array) => void;
}

/** What a module is given that brings no memory: `tercet.wasm`, whose memory threads may share. */
const PAGES = { initial: 16, maximum: 65536 };

/** @param shared whether the module's memory is one that threads share (`shared-module.ts`) */
export function linkModule(module: WebAssembly.Module, shared = false): Linked {
  const given = WebAssembly.Module.imports(module).map(() => new WebAssembly.Memory({ ...PAGES, shared }));
  const { exports } = new WebAssembly.Instance(module, { env: { memory: given[0] } });
  return {
    exports: exports as Record<string, Export>,
    memory: (exports.memory as WebAssembly.Memory | undefined) ?? given[0],
    shared,
    stack: (exports.__global_base as WebAssembly.Global).value,
    base: (exports.__heap_base as WebAssembly.Global).value,
  };
}
