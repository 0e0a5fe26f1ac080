/**
 * The claims of a prover (PROTOCOL §15.5): what the products of a relation sum to under X and V, as integers. Modulo
 * 2^64 they are bound by what both verifiers hold; as integers they are what the prime is drawn against.
 *
 * Every factor is a canonical residue below 2^k, and compressed factors of a matrix are reduced mod 2^k before they
 * meet: V and W put the same integers into the inner product.
 */
import { difference } from '../../compute/index-group.ts';
import { CLAIM_LIMBS } from '../../compute/kernels/proof-types.ts';
import { viewWords } from '../../compute/ring.ts';
import { addWords } from '../../compute/words64.ts';
import { loaded, loadedIf, partsOf } from './entries.ts';
import { type Context, choices, compressedLeft, indices } from './halves.ts';
import type {
  ChoiceOfV,
  ChoiceOfW,
  ChoiceShape,
  MatrixHalf,
  MatrixShape,
  TableHalf,
  TableShape,
  Whole,
} from './relations.ts';

/** Elements whose tables are looked up at once. */
const PART = 1 << 12;

/** σ × σ integers of one relation. */
export async function claimsOf(context: Context, index: number, whole: Whole): Promise<bigint[]> {
  const claims = new Claims(context);
  await claims.add(index, whole);
  return claims.total();
}

/** What a function of a table sums to, before V combines its words: V is one for all relations of a table. */
interface TableSums {
  readonly index: number;
  readonly term: number;
  readonly narrower: number;
  readonly sums: BigUint64Array;
}

/** The claims of all relations of a segment. Those that are scaled alike are added up as they come. */
export class Claims {
  readonly #context: Context;
  readonly #matrices = new Map<
    string,
    { readonly up: number; readonly negative: boolean; readonly limbs: BigUint64Array }
  >();
  readonly #tables = new Map<string, TableSums>();
  /** Of choices, and of matrices of one row or column: σ × σ integers. */
  readonly #rest: bigint[];

  constructor(context: Context) {
    this.#context = context;
    this.#rest = new Array<bigint>(context.segment.parameters.sigma ** 2).fill(0n);
  }

  async add(index: number, { v, w }: Whole): Promise<void> {
    const shape = this.#context.segment.shapes[index];
    if (shape.kind === 'matrix') return this.#matrix(index, shape, v as MatrixHalf, w as MatrixHalf);
    if (shape.kind === 'table') return this.#table(index, shape, v as TableHalf, w as TableHalf);
    return this.#choice(index, shape, v as ChoiceOfV, w as ChoiceOfW);
  }

  /** σ × σ integers. */
  async total(): Promise<bigint[]> {
    const { segment, kernels, challenges } = this.#context;
    const { sigma } = segment.parameters;
    const total = this.#rest.slice();
    for (const { up, negative, limbs } of this.#matrices.values())
      for (const i of total.keys()) {
        const value = integerAt(limbs, i) << BigInt(up);
        total[i] += negative ? -value : value;
      }
    for (const { index, term, narrower, sums } of this.#tables.values()) {
      const { first, layout } = (segment.shapes[index] as TableShape).table.functions[term];
      const own = (await challenges.columns(index)).subarray(first, first + layout.n * layout.widths.length);
      const claims = await kernels.tableClaims(sums, layout, own, sigma);
      for (const [i, claim] of claims.entries()) total[i] += claim << BigInt(narrower);
    }
    return total;
  }

  /** ±2^(64−k) (XᵀL mod 2^k)(RV mod 2^k). */
  async #matrix(index: number, shape: MatrixShape, v: MatrixHalf, w: MatrixHalf): Promise<void> {
    const { segment, kernels, challenges } = this.#context;
    const { sigma } = segment.parameters;
    const [x, columns] = [await challenges.rows(index), await challenges.columns(index)];
    const up = 64 - shape.k;
    // One row or column is not compressed: X is a bit of the row, V has a one.
    const [rows, cols] = [shape.rows === 1 ? 1 : sigma, shape.columns === 1 ? 1 : sigma];
    for (const [t, { left, negative, inner }] of shape.terms.entries()) {
      const [one, other] = left === 'V' ? [v.factors[t], w.factors[t]] : [w.factors[t], v.factors[t]];
      const [l, r] = [await loaded(one), await loaded(other)];
      const key = `${up} ${negative}`;
      const whole = shape.rows > 1 && shape.columns > 1;
      const known = whole ? this.#matrices.get(key) : undefined;
      const limbs = await kernels.matrixClaims(
        shape.rows === 1 ? l : await compressedLeft(kernels, l, inner, x, sigma),
        shape.columns === 1 ? r : await kernels.columns(r, shape.columns, columns, sigma),
        inner,
        known?.limbs ?? new BigUint64Array(CLAIM_LIMBS * rows * cols),
      );
      if (whole) this.#matrices.set(key, { up, negative, limbs });
      else this.#spread(limbs, shape.rows === 1 ? x[0] : undefined, cols, negative, up);
    }
  }

  /** Claims of one row, which count where its challenge x has a bit; or of one column. */
  #spread(limbs: BigUint64Array, x: bigint | undefined, cols: number, negative: boolean, up: number): void {
    const { sigma } = this.#context.segment.parameters;
    for (let t = 0; t < sigma; t++) {
      if (x !== undefined && ((x >> BigInt(t)) & 1n) === 0n) continue;
      for (let kappa = 0; kappa < cols; kappa++) {
        const value = integerAt(limbs, (x === undefined ? t : 0) * cols + kappa) << BigInt(up);
        this.#rest[t * sigma + kappa] += negative ? -value : value;
      }
    }
  }

  /** Σ_i X_i p_i q_i Σ_c V_c 2^(64 − width of c) T(μ_i ⊖ ν_i)_c. */
  async #table(index: number, shape: TableShape, v: TableHalf, w: TableHalf): Promise<void> {
    const { segment, kernels, challenges } = this.#context;
    const { sigma } = segment.parameters;
    const { table, terms, elements, narrower = 0 } = shape;
    const [mu, nu, x] = [await indices(shape, v), await indices(shape, w), await challenges.rows(index)];
    const at = Uint32Array.from({ length: elements }, (_, i) =>
      difference(table.group, Number(mu.data[i]), Number(nu.data[i])),
    );
    for (let from = 0; from < elements; from += PART) {
      const to = Math.min(elements, from + PART);
      const made = new Map<number, Uint8Array>();
      for (const [t, term] of terms.entries()) {
        const bytes = made.get(term) ?? (await table.words(term, at.subarray(from, to)));
        made.set(term, bytes);
        const factors = [await loadedIf(v.factors[t]), await loadedIf(w.factors[t])];
        const part = factors.map((factor) => (factor === undefined ? undefined : viewWords(factor, from, to)));
        const { layout } = table.functions[term];
        const sums = await kernels.tableSums(bytes, layout, part, x.subarray(from, to), sigma);
        const key = `${segment.classOf(index)} ${term} ${narrower}`;
        const known = this.#tables.get(key);
        if (known === undefined) this.#tables.set(key, { index, term, narrower, sums });
        else addWords(known.sums, sums);
      }
    }
  }

  /** 2^(64−k) Σ_i X_i Σ_p E_{i,c_i,p} φ_{i,p}, in column 0. */
  async #choice(index: number, shape: ChoiceShape, v: ChoiceOfV, w: ChoiceOfW): Promise<void> {
    const { segment, kernels, challenges } = this.#context;
    const { sigma } = segment.parameters;
    const { layout, elements } = shape;
    const P = layout.widths.length;
    const [choice, basis, x] = [await choices(shape, w), await loadedIf(w.basis), await challenges.rows(index)];
    for await (const { from, to, bytes, layout: packed } of partsOf(kernels, v.entries, layout, elements)) {
      const phi = basis === undefined ? undefined : viewWords(basis, from * P, to * P);
      const claims = await kernels.choiceClaims(
        ...([bytes, packed, viewWords(choice, from, to), phi, x.subarray(from, to), sigma] as const),
      );
      for (const [t, claim] of claims.entries()) this.#rest[t * sigma] += claim << BigInt(64 - layout.k);
    }
  }
}

/** Number i of several, of 64-bit limbs. */
function integerAt(limbs: BigUint64Array, i: number): bigint {
  let value = 0n;
  for (let l = CLAIM_LIMBS - 1; l >= 0; l--) value = (value << 64n) | limbs[CLAIM_LIMBS * i + l];
  return value;
}
