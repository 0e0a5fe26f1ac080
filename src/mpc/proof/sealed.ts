/**
 * W's message to V, sealed: it follows from challenges that the prover must not know yet, and the prover may be who
 * carries it. One message under one key, so a pad of the key stream and HMAC-SHA256 behind it (encrypt, then MAC).
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { ProofKernels } from '../../compute/kernels/proof-types.ts';
import { bytesOf } from '../../compute/ring.ts';
import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { keyFor, streamOf } from './keys.ts';
import type { ProofPlace } from './segment.ts';

const TAG = 32;

async function padded(kernels: ProofKernels, place: ProofPlace, pairKey: Uint8Array, bytes: Uint8Array) {
  const key = keyFor('seal', pairKey, place);
  const pad = bytesOf(
    await kernels.draw(streamOf(key, place, { purpose: 'seal', stage: 0 }), 32, Math.ceil(bytes.length / 4)),
  );
  key.fill(0);
  return bytes.map((byte, i) => byte ^ pad[i]);
}

/** @param pairKey of V and W */
export async function seal(kernels: ProofKernels, place: ProofPlace, pairKey: Uint8Array, bytes: Uint8Array) {
  const text = await padded(kernels, place, pairKey, bytes);
  return concatBytes([text, hmac(sha256, keyFor('tag', pairKey, place), text)]);
}

/** @returns undefined for what W did not seal for this proof */
export async function unseal(kernels: ProofKernels, place: ProofPlace, pairKey: Uint8Array, sealed: Uint8Array) {
  if (sealed.length < TAG) return undefined;
  const text = sealed.subarray(0, sealed.length - TAG);
  const tag = hmac(sha256, keyFor('tag', pairKey, place), text);
  if (!equalBytes(tag, sealed.subarray(text.length))) return undefined;
  return padded(kernels, place, pairKey, text);
}
