/**
 * The kernels on a memory that threads share. Its type is part of a module, so `tercet.wasm` is taken with one byte
 * changed: the limits of the memory that it imports (WebAssembly core specification §5.3.8, §5.5.5, and threads
 * proposal). No instruction differs. Only a host changes lengths and contents, between two calls of kernels.
 */
import { invariant } from '../../../core/errors.ts';

const HEADER = 8;
const IMPORT_SECTION = 2;
/** Kinds of what is imported, and limits with a maximum: of one thread's memory, of a shared one. */
const [FUNCTION, MEMORY] = [0, 2];
const [BOUND, SHARED] = [1, 3];

/** The same module, whose memory is shared. It imports memory and functions, or nothing. */
export function withSharedMemory(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(module);
  const at = limitsOfMemory(bytes);
  invariant(at !== undefined && bytes[at] === BOUND, 'a module that imports a memory of at most so many pages');
  bytes[at] = SHARED;
  return bytes;
}

/** Where the limits of the imported memory begin. */
function limitsOfMemory(bytes: Uint8Array): number | undefined {
  let at = HEADER;
  /** LEB128 (§5.2.2). */
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const name = (): void => {
    const length = number();
    at += length;
  };
  while (at < bytes.length) {
    const [id, length] = [bytes[at++], number()];
    if (id !== IMPORT_SECTION) {
      at += length;
      continue;
    }
    for (let left = number(); left > 0; left--) {
      name();
      name();
      const kind = bytes[at++];
      if (kind === MEMORY) return at;
      invariant(kind === FUNCTION, 'imports of functions and a memory');
      number();
    }
    return undefined;
  }
  return undefined;
}
