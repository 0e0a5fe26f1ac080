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
import {
  type ChoiceOfV,
  type ChoiceOfW,
  type ChoiceShape,
  type Entries,
  type TableHalf,
  type TableShape,
  type Whole,
  digitsOf,
  isLookedUp,
} from './relations.ts';

/** What is looked up in one folded table, of all relations and terms that look there. */
interface Lookups {
  readonly index: number;
  readonly term: number;
  readonly mu: Words;
  readonly nu: Words;
  /** With the digits of the rounds before. */
  weights: BigUint64Array;
}

/** Parts of it, before they are one. */
interface Parts {
  readonly index: number;
  readonly term: number;
  readonly weights: BigUint64Array[];
  readonly mu: Words[];
  readonly nu: Words[];
}

interface Choice {
  readonly shape: ChoiceShape;
  readonly entries: Entries;
  readonly choice: Words;
  /** With the digits of the rounds before, a word for every word of an entry. */
  weights: BigUint64Array;
}

/** The digit rounds of one prime, in their order. */
export class DigitRounds {
  readonly #context: Context;
  readonly #wholes: Iterable<readonly [number, Whole]>;
  readonly #prime: number;
  #next = 0;
  #lookups: Lookups[] = [];
  #choices: Choice[] = [];

  constructor(context: Context, wholes: Iterable<readonly [number, Whole]>, prime: number) {
    this.#context = context;
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
    for (const one of this.#lookups) add(z, await this.#lookUp(one, round, q), q);
    for (const one of this.#choices) await this.#choose(z, one, round, q);
    return z;
  }

  async #begin(q: bigint): Promise<void> {
    const { segment } = this.#context;
    const lookups = new Map<string, Parts>();
    for (const [index, { v, w }] of this.#wholes) {
      const shape = segment.shapes[index];
      if (digitsOf(shape) === 0) continue;
      if (shape.kind === 'table') await this.#collect(lookups, index, shape, v as TableHalf, w as TableHalf, q);
      if (shape.kind === 'choice') await this.#beginChoice(index, shape, v as ChoiceOfV, w as ChoiceOfW, q);
    }
    for (const { index, term, weights, mu, nu } of lookups.values())
      this.#lookups.push({ index, term, weights: joined(weights), mu: concatWords(mu), nu: concatWords(nu) });
  }

  async #collect(
    lookups: Map<string, Parts>,
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
      const known = lookups.get(key) ?? { index, term: t, weights: [], mu: [], nu: [] };
      lookups.set(key, known);
      known.weights.push(await times(kernels, await times(kernels, f, v, t, q), w, t, q));
      known.mu.push(mu);
      known.nu.push(nu);
    }
  }

  async #beginChoice(index: number, shape: ChoiceShape, v: ChoiceOfV, w: ChoiceOfW, q: bigint): Promise<void> {
    const { kernels } = this.#context;
    const choice = await choices(shape, w);
    const f = await choiceWeights(this.#context, index, shape.layout.k, this.#prime);
    const basis = await basisOf(shape, w);
    const weights = await kernels.digitWeights(f, shape.layout.widths.length, choice, [], [], basis, q);
    this.#choices.push({ shape, entries: v.entries, choice, weights });
  }

  /** Takes in the challenges of the round before, and leaves out what has no digit in this one. */
  async #fold(round: number, q: bigint): Promise<void> {
    const { kernels, challenges, segment } = this.#context;
    const { alpha, beta } = (await challenges.folds(round - 1))[this.#prime];
    this.#lookups = this.#lookups.filter(({ index }) => round < digitsOf(segment.shapes[index]));
    this.#choices = this.#choices.filter(({ shape }) => round < digitsOf(shape));
    for (const one of this.#lookups) {
      const step = this.#steps(one)[round - 1];
      one.weights = await kernels.digitWeights(one.weights, 1, one.mu, [step], [alpha], undefined, q);
    }
    for (const one of this.#choices) {
      const { layout } = one.shape;
      const step = choiceSteps(layout.n)[round - 1];
      one.weights = await kernels.digitWeights(
        ...([one.weights, layout.widths.length, one.choice, [step], [beta], undefined, q] as const),
      );
    }
  }

  #steps({ index }: Lookups): DigitStep[] {
    return digitSteps((this.#context.segment.shapes[index] as TableShape).table.group);
  }

  async #lookUp(one: Lookups, round: number, q: bigint): Promise<BigUint64Array> {
    const { kernels, tables } = this.#context;
    const { index, term, weights, mu, nu } = one;
    const folded = await tables.table(index, term, this.#prime, round);
    return kernels.lookupRound(weights, folded, this.#steps(one)[round], mu, nu, q);
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
