/**
 * The claims of a prover (PROTOCOL §15.5): what the products of a relation sum to under X and V, as integers. Modulo
 * 2^64 they are bound by what both verifiers hold; as integers they are what the prime is drawn against.
 *
 * Every factor is a canonical residue below 2^k, and compressed factors of a matrix are reduced mod 2^k before they
 * meet: V and W put the same integers into the inner product.
 */
import { differences } from '../../compute/index-group.ts';
import { CLAIM_LIMBS } from '../../compute/kernels/proof-types.ts';
import { readBits } from '../../compute/kernels/reference/bits.ts';
import type { TableLayout } from '../../compute/kernels/table-layout.ts';
import { type Words, bytesOf, concatWords, lengthOf, viewWords } from '../../compute/ring.ts';
import { addWords } from '../../compute/words64.ts';
import { letGo } from '../../core/let-go.ts';
import { loadedIf, partsOf } from './entries.ts';
import { type Context, choices, indices, joined, leftFactor, rightFactor } from './halves.ts';
import type {
  ChoiceOfV,
  ChoiceOfW,
  ChoiceShape,
  Factor,
  MatrixHalf,
  MatrixShape,
  TableHalf,
  TableShape,
  Whole,
} from './relations.ts';

/** Elements whose tables are looked up at once: with fewer, what is made once for a part counts. */
const PART = 1 << 14;
/** A word that is one. */
const ONE: TableLayout = { n: 1, k: 1, widths: [1] };

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

/** Elements of one table with factors of one form, of several relations: small ones are looked up together. */
interface Batch {
  readonly index: number;
  readonly shape: TableShape;
  readonly at: Uint32Array[];
  readonly x: BigUint64Array[];
  /** Of every term, V's and W's. */
  readonly factors: readonly (readonly [Words[], Words[]])[];
  count: number;
}

/** The claims of all relations of a segment. Those that are scaled alike are added up as they come. */
export class Claims {
  readonly #context: Context;
  readonly #matrices = new Map<
    string,
    { readonly up: number; readonly negative: boolean; readonly limbs: BigUint64Array }
  >();
  readonly #batches = new Map<string, Batch>();
  readonly #tables = new Map<string, TableSums>();
  /** Of choices, and of matrices of one row or column: σ × σ integers. */
  readonly #rest: bigint[];

  constructor(context: Context) {
    this.#context = context;
    this.#rest = new Array<bigint>(context.segment.parameters.sigma ** 2).fill(0n);
  }

  /** Adds a relation. @returns what the prover needs of it from here on */
  async add(index: number, whole: Whole): Promise<Whole> {
    const { v, w } = whole;
    const shape = this.#context.segment.shapes[index];
    if (shape.kind === 'matrix') return this.#matrix(index, shape, v as MatrixHalf, w as MatrixHalf);
    if (shape.kind === 'table') await this.#table(index, shape, v as TableHalf, w as TableHalf);
    else await this.#choice(index, shape, v as ChoiceOfV, w as ChoiceOfW);
    return whole;
  }

  /** σ × σ integers. */
  async total(): Promise<bigint[]> {
    const { segment, kernels, challenges } = this.#context;
    const { sigma } = segment.parameters;
    for (const [key, batch] of this.#batches) await this.#lookedUp(key, batch);
    const total = this.#rest.slice();
    for (const { up, negative, limbs } of this.#matrices.values())
      for (const i of total.keys()) {
        const value = integerAt(limbs, i) << BigInt(up);
        total[i] += negative ? -value : value;
      }
    for (const { index, term, narrower, sums } of this.#tables.values()) {
      const { table } = segment.shapes[index] as TableShape;
      const { constant, first, layout } = table.functions[term];
      const own = (await challenges.columns(index)).subarray(first, first + layout.n * layout.widths.length);
      const all = constant === true ? ofConstant(sums, layout, await table.words(term, Uint32Array.of(0))) : sums;
      const claims = await kernels.tableClaims(all, layout, own, sigma);
      for (const [i, claim] of claims.entries()) total[i] += claim << BigInt(narrower);
    }
    return total;
  }

  /** ±2^(64−k) (XᵀL mod 2^k)(RV mod 2^k). */
  async #matrix(index: number, shape: MatrixShape, v: MatrixHalf, w: MatrixHalf): Promise<Whole> {
    const { segment, kernels, challenges } = this.#context;
    const { sigma } = segment.parameters;
    const up = 64 - shape.k;
    // One row or column is not compressed: X is a bit of the row, V has a one.
    const [rows, cols] = [shape.rows === 1 ? 1 : sigma, shape.columns === 1 ? 1 : sigma];
    const whole = shape.rows > 1 && shape.columns > 1;
    const kept = { v: [...v.factors], w: [...w.factors] };
    for (const [t, { left, negative, inner }] of shape.terms.entries()) {
      const [one, other] = left === 'V' ? [kept.v, kept.w] : [kept.w, kept.v];
      const l = await leftFactor(this.#context, index, shape, one[t], inner);
      const r = await rightFactor(this.#context, index, shape, other[t], inner);
      [one[t], other[t]] = [shorter(one[t], l, shape.rows * inner), shorter(other[t], r, inner * shape.columns)];
      const key = `${up} ${negative}`;
      const known = whole ? this.#matrices.get(key) : undefined;
      const total = known?.limbs ?? new BigUint64Array(CLAIM_LIMBS * rows * cols);
      const limbs = await kernels.matrixClaims(l, r, inner, total);
      if (whole) this.#matrices.set(key, { up, negative, limbs });
      else {
        const x = shape.rows === 1 ? (await challenges.rows(index))[0] : undefined;
        this.#spread(limbs, x, cols, negative, up);
      }
    }
    return { v: { ...v, factors: kept.v }, w: { ...w, factors: kept.w } };
  }

  /** Claims of one row, which count where its challenge x has a bit; or of one column. */
  #spread(limbs: BigUint64Array, x: bigint | undefined, cols: number, negative: boolean, up: number): void {
    const { sigma } = this.#context.segment.parameters;
    const values = Array.from({ length: limbs.length / CLAIM_LIMBS }, (_, i) => {
      const value = integerAt(limbs, i) << BigInt(up);
      return negative ? -value : value;
    });
    for (let t = 0; t < sigma; t++) {
      if (x !== undefined && ((x >> BigInt(t)) & 1n) === 0n) continue;
      const from = x === undefined ? t * cols : 0;
      for (let kappa = 0; kappa < cols; kappa++) this.#rest[t * sigma + kappa] += values[from + kappa];
    }
  }

  /** Σ_i X_i p_i q_i Σ_c V_c 2^(64 − width of c) T(μ_i ⊖ ν_i)_c. */
  async #table(index: number, shape: TableShape, v: TableHalf, w: TableHalf): Promise<void> {
    const { segment, challenges } = this.#context;
    const { table, terms, elements, narrower = 0 } = shape;
    const [mu, nu, x] = [await indices(shape, v), await indices(shape, w), await challenges.rows(index)];
    const factors: [Words | undefined, Words | undefined][] = [];
    for (const t of terms.keys()) factors.push([await loadedIf(v.factors[t]), await loadedIf(w.factors[t])]);
    const forms = factors.map((pair) => pair.map((factor) => factor?.k ?? 0));
    const key = JSON.stringify([segment.classOf(index), narrower, terms, forms]);
    const [left, right] = [mu.data as Uint32Array, nu.data as Uint32Array];
    for (let from = 0, to = 0; from < elements; from = to) {
      const batch = this.#batches.get(key) ?? {
        ...{ index, shape, at: [], x: [], count: 0 },
        factors: terms.map((): [Words[], Words[]] => [[], []]),
      };
      this.#batches.set(key, batch);
      to = Math.min(elements, from + PART - batch.count);
      batch.at.push(differences(table.group, left.subarray(from, to), right.subarray(from, to)));
      batch.x.push(x.subarray(from, to));
      for (const [t, pair] of factors.entries())
        for (const [side, factor] of pair.entries())
          if (factor !== undefined) batch.factors[t][side].push(viewWords(factor, from, to));
      batch.count += to - from;
      if (batch.count === PART) await this.#lookedUp(key, batch);
    }
  }

  /** The sums of a batch, which is empty behind it. */
  async #lookedUp(key: string, { index, shape, at, x, factors }: Batch): Promise<void> {
    this.#batches.delete(key);
    const { segment, kernels } = this.#context;
    const { table, terms, narrower = 0 } = shape;
    const all = whole(at.map((data) => ({ k: 32, data }))).data as Uint32Array;
    const [rows, made] = [joined(x), new Map<number, Uint8Array>()];
    for (const [t, term] of terms.entries()) {
      const { constant, layout } = table.functions[term];
      const bytes = constant === true ? ones(all.length) : (made.get(term) ?? (await table.words(term, all)));
      made.set(term, bytes);
      const own = factors[t].map((parts) => (parts.length === 0 ? undefined : whole(parts)));
      const form = constant === true ? ONE : layout;
      const sums = await kernels.tableSums(bytes, form, own, rows, segment.parameters.sigma);
      const place = `${segment.classOf(index)} ${term} ${narrower}`;
      const known = this.#tables.get(place);
      if (known === undefined) this.#tables.set(place, { index, term, narrower, sums });
      else {
        addWords(known.sums, sums);
        letGo(sums);
      }
      for (const [side, parts] of factors[t].entries()) if (parts.length > 1) letGo((own[side] as Words).data);
    }
    for (const words of [all, ...at, ...made.values()]) letGo(words);
    if (x.length > 1) letGo(rows);
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

/** A factor of some words, or what it was compressed to where that is less. */
function shorter(factor: Factor, compressed: Words, words: number): Factor {
  if (typeof factor === 'function') return lengthOf(compressed) < words ? { compressed } : factor;
  if ('compressed' in factor) return factor;
  const held = 'signed' in factor ? factor.signed.byteLength : bytesOf(factor).length;
  return bytesOf(compressed).length < held ? { compressed } : factor;
}

/** One vector after the other: one that is alone is not copied. */
function whole(parts: readonly Words[]): Words {
  return parts.length === 1 ? parts[0] : concatWords(parts);
}

/** One for every element, as words of one bit. */
function ones(count: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(count / 8)).fill(255);
  if (count % 8 !== 0) bytes[bytes.length - 1] = 2 ** (count % 8) - 1;
  return bytes;
}

/** What the words of a constant function sum to, of which each is times these sums of factors. */
function ofConstant(sums: BigUint64Array, { n, widths }: TableLayout, bytes: Uint8Array): BigUint64Array {
  const words: bigint[] = [];
  for (let c = 0, at = 0; c < n * widths.length; at += widths[c % widths.length], c++)
    words.push(readBits(bytes, at, widths[c % widths.length]));
  return BigUint64Array.from(
    Array.from({ length: sums.length / CLAIM_LIMBS }, (_, t) => sumOfLimbs(sums, t)).flatMap((sum) =>
      words.flatMap((word) => limbsOf(sum * word)),
    ),
  );
}

/** Number i of several, of 32-bit limbs that were added up in 64 bits. */
function sumOfLimbs(sums: BigUint64Array, i: number): bigint {
  let value = 0n;
  for (let l = CLAIM_LIMBS - 1; l >= 0; l--) value = (value << 32n) + sums[CLAIM_LIMBS * i + l];
  return value;
}

/** Such limbs: the last one has what is left. */
function limbsOf(value: bigint): bigint[] {
  return Array.from({ length: CLAIM_LIMBS }, (_, l) => {
    const rest = value >> BigInt(32 * l);
    return l < CLAIM_LIMBS - 1 ? rest & 0xffff_ffffn : rest;
  });
}

/** Number i of several, of 64-bit limbs. */
function integerAt(limbs: BigUint64Array, i: number): bigint {
  let value = 0n;
  for (let l = CLAIM_LIMBS - 1; l >= 0; l--) value = (value << 64n) | limbs[CLAIM_LIMBS * i + l];
  return value;
}
