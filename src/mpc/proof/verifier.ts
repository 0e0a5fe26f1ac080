/**
 * V, the verifier that the prover answers to, as a state machine. It takes relations in, then W's statement, and only
 * then gives out its first seed; each answer of the prover is checked, and brings the next seed. The last seed is the
 * verdict: who has the one before it knows that it is of this proof.
 *
 * SECURITY: one error for every cause, at one place: where the verdict would be. A prover that is wrong gets every seed
 * before it, and does not learn which check it failed. Seeds say nothing: both verifiers had them before.
 * test/mpc/malicious-abort.test.ts.
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

/** What did not pass: the identity mod 2^64, the form of a round, the ends of the vectors. */
export type Check = 'claims' | 'round' | 'ends';

/** The first check that did not pass. It stays at this party: the others see one refusal, whatever the cause. */
export class RefusedBy extends Error {
  readonly check: Check;

  constructor(check: Check) {
    super(check);
    this.check = check;
  }
}

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
  /** Of the answers so far. */
  #wrong: Check | undefined;
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
  async witness(sealed: Uint8Array): Promise<void> {
    // The barrier: without W's word there is no seed, so this one is refused here.
    if (this.#failed || !(await this.#takeStatement(sealed)) || this.#failed) this.#refuse();
  }

  async #takeStatement(sealed: Uint8Array): Promise<boolean> {
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
  }

  /**
   * The first seed: behind the barrier, when both verifiers have every word of the segment.
   * @throws {TercetError} ERR_STATE before that; ERR_SECURITY_VIOLATION behind a refusal
   */
  begin(): Uint8Array {
    if (this.#failed) this.#refuse();
    if (!this.#work.complete || this.#statement === undefined || this.#stage > 0)
      throw new TercetError('ERR_STATE', 'the proof cannot begin', 'wait for both verifiers');
    return this.#next();
  }

  /**
   * Takes an answer of the prover, and gives the seed that follows; behind the last answer, the verdict.
   * @throws {SecurityViolationError} behind the last answer, if one was not right; at once for one out of turn
   */
  async answer(message: Uint8Array): Promise<Uint8Array> {
    const stage = this.#stage;
    const { stages } = this.#segment;
    if (this.#failed || this.#checking || stage === 0 || stage >= stages) this.#refuse();
    this.#checking = true;
    const wrong = stage === 1 ? await this.#takeClaims(message) : await this.#takeRound(stage - 2, message);
    this.#checking = false;
    this.#wrong ??= wrong;
    const last = stage === stages - 1;
    // A second failure may have come while this check was under way.
    if (this.#failed || (last && this.#wrong !== undefined)) this.#refuse();
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

  /** Every refusal goes through here: one error, whatever the cause, and then none of it again. */
  #refuse(): never {
    this.#failed = true;
    const cause = this.#wrong === undefined ? undefined : new RefusedBy(this.#wrong);
    throw new SecurityViolationError('proof', this.#segment.place.proof, cause);
  }

  /** Claims are right mod 2^64: H(c_V + E_V) is what W has from its side. Then the primes may be known. */
  async #takeClaims(message: Uint8Array): Promise<Check | undefined> {
    const { sigma, maskBits } = this.#segment.parameters;
    const decoded = decodeClaims(message, maskBits, sigma * sigma);
    // What has no form is zeros, and takes as long as what has one.
    const claims = decoded ?? new Array<bigint>(sigma * sigma).fill(0n);
    const { linear, challenges } = this.#work;
    const identity = BigUint64Array.from(claims, (claim, i) => claim + linear[i]);
    const same = equalBytes(identityHash(this.#segment.place, identity), this.#statement?.identity ?? new Uint8Array());
    this.#claims = (await challenges.primes()).map((field) => combined(claims, field));
    return same && decoded !== undefined ? undefined : 'claims';
  }

  /** V's share of z, and the claim that it leaves. In the last round, U*·W* is that claim. */
  async #takeRound(round: number, message: Uint8Array): Promise<Check | undefined> {
    const primes = await this.#work.challenges.primes();
    const folds = await this.#work.challenges.folds(round);
    const derived = derivedBlock(this.#segment, round);
    const width = this.#segment.width(round);
    const count = width * width - 1;
    let formed = message.length === 8 * count * primes.length;
    let good = true;
    for (const [prime, { q }] of primes.entries()) {
      const sent = decodeField(message.subarray(8 * count * prime, 8 * count * (prime + 1)), count, q);
      formed &&= sent !== undefined;
      const z = sent ?? new Array<bigint>(count).fill(0n);
      z.splice(derived * (width + 1), 0, 0n);
      this.#claims[prime] = foldClaim(z, this.#claims[prime], derived, folds[prime], q);
      if (round === this.#segment.rounds - 1) good = (await this.#ends(prime, q)) && good;
    }
    if (!formed) return 'round';
    return good ? undefined : 'ends';
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
