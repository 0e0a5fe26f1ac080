/**
 * The prover, as a state machine. It keeps both halves of every relation, and answers seeds with claims and rounds.
 *
 * Its rules protect it from a corrupt V (PROTOCOL §15.4):
 * - it answers nothing before its own segment is complete, and before it has W's anchor;
 * - it answers a seed only if its hash is the seed before, so that V cannot choose challenges;
 * - it answers each stage once. A seed that comes again gets the bytes that were sent: two answers under one mask
 *   would tell their difference. What is kept is the promise of an answer, so two calls at a time make one.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import type { ProofKernels } from '../../compute/kernels/proof-types.ts';
import { RADIX } from '../../compute/kernels/proof-types.ts';
import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { SecurityViolationError, TercetError, invariant } from '../../core/errors.ts';
import { Challenges } from './challenges.ts';
import { Claims } from './claims.ts';
import { DigitRounds } from './digit-rounds.ts';
import { type Context, scalars } from './halves.ts';
import { freeHalf, keepHalf, letGoOfFresh } from './kept-halves.ts';
import { LongVector } from './long-vector.ts';
import { ProverMemory } from './prover-memory.ts';
import { PublicTables } from './public-tables.ts';
import { type HalfOfV, type HalfOfW, type Whole, scalarsOf } from './relations.ts';
import type { Segment } from './segment.ts';
import { Shares, blindOfV, derivedBlock } from './shares.ts';
import { encodeClaims, encodeField } from './transcript.ts';

/** Relations that are worked on at a time: what one waits for, a thread or a device, others have time for. */
const AT_ONCE = 4;
/** Scalars that they have together. A longer one is worked on alone. */
const SCALARS_AT_ONCE = 2 ** 18;

/** Keys of the prover with V and with W, 32 bytes each. */
export interface ProverKeys {
  readonly verifier: Uint8Array;
  readonly witness: Uint8Array;
}

interface Answered {
  readonly seed: Uint8Array;
  readonly message: Promise<Uint8Array>;
}

/** Both vectors of the inner product of one prime. */
interface Vectors {
  u: LongVector;
  w: LongVector;
}

export class Prover {
  readonly #segment: Segment;
  readonly #kernels: ProofKernels;
  readonly #verifierKey: Uint8Array;
  readonly #shares: Shares;
  readonly #context: Context;
  readonly #memory: ProverMemory;
  readonly #wholes = new Map<number, Whole>();
  readonly #answered: Answered[] = [];
  readonly #recorded = new Set<number>();
  #anchor: Uint8Array | undefined;
  #digitRounds: DigitRounds[] = [];
  #vectors: Vectors[] = [];
  #failed = false;
  #accepted = false;
  #wiped = false;

  /** @param memory of the provers of one run, which prove one segment behind the other */
  constructor(segment: Segment, kernels: ProofKernels, keys: ProverKeys, memory = new ProverMemory()) {
    this.#segment = segment;
    this.#memory = memory;
    this.#kernels = kernels;
    this.#verifierKey = keys.verifier.slice();
    this.#shares = new Shares(segment, kernels, keys.witness);
    const challenges = new Challenges(segment, kernels, (stage) => {
      const known = this.#answered.at(stage - 1);
      invariant(known !== undefined, 'a stage that was not revealed');
      return known.seed;
    });
    this.#context = { segment, kernels, challenges, tables: new PublicTables(segment, kernels, challenges) };
  }

  /** Takes W's anchor. @throws {SecurityViolationError} for another one, or bytes that are no hash */
  anchor(bytes: Uint8Array): void {
    const good = bytes.length === 32 && (this.#anchor === undefined || equalBytes(this.#anchor, bytes));
    if (!good) this.#refuse();
    this.#anchor = bytes.slice();
  }

  /** Keeps a relation: copies of what is long. What is short is not written to from here on. */
  record(index: number, { v, w }: Whole): void {
    invariant(index in this.#segment.shapes && !this.#recorded.has(index), 'each relation of a segment is kept once');
    this.#recorded.add(index);
    this.#wholes.set(index, { v: keepHalf(productsOf(v), this.#memory), w: keepHalf(productsOf(w), this.#memory) });
    for (const half of [v, w]) letGoOfFresh(half);
  }

  /** Whether everything that this segment is about has been kept. */
  get complete(): boolean {
    return this.#recorded.size === this.#segment.shapes.length;
  }

  /**
   * Answers a seed.
   * @throws {SecurityViolationError} for a seed that is early, out of order, or not of the chain
   */
  answer(seed: Uint8Array): Promise<Uint8Array> {
    if (this.#failed || !this.complete || this.#anchor === undefined) this.#refuse();
    const before = this.#answered.find((known) => equalBytes(known.seed, seed));
    if (before !== undefined) return before.message;
    const stage = this.#answered.length + 1;
    if (!this.#follows(seed) || stage >= this.#segment.stages) this.#refuse();
    const previous = this.#answered.at(-1)?.message;
    const message = Promise.resolve(previous).then(() => this.#made(stage));
    this.#answered.push({ seed: seed.slice(), message });
    return message;
  }

  /** Hears V's verdict. @throws {SecurityViolationError} for anything but the last seed, behind the last answer */
  verdict(seed: Uint8Array): void {
    if (this.#failed || this.#answered.length !== this.#segment.stages - 1 || !this.#follows(seed)) this.#refuse();
    this.#accepted = true;
  }

  get accepted(): boolean {
    return this.#accepted;
  }

  #follows(seed: Uint8Array): boolean {
    const before = this.#answered.at(-1)?.seed ?? this.#anchor;
    return seed.length === 32 && before !== undefined && equalBytes(sha256(seed), before);
  }

  #refuse(): never {
    this.#failed = true;
    throw new SecurityViolationError('proof', this.#segment.place.proof);
  }

  async #made(stage: number): Promise<Uint8Array> {
    const message = await (stage === 1 ? this.#claims() : this.#round(stage - 2));
    // SECURITY: of halves that were overwritten meanwhile nothing is said. test/mpc/proof/barrier.test.ts.
    if (this.#wiped) this.#refuse();
    return message;
  }

  /** C + mask, in the integers. */
  async #claims(): Promise<Uint8Array> {
    const masks = await this.#shares.claimMasks();
    const claims = new Claims(this.#context);
    for (const [index, whole] of this.#wholes) {
      const { v, w } = await claims.add(index, whole);
      this.#wholes.set(index, {
        v: keepHalf(v, this.#memory, whole.v),
        w: keepHalf(w, this.#memory, whole.w),
      });
    }
    const bytes = encodeClaims(
      (await claims.total()).map((claim, i) => claim + masks[i]),
      this.#segment.parameters.maskBits,
    );
    // Below a chance of 2^-52, whatever the text: PROTOCOL §15.5.
    if (bytes === undefined) throw new TercetError('ERR_STATE', 'a claim does not fit its mask', 'start a new run');
    return bytes;
  }

  /** z minus W's share of it, without the block that is derived. */
  async #round(round: number): Promise<Uint8Array> {
    const primes = await this.#context.challenges.primes();
    const derived = derivedBlock(this.#segment, round);
    const width = this.#segment.width(round);
    const parts: Uint8Array[] = [];
    for (const [prime, { q }] of primes.entries()) {
      const z =
        round < this.#segment.digitRounds
          ? await this.#digits(round, prime)
          : await this.#tail(round - this.#segment.digitRounds, prime, q);
      const share = await this.#shares.round(round, prime, q);
      const values = Array.from(z, (value, i) => (value + q - share[i]) % q);
      values.splice(derived * (width + 1), 1);
      parts.push(encodeField(values));
    }
    return concatBytes(parts);
  }

  #digits(round: number, prime: number): Promise<BigUint64Array> {
    this.#digitRounds[prime] ??= new DigitRounds(this.#context, this.#wholes, prime, this.#memory);
    return this.#digitRounds[prime].round(round);
  }

  async #tail(round: number, prime: number, q: bigint): Promise<BigUint64Array> {
    const { digitRounds, tailRounds } = this.#segment;
    if (round === 0) {
      this.#digitRounds.at(prime)?.free();
      delete this.#digitRounds[prime];
      this.#vectors[prime] = await this.#flatten(prime);
    }
    const vectors = this.#vectors[prime];
    if (round > 0) {
      const { alpha, beta } = (await this.#context.challenges.folds(digitRounds + round - 1))[prime];
      vectors.u = await vectors.u.folded(this.#kernels, alpha, q);
      vectors.w = await vectors.w.folded(this.#kernels, beta, q);
    }
    const z = await vectors.u.round(vectors.w, this.#kernels, q);
    return round === tailRounds - 1 ? this.#blinded(z, vectors, prime, q) : z;
  }

  /** The last round: U_0 and W_0 are blocks of their own, in front. */
  async #blinded(z: BigUint64Array, vectors: Vectors, prime: number, q: bigint): Promise<BigUint64Array> {
    const [u, w] = [vectors.u.first(RADIX), vectors.w.first(RADIX)];
    const left = await blindOfV(this.#kernels, this.#segment.place, this.#verifierKey, prime, q);
    const right = await this.#shares.blind(prime, q);
    const width = RADIX + 1;
    const out = new BigUint64Array(width * width);
    out[0] = (left * right) % q;
    for (let a = 0; a < RADIX; a++) {
      out[a + 1] = (left * w[a]) % q;
      out[width * (a + 1)] = (u[a] * right) % q;
      out.set(z.subarray(RADIX * a, RADIX * (a + 1)), width * (a + 1) + 1);
    }
    return out;
  }

  /**
   * The vectors of both verifiers, behind the digit rounds: by their own code, from their own halves. For the last
   * prime these are let go one by one, so that scalars take the place of what they are made of.
   */
  async #flatten(prime: number): Promise<Vectors> {
    const { offsets, scalars: length, parameters } = this.#segment;
    const vectors = { u: new LongVector(this.#memory, length), w: new LongVector(this.#memory, length) };
    const last = prime === parameters.primes - 1;
    const one = async (index: number, { v, w }: Whole) => {
      vectors.u.set(await scalars(this.#context, index, 'V', v, prime), offsets[index]);
      vectors.w.set(await scalars(this.#context, index, 'W', w, prime), offsets[index]);
      if (last) this.#release(index);
    };
    for (const some of this.#together()) await Promise.all(some.map(([index, whole]) => one(index, whole)));
    return vectors;
  }

  /** Relations that are worked on at once, in the order of their scalars. */
  *#together(): Generator<readonly (readonly [number, Whole])[]> {
    let some: (readonly [number, Whole])[] = [];
    let sum = 0;
    for (const [index, whole] of [...this.#wholes].sort(([a], [b]) => a - b)) {
      const count = scalarsOf(this.#segment.shapes[index]);
      if (some.length === AT_ONCE || (some.length > 0 && sum + count > SCALARS_AT_ONCE)) {
        yield some;
        [some, sum] = [[], 0];
      }
      some.push([index, whole]);
      sum += count;
    }
    if (some.length > 0) yield some;
  }

  #release(index: number): void {
    const whole = this.#wholes.get(index);
    this.#wholes.delete(index);
    if (whole === undefined) return;
    freeHalf(whole.v, this.#memory);
    freeHalf(whole.w, this.#memory);
  }

  /** Lets go of everything that was kept, and overwrites the keys. Stored answers stay: they were sent. */
  wipe(): void {
    this.#failed ||= !this.#accepted;
    this.#wiped = true;
    this.#recorded.clear();
    for (const index of [...this.#wholes.keys()]) this.#release(index);
    for (const rounds of this.#digitRounds) rounds?.free();
    for (const vectors of this.#vectors) for (const one of Object.values(vectors ?? {})) one.free();
    this.#digitRounds = [];
    this.#vectors = [];
    this.#context.tables.free();
    this.#verifierKey.fill(0);
    this.#shares.wipe();
  }
}

/** Claims and rounds are of products. What is linear in a relation is for its verifiers alone. */
function productsOf<Half extends HalfOfV | HalfOfW>(half: Half): Half {
  return half.kind === 'table' ? half : { ...half, linear: undefined };
}
