/**
 * Kernels of the proofs (PROTOCOL §15): exact functions beside `RingKernels`, asynchronous, pure, and equal to the bit
 * in every backend. They are an interface of their own because only a mode with proofs loads them.
 *
 * Letters: N rows or elements, n entries of P words, σ columns of the compression, q an odd modulus of at most 61
 * bits. A row of challenges is one 64-bit word, bit t for column t. Field elements are residues below q, in 64-bit
 * lanes. Entries are packed by a `TableLayout`, element 0 at bit 0.
 */
import type { DigitStep, IndexGroup } from '../index-group.ts';
import type { Words } from '../ring.ts';
import type { TableLayout } from './table-layout.ts';
import type { Stream } from './types.ts';

/** 64-bit limbs of a claim, and 32-bit limbs of a word of a table times its factors. */
export const CLAIM_LIMBS = 4;

/** Blocks of a round: digits of three bits. */
export const RADIX = 8;

/** Words of Z_2^64 that are integers of 32 bits with a sign, and public: the weights of an open matrix. */
export interface Signed {
  readonly k: 64;
  readonly signed: Int32Array;
}

/** A public table where the kernels hold it, until it is freed. It is folded in place. */
export interface FoldedTable {
  readonly group: IndexGroup;
}

/** One term of a relation: which vector of an element it is, times a factor. Without one it is the vector. */
export interface Term {
  /** Number of the vector. */
  readonly base: number;
  readonly factor: Words | undefined;
}

export interface ProofKernels {
  readonly name: 'reference' | 'wasm' | 'webgpu';

  /** As `RingKernels.draw`: `count` uniform words of Z_2^k from word `first` of a stream on. */
  draw(stream: Stream, k: number, count: number, first?: number): Promise<Words>;

  // ── compression, mod 2^k ─────────────────────────────────────────────────
  /** Xᵀ·rows: Σ_i X_{i,t} rows_{i,c}, σ × width. `rows` is N × width, `x` has N words. */
  digest(rows: Words, width: number, x: BigUint64Array, sigma: number): Promise<Words>;
  /**
   * Σ_i X_{i,t} Σ_c 2^(64 − width of c) E_{i,c} V_{c,κ} mod 2^64 of packed tables, σ × σ words. `v` has a word for each
   * of the n·P words of an element.
   */
  digestEntries(
    bytes: Uint8Array,
    layout: TableLayout,
    x: BigUint64Array,
    v: BigUint64Array,
    sigma: number,
  ): Promise<BigUint64Array>;
  /** rows·V: Σ_c rows_{i,c} V_{c,κ}, N × σ. `v` has `width` words. */
  columns(rows: Words | Signed, width: number, v: BigUint64Array, sigma: number): Promise<Words>;

  // ── claims: integers, not residues ───────────────────────────────────────
  /**
   * Σ_j left_{t,j} right_{j,κ} over `inner` terms, as integers. Numbers of `CLAIM_LIMBS` limbs of 64 bits, the lowest
   * first, added to those of `total`.
   */
  matrixClaims(left: Words, right: Words, inner: number, total: BigUint64Array): Promise<BigUint64Array>;
  /**
   * Σ_i X_{i,t} of every 32-bit limb of p_i q_i T_{i,c}, of the tables of N elements: σ × n·P × `CLAIM_LIMBS` sums, to
   * be added up over relations. A sum of 2^32 limbs fits its word.
   */
  tableSums(
    bytes: Uint8Array,
    layout: TableLayout,
    factors: readonly (Words | undefined)[],
    x: BigUint64Array,
    sigma: number,
  ): Promise<BigUint64Array>;
  /** Σ_c V_{c,κ} 2^(64 − width of c) times the number that such sums stand for, σ × σ. */
  tableClaims(sums: BigUint64Array, layout: TableLayout, v: BigUint64Array, sigma: number): Promise<bigint[]>;
  /** Σ_i X_{i,t} Σ_p E_{i,c_i,p} φ_{i,p}, σ words. */
  choiceClaims(
    bytes: Uint8Array,
    layout: TableLayout,
    choice: Words | undefined,
    basis: Words | undefined,
    x: BigUint64Array,
    sigma: number,
  ): Promise<bigint[]>;

  // ── modulo q ─────────────────────────────────────────────────────────────
  /** F_i = Σ_t X_{i,t} coefficients_t: one word for every row of challenges. */
  weights(x: BigUint64Array, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array>;
  /** a_i · b_i, with b of any ring. */
  multiply(a: BigUint64Array, b: Words, q: bigint): Promise<BigUint64Array>;
  /** base_i · factor_i of every term, one term after the other. All vectors have a word for every element. */
  terms(bases: readonly BigUint64Array[], terms: readonly Term[], q: bigint): Promise<BigUint64Array>;
  /** Σ_r coefficients_r x_{r,c}: one word for every column of `width`. */
  combineRows(x: Words, width: number, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array>;
  /** Σ_c x_{r,c} coefficients_c: one word for every row. */
  combineColumns(x: Words, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array>;

  // ── selection tables modulo q ────────────────────────────────────────────
  /** weights_i Σ_j coefficients_j E_{i,j,p}: N × P. */
  foldEntries(
    bytes: Uint8Array,
    layout: TableLayout,
    weights: BigUint64Array,
    coefficients: BigUint64Array,
    q: bigint,
  ): Promise<BigUint64Array>;
  /** Σ_{j,p} coefficients_{j,p} E_{i,j,p}: one word for every element. */
  publicTable(
    bytes: Uint8Array,
    layout: TableLayout,
    elements: number,
    coefficients: BigUint64Array,
    q: bigint,
  ): Promise<BigUint64Array>;

  // ── digit rounds ─────────────────────────────────────────────────────────
  /** Takes in residues, one for every index of a group. */
  loadTable(words: BigUint64Array, group: IndexGroup): Promise<FoldedTable>;
  /** G'[s] = Σ_h β_h G[s ⊕ h at this step], on the whole group, in place. */
  foldTable(table: FoldedTable, step: DigitStep, beta: BigUint64Array, q: bigint): Promise<void>;
  /** Lets go of a table. What is freed already stays so. */
  freeTable(table: FoldedTable): void;
  /**
   * f Π_r coefficients[r]_{digit r of index_i} · factor_{i,p}, N × P with P = `each`. f is f_i where it has N words and
   * f_{i,p} where it has N·P. Without a factor it is one.
   */
  digitWeights(
    f: BigUint64Array,
    each: number,
    index: Words,
    steps: readonly DigitStep[],
    coefficients: readonly BigUint64Array[],
    factor: Words | undefined,
    q: bigint,
  ): Promise<BigUint64Array>;
  /** G[⊖ν_i]. */
  lookUp(table: FoldedTable, nu: Words): Promise<BigUint64Array>;
  /**
   * z_{a,b} = Σ f_i G[μ'_i ⊖ ν_i ⊕ b at this step] over the i whose μ_i has the digit a, with μ' the bits of μ behind
   * this step. RADIX × RADIX; of G the digits before are folded.
   */
  lookupRound(
    f: BigUint64Array,
    table: FoldedTable,
    step: DigitStep,
    mu: Words,
    nu: Words,
    q: bigint,
  ): Promise<BigUint64Array>;
  /**
   * z_{a,b} = Σ f_{i,p} Σ_l low_l E_{i, j, p}, with b the digit of c_i at bit `at`, and j = c_i with the bits below
   * `at` replaced by l and that digit by a; entries behind the last are zero. RADIX × RADIX; `low` has 2^at words.
   */
  choiceRound(
    bytes: Uint8Array,
    layout: TableLayout,
    choice: Words,
    f: BigUint64Array,
    low: BigUint64Array,
    step: DigitStep,
    q: bigint,
  ): Promise<BigUint64Array>;

  // ── tail ─────────────────────────────────────────────────────────────────
  /** z_{a,b} = Σ_i u_{8i+a} w_{8i+b}, both read as if zeros stood behind them. */
  tailRound(u: BigUint64Array, w: BigUint64Array, q: bigint): Promise<BigUint64Array>;
  /** Σ_a coefficients_a u_{8i+a}: an eighth of the length, rounded up. */
  tailFold(u: BigUint64Array, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array>;
  /**
   * Σ_i values_i Π_r coefficients[r]_{digit r of first + i}: what all folds of a tail make of a part of its vector
   * that begins at place `first`. Digits of three bits, the lowest first.
   */
  tailDot(values: BigUint64Array, first: number, coefficients: readonly BigUint64Array[], q: bigint): Promise<bigint>;
  /**
   * The same of `terms`, whose scalars nobody else wants. A term begins `stride` places behind the one before: these may
   * be some elements of more.
   */
  termsDot(
    bases: readonly BigUint64Array[],
    terms: readonly Term[],
    first: number,
    stride: number,
    coefficients: readonly BigUint64Array[],
    q: bigint,
  ): Promise<bigint>;

  close(): Promise<void>;
}
