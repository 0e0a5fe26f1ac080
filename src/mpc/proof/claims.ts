/**
 * The claims of a prover (PROTOCOL §15.5): what the products of a relation sum to under X and V, as integers. Modulo
 * 2^64 they are bound by what both verifiers hold; as integers they are what the prime is drawn against.
 *
 * Every factor is a canonical residue below 2^k, and compressed factors of a matrix are reduced mod 2^k before they
 * meet: V and W put the same integers into the inner product.
 */
import { difference } from '../../compute/index-group.ts';
import { viewWords } from '../../compute/ring.ts';
import { loaded, loadedIf, partsOf } from './entries.ts';
import { type Context, choices, compressedLeft, indices } from './halves.ts';
import {
  type ChoiceOfV,
  type ChoiceOfW,
  type ChoiceShape,
  type MatrixHalf,
  type MatrixShape,
  type TableHalf,
  type TableShape,
  type Whole,
  wordsOf,
} from './relations.ts';

/** Elements whose tables are looked up at once. */
const PART = 1 << 12;

/** σ × σ integers of one relation. */
export async function claimsOf(context: Context, index: number, { v, w }: Whole): Promise<bigint[]> {
  const shape = context.segment.shapes[index];
  if (shape.kind === 'matrix') return ofMatrix(context, index, shape, v as MatrixHalf, w as MatrixHalf);
  if (shape.kind === 'table') return ofTable(context, index, shape, v as TableHalf, w as TableHalf);
  return ofChoice(context, index, shape, v as ChoiceOfV, w as ChoiceOfW);
}

/** ±2^(64−k) (XᵀL mod 2^k)(RV mod 2^k). */
async function ofMatrix(
  { segment, kernels, challenges }: Context,
  index: number,
  shape: MatrixShape,
  v: MatrixHalf,
  w: MatrixHalf,
): Promise<bigint[]> {
  const { sigma } = segment.parameters;
  const total = new Array<bigint>(sigma * sigma).fill(0n);
  for (const [t, { left, negative, inner }] of shape.terms.entries()) {
    const [l, r] = left === 'V' ? [v.factors[t], w.factors[t]] : [w.factors[t], v.factors[t]];
    const x = await challenges.rows(index);
    const claims = await kernels.matrixClaims(
      await compressedLeft(kernels, await loaded(l), inner, x, sigma),
      await kernels.columns(await loaded(r), shape.columns, await challenges.columns(index), sigma),
      sigma,
    );
    for (const [i, claim] of claims.entries()) total[i] += (negative ? -claim : claim) << BigInt(64 - shape.k);
  }
  return total;
}

/** Σ_i X_i p_i q_i Σ_c V_c 2^(64 − width of c) T(μ_i ⊖ ν_i)_c. */
async function ofTable(
  { segment, kernels, challenges }: Context,
  index: number,
  shape: TableShape,
  v: TableHalf,
  w: TableHalf,
): Promise<bigint[]> {
  const { sigma } = segment.parameters;
  const { table, terms, elements, narrower = 0 } = shape;
  const total = new Array<bigint>(sigma * sigma).fill(0n);
  const [mu, nu] = [await indices(shape, v), await indices(shape, w)];
  const [x, columns] = [await challenges.rows(index), await challenges.columns(index)];
  for (const [t, term] of terms.entries()) {
    const { first, layout } = table.functions[term];
    const own = columns.subarray(first, first + wordsOf(table.functions[term]));
    const factors = [await loadedIf(v.factors[t]), await loadedIf(w.factors[t])];
    for (let from = 0; from < elements; from += PART) {
      const to = Math.min(elements, from + PART);
      const at = Uint32Array.from({ length: to - from }, (_, i) =>
        difference(table.group, Number(mu.data[from + i]), Number(nu.data[from + i])),
      );
      const part = factors.map((factor) => (factor === undefined ? undefined : viewWords(factor, from, to)));
      const bytes = await table.words(term, at);
      const claims = await kernels.tableClaims(bytes, layout, part, x.subarray(from, to), own, sigma);
      for (const [i, claim] of claims.entries()) total[i] += claim << BigInt(narrower);
    }
  }
  return total;
}

/** 2^(64−k) Σ_i X_i Σ_p E_{i,c_i,p} φ_{i,p}, in column 0. */
async function ofChoice(
  { segment, kernels, challenges }: Context,
  index: number,
  shape: ChoiceShape,
  v: ChoiceOfV,
  w: ChoiceOfW,
): Promise<bigint[]> {
  const { sigma } = segment.parameters;
  const { layout, elements } = shape;
  const P = layout.widths.length;
  const total = new Array<bigint>(sigma * sigma).fill(0n);
  const [choice, basis, x] = [await choices(shape, w), await loadedIf(w.basis), await challenges.rows(index)];
  for await (const { from, to, bytes, layout: packed } of partsOf(kernels, v.entries, layout, elements)) {
    const phi = basis === undefined ? undefined : viewWords(basis, from * P, to * P);
    const claims = await kernels.choiceClaims(
      ...([bytes, packed, viewWords(choice, from, to), phi, x.subarray(from, to), sigma] as const),
    );
    for (const [t, claim] of claims.entries()) total[t * sigma] += claim << BigInt(64 - layout.k);
  }
  return total;
}
