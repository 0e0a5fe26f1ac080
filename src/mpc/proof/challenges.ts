/**
 * The challenges of a proof. Both verifiers have all of them from the start, out of a key that the prover does not
 * know; the prover gets them stage by stage, from V.
 *
 * The seeds of the stages are a hash chain (Lamport, CACM 1981): the last is derived from the key, and every other is
 * SHA-256 of the one behind it. The first hash, the anchor, goes from W to the prover before anything else. So a
 * corrupt V can neither hand out other challenges than W folds with, nor change their order: with forked challenges V
 * would read an element out of the difference of two honest shares (PROTOCOL §15.4). What a seed is expanded to has a
 * label in front of the hash, because every seed but the last is itself a hash that becomes public.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { primeAmong } from '../../compute/field.ts';
import type { ProofKernels } from '../../compute/kernels/proof-types.ts';
import { hashOf, keyFor, type DrawAddress, fieldElements, streamOf } from './keys.ts';
import { columnsOf, rowsOf } from './relations.ts';
import type { ProofPlace, Segment } from './segment.ts';

/** Stages before the rounds: X and V, then the primes with their combinations. */
export const COMPRESSION = 1;
export const PRIMES = 2;

/** Candidates for a prime that are drawn at once. */
const CANDIDATES = 64;
/** Relations whose X is held: those that are worked on at a time, or most of them. */
const ROWS_HELD = 8;

/** The stage that reveals the challenges of a round. */
export const stageOf = (round: number): number => 3 + round;

/** The seeds that both verifiers know. `seeds[i]` is of stage i; number 0 is the anchor. */
export function seedChain(pairKey: Uint8Array, place: ProofPlace, stages: number): Uint8Array[] {
  const seeds = [keyFor('chain', pairKey, place)];
  for (let stage = stages; stage > 0; stage--) seeds.unshift(sha256(seeds[0]));
  return seeds;
}

/** What a stage's seed is expanded with. */
function expansionKey(place: ProofPlace, stage: number, seed: Uint8Array): Uint8Array {
  return hashOf(`stage ${stage}`, place, seed);
}

/** Challenges of one prime. */
export interface FieldChallenges {
  readonly q: bigint;
  /** σ_t, for the rows of the compression. */
  readonly rows: BigUint64Array;
  /** τ_κ, for its columns. */
  readonly columns: BigUint64Array;
}

/** α and β of one round. Element 0 is one. */
export interface FoldChallenges {
  readonly alpha: BigUint64Array;
  readonly beta: BigUint64Array;
}

/** Where challenges come from: verifiers have every seed, provers those that were revealed to them. */
export class Challenges {
  readonly #segment: Segment;
  readonly #kernels: ProofKernels;
  readonly #seed: (stage: number) => Uint8Array;
  readonly #columns = new Map<number, Promise<BigUint64Array>>();
  /** X of the relations that were asked for last: a verifier asks twice, and sums of one relation follow each other. */
  readonly #rows = new Map<number, Promise<BigUint64Array>>();
  readonly #keys = new Map<number, Uint8Array>();
  #primes: Promise<readonly FieldChallenges[]> | undefined;
  readonly #folds = new Map<number, Promise<readonly FoldChallenges[]>>();

  /** @param seed of a stage; throws for one that is not known yet */
  constructor(segment: Segment, kernels: ProofKernels, seed: (stage: number) => Uint8Array) {
    this.#segment = segment;
    this.#kernels = kernels;
    this.#seed = seed;
  }

  /** X: one word of σ bits for every row of a relation, never the same in two relations. */
  rows(index: number): Promise<BigUint64Array> {
    const number = this.#segment.relationOf(index);
    const known = this.#rows.get(number);
    if (known !== undefined) return known;
    const count = rowsOf(this.#segment.shapes[index]);
    const words = this.#bits({ purpose: 'rows', stage: COMPRESSION, number }, count);
    this.#rows.set(number, words);
    for (const [first] of this.#rows) if (this.#rows.size > ROWS_HELD) this.#rows.delete(first);
    return words;
  }

  /**
   * V: one word of σ bits for every column. Relations on the same public table share it, X keeps them apart. A single
   * column has (1, 0, …): its error is not compressed any further.
   */
  columns(index: number): Promise<BigUint64Array> {
    const count = columnsOf(this.#segment.shapes[index]);
    if (count === 1) return Promise.resolve(BigUint64Array.of(1n));
    const number = this.#segment.classOf(index);
    const known = this.#columns.get(number);
    if (known !== undefined) return known;
    const drawn = this.#bits({ purpose: 'columns', stage: COMPRESSION, number }, count);
    this.#columns.set(number, drawn);
    return drawn;
  }

  /** The primes with their combinations, independent of each other. */
  primes(): Promise<readonly FieldChallenges[]> {
    this.#primes ??= Promise.all(
      Array.from({ length: this.#segment.parameters.primes }, async (_, prime) => {
        const { sigma, primeBits } = this.#segment.parameters;
        const address = { stage: PRIMES, prime };
        const q = await this.#prime(prime, primeBits);
        const draw = (purpose: 'rowCoefficients' | 'columnCoefficients') =>
          fieldElements(this.#kernels, this.#stream({ purpose, ...address }), sigma, q);
        return { q, rows: await draw('rowCoefficients'), columns: await draw('columnCoefficients') };
      }),
    );
    return this.#primes;
  }

  /** The first prime of the stream: one candidate in 21 is one. */
  async #prime(prime: number, bits: number): Promise<bigint> {
    const stream = this.#stream({ purpose: 'prime', stage: PRIMES, prime });
    for (let first = 0; ; first += CANDIDATES) {
      const { data } = await this.#kernels.draw(stream, 64, CANDIDATES, first);
      const q = primeAmong(data as BigUint64Array, bits);
      if (q !== undefined) return q;
    }
  }

  /** α and β of a round, for every prime. Without them in front of block 0: its coefficient is one. */
  folds(round: number): Promise<readonly FoldChallenges[]> {
    const known = this.#folds.get(round);
    if (known !== undefined) return known;
    const width = this.#segment.width(round);
    const drawn = this.primes().then((primes) =>
      Promise.all(
        primes.map(async ({ q }, prime) => {
          const draw = async (purpose: 'alpha' | 'beta') => {
            const stream = this.#stream({ purpose, stage: stageOf(round), prime });
            const out = new BigUint64Array(width);
            out[0] = 1n;
            out.set(await fieldElements(this.#kernels, stream, width - 1, q), 1);
            return out;
          };
          return { alpha: await draw('alpha'), beta: await draw('beta') };
        }),
      ),
    );
    this.#folds.set(round, drawn);
    return drawn;
  }

  #stream(address: DrawAddress) {
    const { place } = this.#segment;
    const key = this.#keys.get(address.stage) ?? expansionKey(place, address.stage, this.#seed(address.stage));
    this.#keys.set(address.stage, key);
    return streamOf(key, place, address);
  }

  async #bits(address: DrawAddress, count: number): Promise<BigUint64Array> {
    const { data } = await this.#kernels.draw(this.#stream(address), this.#segment.parameters.sigma, count);
    return data instanceof BigUint64Array ? data : BigUint64Array.from(data, BigInt);
  }
}
