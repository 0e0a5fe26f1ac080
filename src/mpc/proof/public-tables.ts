/**
 * Public tables of a proof (PROTOCOL §15.6): all words of a table, combined into one field element for every index,
 * and folded digit by digit. No secret enters, so prover and W compute the same. One table of one prime is some
 * megabytes; it is kept for a segment, under the hash of its definition, and no longer: V and τ are new in the next.
 */
import type { FoldedTable, ProofKernels } from '../../compute/kernels/proof-types.ts';
import { groupSize, digitSteps } from '../../compute/index-group.ts';
import { elementBits } from '../../compute/kernels/table-layout.ts';
import { invariant } from '../../core/errors.ts';
import { letGo } from '../../core/let-go.ts';
import type { Challenges } from './challenges.ts';
import { type TableShape, wordsOf } from './relations.ts';
import type { Segment } from './segment.ts';

/** Bytes of words of a table that are made at once. */
const PART = 1 << 20;

/** A table, and how many of its digits are folded. */
interface Folded {
  digits: number;
  table: Promise<FoldedTable>;
}

export class PublicTables {
  readonly #segment: Segment;
  readonly #kernels: ProofKernels;
  readonly #challenges: Challenges;
  readonly #folded = new Map<string, Folded>();
  readonly #constants = new Map<string, Promise<BigUint64Array>>();
  #freed = false;

  constructor(segment: Segment, kernels: ProofKernels, challenges: Challenges) {
    this.#segment = segment;
    this.#kernels = kernels;
    this.#challenges = challenges;
  }

  /**
   * Ĝ of one term's function, with the digits of the first `digits` rounds folded. It is the table of a later round
   * once that is asked for: rounds go forward.
   */
  table(index: number, term: number, prime: number, digits: number): Promise<FoldedTable> {
    const shape = this.#segment.shapes[index] as TableShape;
    const key = `${this.#segment.classOf(index)} ${shape.terms[term]} ${prime}`;
    const known = this.#folded.get(key) ?? { digits: 0, table: this.#loaded(index, shape.terms[term], prime) };
    this.#folded.set(key, known);
    invariant(known.digits <= digits, 'rounds go forward');
    for (; known.digits < digits; known.digits++) known.table = this.#fold(shape, known.table, prime, known.digits);
    return known.table;
  }

  /** The one word of a term whose function is constant. */
  async constant(index: number, term: number, prime: number): Promise<bigint> {
    const own = (this.#segment.shapes[index] as TableShape).terms[term];
    const key = `${this.#segment.classOf(index)} ${own} ${prime}`;
    const made = this.#constants.get(key) ?? this.#combined(index, own, prime);
    this.#constants.set(key, made);
    return (await made)[0];
  }

  /** Lets go of the tables; nothing is looked up behind that. */
  free(): void {
    this.#freed = true;
    // A table that could not be made is nowhere.
    for (const { table } of this.#folded.values())
      table.then(
        (made) => this.#kernels.freeTable(made),
        () => undefined,
      );
    this.#folded.clear();
  }

  async #loaded(index: number, term: number, prime: number): Promise<FoldedTable> {
    const words = await this.#combined(index, term, prime);
    invariant(!this.#freed, 'tables that were freed');
    const { table } = this.#segment.shapes[index] as TableShape;
    const loaded = await this.#kernels.loadTable(words, table.group);
    letGo(words);
    return loaded;
  }

  async #fold(shape: TableShape, before: Promise<FoldedTable>, prime: number, round: number): Promise<FoldedTable> {
    const [{ q }, { beta }] = [(await this.#challenges.primes())[prime], (await this.#challenges.folds(round))[prime]];
    const table = await before;
    await this.#kernels.foldTable(table, digitSteps(shape.table.group)[round], beta, q);
    return table;
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
      const made = await this.#kernels.publicTable(bytes, layout, count, coefficients, q);
      out.set(made, from);
      // Whoever makes the words of a function may keep them.
      for (const words of [indices, made]) letGo(words);
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
