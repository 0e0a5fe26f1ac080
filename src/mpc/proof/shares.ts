/**
 * How the prover hides what it says. Every claim and every round message z is split in two: W's half is drawn from
 * the key of prover and W, so nothing is sent for it, and V gets the difference. Both then follow the same fold, each
 * on its half (PROTOCOL §15.5, §15.7). Masks are drawn per prime: one draw for two primes would tell a difference of
 * secrets.
 */
import { residue } from '../../compute/field.ts';
import type { ProofKernels } from '../../compute/kernels/proof-types.ts';
import type { FieldChallenges, FoldChallenges } from './challenges.ts';
import { COMPRESSION, PRIMES, stageOf } from './challenges.ts';
import { type DrawAddress, fieldElements, keyFor, streamOf } from './keys.ts';
import type { ProofPlace, Segment } from './segment.ts';

/** What prover and W draw alike. */
export class Shares {
  readonly #segment: Segment;
  readonly #kernels: ProofKernels;
  readonly #key: Uint8Array;

  /** @param pairKey of prover and W; V must not know it */
  constructor(segment: Segment, kernels: ProofKernels, pairKey: Uint8Array) {
    this.#segment = segment;
    this.#kernels = kernels;
    this.#key = keyFor('share', pairKey, segment.place);
  }

  /** The masks of the claims, σ × σ integers below 2^maskBits. */
  async claimMasks(): Promise<bigint[]> {
    const { sigma, maskBits } = this.#segment.parameters;
    const words = maskBits / 32;
    const stream = this.#stream({ purpose: 'claim', stage: COMPRESSION });
    const { data } = await this.#kernels.draw(stream, 32, sigma * sigma * words);
    return Array.from({ length: sigma * sigma }, (_, i) => {
      let mask = 0n;
      for (let w = words - 1; w >= 0; w--) mask = (mask << 32n) | BigInt(data[i * words + w]);
      return mask;
    });
  }

  /** W's half of a round message, all blocks; the derived one is not used. */
  async round(round: number, prime: number, q: bigint): Promise<BigUint64Array> {
    const width = this.#segment.width(round);
    return fieldElements(
      this.#kernels,
      this.#stream({ purpose: 'share', stage: stageOf(round), prime }),
      width * width,
      q,
    );
  }

  /** W_0: what hides W*, the end of W's vector, from V. */
  async blind(prime: number, q: bigint): Promise<bigint> {
    return (await fieldElements(this.#kernels, this.#stream({ purpose: 'blindW', stage: PRIMES, prime }), 1, q))[0];
  }

  wipe(): void {
    this.#key.fill(0);
  }

  #stream(address: DrawAddress) {
    return streamOf(this.#key, this.#segment.place, address);
  }
}

/**
 * U_0: what hides U*, the end of V's vector, from a W that would ask by wrong answers. From the key of prover and V.
 */
export async function blindOfV(
  kernels: ProofKernels,
  place: ProofPlace,
  pairKey: Uint8Array,
  prime: number,
  q: bigint,
): Promise<bigint> {
  const key = keyFor('blind', pairKey, place);
  const stream = streamOf(key, place, { purpose: 'blindV', stage: PRIMES, prime });
  const [blind] = await fieldElements(kernels, stream, 1, q);
  key.fill(0);
  return blind;
}

/** Σ_t Σ_κ σ_t τ_κ c_{t,κ} mod q: one claim out of all. */
export function combined(claims: readonly bigint[], { q, rows, columns }: FieldChallenges): bigint {
  const sigma = rows.length;
  let total = 0n;
  for (const [i, claim] of claims.entries())
    total += ((rows[Math.floor(i / sigma)] * columns[i % sigma]) % q) * residue(claim, q);
  return total % q;
}

/** The block whose sum is derived from the claim: 0, or 1 where the blinds are block 0. */
export function derivedBlock(segment: Segment, round: number): 0 | 1 {
  return round === segment.rounds - 1 ? 1 : 0;
}

/**
 * One verifier's half of the claim behind a round: Σ_{a,b} α_a β_b z_{a,b}, where z of the derived block is what the
 * claim before leaves for it. Σ_a z_{a,a}, without the blinds, is the claim by construction.
 */
export function foldClaim(
  z: readonly bigint[],
  claim: bigint,
  derived: 0 | 1,
  { alpha, beta }: FoldChallenges,
  q: bigint,
): bigint {
  const n = alpha.length;
  let rest = claim;
  for (let a = derived + 1; a < n; a++) rest -= z[a * n + a];
  let total = 0n;
  for (let a = 0; a < n; a++)
    for (let b = 0; b < n; b++) {
      const value = a === derived && b === derived ? residue(rest, q) : z[a * n + b];
      total += ((alpha[a] * beta[b]) % q) * value;
    }
  return total % q;
}
