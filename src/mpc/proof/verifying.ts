/**
 * What both verifiers do while messages stream by: they know every challenge from the start, so each relation is
 * worked into two small sums and let go. Nothing can be changed behind that: what was taken in is frozen.
 *
 *   E   this side's part of the compressed identity mod 2^64, σ × σ
 *   end the last fold of this side's vector, without its blind, for every prime
 */
import type { ProofKernels } from '../../compute/kernels/proof-types.ts';
import { addWords } from '../../compute/words64.ts';
import { invariant } from '../../core/errors.ts';
import { Challenges } from './challenges.ts';
import { type Context, endOf, linearPart } from './halves.ts';
import { letGoOfFresh } from './kept-halves.ts';
import { PublicTables } from './public-tables.ts';
import type { HalfOfV, HalfOfW, Side } from './relations.ts';
import type { Segment } from './segment.ts';

export class Verifying {
  readonly challenges: Challenges;
  readonly #segment: Segment;
  readonly #side: Side;
  readonly #context: Context;
  readonly #begun = new Set<number>();
  #done = 0;
  #linear: BigUint64Array;
  readonly #ends: bigint[];
  readonly #tails: Promise<BigUint64Array[]>[] = [];

  constructor(segment: Segment, side: Side, kernels: ProofKernels, seeds: readonly Uint8Array[]) {
    this.#segment = segment;
    this.#side = side;
    this.challenges = new Challenges(segment, kernels, (stage) => seeds[stage]);
    const tables = new PublicTables(segment, kernels, this.challenges);
    this.#context = { segment, kernels, challenges: this.challenges, tables };
    this.#linear = new BigUint64Array(segment.parameters.sigma ** 2);
    this.#ends = new Array<bigint>(segment.parameters.primes).fill(0n);
  }

  /** Whether every relation is in: every word that the prover owes this side has arrived, and is frozen. */
  get complete(): boolean {
    return this.#done === this.#segment.shapes.length;
  }

  /** Works in one relation, in any order, each once. */
  async absorb(index: number, half: HalfOfV | HalfOfW): Promise<void> {
    invariant(index in this.#segment.shapes && !this.#begun.has(index), 'each relation of a segment is taken in once');
    this.#begun.add(index);
    const [linear, ends] = await Promise.all([
      linearPart(this.#context, index, this.#side, half),
      this.#endsOf(index, half),
    ]);
    letGoOfFresh(half);
    addWords(this.#linear, linear);
    for (const [prime, end] of ends.entries()) this.#ends[prime] += end;
    this.#done++;
    if (this.complete) this.wipe();
  }

  /** What a relation adds to the ends, for every prime. */
  async #endsOf(index: number, half: HalfOfV | HalfOfW): Promise<bigint[]> {
    const first = this.#segment.offsets[index];
    return Promise.all(
      (await this.challenges.primes()).map(async (_, prime) =>
        endOf(this.#context, index, this.#side, half, prime, first, await this.#tail(prime)),
      ),
    );
  }

  /** Lets go of the public tables. */
  wipe(): void {
    this.#context.tables.free();
  }

  /** E mod 2^64. */
  get linear(): BigUint64Array {
    invariant(this.complete, 'a part of a segment is no identity');
    return this.#linear;
  }

  /** U* or W* of a prime, without the blind. */
  async end(prime: number): Promise<bigint> {
    invariant(this.complete, 'a part of a segment has no end');
    return this.#ends[prime] % (await this.challenges.primes())[prime].q;
  }

  /** The coefficients of this side in every round of the tail; the blind's, which is one, left out of the last. */
  #tail(prime: number): Promise<BigUint64Array[]> {
    this.#tails[prime] ??= this.#tailOf(prime);
    return this.#tails[prime];
  }

  async #tailOf(prime: number): Promise<BigUint64Array[]> {
    const { digitRounds, rounds } = this.#segment;
    const out: BigUint64Array[] = [];
    for (let round = digitRounds; round < rounds; round++) {
      const { alpha, beta } = (await this.challenges.folds(round))[prime];
      const own = this.#side === 'V' ? alpha : beta;
      out.push(round === rounds - 1 ? own.slice(1) : own);
    }
    return out;
  }
}
