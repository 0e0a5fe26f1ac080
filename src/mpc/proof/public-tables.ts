/**
 * Public tables of a proof (PROTOCOL §15.6): all words of a table, combined into one field element for every index,
 * and folded digit by digit. No secret enters, so prover and W compute the same. One table of one prime is some
 * megabytes; it is kept for a segment, under the hash of its definition, and no longer: V and τ are new in the next.
 */
import type { ProofKernels } from '../../compute/kernels/proof-types.ts';
import { groupSize, digitSteps } from '../../compute/index-group.ts';
import { elementBits } from '../../compute/kernels/table-layout.ts';
import type { Challenges } from './challenges.ts';
import { type TableShape, wordsOf } from './relations.ts';
import type { Segment } from './segment.ts';

/** Bytes of words of a table that are made at once. */
const PART = 1 << 20;

export class PublicTables {
  readonly #segment: Segment;
  readonly #kernels: ProofKernels;
  readonly #challenges: Challenges;
  readonly #folded = new Map<string, Promise<BigUint64Array>>();

  constructor(segment: Segment, kernels: ProofKernels, challenges: Challenges) {
    this.#segment = segment;
    this.#kernels = kernels;
    this.#challenges = challenges;
  }

  /** Ĝ of one term's function, with the digits of the first `digits` rounds folded. */
  table(index: number, term: number, prime: number, digits: number): Promise<BigUint64Array> {
    const shape = this.#segment.shapes[index] as TableShape;
    const key = `${this.#segment.classOf(index)} ${shape.terms[term]} ${prime} ${digits}`;
    const known = this.#folded.get(key);
    if (known !== undefined) return known;
    const made =
      digits === 0
        ? this.#combined(index, shape.terms[term], prime)
        : this.#fold(shape, this.table(index, term, prime, digits - 1), prime, digits - 1);
    this.#folded.set(key, made);
    // The one before is not asked for again: rounds go forward.
    this.#folded.delete(`${this.#segment.classOf(index)} ${shape.terms[term]} ${prime} ${digits - 2}`);
    return made;
  }

  /** The one word of a term whose function is constant. */
  async constant(index: number, term: number, prime: number): Promise<bigint> {
    return (await this.table(index, term, prime, 0))[0];
  }

  async #fold(shape: TableShape, before: Promise<BigUint64Array>, prime: number, round: number) {
    const [{ q }, { beta }] = [(await this.#challenges.primes())[prime], (await this.#challenges.folds(round))[prime]];
    const { group } = shape.table;
    return this.#kernels.foldTable(await before, group, digitSteps(group)[round], beta, q);
  }

  /** Σ_c (Σ_κ τ_κ V_{c,κ}) · 2^(64 − width of c) · T(d)_c, for every index d. */
  async #combined(index: number, term: number, prime: number): Promise<BigUint64Array> {
    const { table } = this.#segment.shapes[index] as TableShape;
    const { constant, layout } = table.functions[term];
    const { q } = (await this.#challenges.primes())[prime];
    const coefficients = await this.#coefficients(index, term, prime);
    const out = new BigUint64Array(constant === true ? 1 : groupSize(table.group));
    const step = Math.max(1, Math.floor((8 * PART) / elementBits(layout)));
    for (let from = 0; from < out.length; from += step) {
      const count = Math.min(step, out.length - from);
      const indices = new Uint32Array(count);
      for (let i = 0; i < count; i++) indices[i] = from + i;
      const bytes = await table.words(term, indices);
      out.set(await this.#kernels.publicTable(bytes, layout, count, coefficients, q), from);
    }
    return out;
  }

  /** Of the words of a function: (Σ_κ τ_κ V_{c,κ}) · 2^(64 − width of c). */
  async #coefficients(index: number, term: number, prime: number): Promise<BigUint64Array> {
    const { table } = this.#segment.shapes[index] as TableShape;
    const { q, columns } = (await this.#challenges.primes())[prime];
    const { first } = table.functions[term];
    const { widths } = table.layout;
    const v = await this.#challenges.columns(index);
    const end = first + wordsOf(table.functions[term]);
    const coefficients = await this.#kernels.weights(v.subarray(first, end), columns, q);
    for (const c of coefficients.keys())
      coefficients[c] = (coefficients[c] << BigInt(64 - widths[(first + c) % widths.length])) % q;
    return coefficients;
  }
}
