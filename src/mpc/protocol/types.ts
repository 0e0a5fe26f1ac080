/**
 * The protocol seam. A protocol turns a circuit of secret tensors into messages between three parties.
 *
 * `Gates` is what `secure/` and `ml/` build with: every method adds an operation on wires and returns the wire of
 * its result. Nothing is computed while building, no value can be read, and a layer cannot open a secret. The same
 * description serves every protocol; asking for one that does not exist is ERR_PROTOCOL_UNAVAILABLE
 * (`registry.ts`), never a weaker one.
 */
import type { ExpWidth } from '../../compute/exp-tables.ts';
import type { CosineSum, PiecewisePolynomial } from '../../compute/kernels/types.ts';
import type { Pattern } from '../../compute/pattern.ts';
import type { Words } from '../../compute/ring.ts';
import type { Wire } from '../share/wire.ts';

export type ProtocolId = '3pc_semi_honest' | '3pc_malicious' | 'aby3';

/** Who may do what, and what leaks. Shown by `tercet --help`, the README and docs/SECURITY.md. */
export interface SecurityClaim {
  readonly adversary: 'passive' | 'active';
  /** How many parties may be corrupt together. */
  readonly corruptions: 1;
  readonly abort: 'none' | 'security-with-abort';
  readonly leaks: readonly string[];
}

/**
 * How widenings get the wrap: by a word of the dealer for every element, or by oblivious transfers between P1 and P2
 * from one small base. A public choice, the same at all parties; part of a circuit's hash.
 */
export type Widening = 'dealer' | 'ot';

/**
 * Error model of truncation, tested by the conformance suite. A builder has its protocol's, and gadgets choose their
 * constants by it.
 */
export interface TruncationModel {
  /** ⌊(z + ρ)/2^s⌋ with ρ uniform: unbiased, and who learns the coin. */
  readonly rounding: 'stochastic';
  /**
   * Uniform coins in ρ. With one, z/2^s is measured as one of its neighbours. With two, ρ is their sum less half a
   * unit: an index is read in half units then (`secure/measure.ts`).
   */
  readonly coins: 1 | 2;
  /** Of a shift and a truncation. */
  readonly maxErrorUlp: 1 | 1.5;
  /** Of a selection that drops bits. */
  readonly maxSelectionErrorUlp: 1 | 1.5;
  /** Of a product that drops bits. Its mean is 0 as well. */
  readonly maxProductErrorUlp: 1 | 1.5;
  /** Whether a selection that drops bits leaves a zero, and a whole number of ulps, as it is. */
  readonly keepsZero: boolean;
  /** Probability of a wrong wrap inside the declared domain. */
  readonly wrapProbability: 0;
  readonly leaks: string;
}

/**
 * A model parameter by name. Values live with the parties: in clear at P1 and P2 (open) or as M = W + L1 + L2
 * (secret).
 */
export interface Parameter {
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
  readonly scale: number;
  /** A table whose rows are looked up at secret indices, and which is used in no other way. */
  readonly lookup?: true;
}

/** One summand of an affine map: x·W with a matrix, or x ∘ row with `diagonal`. */
export interface AffineTerm {
  readonly x: Wire;
  readonly weight: Parameter;
  readonly diagonal?: boolean;
}

/** Exact table on Z_2^b: entry v for the residue v. */
export interface ExactTable {
  readonly bits: number;
  readonly entries: readonly bigint[];
}

/** What `choose` is given. */
export interface Choosing {
  readonly bits: readonly Wire[];
  readonly values: readonly Wire[];
  readonly pick: Uint8Array;
  /** In a sum: the values count 2^raise times, over a ring wider by as much, for words of their own ring. */
  readonly raise?: number;
}

/**
 * A gate whose result loses its low bits: `drop` = d gives it over Z_2^(k−d) at a scale that is d less, and every
 * message behind the table is of that ring. The gate computes over Z_2^k. What is dropped costs nobody a byte.
 */
export interface Rounded {
  /** Low bits of the result that are rounded away, 0 when absent. */
  readonly drop?: number;
}

export interface Selected extends Rounded {
  /**
   * Ring that the result is widened to at once, after it is rounded. Domain of the result: `least` and the 2^(k−d−1)
   * − 1 integers above it, and then exact. P2 sends a word of the new bits in place of the one that would re-share
   * the result: no round more than the selection, and a bit of slack less than `widen` takes.
   */
  readonly widen?: number;
  /** With `widen`: the least value of the rounded result, 0 when absent. */
  readonly least?: bigint;
}

export interface Multiplied extends Rounded {
  /** Whether the second operand is (batch, n, inner). */
  readonly transposed?: boolean;
}

/** A sum of cosines of x, and the shared bit that lets it through (always, without one). */
export interface GatedCosines {
  readonly x: Wire;
  readonly sum: CosineSum;
  readonly gate?: Wire | undefined;
}

/** A value, and the shared bits that let it through where all of them are one. */
export interface Gated {
  readonly bits: readonly Wire[];
  readonly value: Wire;
}

/** How an exponential is cut, and over which ring it comes. */
export interface ExponentialOptions extends Selected {
  /** Units of a segment: 4 (sixteen entries with the gate), or 8 (eight entries, for −24 ≤ x < 0 or so). */
  readonly width?: ExpWidth;
  /** Output ring; 64 if not given. */
  readonly k?: number;
}

/** Words of zero and one; or rows of them, in the last dimension, each with a single one. */
export type InputForm = 'bits' | 'units';

/** What a leaf says of its bits of a and λ2. */
export type BorrowLeaf = 'less' | 'equal' | 'negative' | 'below';

export interface Gates {
  readonly weights: 'open' | 'secret';
  readonly rounding: TruncationModel;

  // ── inputs and outputs ───────────────────────────────────────────────────
  /**
   * A tensor of P0. 8 bytes an element to P1, online.
   * @param form what it is, where it is no tensor of any words: proved where P0 is a prover
   */
  input(name: string, shape: readonly number[], k: number, scale: number, form?: InputForm): Wire;
  /**
   * Rows of a table (rows × cols) at indices that only P0 knows, by point functions. Output (count, cols) over
   * Z_2^64.
   */
  lookup(name: string, table: Parameter, count: number): Wire;
  /** Opens to P0 alone, mod 2^k of the wire. */
  output(name: string, x: Wire): void;

  // ── from one step to the next ────────────────────────────────────────────
  /** Keeps a lifted wire for the next step under a name. No message: every party keeps the components that it has. */
  keep(name: string, x: Wire): void;
  /** The wire that the step before kept under that name, lifted. */
  kept(name: string, shape: readonly number[], k: number, scale: number): Wire;

  // ── local, exact ─────────────────────────────────────────────────────────
  add(x: Wire, y: Wire): Wire;
  sub(x: Wire, y: Wire): Wire;
  scale(x: Wire, c: bigint, scale?: number): Wire;
  offset(x: Wire, c: bigint): Wire;
  reduce(x: Wire, k: number): Wire;
  /** x · 2^s read in Z_2^k, k ≤ x.k + s: exact, no message. */
  raise(x: Wire, s: number, k: number): Wire;
  sumRows(x: Wire): Wire;
  repeat(x: Wire, cols: number): Wire;
  /**
   * Rows times the public weights of means (`compute/means.ts`), at a scale that is as much more: a row that picks
   * place n becomes the weights of the mean of the first n + 1.
   */
  means(x: Wire, scale: number): Wire;
  /** The words of x that a pattern takes, in a shape. */
  gather(x: Wire, pattern: Pattern, shape: readonly number[]): Wire;
  reshape(x: Wire, shape: readonly number[], scale?: number): Wire;
  /** The rows of all parts, one after the other. Lifted if all parts are. */
  concat(parts: readonly Wire[]): Wire;
  /** x + parameter rows (one row for all, or as many words as x): biases and position embeddings. */
  addParameter(x: Wire, parameter: Parameter): Wire;

  // ── rounding ─────────────────────────────────────────────────────────────
  /** Z_2^k → Z_2^(k−s), ⌊(x+ρ)/2^s⌋: free, unbiased, error below `rounding.maxErrorUlp`. Its mask is derived. */
  shift(x: Wire, s: number): Wire;
  /** Z_2^k → Z_2^k2 for |x| < 2^(k−2): exact, one round. */
  widen(x: Wire, k2: number): Wire;
  /**
   * x / 2^s of a lifted wire, within 1½ ulp and without bias, over Z_2^(k−s): lifted as well, and no message. For
   * products alone.
   */
  coarsen(x: Wire, s: number): Wire;
  /** shift then widen. Domain |x| < 2^(k−2). */
  truncate(x: Wire, s: number, k2?: number): Wire;

  // ── products ─────────────────────────────────────────────────────────────
  /** Σ x·W (+ x∘row): no message of its own online. With secret weights its operands are lifted. */
  affine(terms: readonly AffineTerm[], bias?: Parameter): Wire;
  /**
   * (batch, m, inner) × (batch, inner, n), or × (batch, n, inner)^T. With `drop` the result errs by less than 1½ ulp
   * and has no bias: three parties round.
   *
   * @example gates.matmul(q, keys, { transposed: true, drop: 24 })   // scale 35 in Z_2^48 → scale 11 in Z_2^24
   */
  matmul(x: Wire, y: Wire, how?: Multiplied): Wire;
  mul(x: Wire, y: Wire, how?: Rounded): Wire;
  /**
   * Σ of values over one ring, each zero unless all its bits are one: one message P2 → P1, with that of a product. P0
   * has 2^(bits + 1) − 2 words for a value. Absent where a protocol has none.
   */
  gatedSum?(terms: readonly Gated[]): Wire;

  /**
   * x ready for products, once for all of them: P1 → P2 one word an element, half a round. The results of
   * selections are ready.
   */
  lift(x: Wire): Wire;

  /**
   * x with masks that the owner knows; itself, if it has them. A gate that wants them asks for it: a layer does where
   * several gates read one shift of x, or before x is repeated. P2 → P1 one word an element, half a round, beside
   * other messages for the most part.
   */
  reshare(x: Wire): Wire;

  // ── selection (any scalar function) ──────────────────────────────────────
  table(x: Wire, table: ExactTable, k: number): Wire;
  /** Entry of a table at the segment of 2^t that `polynomial` measures for the same x, over Z_2^(t + table.bits). */
  segment(x: Wire, t: number, table: ExactTable, k: number): Wire;
  polynomial(x: Wire, polynomial: PiecewisePolynomial, k: number, how?: Selected): Wire;
  /**
   * e^x where the shared bit is one, exactly zero elsewhere, also with `drop`; x over Z_2^25 at scale 20, −32 < x < 0
   * where the bit is one. Relative error at most e^width · 2^−s2 / 2, and half an ulp of a word times its basis.
   */
  exponential(x: Wire, gate: Wire, s1: number, s2: number, options?: ExponentialOptions): Wire;
  /** Entry of a table of 2^bits on the joint bits (bit b of the index is bits[b]). */
  jointTable(bits: readonly Wire[], entries: readonly bigint[], k: number): Wire;
  /**
   * A leaf of a borrow (PROTOCOL §6.7), on the bits [from, from + bits) of the masked halves of x = a − λ2, as unsigned
   * numbers: [a < λ2], [a = λ2], and the top bit of a − λ2, or of a − λ2 − 1. Meaningful only inside
   * `secure/compare.ts`.
   */
  borrow(x: Wire, from: number, bits: number, leaf: BorrowLeaf): Wire;
  /** [x < 0] of a short ring, by one table of 2^(k−1) bits. */
  sign(x: Wire): Wire;
  /**
   * Σ of sums of cosines, each zero where its gate's bit is zero, over Z_2^k, k ≤ 64, for one word of P0 and one
   * message P2 → P1 (PROTOCOL §6.9). All sums have one scale. Exact up to the rounding of words and basis: at most
   * 2^−s1 + |amplitude|·2^−s2 for every term. The argument needs k − shift bits for a linear part, and a cosine's
   * period.
   */
  cosines(terms: readonly GatedCosines[], k: number, how?: Selected): Wire;
  /** The value that `pick` names for the joint bits (bit b of the index is bits[b]); 255 is zero. */
  choose(bits: readonly Wire[], values: readonly Wire[], pick: Uint8Array, how?: Selected): Wire;
  /** The sum of several choices over one ring, for one word of P0 and one message P2 → P1. */
  chooseSum(choices: readonly Choosing[], how?: Selected): Wire;

  /** Names the ops that follow, for progress, tracing and cost tables. */
  section<T>(name: string, body: () => T): T;

  /**
   * A part that depends on these operands and on nothing else but the model and what `key` says. It opens and keeps
   * nothing. A builder that follows another circuit of the same model may take what that one has.
   */
  block(key: string, operands: readonly Wire[], build: () => readonly Wire[]): readonly Wire[];
}

/**
 * Bytes by sender and receiver, and rounds between P1 and P2. Declared by the circuit, measured at the channels,
 * compared in tests.
 */
export interface Cost {
  /** Correlations of P0, ahead of the input. */
  p0ToP1Ahead: number;
  p0ToP2Ahead: number;
  p2ToP1Ahead: number;
  p1ToP2Ahead: number;
  p0ToP1Input: number;
  p0ToP2Input: number;
  p1ToP2: number;
  p2ToP1: number;
  p1ToP0: number;
  /** Of a protocol in which P0 compares outputs. */
  p2ToP0: number;
  rounds: number;
}

/** A party's private input to a circuit (P0 only). */
export interface Inputs {
  readonly tensors: Readonly<Record<string, Words>>;
  readonly indices: Readonly<Record<string, readonly number[]>>;
}
