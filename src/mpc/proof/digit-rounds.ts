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
import { viewWords } from '../../compute/ring.ts';

/** z of one relation in a digit round; undefined where it has no such digit. */
export async function roundOf(
  context: Context,
  index: number,
  { v, w }: Whole,
  round: number,
  prime: number,
): Promise<BigUint64Array | undefined> {
  const shape = context.segment.shapes[index];
  if (shape.kind === 'table' && round < digitsOf(shape))
    return ofTable(context, index, shape, v as TableHalf, w as TableHalf, round, prime);
  if (shape.kind === 'choice' && round < choiceSteps(shape.layout.n).length)
    return ofChoice(context, index, shape, v as ChoiceOfV, w as ChoiceOfW, round, prime);
  return undefined;
}

async function ofTable(
  { kernels, challenges, tables }: Context,
  index: number,
  shape: TableShape,
  v: TableHalf,
  w: TableHalf,
  round: number,
  prime: number,
): Promise<BigUint64Array> {
  const { q } = (await challenges.primes())[prime];
  const { group } = shape.table;
  const steps = digitSteps(group);
  const [mu, nu] = [await indices(shape, v), await indices(shape, w)];
  let f = await tableWeights({ kernels, challenges }, index, shape, prime);
  for (const [r, step] of steps.slice(0, round).entries())
    f = await kernels.foldWeights(f, mu, step, (await challenges.folds(r))[prime].alpha, q);
  const z = new BigUint64Array(RADIX * RADIX);
  for (const t of shape.terms.keys()) {
    if (!isLookedUp(shape, t)) continue;
    const weights = await times(kernels, await times(kernels, f, v, t, q), w, t, q);
    const folded = await tables.table(index, t, prime, round);
    add(z, await kernels.lookupRound(weights, folded, group, steps[round], mu, nu, q), q);
  }
  return z;
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
