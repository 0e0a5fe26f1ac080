/**
 * The prover's digit rounds (PROTOCOL §15.6). A table or a choice is an inner product with a vector that has one
 * nonzero place in a block of |𝔾| or n: nobody writes it down. A round takes one digit of that place; z_{a,b} sums
 * what V's vector has at digit a times what W's has at digit b. Relations without that digit add to z_{0,0} alone,
 * which the verifiers derive.
 *
 * Each round takes up the weights of the one before, so a digit is folded once. What is looked up in one table is one
 * vector, whatever relations it comes from.
 */
import { digitSteps } from '../../compute/index-group.ts';
import type { DigitStep } from '../../compute/index-group.ts';
import { RADIX } from '../../compute/kernels/proof-types.ts';
import { type Words, concatWords, viewWords } from '../../compute/ring.ts';
import { invariant } from '../../core/errors.ts';
import { letGo } from '../../core/let-go.ts';
import { partsOf } from './entries.ts';
import {
  type Context,
  basisOf,
  choiceSteps,
  choiceWeights,
  choices,
  digitProducts,
  indices,
  joined,
  tableWeights,
  times,
} from './halves.ts';
import type { ProverMemory } from './prover-memory.ts';
import {
  type ChoiceOfV,
  type ChoiceOfW,
  type ChoiceShape,
  type Entries,
  type RelationShape,
  type TableHalf,
  type TableShape,
  type Whole,
  digitsOf,
  isLookedUp,
} from './relations.ts';

/** Elements from which on what one term looks up is a piece of its own. */
export const PIECE = 2 ** 14;

/** Elements that are looked up together. */
interface Piece {
  readonly mu: Words;
  readonly nu: Words;
  /** With the digits of the rounds before. */
  readonly weights: BigUint64Array;
}

/** What is looked up in one folded table, of all relations and terms that look there. */
interface Lookups {
  readonly index: number;
  readonly term: number;
  readonly pieces: Piece[];
  /** Short ones, before they are one piece, and the indices of that. */
  short: Piece[];
  own: readonly Words[];
}

interface Choice {
  readonly shape: ChoiceShape;
  readonly entries: Entries;
  readonly choice: Words;
  /** With the digits of the rounds before, a word for every word of an entry. */
  readonly weights: BigUint64Array;
}

/** The digit rounds of one prime, in their order. */
export class DigitRounds {
  readonly #context: Context;
  readonly #wholes: Iterable<readonly [number, Whole]>;
  readonly #prime: number;
  readonly #memory: ProverMemory;
  #next = 0;
  #lookups: Lookups[] = [];
  #choices: Choice[] = [];

  /** @param memory holds the halves of `wholes`, and weights */
  constructor(context: Context, wholes: Iterable<readonly [number, Whole]>, prime: number, memory: ProverMemory) {
    this.#context = context;
    this.#memory = memory;
    this.#wholes = wholes;
    this.#prime = prime;
  }

  /** z of all relations. Each round once, one after the other. */
  async round(round: number): Promise<BigUint64Array> {
    invariant(round === this.#next, 'digit rounds follow each other');
    this.#next++;
    const { challenges } = this.#context;
    const { q } = (await challenges.primes())[this.#prime];
    if (round === 0) await this.#begin(q);
    else await this.#fold(round, q);
    const z = new BigUint64Array(RADIX * RADIX);
    for (const one of this.#lookups) await this.#lookUp(z, one, round, q);
    for (const one of this.#choices) await this.#choose(z, one, round, q);
    return z;
  }

  async #begin(q: bigint): Promise<void> {
    const { segment } = this.#context;
    const lookups = new Map<string, Lookups>();
    for (const [index, { v, w }] of this.#wholes) {
      const shape = segment.shapes[index];
      if (digitsOf(shape) === 0) continue;
      if (shape.kind === 'table') await this.#collect(lookups, index, shape, v as TableHalf, w as TableHalf, q);
      if (shape.kind === 'choice') await this.#beginChoice(index, shape, v as ChoiceOfV, w as ChoiceOfW, q);
    }
    this.#lookups = [...lookups.values()];
    for (const one of this.#lookups) this.#join(one);
  }

  /** Short pieces are one from here on: a call costs as much as some hundred elements. */
  #join(one: Lookups): void {
    if (one.short.length === 0) return;
    const [mu, nu] = (['mu', 'nu'] as const).map((which) =>
      this.#memory.keepWords(concatWords(one.short.map((piece) => piece[which]))),
    );
    one.pieces.push({ mu, nu, weights: this.#memory.copy(joined(one.short.map(({ weights }) => weights))) });
    one.own = [mu, nu];
    one.short = [];
  }

  async #collect(
    lookups: Map<string, Lookups>,
    index: number,
    shape: TableShape,
    v: TableHalf,
    w: TableHalf,
    q: bigint,
  ): Promise<void> {
    const { kernels, segment } = this.#context;
    const [mu, nu] = [await indices(shape, v), await indices(shape, w)];
    const f = await tableWeights(this.#context, index, shape, this.#prime);
    for (const [t, one] of shape.terms.entries()) {
      if (!isLookedUp(shape, t)) continue;
      const key = `${segment.classOf(index)} ${one}`;
      const known = lookups.get(key) ?? { index, term: t, pieces: [], short: [], own: [] };
      lookups.set(key, known);
      const half = await times(kernels, f, v, t, q);
      const weights = await times(kernels, half, w, t, q);
      // Indices of a long one lie where its halves are.
      if (weights.length < PIECE) known.short.push({ mu, nu, weights });
      else {
        known.pieces.push({ mu, nu, weights: this.#memory.copy(weights) });
        for (const made of [half, weights]) if (made !== f) letGo(made);
      }
    }
    if (f.length >= PIECE) letGo(f);
  }

  async #beginChoice(index: number, shape: ChoiceShape, v: ChoiceOfV, w: ChoiceOfW, q: bigint): Promise<void> {
    const { kernels } = this.#context;
    const choice = await choices(shape, w);
    const f = await choiceWeights(this.#context, index, shape.layout.k, this.#prime);
    const basis = await basisOf(shape, w);
    const weights = await kernels.digitWeights(f, shape.layout.widths.length, choice, [], [], basis, q);
    this.#choices.push({ shape, entries: v.entries, choice, weights: this.#memory.copy(weights) });
    letGo(weights);
    letGo(f);
  }

  /** Takes in the challenges of the round before, and leaves out what has no digit in this one. */
  async #fold(round: number, q: bigint): Promise<void> {
    const { kernels, challenges, segment } = this.#context;
    const { alpha, beta } = (await challenges.folds(round - 1))[this.#prime];
    this.#lookups = this.#going(this.#lookups, ({ index }) => segment.shapes[index], round);
    this.#choices = this.#going(this.#choices, ({ shape }) => shape, round);
    for (const one of this.#lookups) {
      const step = this.#steps(one)[round - 1];
      for (const { weights, mu } of one.pieces)
        this.#replace(weights, await kernels.digitWeights(weights, 1, mu, [step], [alpha], undefined, q));
    }
    for (const { shape, choice, weights } of this.#choices) {
      const { n, widths } = shape.layout;
      const step = choiceSteps(n)[round - 1];
      this.#replace(weights, await kernels.digitWeights(weights, widths.length, choice, [step], [beta], undefined, q));
    }
  }

  #replace(weights: BigUint64Array, made: BigUint64Array): void {
    weights.set(made);
    letGo(made);
  }

  /** Those that have a digit in this round. What the others held is let go. */
  #going<One extends Lookups | Choice>(all: One[], shapeOf: (one: One) => RelationShape, round: number): One[] {
    const goesOn = (one: One) => round < digitsOf(shapeOf(one));
    for (const one of all) if (!goesOn(one)) this.#freeOne(one);
    return all.filter(goesOn);
  }

  #freeOne(one: Lookups | Choice): void {
    if ('shape' in one) {
      this.#memory.free(one.weights);
      return;
    }
    for (const { weights } of one.pieces) this.#memory.free(weights);
    // The last piece may have indices of its own.
    for (const words of one.own) this.#memory.free(words.data);
  }

  /** Lets go of all weights. */
  free(): void {
    for (const one of [...this.#lookups, ...this.#choices]) this.#freeOne(one);
    [this.#lookups, this.#choices] = [[], []];
  }

  #steps({ index }: Lookups): DigitStep[] {
    return digitSteps((this.#context.segment.shapes[index] as TableShape).table.group);
  }

  async #lookUp(z: BigUint64Array, one: Lookups, round: number, q: bigint): Promise<void> {
    const { kernels, tables } = this.#context;
    const { index, term, pieces } = one;
    const folded = await tables.table(index, term, this.#prime, round);
    for (const { mu, nu, weights } of pieces)
      add(z, await kernels.lookupRound(weights, folded, this.#steps(one)[round], mu, nu, q), q);
  }

  async #choose(z: BigUint64Array, { shape, entries, choice, weights }: Choice, round: number, q: bigint) {
    const { kernels, challenges } = this.#context;
    const { layout, elements } = shape;
    const P = layout.widths.length;
    const steps = choiceSteps(layout.n);
    const low = await digitProducts(challenges, this.#prime, 'alpha', steps.slice(0, round), q);
    for await (const { from, to, bytes, layout: packed } of partsOf(kernels, entries, layout, elements))
      add(
        z,
        await kernels.choiceRound(
          ...([
            bytes,
            packed,
            viewWords(choice, from, to),
            weights.subarray(from * P, to * P),
            low,
            steps[round],
            q,
          ] as const),
        ),
        q,
      );
  }
}

function add(z: BigUint64Array, more: BigUint64Array, q: bigint): void {
  for (const [i, value] of more.entries()) z[i] = (z[i] + value) % q;
}
