/**
 * The kernels as a library of the processor (`native/`), which a compute party may take in place of WebAssembly: the
 * same sources, the same bits, and the same memory behind them.
 *
 * SECURITY: nothing checks an address there, as WebAssembly does. The library wipes its stack after every call.
 */
import { DirectMemory } from './direct-memory.ts';
import { type Export, type Linked, type NativeLibrary, linkModule } from './link.ts';
import { Memory } from './memory.ts';

/** Address 0 is none. */
const FIRST = 64;
const PAGES = { initial: 16, maximum: 65536 };

type Bound = Record<string, Export> & { move(bytes: Uint8Array): void };

/** Which kernels: those of `tercet.wasm`, or of `proof.wasm`. */
type Part = 'link' | 'proofs';

interface Addon {
  readonly exports: Readonly<Record<Part, (bytes: Uint8Array) => Bound>>;
}

/**
 * A copy at once. Engines copy shared memory word by word; what a buffer is filled by, Node copies as any other memory.
 */
export function copyShared(to: Uint8Array, at: number, from: Uint8Array): void {
  Buffer.prototype.fill.call(to, from, at, at + from.length);
}

function linkLibrary({ library }: NativeLibrary, part: Part): Linked {
  const addon = { exports: {} } as Addon;
  process.dlopen(addon, library);
  const memory = new WebAssembly.Memory(PAGES);
  const bytes = () => new Uint8Array(memory.buffer);
  const { move, ...exports } = addon.exports[part](bytes());
  return { exports, memory, stack: 0, base: FIRST, moved: () => move(bytes()), copyShared };
}

/** Either kind. */
export function linkInNode(of: WebAssembly.Module | NativeLibrary): Linked {
  return 'library' in of ? linkLibrary(of, 'link') : { ...linkModule(of), copyShared };
}

/** Either kind, with its memory. */
export function openInNode(of: WebAssembly.Module | NativeLibrary): Memory {
  return 'library' in of ? new DirectMemory(linkInNode(of)) : new Memory(linkInNode(of));
}

/** Kernels on a memory that threads share. */
export function linkShared(module: WebAssembly.Module): Linked {
  return { ...linkModule(module, true), copyShared };
}

/** The kernels of the proofs, of either kind. */
export function linkProofs(of: WebAssembly.Module | NativeLibrary): Linked {
  return 'library' in of ? linkLibrary(of, 'proofs') : { ...linkModule(of), copyShared };
}
