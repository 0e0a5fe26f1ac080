/** Sums of products with model weights, Σ x·W + Σ x∘row over Z_2^64, as parties compute their parts of affine maps. */
import { strided } from '../../../compute/pattern.ts';
import { type Vector, lengthOf, zeros } from '../../../compute/ring.ts';
import type { Wire } from '../../share/wire.ts';
import type { AffineTerm, Parameter } from '../types.ts';
import { evenRows, halfOf, partOfMasks, timesAlpha } from './halves-of-maps.ts';
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

/** Σ x∘row of the terms that are rows: on both sides of a map with secret weights they have products of their own. */
export function rowsOf(terms: readonly AffineTerm[]): readonly AffineTerm[] {
  return terms.filter(({ diagonal }) => diagonal === true);
}

/** Those that are matrices. */
export function mapsOf(terms: readonly AffineTerm[]): readonly AffineTerm[] {
  return terms.filter(({ diagonal }) => diagonal !== true);
}

/**
 * Words of a weight mask that are expanded from seeds at a time: nobody holds more of the model's masks than that
 * (8 MB), and they are multiplied while a cache has them.
 */
const MASK_WORDS = 1 << 20;

/** Σ over the matrices of x·(a mask of W), the mask expanded from seeds in blocks of the inner dimension. */
export async function maskTotal(
  party: Party,
  maps: readonly AffineTerm[],
  count: number,
  operand: (x: Wire, inner: number) => Promise<Vector>,
  part: 'l1' | 'l2' | 'l1+l2',
): Promise<Vector> {
  const { kernels, parameters } = party;
  let sum: Vector = zeros(count, 64);
  for (const { x, weight } of maps) {
    const { rows: inner, cols: n } = weight;
    const value = await operand(x, inner);
    const m = lengthOf(value) / inner;
    const block = Math.max(1, Math.floor(MASK_WORDS / n));
    for (let from = 0; from < inner; from += block) {
      const width = Math.min(block, inner - from);
      const words = await parameters.words(kernels, weight, part, range(from, width));
      const columns = await kernels.gather(value, strided(from, [m, inner], [width, 1]));
      sum = await kernels.add(sum, await kernels.matmul(columns, words, { batch: 1, m, inner: width, n }));
    }
  }
  return sum;
}

/** P0's part of a map, Σ (λ1α + λ2)·(L1 + βL2) and of rows Σ Λ∘(L1 + L2), right in the low `bits` bits. */
export async function dealtTotal(p0: Party, terms: readonly AffineTerm[], count: number, bits = 64): Promise<Vector> {
  const { kernels } = p0;
  // A word of fewer than 33 bits lies in another lane of the stream.
  const k = Math.max(33, bits);
  let sum: Vector = zeros(count, k);
  for (const { x, weight } of mapsOf(terms)) {
    const turned = await timesAlpha(kernels, await p0.value(x, 'l1'), weight.rows);
    const own = await evenRows(kernels, await p0.value(x, 'l2'), weight.rows);
    const factor = await kernels.cast(await kernels.add(turned, own), k);
    for await (const product of dealtProducts(p0, factor, weight, k)) sum = await kernels.add(sum, product);
  }
  sum = await kernels.cast(sum, 64);
  const both = async (x: Wire) => kernels.add(await p0.value(x, 'l1'), await p0.value(x, 'l2'));
  const rows = rowsOf(terms);
  return rows.length === 0 ? sum : kernels.add(sum, await total(p0, rows, count, both, 'l1+l2'));
}

/** Products of some columns of a factor and the same rows of L1 + βL2, in both halves. */
async function* dealtProducts(p0: Party, x: Vector, weight: Parameter, k: number): AsyncIterable<Vector> {
  const { kernels } = p0;
  const { rows: inner, cols: n } = weight;
  const h = halfOf(inner);
  const m = lengthOf(x) / (2 * h);
  const block = Math.max(1, Math.floor(MASK_WORDS / n));
  for (let from = 0; from < h; from += block) {
    const width = Math.min(block, h - from);
    const mask = async (part: 'l1' | 'l2', at: number): Promise<Vector> => {
      const there = Math.min(width, inner - at);
      const words = await p0.parameters.words(kernels, weight, part, range(at, there), k);
      return there === width ? words : kernels.concat([words, zeros((width - there) * n, k)]);
    };
    const [own, other] = [
      [await mask('l1', from), await mask('l1', h + from)] as const,
      [await mask('l2', from), await mask('l2', h + from)] as const,
    ];
    for (const [half, words] of (await partOfMasks(kernels, own, other)).entries()) {
      const columns = await kernels.gather(x, strided(half * h + from, [m, 2 * h], [width, 1]));
      yield await kernels.matmul(columns, words, { batch: 1, m, inner: width, n });
    }
  }
}

const range = (from: number, count: number): readonly number[] => Array.from({ length: count }, (_, i) => from + i);

export function affineTraits(terms: readonly AffineTerm[]): Trait {
  return terms.map(({ weight, diagonal }) => [parameterTraits(weight), diagonal]);
}
