/**
 * The prover's digit rounds (PROTOCOL §15.6). A table or a choice is an inner product with a vector that has one
 * nonzero place in a block of |𝔾| or n: nobody writes it down. A round takes one digit of that place; z_{a,b} sums
 * what V's vector has at digit a times what W's has at digit b. Relations without that digit add to z_{0,0} alone,
 * which the verifiers derive.
 */
import { digitSteps } from '../../compute/index-group.ts';
import { RADIX } from '../../compute/kernels/proof-types.ts';
import { partsOf } from './entries.ts';
import {
  type Context,
  choiceSteps,
  choiceWeights,
  choices,
  chosenBasis,
  digitProducts,
  indices,
  joined,
  repeated,
  tableWeights,
  times,
} from './halves.ts';
import {
  type ChoiceOfV,
  type ChoiceOfW,
  type ChoiceShape,
  type TableHalf,
  type TableShape,
  type Whole,
  digitsOf,
  isLookedUp,
} from './relations.ts';
import { type Words, concatWords, viewWords } from '../../compute/ring.ts';

/** What is looked up in one folded table in a round, of all relations and terms that look there. */
interface Lookups {
  readonly index: number;
  readonly term: number;
  readonly weights: BigUint64Array[];
  readonly mu: Words[];
  readonly nu: Words[];
}

/** z of all relations in a digit round. */
export async function digitRound(
  context: Context,
  wholes: Iterable<readonly [number, Whole]>,
  round: number,
  prime: number,
): Promise<BigUint64Array> {
  const { kernels, challenges, tables, segment } = context;
  const { q } = (await challenges.primes())[prime];
  const z = new BigUint64Array(RADIX * RADIX);
  const lookups = new Map<string, Lookups>();
  for (const [index, { v, w }] of wholes) {
    const shape = segment.shapes[index];
    if (round >= digitsOf(shape)) continue;
    if (shape.kind === 'table') await collect(context, lookups, index, v as TableHalf, w as TableHalf, round, prime);
    if (shape.kind === 'choice')
      add(z, await ofChoice(context, index, shape, v as ChoiceOfV, w as ChoiceOfW, round, prime), q);
  }
  for (const { index, term, weights, mu, nu } of lookups.values()) {
    const { group } = (segment.shapes[index] as TableShape).table;
    const folded = await tables.table(index, term, prime, round);
    const step = digitSteps(group)[round];
    add(z, await kernels.lookupRound(joined(weights), folded, group, step, concatWords(mu), concatWords(nu), q), q);
  }
  return z;
}

async function collect(
  { kernels, challenges, segment }: Context,
  lookups: Map<string, Lookups>,
  index: number,
  v: TableHalf,
  w: TableHalf,
  round: number,
  prime: number,
): Promise<void> {
  const shape = segment.shapes[index] as TableShape;
  const { q } = (await challenges.primes())[prime];
  const [mu, nu] = [await indices(shape, v), await indices(shape, w)];
  let f = await tableWeights({ kernels, challenges }, index, shape, prime);
  for (const [r, step] of digitSteps(shape.table.group).slice(0, round).entries())
    f = await kernels.foldWeights(f, mu, step, (await challenges.folds(r))[prime].alpha, q);
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

async function ofChoice(
  { kernels, challenges }: Context,
  index: number,
  shape: ChoiceShape,
  v: ChoiceOfV,
  w: ChoiceOfW,
  round: number,
  prime: number,
): Promise<BigUint64Array> {
  const { q } = (await challenges.primes())[prime];
  const { layout, elements } = shape;
  const P = layout.widths.length;
  const steps = choiceSteps(layout.n);
  const choice = await choices(shape, w);
  const weights = repeated(await choiceWeights({ kernels, challenges }, index, layout.k, prime), P);
  const basis = await chosenBasis({ kernels, challenges }, shape, w, prime, round);
  const f = await kernels.multiply(basis, { k: 64, data: weights }, q);
  const low = await digitProducts(challenges, prime, 'alpha', steps.slice(0, round), q);
  const z = new BigUint64Array(RADIX * RADIX);
  for await (const { from, to, bytes, layout: packed } of partsOf(kernels, v.entries, layout, elements))
    add(
      z,
      await kernels.choiceRound(
        ...([bytes, packed, viewWords(choice, from, to), f.subarray(from * P, to * P), low, steps[round], q] as const),
      ),
      q,
    );
  return z;
}

function add(z: BigUint64Array, more: BigUint64Array, q: bigint): void {
  for (const [i, value] of more.entries()) z[i] = (z[i] + value) % q;
}
