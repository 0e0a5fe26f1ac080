/**
 * W, the verifier that the prover does not answer to. It says three things in all:
 *
 *   anchor    to the prover, before anything else: the first hash of the seeds
 *   statement to V, sealed: a hash of its part of the identity, and its ends W*, t_W of every tail
 *   (nothing) it hears V's verdict: the last seed
 *
 * THE BARRIER. V reveals no challenge before it has W's statement, and W has no statement before it has taken in every
 * word that the prover owes it. So no word of the segment, to either verifier, can follow from a challenge.
 */
import { residue } from '../../compute/field.ts';
import type { ProofKernels } from '../../compute/kernels/proof-types.ts';
import { bytesOf } from '../../compute/ring.ts';
import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { SecurityViolationError, TercetError } from '../../core/errors.ts';
import { seedChain } from './challenges.ts';
import { hashOf } from './keys.ts';
import type { HalfOfW } from './relations.ts';
import { seal } from './sealed.ts';
import type { ProofPlace, Segment } from './segment.ts';
import { Shares, combined, derivedBlock, foldClaim } from './shares.ts';
import { encodeField } from './transcript.ts';
import { Verifying } from './verifying.ts';

/** Keys of W with V and with the prover, 32 bytes each. */
export interface WitnessKeys {
  readonly verifier: Uint8Array;
  readonly prover: Uint8Array;
}

/** What V compares its own part with: H(mask − E_W mod 2^64). */
export function identityHash(place: ProofPlace, words: BigUint64Array): Uint8Array {
  return hashOf('identity', place, bytesOf({ k: 64, data: words }));
}

export class Witness {
  readonly #segment: Segment;
  readonly #kernels: ProofKernels;
  readonly #verifierKey: Uint8Array;
  readonly #seeds: readonly Uint8Array[];
  readonly #shares: Shares;
  readonly #work: Verifying;
  #statement: Promise<Uint8Array> | undefined;
  #accepted = false;
  #failed = false;

  constructor(segment: Segment, kernels: ProofKernels, keys: WitnessKeys) {
    this.#segment = segment;
    this.#kernels = kernels;
    this.#verifierKey = keys.verifier.slice();
    this.#seeds = seedChain(keys.verifier, segment.place, segment.stages);
    this.#shares = new Shares(segment, kernels, keys.prover);
    this.#work = new Verifying(segment, 'W', kernels, this.#seeds);
  }

  /** For the prover: 32 bytes, before it sends its first message of the segment. */
  anchor(): Uint8Array {
    return this.#seeds[0].slice();
  }

  /** Takes in W's half of a relation. Every word that the prover sent for it has arrived. */
  absorb(index: number, half: HalfOfW): Promise<void> {
    return this.#work.absorb(index, half);
  }

  /**
   * For V: made once, the same bytes again where they are asked for again.
   * @throws {TercetError} ERR_STATE while a word of the segment is missing
   */
  statement(): Promise<Uint8Array> {
    if (!this.#work.complete)
      return Promise.reject(
        new TercetError('ERR_STATE', 'a part of this segment is missing', 'wait for all that the prover owes'),
      );
    this.#statement ??= this.#state();
    return this.#statement;
  }

  async #state(): Promise<Uint8Array> {
    const masks = await this.#shares.claimMasks();
    const { linear, challenges } = this.#work;
    const identity = BigUint64Array.from(masks, (mask, i) => mask - linear[i]);
    const ends: bigint[] = [];
    for (const [prime, field] of (await challenges.primes()).entries()) {
      const { q } = field;
      let claim = residue(-combined(masks, field), q);
      for (let round = 0; round < this.#segment.rounds; round++) {
        const z = await this.#shares.round(round, prime, q);
        const folds = (await challenges.folds(round))[prime];
        claim = foldClaim(Array.from(z), claim, derivedBlock(this.#segment, round), folds, q);
      }
      ends.push(((await this.#work.end(prime)) + (await this.#shares.blind(prime, q))) % q, claim);
    }
    const bytes = concatBytes([identityHash(this.#segment.place, identity), encodeField(ends)]);
    return seal(this.#kernels, this.#segment.place, this.#verifierKey, bytes);
  }

  /** Hears V's verdict. @throws {SecurityViolationError} for anything but acceptance behind W's own statement */
  verdict(seed: Uint8Array): void {
    const last = this.#seeds[this.#segment.stages];
    this.#failed ||= this.#statement === undefined || !equalBytes(seed, last);
    if (this.#failed) throw new SecurityViolationError('proof', this.#segment.place.proof);
    this.#accepted = true;
  }

  get accepted(): boolean {
    return this.#accepted;
  }

  /** Overwrites the keys. */
  wipe(): void {
    this.#verifierKey.fill(0);
    for (const seed of this.#seeds) seed.fill(0);
    this.#work.wipe();
    this.#shares.wipe();
  }
}
