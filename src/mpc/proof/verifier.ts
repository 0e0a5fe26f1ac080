/**
 * V, the verifier that the prover answers to, as a state machine. It takes relations in, then W's statement, and only
 * then gives out its first seed; each answer of the prover is checked, and brings the next seed. The last seed is the
 * verdict: who has the one before it knows that it is of this proof.
 *
 * One error for every cause, and none is tried again.
 */
import { residue } from '../../compute/field.ts';
import type { ProofKernels } from '../../compute/kernels/proof-types.ts';
import { equalBytes } from '../../core/bytes.ts';
import { SecurityViolationError, TercetError } from '../../core/errors.ts';
import { seedChain } from './challenges.ts';
import type { HalfOfV } from './relations.ts';
import { unseal } from './sealed.ts';
import type { Segment } from './segment.ts';
import { blindOfV, combined, derivedBlock, foldClaim } from './shares.ts';
import { decodeClaims, decodeField } from './transcript.ts';
import { Verifying } from './verifying.ts';
import { identityHash } from './witness.ts';

/** Keys of V with W and with the prover, 32 bytes each. */
export interface VerifierKeys {
  readonly witness: Uint8Array;
  readonly prover: Uint8Array;
}

/** What W said: a hash, and for every prime W* and t_W. */
interface Statement {
  readonly identity: Uint8Array;
  readonly ends: readonly (readonly [bigint, bigint])[];
}

const HASH = 32;

export class Verifier {
  readonly #segment: Segment;
  readonly #kernels: ProofKernels;
  readonly #keys: VerifierKeys;
  readonly #seeds: readonly Uint8Array[];
  readonly #work: Verifying;
  #statement: Statement | undefined;
  /** Seeds given out. Number i is the challenge that the next answer is for. */
  #stage = 0;
  #claims: bigint[] = [];
  #failed = false;
  /** An answer is being checked. A prover that sends two at a time does not follow the protocol. */
  #checking = false;

  constructor(segment: Segment, kernels: ProofKernels, keys: VerifierKeys) {
    this.#segment = segment;
    this.#kernels = kernels;
    this.#keys = { witness: keys.witness.slice(), prover: keys.prover.slice() };
    this.#seeds = seedChain(keys.witness, segment.place, segment.stages);
    this.#work = new Verifying(segment, 'V', kernels, this.#seeds);
  }

  /** Takes in V's half of a relation: what the prover sent has arrived, and is in it. */
  absorb(index: number, half: HalfOfV): Promise<void> {
    return this.#work.absorb(index, half);
  }

  /** Takes W's statement. @throws {SecurityViolationError} for one that is not W's, or a second one */
  witness(sealed: Uint8Array): Promise<void> {
    return this.#guarded(async () => {
      const bytes = await unseal(this.#kernels, this.#segment.place, this.#keys.witness, sealed);
      if (this.#statement !== undefined || bytes === undefined) return false;
      const primes = await this.#work.challenges.primes();
      if (bytes.length !== HASH + 16 * primes.length) return false;
      const ends: [bigint, bigint][] = [];
      for (const [prime, { q }] of primes.entries()) {
        const pair = decodeField(bytes.subarray(HASH + 16 * prime, HASH + 16 * (prime + 1)), 2, q);
        if (pair === undefined) return false;
        ends.push([pair[0], pair[1]]);
      }
      this.#statement = { identity: bytes.slice(0, HASH), ends };
      return true;
    });
  }

  /**
   * The first seed: behind the barrier, when both verifiers have every word of the segment.
   * @throws {TercetError} ERR_STATE before that; ERR_SECURITY_VIOLATION behind a refusal
   */
  begin(): Uint8Array {
    if (this.#failed) throw new SecurityViolationError('proof', this.#segment.place.proof);
    if (!this.#work.complete || this.#statement === undefined || this.#stage > 0)
      throw new TercetError('ERR_STATE', 'the proof cannot begin', 'wait for both verifiers');
    return this.#next();
  }

  /**
   * Takes an answer of the prover, and gives the seed that follows; behind the last answer, the verdict.
   * @throws {SecurityViolationError} for an answer that is not right
   */
  async answer(message: Uint8Array): Promise<Uint8Array> {
    const stage = this.#stage;
    await this.#guarded(async () => {
      if (this.#checking || stage === 0 || stage >= this.#segment.stages) return false;
      this.#checking = true;
      return stage === 1 ? this.#takeClaims(message) : this.#takeRound(stage - 2, message);
    });
    this.#checking = false;
    return this.#next();
  }

  /** Whether the proof was accepted. */
  get accepted(): boolean {
    return !this.#failed && this.#stage === this.#segment.stages;
  }

  #next(): Uint8Array {
    this.#stage++;
    return this.#seeds[this.#stage].slice();
  }

  /** Everything that a check is about goes through here: one error, whatever the cause, and then none of it again. */
  async #guarded(check: () => Promise<boolean>): Promise<void> {
    // A second failure may have come while this check was under way.
    if (!this.#failed && (await check()) && !this.#failed) return;
    this.#failed = true;
    throw new SecurityViolationError('proof', this.#segment.place.proof);
  }

  /** Claims are right mod 2^64: H(c_V + E_V) is what W has from its side. Then the primes may be known. */
  async #takeClaims(message: Uint8Array): Promise<boolean> {
    const { sigma, maskBits } = this.#segment.parameters;
    const claims = decodeClaims(message, maskBits, sigma * sigma);
    if (claims === undefined) return false;
    const { linear, challenges } = this.#work;
    const identity = BigUint64Array.from(claims, (claim, i) => claim + linear[i]);
    const same = equalBytes(identityHash(this.#segment.place, identity), this.#statement?.identity ?? new Uint8Array());
    if (!same) return false;
    this.#claims = (await challenges.primes()).map((field) => combined(claims, field));
    return true;
  }

  /** V's share of z, and the claim that it leaves. In the last round, U*·W* is that claim. */
  async #takeRound(round: number, message: Uint8Array): Promise<boolean> {
    const primes = await this.#work.challenges.primes();
    const folds = await this.#work.challenges.folds(round);
    const derived = derivedBlock(this.#segment, round);
    const width = this.#segment.width(round);
    const length = 8 * (width * width - 1);
    if (message.length !== length * primes.length) return false;
    let good = true;
    for (const [prime, { q }] of primes.entries()) {
      const z = decodeField(message.subarray(length * prime, length * (prime + 1)), width * width - 1, q);
      if (z === undefined) return false;
      z.splice(derived * (width + 1), 0, 0n);
      this.#claims[prime] = foldClaim(z, this.#claims[prime], derived, folds[prime], q);
      if (round === this.#segment.rounds - 1) good = (await this.#ends(prime, q)) && good;
    }
    return good;
  }

  async #ends(prime: number, q: bigint): Promise<boolean> {
    const blind = await blindOfV(this.#kernels, this.#segment.place, this.#keys.prover, prime, q);
    const own = (await this.#work.end(prime)) + blind;
    const [end, claim] = this.#statement?.ends[prime] ?? [0n, 0n];
    return residue(own * end - this.#claims[prime] - claim, q) === 0n;
  }

  /** Overwrites the keys. */
  wipe(): void {
    this.#failed ||= !this.accepted;
    this.#keys.witness.fill(0);
    this.#keys.prover.fill(0);
    for (const seed of this.#seeds) seed.fill(0);
    this.#work.wipe();
  }
}
