/**
 * A module that owns its memory, made over into one that is given a shared memory. Engines take no unshared memory
 * where a module asks for a shared one, nor the other way round, and pages have no shared memory. The code is the same,
 * and one instance alone works on such a memory.
 */
import { invariant } from '../../../core/errors.ts';

const [HEADER, TYPES, MEMORY] = [8, 1, 5];
/** `env.memory`, shared, of the least number of pages that follows, and at most 65536. */
const IMPORT = [0x01, 0x03, 0x65, 0x6e, 0x76, 0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x03];
const MOST_PAGES = 65536;

function leb(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) out.push((rest & 127) | 128);
  return [...out, rest];
}

/** The number at a place, and the place behind it. */
function read(bytes: Uint8Array, at: number): readonly [value: number, next: number] {
  let [value, shift, next] = [0, 0, at];
  for (; bytes[next] > 127; next++, shift += 7) value |= (bytes[next] & 127) << shift;
  return [value | (bytes[next] << shift), next + 1];
}

/** The module with an imported memory. */
export function withSharedMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const before: Uint8Array[] = [bytes.subarray(0, HEADER)];
  const behind: Uint8Array[] = [];
  let pages: number | undefined;
  for (let at = HEADER; at < bytes.length; ) {
    const id = bytes[at];
    const [size, body] = read(bytes, at + 1);
    // One memory: its flags, then its least number of pages.
    if (id === MEMORY) [pages] = read(bytes, body + 2);
    else (id === TYPES ? before : behind).push(bytes.subarray(at, body + size));
    at = body + size;
  }
  invariant(pages !== undefined, 'a module without a memory of its own');
  const memory = [...IMPORT, ...leb(pages), ...leb(MOST_PAGES)];
  const parts = [...before, Uint8Array.from([2, ...leb(memory.length), ...memory]), ...behind];
  const out = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A memory for one instance of such a module. */
export function sharedMemory(bytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: bytes / 65536, maximum: MOST_PAGES, shared: true });
}
