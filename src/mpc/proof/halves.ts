/**
 * What one verifier computes from its half of a relation, alone: its part of the compressed identity mod 2^64, and
 * its scalars of the inner product mod q. A prover has both halves and runs the same code on each, so the three
 * parties cannot number or scale a scalar differently.
 */
import type { ProofKernels, Signed, Term } from '../../compute/kernels/proof-types.ts';
import { type DigitStep, digitAt, digitSteps, stepsOf } from '../../compute/index-group.ts';
import { residue } from '../../compute/field.ts';
import { type Words, lengthOf, zeros } from '../../compute/ring.ts';
import { addWords, maskedRows, negateWords, scaledWords, wideOf } from '../../compute/words64.ts';
import { invariant } from '../../core/errors.ts';
import { letGo } from '../../core/let-go.ts';
import type { Challenges } from './challenges.ts';
import { loaded, loadedIf, partsOf } from './entries.ts';
import type { PublicTables } from './public-tables.ts';
import {
  type Bits,
  type ChoiceOfV,
  type ChoiceOfW,
  type ChoiceShape,
  type Compressed,
  type Diagonal,
  type Factor,
  type HalfOfV,
  type HalfOfW,
  type MatrixHalf,
  type MatrixShape,
  type Side,
  type TableHalf,
  type TableShape,
  digitsOf,
  isLookedUp,
  rowsOf,
  sentLayout,
} from './relations.ts';
import type { Segment } from './segment.ts';

/** What every computation of a party in a segment needs. */
export interface Context {
  readonly segment: Segment;
  readonly kernels: ProofKernels;
  readonly challenges: Challenges;
  readonly tables: PublicTables;
}

/** The steps of the choice among n entries. */
export function choiceSteps(n: number): DigitStep[] {
  return stepsOf(Math.ceil(Math.log2(n)), 0, false);
}

// ── the identity mod 2^64 ───────────────────────────────────────────────────

/**
 * ±2^(64−k)·Xᵀ·(what is linear in the relation and known to this side)·V mod 2^64, σ × σ. Over all relations and both
 * sides these sum to minus the claims.
 */
export async function linearPart(
  context: Context,
  index: number,
  side: Side,
  half: HalfOfV | HalfOfW,
): Promise<BigUint64Array> {
  const { segment, kernels, challenges } = context;
  const { sigma } = segment.parameters;
  const shape = segment.shapes[index];
  const [x, v] = [await challenges.rows(index), await challenges.columns(index)];
  invariant(half.kind === shape.kind, `${shape.message}: a half of another relation`);
  const out = new BigUint64Array(sigma * sigma);
  if (half.kind === 'table') {
    const sent = sentLayout(shape as TableShape);
    for await (const { from, to, bytes, layout } of partsOf(kernels, half.entries, sent, rowsOf(shape)))
      addWords(out, await kernels.digestEntries(bytes, layout, x.subarray(from, to), v, sigma));
    // V's words are −e.
    if (side === 'V') negateWords(out);
    return out;
  }
  const [width, k] = shape.kind === 'matrix' ? [shape.columns, shape.k] : [1, (shape as ChoiceShape).layout.k];
  const linear = await loadedIf(half.linear);
  if (linear === undefined) return out;
  invariant(linear.k === k && lengthOf(linear) === x.length * width, `${shape.message}: words of another shape`);
  if (width === 1) return inFirstColumn(scaledWords(await kernels.digest(linear, 1, x, sigma)), sigma);
  // (XᵀM)V or Xᵀ(MV): whichever leaves less for the second product.
  return scaledWords(
    x.length < width
      ? await kernels.digest(await kernels.columns(linear, width, v, sigma), sigma, x, sigma)
      : await kernels.columns(await kernels.digest(linear, width, x, sigma), width, v, sigma),
  );
}

/** Of a single column V is (1, 0, …). */
function inFirstColumn(words: BigUint64Array, sigma: number): BigUint64Array {
  const out = new BigUint64Array(sigma * sigma);
  for (let t = 0; t < sigma; t++) out[t * sigma] = words[t];
  return out;
}

// ── scalars mod q ───────────────────────────────────────────────────────────

/** What all folds of the tail make of the scalars of this side, which begin at place `first`. */
export async function endOf(
  context: Context,
  index: number,
  side: Side,
  half: HalfOfV | HalfOfW,
  prime: number,
  first: number,
  folds: readonly BigUint64Array[],
): Promise<bigint> {
  const { kernels, challenges, segment } = context;
  const { q } = (await challenges.primes())[prime];
  const shape = segment.shapes[index];
  if (shape.kind !== 'table') {
    const words = await scalars(context, index, side, half, prime);
    return behind(kernels.tailDot(words, first, folds, q), [words]);
  }
  const { bases, terms } = await tableTerms(context, index, shape, side, half as TableHalf, prime);
  return behind(kernels.termsDot(bases, terms, first, shape.elements, folds, q), bases);
}

/** What is made of vectors that nobody reads behind it. */
async function behind<T>(made: Promise<T>, vectors: readonly BigUint64Array[]): Promise<T> {
  const value = await made;
  for (const words of vectors) letGo(words);
  return value;
}

/** The scalars of this side, behind all digit rounds: `scalarsOf` of the shape, for one prime. In memory of their own. */
export async function scalars(
  context: Context,
  index: number,
  side: Side,
  half: HalfOfV | HalfOfW,
  prime: number,
): Promise<BigUint64Array> {
  const shape = context.segment.shapes[index];
  if (shape.kind === 'matrix') return matrixScalars(context, index, shape, side, half as MatrixHalf, prime);
  if (shape.kind === 'table') {
    const { bases, terms } = await tableTerms(context, index, shape, side, half as TableHalf, prime);
    return behind(context.kernels.terms(bases, terms, (await context.challenges.primes())[prime].q), bases);
  }
  return side === 'V'
    ? choiceOfV(context, index, shape, half as ChoiceOfV, prime)
    : choiceOfW(context, shape, half as ChoiceOfW, prime);
}

/** Of a left factor Σ_t σ_t (XᵀL mod 2^k), of a right one Σ_κ τ_κ (RV mod 2^k). Sign and scale go with V. */
async function matrixScalars(
  context: Context,
  index: number,
  shape: MatrixShape,
  side: Side,
  half: MatrixHalf,
  prime: number,
): Promise<BigUint64Array> {
  const { kernels, challenges } = context;
  const { q, rows, columns } = (await challenges.primes())[prime];
  const out: BigUint64Array[] = [];
  for (const [t, { left, negative, inner }] of shape.terms.entries()) {
    const mine = left === side;
    const sign = (negative ? -1n : 1n) << BigInt(64 - shape.k);
    const scale = (coefficients: BigUint64Array) =>
      side === 'W' ? coefficients : coefficients.map((c) => residue(sign * c, q));
    const words = await (mine ? leftFactor : rightFactor)(context, index, shape, half.factors[t], inner);
    // Of one row nothing is added up: XᵀL has that row or zeros. One column has V = (1, 0, …).
    if (!mine) {
      const of = shape.columns === 1 ? columns.subarray(0, 1) : columns;
      out.push(await kernels.combineColumns(words, scale(of), q));
    } else if (shape.rows > 1) out.push(await kernels.combineRows(words, inner, scale(rows), q));
    else {
      const one = await kernels.weights(await challenges.rows(index), scale(rows), q);
      out.push(await kernels.combineRows(words, inner, one, q));
    }
  }
  return joinedOnce(out);
}

/** XᵀL mod 2^k, σ × inner; of one row L itself. */
export async function leftFactor(
  { segment, kernels, challenges }: Context,
  index: number,
  shape: MatrixShape,
  factor: Factor,
  inner: number,
): Promise<Words> {
  if ('compressed' in factor) return factor.compressed;
  const words = await factorWords(shape, factor, shape.rows * inner);
  invariant(!('diagonal' in words || 'compressed' in words), `${shape.message}: a left factor of another form`);
  const left = 'signed' in words ? wideOf(words) : words;
  return shape.rows === 1 ? left : kernels.digest(left, inner, await challenges.rows(index), segment.parameters.sigma);
}

/** RV mod 2^k, inner × σ; of one column R itself. */
export async function rightFactor(
  { segment, kernels, challenges }: Context,
  index: number,
  shape: MatrixShape,
  factor: Factor,
  inner: number,
): Promise<Words> {
  if ('compressed' in factor) return factor.compressed;
  const [v, { sigma }] = [await challenges.columns(index), segment.parameters];
  const words = await factorWords(shape, factor, inner * shape.columns, shape.columns === 1 ? undefined : { v, sigma });
  if ('compressed' in words) {
    const { compressed } = words;
    invariant(compressed.k === shape.k && lengthOf(compressed) === inner * sigma, `${shape.message}: another factor`);
    return compressed;
  }
  if ('diagonal' in words) {
    // Row i is V's, times one word. Of a single column V has a one in front.
    const width = shape.columns === 1 ? 1 : sigma;
    const { k, data } = words.diagonal;
    return { k, data: maskedRows(data as BigUint64Array, v, width) };
  }
  if (shape.columns === 1) return 'signed' in words ? wideOf(words) : words;
  return kernels.columns(words, shape.columns, v, sigma);
}

async function factorWords(
  shape: MatrixShape,
  factor: Exclude<Factor, Compressed>,
  count: number,
  columns?: Bits,
): Promise<Words | Signed | Diagonal | Compressed> {
  const words = typeof factor === 'function' ? await factor(columns) : factor;
  if ('compressed' in words) return words;
  if ('diagonal' in words) {
    const n = lengthOf(words.diagonal);
    // Model weights are words of Z_2^64.
    invariant(
      words.diagonal.k === 64 && shape.k === 64 && n * n === count,
      `${shape.message}: a diagonal of another shape`,
    );
    return words;
  }
  const length = 'signed' in words ? words.signed.length : lengthOf(words);
  invariant(words.k === shape.k && length === count, `${shape.message}: a factor of another shape`);
  return words;
}

/** Vectors with a word for every element, and of every term which of them it is, times its factor. */
interface Terms {
  readonly bases: readonly BigUint64Array[];
  readonly terms: readonly Term[];
}

async function tableTerms(
  context: Context,
  index: number,
  shape: TableShape,
  side: Side,
  half: TableHalf,
  prime: number,
): Promise<Terms> {
  const { bases, baseOf } = await (side === 'V' ? tableOfV : tableOfW)(context, index, shape, half, prime);
  const terms: Term[] = [];
  for (const t of shape.terms.keys()) terms.push({ base: baseOf(t), factor: await loadedIf(half.factors[t]) });
  return { bases, terms };
}

interface Bases {
  readonly bases: readonly BigUint64Array[];
  baseOf(term: number): number;
}

/** Of F_i p_{t,i} Π_r α_{digit r of μ_i} all but p: without digits where a term is constant. */
async function tableOfV(
  context: Context,
  index: number,
  shape: TableShape,
  half: TableHalf,
  prime: number,
): Promise<Bases> {
  const { kernels, challenges } = context;
  const { q } = (await challenges.primes())[prime];
  const f = await tableWeights(context, index, shape, prime);
  if (digitsOf(shape) === 0) return { bases: [f], baseOf: () => 0 };
  const [mu, steps] = [await indices(shape, half), digitSteps(shape.table.group)];
  const alphas = await foldsOf(challenges, prime, 'alpha', steps.length);
  const folded = await kernels.digitWeights(f, 1, mu, steps, alphas, undefined, q);
  return { bases: [f, folded], baseOf: (t) => (isLookedUp(shape, t) ? 1 : 0) };
}

/** Of q_{t,i} Ĝ_t[⊖ν_i] all but q, with Ĝ folded to the end; Ĝ_t where it is constant. */
async function tableOfW(
  { kernels, tables }: Context,
  index: number,
  shape: TableShape,
  half: TableHalf,
  prime: number,
): Promise<Bases> {
  const { group } = shape.table;
  const nu = await indices(shape, half);
  const [functions, bases] = [[...new Set(shape.terms)], [] as BigUint64Array[]];
  for (const f of functions) {
    const t = shape.terms.indexOf(f);
    bases.push(
      isLookedUp(shape, t)
        ? await kernels.lookUp(await tables.table(index, t, prime, digitSteps(group).length), nu)
        : new BigUint64Array(shape.elements).fill(await tables.constant(index, t, prime)),
    );
  }
  return { bases, baseOf: (t) => functions.indexOf(shape.terms[t]) };
}

/** F_i of a table: 2^(bits that its words have less) Σ_t σ_t X_{i,t}. The rest of the scale is in Ĝ. */
export async function tableWeights(
  { kernels, challenges }: Pick<Context, 'kernels' | 'challenges'>,
  index: number,
  { narrower = 0 }: TableShape,
  prime: number,
): Promise<BigUint64Array> {
  const { q, rows } = (await challenges.primes())[prime];
  const scaled = narrower === 0 ? rows : rows.map((c) => (c << BigInt(narrower)) % q);
  return kernels.weights(await challenges.rows(index), scaled, q);
}

/** μ or ν, as indices of the group. */
export async function indices(shape: TableShape, half: TableHalf): Promise<Words> {
  const index = await loaded(half.index);
  const { bits, xorBits } = shape.table.group;
  invariant(
    index.k <= bits + xorBits && lengthOf(index) === shape.elements && half.factors.length === shape.terms.length,
    `${shape.message}: a half of another shape`,
  );
  return index;
}

/** f_i times the factor of a term. */
export async function times(
  kernels: ProofKernels,
  f: BigUint64Array,
  half: TableHalf,
  term: number,
  q: bigint,
): Promise<BigUint64Array> {
  const factor = await loadedIf(half.factors[term]);
  if (factor === undefined) return f;
  invariant(lengthOf(factor) === f.length, 'a factor for every element');
  return kernels.multiply(f, factor, q);
}

/** F_i Σ_j (Π_r α_{digit r of j}) E_{i,j,p}. */
async function choiceOfV(
  { kernels, challenges }: Context,
  index: number,
  shape: ChoiceShape,
  half: ChoiceOfV,
  prime: number,
): Promise<BigUint64Array> {
  const { layout, elements } = shape;
  const { q } = (await challenges.primes())[prime];
  const f = await choiceWeights({ kernels, challenges }, index, layout.k, prime);
  const alpha = (await digitProducts(challenges, prime, 'alpha', choiceSteps(layout.n), q)).subarray(0, layout.n);
  const P = layout.widths.length;
  const out: BigUint64Array[] = [];
  const wide = half.entries.kind === 'columns';
  for await (const { from, to, bytes, layout: packed } of partsOf(kernels, half.entries, layout, elements)) {
    const own = f.subarray(from, to);
    // Of one entry there is nothing to add up.
    out.push(
      wide
        ? await kernels.digitWeights(own, P, zeros(to - from, 32), [], [], wideWords(bytes), q)
        : await kernels.foldEntries(bytes, packed, own, alpha, q),
    );
  }
  invariant(out.reduce((sum, part) => sum + part.length, 0) === elements * P, 'a word for every element');
  letGo(f);
  return joinedOnce(out);
}

/** Bytes that are 64-bit lanes. */
function wideWords({ buffer, byteOffset, length }: Uint8Array): Words {
  return { k: 64, data: new BigUint64Array(buffer, byteOffset, length / 8) };
}

/** φ_{i,p} Π_r β_{digit r of c_i}. */
async function choiceOfW(
  { kernels, challenges }: Pick<Context, 'kernels' | 'challenges'>,
  shape: ChoiceShape,
  half: ChoiceOfW,
  prime: number,
): Promise<BigUint64Array> {
  const { q } = (await challenges.primes())[prime];
  const steps = choiceSteps(shape.layout.n);
  const ones = new BigUint64Array(shape.elements).fill(1n % q);
  const betas = await foldsOf(challenges, prime, 'beta', steps.length);
  const basis = await basisOf(shape, half);
  const choice = await choices(shape, half);
  return behind(kernels.digitWeights(ones, shape.layout.widths.length, choice, steps, betas, basis, q), [ones]);
}

/** φ, a word for every word of an entry. */
export async function basisOf({ layout, elements, message }: ChoiceShape, half: ChoiceOfW): Promise<Words | undefined> {
  const basis = await loadedIf(half.basis);
  // Words are canonical, so a basis over the right ring is the same integer at W and at the prover.
  invariant(
    basis === undefined || (basis.k === layout.k && lengthOf(basis) === elements * layout.widths.length),
    `${message}: a basis of another shape`,
  );
  return basis;
}

/** The coefficients of the first digit rounds. */
async function foldsOf(
  challenges: Challenges,
  prime: number,
  which: 'alpha' | 'beta',
  rounds: number,
): Promise<BigUint64Array[]> {
  const out: BigUint64Array[] = [];
  for (let r = 0; r < rounds; r++) out.push((await challenges.folds(r))[prime][which]);
  return out;
}

/** c_i; zeros where there is one entry. */
export async function choices({ elements, layout, message }: ChoiceShape, half: ChoiceOfW): Promise<Words> {
  const choice = await loadedIf(half.choice);
  invariant(choice !== undefined || layout.n === 1, `${message}: a choice among several entries`);
  invariant(choice === undefined || lengthOf(choice) === elements, `${message}: a choice for every element`);
  return choice ?? zeros(elements, 32);
}

/** F_i of a choice: 2^(64−k) τ_0 Σ_t σ_t X_{i,t}. */
export async function choiceWeights(
  { kernels, challenges }: Pick<Context, 'kernels' | 'challenges'>,
  index: number,
  k: number,
  prime: number,
): Promise<BigUint64Array> {
  const { q, rows, columns } = (await challenges.primes())[prime];
  const scale = (columns[0] << BigInt(64 - k)) % q;
  return kernels.weights(
    await challenges.rows(index),
    rows.map((c) => (c * scale) % q),
    q,
  );
}

/** Π_r coefficient_{digit r of j}, for every j below 2^(all bits of the steps). Made once for each number of bits. */
export async function digitProducts(
  challenges: Challenges,
  prime: number,
  which: 'alpha' | 'beta',
  steps: readonly DigitStep[],
  q: bigint,
): Promise<BigUint64Array> {
  const bits = steps.reduce((sum, { width }) => sum + width, 0);
  const made = MADE.get(challenges) ?? new Map<string, BigUint64Array>();
  MADE.set(challenges, made);
  const key = `${prime} ${which} ${bits}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const folds = await foldsOf(challenges, prime, which, steps.length);
  const products = BigUint64Array.from({ length: 2 ** bits }, (_, j) =>
    steps.reduce((product, step, r) => (product * folds[r][digitAt(step, j)]) % q, 1n % q),
  );
  made.set(key, products);
  return products;
}

const MADE = new WeakMap<Challenges, Map<string, BigUint64Array>>();

/** The same of vectors that nobody else reads. */
function joinedOnce(parts: readonly BigUint64Array[]): BigUint64Array {
  const out = joined(parts);
  if (parts.length > 1) for (const part of parts) letGo(part);
  return out;
}

/** Vectors one after the other. */
export function joined(parts: readonly BigUint64Array[]): BigUint64Array {
  if (parts.length === 1) return parts[0];
  const out = new BigUint64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
