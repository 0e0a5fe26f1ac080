/** Byte helpers shared by every layer. Little-endian throughout: every platform that runs WebAssembly or WebGPU is. */

/** Zeroing less costs less than to ask for it. */
const PAGE_BYTES = 4096;
/** Node's way to memory that holds whatever was there before. */
const { Buffer: node } = globalThis as {
  readonly Buffer?: { allocUnsafeSlow(length: number): Uint8Array<ArrayBuffer> };
};

/**
 * Bytes that are written, every one, before anybody reads them: a buffer of their own that is not zeroed first, where
 * there is such a thing. SECURITY: they hold what others left. Whoever asks for them fills them in the same function,
 * or hands them out only when it has.
 */
export function unwritten(length: number): Uint8Array<ArrayBuffer> {
  if (node === undefined || length < PAGE_BYTES) return new Uint8Array(length);
  return new Uint8Array(node.allocUnsafeSlow(length).buffer);
}

/** The same bytes in a buffer of their own. */
export function copyBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = unwritten(bytes.length);
  out.set(bytes);
  return out;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}

export function toHex(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += byte.toString(16).padStart(2, '0');
  return out;
}

export function fromHex(hex: string): Uint8Array {
  const out = new Uint8Array(hex.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** Text from a peer, fit to print: no control characters (a terminal would obey them), not too long. */
export function printable(text: string, length: number): string {
  return text.replace(/[^\x20-\x7e—–’…≥≤·]/g, '?').slice(0, length);
}
