/** ChaCha20 (RFC 8439 §2.3), the readable twin: one block at a time, random access by block counter. */
import { BLOCK_BYTES, blockOf } from '../key-stream.ts';

const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;

function rotl(x: number, n: number): number {
  return (x << n) | (x >>> (32 - n));
}

function quarter(s: Int32Array, a: number, b: number, c: number, d: number): void {
  s[a] += s[b];
  s[d] = rotl(s[d] ^ s[a], 16);
  s[c] += s[d];
  s[b] = rotl(s[b] ^ s[c], 12);
  s[a] += s[b];
  s[d] = rotl(s[d] ^ s[a], 8);
  s[c] += s[d];
  s[b] = rotl(s[b] ^ s[c], 7);
}

/** The 64-byte block number `counter` of the stream of a 32-byte key and a 12-byte nonce. */
export function chachaBlock(key: Uint8Array, nonce: Uint8Array, counter: number): Uint8Array {
  const start = new Int32Array(16);
  const k = new DataView(key.buffer, key.byteOffset, 32);
  const n = new DataView(nonce.buffer, nonce.byteOffset, 12);
  start.set(SIGMA);
  for (let i = 0; i < 8; i++) start[4 + i] = k.getInt32(4 * i, true);
  start[12] = counter;
  for (let i = 0; i < 3; i++) start[13 + i] = n.getInt32(4 * i, true);
  const s = start.slice();
  for (let round = 0; round < 10; round++) {
    quarter(s, 0, 4, 8, 12);
    quarter(s, 1, 5, 9, 13);
    quarter(s, 2, 6, 10, 14);
    quarter(s, 3, 7, 11, 15);
    quarter(s, 0, 5, 10, 15);
    quarter(s, 1, 6, 11, 12);
    quarter(s, 2, 7, 8, 13);
    quarter(s, 3, 4, 9, 14);
  }
  for (let i = 0; i < 16; i++) s[i] += start[i];
  return new Uint8Array(s.buffer);
}

/** Bytes [from, to) of a key stream. @throws {TercetError} ERR_INTERNAL behind its end */
export function keystream(key: Uint8Array, nonce: Uint8Array, from: number, to: number): Uint8Array {
  const first = blockOf(from, to);
  const out = new Uint8Array(to - from);
  for (let block = first; block * BLOCK_BYTES < to; block++) {
    const bytes = chachaBlock(key, nonce, block);
    const start = block * BLOCK_BYTES;
    const lo = Math.max(from, start);
    const hi = Math.min(to, start + BLOCK_BYTES);
    out.set(bytes.subarray(lo - start, hi - start), lo - from);
  }
  return out;
}
