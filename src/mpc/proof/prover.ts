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
import { PublicTables } from './public-tables.ts';
import type { HalfOfV, HalfOfW, Whole } from './relations.ts';
import type { Segment } from './segment.ts';
import { Shares, blindOfV, derivedBlock } from './shares.ts';
import { encodeClaims, encodeField } from './transcript.ts';

/** Relations that are worked on at a time: what one waits for, a thread or a device, others have time for. */
const AT_ONCE = 4;

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
  u: BigUint64Array;
  w: BigUint64Array;
}

export class Prover {
  readonly #segment: Segment;
  readonly #kernels: ProofKernels;
  readonly #verifierKey: Uint8Array;
  readonly #shares: Shares;
  readonly #context: Context;
  readonly #wholes = new Map<number, Whole>();
  readonly #answered: Answered[] = [];
  #anchor: Uint8Array | undefined;
  #digitRounds: DigitRounds[] = [];
  #vectors: Vectors[] = [];
  #failed = false;
  #accepted = false;

  constructor(segment: Segment, kernels: ProofKernels, keys: ProverKeys) {
    this.#segment = segment;
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

  /** Keeps a relation. Its vectors are not written to from here on. */
  record(index: number, { v, w }: Whole): void {
    invariant(index in this.#segment.shapes && !this.#wholes.has(index), 'each relation of a segment is kept once');
    this.#wholes.set(index, { v: productsOf(v), w: productsOf(w) });
  }

  /** Whether everything that this segment is about has been kept. */
  get complete(): boolean {
    return this.#wholes.size === this.#segment.shapes.length;
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
    return stage === 1 ? this.#claims() : this.#round(stage - 2);
  }

  /** C + mask, in the integers. */
  async #claims(): Promise<Uint8Array> {
    const masks = await this.#shares.claimMasks();
    const claims = new Claims(this.#context);
    for (const [index, whole] of this.#wholes) this.#wholes.set(index, await claims.add(index, whole));
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
    this.#digitRounds[prime] ??= new DigitRounds(this.#context, this.#wholes, prime);
    return this.#digitRounds[prime].round(round);
  }

  async #tail(round: number, prime: number, q: bigint): Promise<BigUint64Array> {
    const { digitRounds, tailRounds } = this.#segment;
    if (round === 0) {
      delete this.#digitRounds[prime];
      this.#vectors[prime] = await this.#flatten(prime);
    }
    const vectors = this.#vectors[prime];
    if (round > 0) {
      const { alpha, beta } = (await this.#context.challenges.folds(digitRounds + round - 1))[prime];
      vectors.u = await this.#kernels.tailFold(vectors.u, alpha, q);
      vectors.w = await this.#kernels.tailFold(vectors.w, beta, q);
    }
    const z = await this.#kernels.tailRound(vectors.u, vectors.w, q);
    return round === tailRounds - 1 ? this.#blinded(z, vectors, prime, q) : z;
  }

  /** The last round: U_0 and W_0 are blocks of their own, in front. */
  async #blinded(z: BigUint64Array, { u, w }: Vectors, prime: number, q: bigint): Promise<BigUint64Array> {
    const left = await blindOfV(this.#kernels, this.#segment.place, this.#verifierKey, prime, q);
    const right = await this.#shares.blind(prime, q);
    const width = RADIX + 1;
    const out = new BigUint64Array(width * width);
    out[0] = (left * right) % q;
    for (let a = 0; a < RADIX; a++) {
      out[a + 1] = (left * (w[a] ?? 0n)) % q;
      out[width * (a + 1)] = ((u[a] ?? 0n) * right) % q;
      out.set(z.subarray(RADIX * a, RADIX * (a + 1)), width * (a + 1) + 1);
    }
    return out;
  }

  /** The vectors of both verifiers, behind the digit rounds: by their own code, from their own halves. */
  async #flatten(prime: number): Promise<Vectors> {
    const [u, w] = [new BigUint64Array(this.#segment.scalars), new BigUint64Array(this.#segment.scalars)];
    const all = [...this.#wholes];
    for (let first = 0; first < all.length; first += AT_ONCE)
      await Promise.all(
        all.slice(first, first + AT_ONCE).map(async ([index, { v: ofV, w: ofW }]) => {
          const at = this.#segment.offsets[index];
          u.set(await scalars(this.#context, index, 'V', ofV, prime), at);
          w.set(await scalars(this.#context, index, 'W', ofW, prime), at);
        }),
      );
    return { u, w };
  }

  /** Lets go of everything that was kept, and overwrites the keys. Stored answers stay: they were sent. */
  wipe(): void {
    this.#failed ||= !this.#accepted;
    this.#wholes.clear();
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
