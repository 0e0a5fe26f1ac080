/** Where sampling gets its numbers from. */

import { sha256 } from '@noble/hashes/sha2.js';

/** Uniform in [0, 1), a multiple of 2^-53. */
export type Uniform = () => number;

/**
 * Numbers that a seed determines, the same on every machine: SHA-256 in counter mode.
 * @param seed an integer from 0 to 2^53 - 1
 */
export function seededUniform(seed: number): Uniform {
  const block = new Uint8Array(32);
  block.set(new TextEncoder().encode('tercet sampling'));
  const view = new DataView(block.buffer);
  view.setBigUint64(16, BigInt(seed), true);
  let counter = 0n;
  return () => {
    view.setBigUint64(24, counter++, true);
    return unitInterval(sha256(block));
  };
}

/** Numbers that nobody can repeat, from the system's generator. */
export function systemUniform(): Uniform {
  return () => unitInterval(crypto.getRandomValues(new Uint8Array(8)));
}

function unitInterval(bytes: Uint8Array): number {
  const word = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  return Number(word >> 11n) * 2 ** -53;
}
