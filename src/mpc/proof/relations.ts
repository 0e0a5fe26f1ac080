/**
 * What a message must satisfy, in three forms (PROTOCOL §15.2). A relation is known to its prover whole, and to two
 * verifiers in halves: V, who received the message, and W, who holds what the prover does not tell V. The shape of a
 * relation is public and follows from the circuit; the halves are data.
 *
 * The gates of a protocol describe their messages by these types. This folder knows nothing of gates.
 */
import type { IndexGroup } from '../../compute/index-group.ts';
import { stepsOf } from '../../compute/index-group.ts';
import type { Signed } from '../../compute/kernels/proof-types.ts';
import type { Stream } from '../../compute/kernels/types.ts';
import { type TableLayout, elementBits } from '../../compute/kernels/table-layout.ts';
import { type Words, checkRing } from '../../compute/ring.ts';
import { invariant } from '../../core/errors.ts';

/** Who verifies: V receives the message, W is the other one. */
export type Side = 'V' | 'W';

/**
 * Σ_t ±L_t·R_t + a + b ≡ 0 mod 2^k, matrices of rows × columns. Of every term one factor is known to V and the other
 * to W; a is known to V and b to W. Elementwise products are choices of one entry, not matrices.
 */
export interface MatrixShape {
  readonly kind: 'matrix';
  /** The message that it is about, for the table of messages and for traces. */
  readonly message: string;
  readonly k: number;
  readonly rows: number;
  readonly columns: number;
  /** None for a relation that is linear. */
  readonly terms: readonly MatrixTerm[];
}

export interface MatrixTerm {
  /** Who knows the left factor (rows × inner); the other one knows the right (inner × columns). */
  readonly left: Side;
  readonly negative: boolean;
  readonly inner: number;
  /** The right factor is a weight, got where it is used: of it a prover keeps no more than what it compresses it to. */
  readonly fetched?: true;
}

/**
 * Σ_t p_{t,i} q_{t,i} · T_t[μ_i ⊖ ν_i] + w_i − e_i ≡ 0 for every element i and every word of its table, modulo two to
 * that word's width; ⊖ is minus in the group of indices. e, μ and p are known to V; w, ν and q to W; T_t are public.
 */
export interface TableShape {
  readonly kind: 'table';
  readonly message: string;
  readonly elements: number;
  readonly table: PublicTable;
  /** Bits that every word of the relation has less than in `table`: its ring is smaller, and the function the same. */
  readonly narrower?: number;
  /** For every term the number of its function in `table`. Several terms may have the same. */
  readonly terms: readonly number[];
  /** p·q is below 2^this: 0 where all factors are left out. Claims are masked for that size. */
  readonly factorBits: number;
}

/** Functions from an index to the words of a selection table: n entries of P words. */
export interface PublicTable {
  /**
   * SHA-256 of what defines the functions, in hexadecimal. Whoever has the same id has the same words: folded tables
   * are kept by it.
   */
  readonly id: string;
  readonly group: IndexGroup;
  /** Of the words as integers: relations over narrower rings share a table (`TableShape.narrower`). */
  readonly layout: TableLayout;
  readonly functions: readonly PublicFunction[];
  /**
   * The words of one function at these indices, packed as its `layout` says, one after the other. Defined at every
   * index of the group, those out of the range of honest values too.
   */
  words(term: number, indices: Uint32Array): Promise<Uint8Array>;
}

/** Where the words of a function lie in an element of n·P words. All others are zero. */
export interface PublicFunction {
  /** Number of its first word. The words are the next n·P of its own layout, with the widths of the table's. */
  readonly first: number;
  readonly layout: TableLayout;
  /** The same at every index. Such a term has no digits: nothing is looked up. */
  readonly constant?: true;
  /** Words are below 2^this, where that is less than their width says. */
  readonly wordBits?: number;
}

/**
 * Σ_p E_{i,c_i,p} φ_{i,p} + a_i + b_i ≡ 0 mod 2^k. E and a are known to V; c, φ and b to W. With one entry it is a
 * sum of elementwise products.
 */
export interface ChoiceShape {
  readonly kind: 'choice';
  readonly message: string;
  readonly elements: number;
  /** n entries of P words, as they are packed; k is the ring of the relation. */
  readonly layout: TableLayout;
  /**
   * A further sum of the relation before it, of which it has the ring and the elements: all their words add up to zero
   * together, and none alone.
   */
  readonly joined?: true;
}

export type RelationShape = MatrixShape | TableShape | ChoiceShape;

/** A vector, or how to get it: weights and kept operands are loaded when their turn comes, and dropped behind it. */
export type Operand = Words | (() => Promise<Words>);

/** What a prover keeps of a factor behind its claims, where it is less: σ rows or columns of sums. */
export interface Compressed {
  readonly compressed: Words;
}

/** A square with these words on its diagonal, and zeros elsewhere, which nobody writes down. */
export interface Diagonal {
  readonly diagonal: Words;
}

/** What a right factor is compressed with: a word of σ bits for every column. */
export interface Bits {
  readonly v: BigUint64Array;
  readonly sigma: number;
}

/** A factor that is held elsewhere: got where it is used, and not kept. Who holds it may compress it there. */
export type Fetched = (columns?: Bits) => Promise<Words | Signed | Diagonal | Compressed>;

/** A factor of a matrix relation: an open matrix stays as short as it is. */
export type Factor = Words | Fetched | Signed | Compressed;

/**
 * The words of selection tables:
 * - packed, as a table travels;
 * - the pads of a stream, at the places of the words that they mask;
 * - a column of `elements` words for every word of one entry (n = 1), or for every `each` words.
 */
export type Entries =
  | { readonly kind: 'packed'; readonly bytes: Uint8Array }
  | { readonly kind: 'pads'; readonly stream: Stream }
  | { readonly kind: 'columns'; readonly columns: readonly Operand[]; readonly each?: number | undefined };

/** V: a and its factors. W: b and its factors. One factor a term; `linear` is left out where it is zero. */
export interface MatrixHalf {
  readonly kind: 'matrix';
  readonly linear?: Operand | undefined;
  readonly factors: readonly Factor[];
}

/** Vectors of a half that were made for it alone: who has worked it in, or copied it, lets go of them. */
type Fresh = readonly Words[];

/** V: e, μ, p. W: w, ν, q. A factor that is left out is one everywhere. */
export interface TableHalf {
  readonly kind: 'table';
  readonly entries: Entries;
  readonly index: Operand;
  readonly factors: readonly (Operand | undefined)[];
  readonly fresh?: Fresh | undefined;
}

/** V: E and a. */
export interface ChoiceOfV {
  readonly kind: 'choice';
  readonly entries: Entries;
  readonly linear?: Operand | undefined;
}

/** W: c, φ and b. Without a basis φ is one; without a choice the only entry is meant. */
export interface ChoiceOfW {
  readonly kind: 'choice';
  readonly choice?: Operand | undefined;
  /** elements × P words over Z_2^k, element by element, as integers below 2^k: W and the prover have the same. */
  readonly basis?: Operand | undefined;
  readonly linear?: Operand | undefined;
  readonly fresh?: Fresh | undefined;
}

export type HalfOfV = MatrixHalf | TableHalf | ChoiceOfV;
export type HalfOfW = MatrixHalf | TableHalf | ChoiceOfW;

/** What a prover keeps: both halves. */
export interface Whole {
  readonly v: HalfOfV;
  readonly w: HalfOfW;
}

/** The layout of the words that are sent. */
export function sentLayout({ table: { layout }, narrower = 0 }: TableShape): TableLayout {
  if (narrower === 0) return layout;
  return { n: layout.n, k: layout.k - narrower, widths: layout.widths.map((width) => width - narrower) };
}

/** Words of a function. */
export function wordsOf({ layout }: PublicFunction): number {
  return layout.n * layout.widths.length;
}

/** Whether a term of a table is looked up. */
export function isLookedUp({ table, terms }: TableShape, term: number): boolean {
  return table.functions[terms[term]].constant !== true;
}

/** Rows that the first compression combines. */
export function rowsOf(shape: RelationShape): number {
  return shape.kind === 'matrix' ? shape.rows : shape.elements;
}

/** Columns that the second compression combines: words of an element. */
export function columnsOf(shape: RelationShape): number {
  if (shape.kind === 'matrix') return shape.columns;
  return shape.kind === 'table' ? shape.table.layout.n * shape.table.layout.widths.length : 1;
}

/** Pairs of scalars that a relation adds to the inner product of the tail. */
export function scalarsOf(shape: RelationShape): number {
  if (shape.kind === 'matrix') return shape.terms.reduce((sum, { inner }) => sum + inner, 0);
  if (shape.kind === 'table') return shape.elements * shape.terms.length;
  return shape.elements * shape.layout.widths.length;
}

/** Digit rounds that a relation needs before the tail. */
export function digitsOf(shape: RelationShape): number {
  if (shape.kind === 'matrix') return 0;
  if (shape.kind === 'choice') return stepsOf(Math.ceil(Math.log2(shape.layout.n)), 0, false).length;
  if (shape.terms.every((_, term) => !isLookedUp(shape, term))) return 0;
  const { bits, xorBits } = shape.table.group;
  return stepsOf(bits, 0, false).length + stepsOf(xorBits, 0, true).length;
}

/**
 * The largest claim of one relation is below 2^this in absolute value: what the masks of claims must hide. The claims
 * of a segment are sums over its relations.
 */
export function claimBits(shape: RelationShape): number {
  const log = (x: number): number => Math.ceil(Math.log2(Math.max(1, x)));
  if (shape.kind === 'matrix') {
    const inner = shape.terms.reduce((sum, term) => sum + term.inner, 0);
    return inner === 0 ? 0 : 2 * shape.k + log(inner) + 64 - shape.k;
  }
  if (shape.kind === 'choice')
    return shape.layout.k + Math.max(...shape.layout.widths) + log(scalarsOf(shape)) + 64 - shape.layout.k;
  // A word of w bits is scaled to 64, and a narrower one by as much more.
  const { table, terms, narrower = 0 } = shape;
  const word = Math.max(
    ...terms.map((f) => {
      const { layout, wordBits } = table.functions[f];
      return Math.max(...layout.widths.map((width) => 64 - width + (wordBits ?? width)));
    }),
  );
  return word + narrower + shape.factorBits + log(scalarsOf(shape)) + log(columnsOf(shape));
}

/** Whether a shape adds to the relation of the shape before it. */
export function isJoined(shape: RelationShape): boolean {
  return shape.kind === 'choice' && shape.joined === true;
}

/** Refuses a sum that the relation before it cannot take in. @throws {TercetError} ERR_INTERNAL */
export function checkJoined(shape: RelationShape, before: RelationShape | undefined): void {
  if (shape.kind !== 'choice' || shape.joined !== true) return;
  invariant(
    before?.kind === 'choice' && before.elements === shape.elements && before.layout.k === shape.layout.k,
    `${shape.message}: a further sum of another relation`,
  );
}

/** Refuses a shape that no circuit has. @throws {TercetError} ERR_INTERNAL */
export function checkShape(shape: RelationShape): void {
  const counts = shape.kind === 'matrix' ? [shape.rows, shape.columns] : [shape.elements];
  invariant(
    counts.every((count) => Number.isInteger(count) && count >= 1 && count < 2 ** 31),
    `${shape.message}: a relation has at least one row`,
  );
  if (shape.kind === 'matrix') {
    checkRing(shape.k);
    invariant(
      shape.terms.every(({ inner }) => Number.isInteger(inner) && inner >= 1),
      `${shape.message}: a term without an inner dimension`,
    );
  }
  if (shape.kind === 'choice') invariant(elementBits(shape.layout) < 2 ** 24, `${shape.message}: a table too long`);
  if (shape.kind === 'table') {
    const { table, terms, factorBits } = shape;
    invariant(
      Number.isInteger(factorBits) && factorBits >= 0 && factorBits <= 64,
      `${shape.message}: factors too long`,
    );
    const { narrower = 0 } = shape;
    invariant(
      table.layout.widths.every((width) => narrower >= 0 && narrower < width),
      `${shape.message}: a relation over a ring that its table does not have`,
    );
    const columns = table.layout.n * table.layout.widths.length;
    for (const one of table.functions) checkFunction(shape.message, one, table.layout, columns);
    invariant(/^[0-9a-f]{64}$/.test(table.id), `${shape.message}: a table is named by its hash`);
    invariant(
      terms.length >= 1 && terms.every((t) => Number.isInteger(t) && t >= 0 && t < table.functions.length),
      `${shape.message}: terms are functions of the table`,
    );
  }
}

function checkFunction(message: string, one: PublicFunction, { widths }: TableLayout, columns: number): void {
  const own = one.layout.widths;
  invariant(
    one.first >= 0 &&
      one.first + wordsOf(one) <= columns &&
      own.every((width, c) => width === widths[(one.first + c) % widths.length]) &&
      (one.layout.n === 1 || own.length === widths.length),
    `${message}: words that its table does not have`,
  );
}
