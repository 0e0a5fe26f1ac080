/**
 * What a proof promises, as a number (PROTOCOL §15.8): the most that a false statement is accepted with, and how far
 * the views of honest and simulated runs are apart. Computed from the parameters and the rounds of a circuit; the
 * design's table is a test.
 */
import { invariant } from '../../core/errors.ts';

export interface ProofParameters {
  /** Columns of the two-sided compression. At most 64: a row of challenges is one word. */
  readonly sigma: number;
  /** Length of the prime. 61; toy primes for tests that measure. */
  readonly primeBits: number;
  /** Primes, each with blinds, shares and a tail of its own. */
  readonly primes: 1 | 2;
  /** Length of the masks of claims, a multiple of 32. V accepts 0 ≤ c < 2^maskBits. */
  readonly maskBits: number;
  /** Claims of honest provers are below 2^claimBits. */
  readonly claimBits: number;
}

/** Of every level: what cuts segments may not depend on it. */
export const CLAIM_BITS = 160;

/**
 * By the level that a session asks for. 256 is the name of the level, not of the bound: that is 2^-63, with masks
 * that hide claims as well.
 */
export const PARAMETERS: Readonly<Record<128 | 256, ProofParameters>> = {
  128: { sigma: 48, primeBits: 61, primes: 1, maskBits: 224, claimBits: CLAIM_BITS },
  256: { sigma: 64, primeBits: 61, primes: 2, maskBits: 256, claimBits: CLAIM_BITS },
};

/** Bounds as logarithms to the base two. */
export interface Soundness {
  /** The compression misses an error: 2^(1−σ). */
  readonly compression: number;
  /** A prime divides the difference of claims that are false. All primes must. */
  readonly lift: number;
  /** A false claim survives a combination or a fold. In all tails. */
  readonly folding: number;
  /** A false statement is accepted: compression + (lift + folding)^primes. */
  readonly total: number;
  /** Distance of what V sees from what it could make alone, for all claims of a proof. */
  readonly zeroKnowledge: number;
}

/**
 * A little less than the number of primes of exactly `bits` bits: the difference of y/ln y at both ends. The true
 * number is larger, because π(y) runs ahead of y/ln y by more at the upper end.
 */
export function primesOfLength(bits: number): number {
  return (2 ** (bits - 1) / (bits * Math.LN2)) * (1 - 1 / (bits - 1));
}

/**
 * The bound for a proof.
 * @param rounds digit rounds and rounds of the tail: `Segment.rounds`. The wrong segment with the most decides: a wrong
 * output needs every wrong segment to be accepted.
 * @example soundness(PARAMETERS[128], 20).total // −46.97
 */
export function soundness(parameters: ProofParameters, rounds: number): Soundness {
  checkParameters(parameters);
  const { sigma, primeBits, primes, maskBits, claimBits } = parameters;
  const least = 2 ** (primeBits - 1);
  const compression = 2 ** (1 - sigma);
  // A difference of two numbers within the range has at most this many prime factors of that length.
  const lift = Math.floor((maskBits + 1) / (primeBits - 1)) / primesOfLength(primeBits);
  // σ·τ is one bilinear form, every round is another: 2/q each.
  const folding = (2 * (rounds + 1)) / least;
  return {
    compression: Math.log2(compression),
    lift: primes * Math.log2(lift),
    folding: primes * Math.log2(folding),
    total: Math.log2(compression + (lift + folding) ** primes),
    zeroKnowledge: Math.log2(sigma * sigma) + claimBits - maskBits,
  };
}

/** @throws {TercetError} ERR_INTERNAL for parameters that no bound is proved for */
export function checkParameters({ sigma, primeBits, primes, maskBits, claimBits }: ProofParameters): void {
  const inside = (x: number, from: number, to: number): boolean => Number.isInteger(x) && x >= from && x <= to;
  invariant(
    inside(sigma, 1, 64) && inside(primeBits, 3, 61) && inside(primes, 1, 2) && inside(maskBits, 32, 512),
    'parameters of a proof out of range',
  );
  invariant(maskBits % 32 === 0 && claimBits < maskBits, 'masks of claims are whole words, and longer than claims');
}
