/**
 * What a proof draws, and from where. Every value has an address: proof, segment, stage, prime, purpose, number. They
 * are the fields of a 96-bit nonce, so two addresses never meet; the session is in the key.
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { ProofKernels } from '../../compute/kernels/proof-types.ts';
import type { Stream } from '../../compute/kernels/types.ts';
import { concatBytes } from '../../core/bytes.ts';
import { invariant } from '../../core/errors.ts';
import type { ProofPlace } from './segment.ts';

/** What a draw becomes. */
const DRAWS = {
  /** X: bits of the rows of a relation. */
  rows: 1,
  /** V: bits of its columns. */
  columns: 2,
  prime: 3,
  /** σ_t and τ_κ. */
  rowCoefficients: 4,
  columnCoefficients: 5,
  /** α and β of a round. */
  alpha: 6,
  beta: 7,
  /** Masks of claims, shares of a round, the blinds of the last round. */
  claim: 8,
  share: 9,
  blindV: 10,
  blindW: 11,
  /** The pad of W's message to V. */
  seal: 12,
} as const;

export interface DrawAddress {
  readonly purpose: keyof typeof DRAWS;
  readonly stage: number;
  readonly prime?: number;
  readonly number?: number;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** proof u8 ‖ segment u16, little-endian: what a label of a proof begins with. */
function placeBytes({ proof, segment }: ProofPlace): Uint8Array {
  return Uint8Array.of(proof, segment & 255, segment >>> 8);
}

/**
 * A key for one use of what two parties share: HKDF-SHA256, salted by the session.
 * @param pairKey 32 bytes that the third party does not know
 */
export function keyFor(use: 'chain' | 'share' | 'blind' | 'seal' | 'tag', pairKey: Uint8Array, place: ProofPlace) {
  invariant(pairKey.length === 32, 'keys have 32 bytes');
  return hkdf(sha256, pairKey, place.session, concatBytes([text(`tercet/1 proof ${use} `), placeBytes(place)]), 32);
}

/** SHA-256 of a label, the place and bytes. */
export function hashOf(label: string, place: ProofPlace, bytes: Uint8Array): Uint8Array {
  return sha256(concatBytes([text(`tercet/1 proof ${label} `), placeBytes(place), place.session, bytes]));
}

/** proof u8 ‖ prime u8 ‖ segment u16 ‖ stage u16 ‖ purpose u8 ‖ 0 ‖ number u32, little-endian. */
export function streamOf(key: Uint8Array, place: ProofPlace, address: DrawAddress): Stream {
  const { purpose, stage, prime = 0, number = 0 } = address;
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  invariant(stage >= 0 && stage < 2 ** 16 && number >= 0 && number < 2 ** 32, 'an address of a proof out of range');
  nonce[0] = place.proof;
  nonce[1] = prime;
  view.setUint16(2, place.segment, true);
  view.setUint16(4, stage, true);
  nonce[6] = DRAWS[purpose];
  view.setUint32(8, number, true);
  return { key, nonce };
}

/**
 * `count` elements of F_q: 128 bits of the stream each, modulo q. Their distance from uniform is below 2^-67 for
 * primes of 61 bits.
 */
export async function fieldElements(
  kernels: Pick<ProofKernels, 'draw'>,
  stream: Stream,
  count: number,
  q: bigint,
): Promise<BigUint64Array> {
  const words = (await kernels.draw(stream, 64, 2 * count)).data as BigUint64Array;
  return BigUint64Array.from({ length: count }, (_, i) => (words[2 * i] + (words[2 * i + 1] << 64n)) % q);
}
