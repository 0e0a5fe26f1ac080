/** Sums of products with model weights, Σ x·W + Σ x∘row over Z_2^64, as parties compute their parts of affine maps. */
import type { DrawnFactor } from '../../../compute/kernels/types.ts';
import { strided } from '../../../compute/pattern.ts';
import { type Vector, lengthOf, zeros } from '../../../compute/ring.ts';
import type { Wire } from '../../share/wire.ts';
import type { AffineTerm, Parameter } from '../types.ts';
import { evenRows, halfOf, timesAlpha } from './halves-of-maps.ts';
import { type ParameterView, type Part, type Party, parameterTraits } from './party.ts';
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

/** Words of masks, to be multiplied where they are drawn: of every part the rows from `row` on. */
interface Masks {
  readonly weight: Parameter;
  readonly parts: readonly { readonly part: 'l1' | 'l2'; readonly row: number }[];
}

/** Σ x·(± rows of masks): x has `inner` words in a row. */
async function maskProduct(
  { kernels, parameters }: Party,
  factors: readonly DrawnFactor[],
  { weight, parts }: Masks,
  inner: number,
): Promise<Vector> {
  const { cols: n } = weight;
  if (kernels.matmulDrawn !== undefined && parameters.maskStream !== undefined) {
    const drawn = parts.map(({ part, row }) => ({
      stream: (parameters as Required<ParameterView>).maskStream(weight, part),
      first: row * n,
    }));
    return kernels.matmulDrawn(factors, drawn, inner, n);
  }
  return maskBlocks({ kernels, parameters }, factors, { weight, parts }, inner);
}

/** The same where a backend draws vectors: the masks expanded in blocks of rows. */
async function maskBlocks(
  { kernels, parameters }: Pick<Party, 'kernels' | 'parameters'>,
  factors: readonly DrawnFactor[],
  { weight, parts }: Masks,
  inner: number,
): Promise<Vector> {
  const { cols: n } = weight;
  const [{ k }, m] = [factors[0].x, lengthOf(factors[0].x) / inner];
  const block = Math.max(1, Math.floor(MASK_WORDS / n));
  let sum: Vector = zeros(m * n, k);
  for (let from = 0; from < inner; from += block) {
    const width = Math.min(block, inner - from);
    const masks: Vector[] = [];
    for (const { part, row } of parts) {
      const words = await parameters.words(kernels, weight, part, range(row + from, width));
      masks.push(await kernels.cast(words, k));
    }
    for (const { x, signs } of factors) {
      let y: Vector = zeros(width * n, k);
      for (const [i, sign] of signs.entries())
        if (sign !== 0) y = await (sign > 0 ? kernels.add(y, masks[i]) : kernels.sub(y, masks[i]));
      const columns = await kernels.gather(x, strided(from, [m, inner], [width, 1]));
      sum = await kernels.add(sum, await kernels.matmul(columns, y, { batch: 1, m, inner: width, n }));
    }
  }
  return sum;
}

/** Σ over the matrices of x·(a mask of W, or both). */
export async function maskTotal(
  party: Party,
  maps: readonly AffineTerm[],
  count: number,
  operand: (x: Wire, inner: number) => Promise<Vector>,
  masks: readonly ('l1' | 'l2')[],
): Promise<Vector> {
  let sum: Vector = zeros(count, 64);
  for (const { x, weight } of maps) {
    const factor: DrawnFactor = { x: await operand(x, weight.rows), signs: masks.map(() => 1) };
    const parts = masks.map((part) => ({ part, row: 0 }));
    sum = await party.kernels.add(sum, await maskProduct(party, [factor], { weight, parts }, weight.rows));
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
    sum = await kernels.add(sum, await dealtProduct(p0, factor, weight));
  }
  sum = await kernels.cast(sum, 64);
  const both = async (x: Wire) => kernels.add(await p0.value(x, 'l1'), await p0.value(x, 'l2'));
  const rows = rowsOf(terms);
  return rows.length === 0 ? sum : kernels.add(sum, await total(p0, rows, count, both, 'l1+l2'));
}

/** (x₀, x₁)·(L1 + βL2), β of halves (a, b) being (a − b, a). */
async function dealtProduct(p0: Party, x: Vector, weight: Parameter): Promise<Vector> {
  const { kernels } = p0;
  const h = halfOf(weight.rows);
  const m = lengthOf(x) / (2 * h);
  const columns = (from: number, count: number) => kernels.gather(x, strided(from, [m, 2 * h], [count, 1]));
  const whole = weight.rows - h;
  const parts = (['l1', 'l2'] as const).flatMap((part) => [
    { part, row: 0 },
    { part, row: h },
  ]);
  const pairs: readonly DrawnFactor[] = [
    { x: await columns(0, whole), signs: [1, 0, 1, -1] },
    { x: await columns(h, whole), signs: [0, 1, 1, 0] },
  ];
  const product = whole === 0 ? undefined : await maskProduct(p0, pairs, { weight, parts }, whole);
  if (whole === h) return product as Vector;
  // The last row of an odd matrix has a zero beside it.
  const last: readonly DrawnFactor[] = [
    { x: await columns(h - 1, 1), signs: [1, 1] },
    { x: await columns(2 * h - 1, 1), signs: [0, 1] },
  ];
  const alone = (['l1', 'l2'] as const).map((part) => ({ part, row: h - 1 }));
  const rest = await maskProduct(p0, last, { weight, parts: alone }, 1);
  return product === undefined ? rest : kernels.add(product, rest);
}

const range = (from: number, count: number): readonly number[] => Array.from({ length: count }, (_, i) => from + i);

export function affineTraits(terms: readonly AffineTerm[]): Trait {
  return terms.map(({ weight, diagonal }) => [parameterTraits(weight), diagonal]);
}
