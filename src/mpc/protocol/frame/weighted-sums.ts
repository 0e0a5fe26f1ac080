/** Sums of products with model weights, Σ x·W + Σ x∘row over Z_2^64, as parties compute their parts of affine maps. */
import { strided } from '../../../compute/pattern.ts';
import { type Vector, lengthOf, zeros } from '../../../compute/ring.ts';
import type { Wire } from '../../share/wire.ts';
import type { AffineTerm, Parameter } from '../types.ts';
import { type Part, type Party, parameterTraits } from './party.ts';
import type { Trait } from './traits.ts';

/** Σ over the terms of (a component of x)·(a part of W), right in the low `bits` bits. */
export async function total(
  party: Party,
  terms: readonly AffineTerm[],
  count: number,
  operand: (x: Wire, term: number) => Promise<Vector>,
  part: Part,
  bits = 64,
): Promise<Vector> {
  let sum: Vector | undefined;
  for (const [term, { x, weight, diagonal }] of terms.entries()) {
    const value = await operand(x, term);
    const product =
      diagonal === true
        ? await party.kernels.mulRow(value, await party.parameters.words(party.kernels, weight, part))
        : await party.kernels.matmulMatrix(value, await party.parameters.matrix(weight, part), bits);
    sum = sum === undefined ? product : await party.kernels.add(sum, product);
  }
  return sum ?? zeros(count, 64);
}

/**
 * Words of a weight mask that are expanded from seeds at a time: nobody holds more of the model's masks than that
 * (32 MB).
 */
const MASK_WORDS = 1 << 22;

/**
 * x·(a mask of W), the mask expanded from seeds in blocks of the inner dimension. The sum of what it yields is the
 * product.
 */
async function* maskProducts(party: Party, x: Vector, weight: Parameter, part: 'l2' | 'l1+l2'): AsyncIterable<Vector> {
  const { kernels, parameters } = party;
  const { rows: inner, cols: n } = weight;
  const m = lengthOf(x) / inner;
  const block = Math.max(1, Math.floor(MASK_WORDS / n));
  for (let from = 0; from < inner; from += block) {
    const width = Math.min(block, inner - from);
    const rows = Array.from({ length: width }, (_, i) => from + i);
    const columns = await kernels.gather(x, strided(from, [m, inner], [width, 1]));
    yield await kernels.matmul(columns, await parameters.words(kernels, weight, part, rows), {
      batch: 1,
      m,
      inner: width,
      n,
    });
  }
}

/** Σ over the terms of (a component of x)·(a mask of W), for P0 and P2, who do not keep masks as matrices. */
export async function maskTotal(
  party: Party,
  terms: readonly AffineTerm[],
  count: number,
  operand: (x: Wire) => Promise<Vector>,
  part: 'l2' | 'l1+l2',
): Promise<Vector> {
  const { kernels, parameters } = party;
  let sum: Vector = zeros(count, 64);
  for (const { x, weight, diagonal } of terms) {
    const value = await operand(x);
    if (diagonal === true)
      sum = await kernels.add(sum, await kernels.mulRow(value, await parameters.words(kernels, weight, part)));
    else for await (const product of maskProducts(party, value, weight, part)) sum = await kernels.add(sum, product);
  }
  return sum;
}

export function affineTraits(terms: readonly AffineTerm[]): Trait {
  return terms.map(({ weight, diagonal }) => [parameterTraits(weight), diagonal]);
}
