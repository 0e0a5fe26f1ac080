/**
 * The kernel interface: exact integer functions on vectors over Z_2^k. Kernels know nothing of shares, parties or
 * sockets.
 *
 * Every method is asynchronous, pure (operands are never written) and exact: two backends agree bit for bit,
 * compared with `===` in `test/compute/kernels.suite.ts`. Backends: `reference` (readable, BigInt), `wasm` (Rust,
 * SIMD128, worker threads), `webgpu` (WGSL compute shaders).
 *
 * A backend with memory of its own hands out handles (`DeviceWords`) and takes vectors of either kind, so that
 * values stay where they are worked on and cross only when they travel: `pack`, `selectionTable` and `read` are the
 * ways out, `unpack` and host operands the ways in. Letters: N elements, n entries of a selection, P words of a
 * basis, k ring bits. Vectors are flat; shapes live in the layers above.
 */
import type { ExpWidth } from '../exp-tables.ts';
import type { Pattern } from '../pattern.ts';
import type { Vector, Words } from '../ring.ts';
import type { Fault } from './fault.ts';
import type { PanelOrder } from './panels.ts';
import type { TableLayout } from './table-layout.ts';

/** A key stream position: 32-byte key and 12-byte nonce of RFC 8439 ChaCha20, block counter from 0. */
export interface Stream {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
}

/** An opaque public or masked matrix kept where the backend multiplies by it (persistent slices per worker). */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  /** 'i32': entries are signed 32-bit integers; 'u64': entries are full ring words. */
  readonly entries: 'i32' | 'u64';
}

/** A backend's own order of matrices, and a way in for those that have it already. */
export interface PanelLoader {
  readonly order: PanelOrder;
  /** As `loadMatrix`, with 32-bit entries in that order. */
  load(panels: Int32Array, rows: number, cols: number): Promise<Matrix>;
}

/**
 * Shape of a batched product: `batch` times (m × inner)·(inner × n), or (m × inner)·(n × inner)^T with
 * `transposed`.
 */
export interface ProductShape {
  readonly batch: number;
  readonly m: number;
  readonly inner: number;
  readonly n: number;
  readonly transposed?: boolean;
}

/** Where words of matrices lie in a vector: word c of row r of matrix b at offset + b·apart + r·stride + c. */
export interface MatrixPlaces {
  readonly offset: number;
  readonly apart: number;
  readonly stride: number;
}

/** A vector times a matrix each of a batch. */
export interface PlacedFactors<V extends Vector = Vector> {
  readonly x: V;
  /** In the lanes of x, over its ring or a wider one. */
  readonly y: V;
}

/** Degrees that the back ends compute. */
export type Degree = 3 | 4;

/**
 * A piecewise polynomial for the normalised basis (PROTOCOL §6.3). `coefficients` holds segments × (degree + 1)
 * integers C_{i,q} at scale 2^(s1+guard), for the polynomial in δ/2^t on (-1, 1) of the measured segment i. P =
 * degree + 1.
 */
export interface PiecewisePolynomial {
  readonly segments: number;
  readonly degree: Degree;
  /** log2 of the segment width in ulps of the input. */
  readonly t: number;
  /** Scale of the table words (after dropping the guard bits). */
  readonly s1: number;
  /** Scale of the basis φ. The result has scale s1 + s2. */
  readonly s2: number;
  /** Extra bits of the coefficients during Horner's rule. */
  readonly guard: number;
  readonly coefficients: BigInt64Array;
}

/**
 * A sum of cosines of an integer x, with a linear part (PROTOCOL §6.9), at `scale`:
 *
 *   2^shift · (constant + x)  +  Σ_k amplitude_k · 2^(scale − 24) · cos(2π · frequency_k · x / 2^20)
 *
 * without x if not `linear`, and with sines if `odd`. Evaluated on x = a − ℓ without knowing either: the words of an
 * entry hold the cosine and sine of a, those of the basis of ℓ.
 */
export interface CosineSum {
  readonly odd: boolean;
  readonly linear: boolean;
  readonly scale: number;
  readonly shift: number;
  readonly constant: bigint;
  readonly terms: readonly CosineTerm[];
}

export interface CosineTerm {
  /** Turns in 2^20 steps of x. */
  readonly frequency: number;
  /** At scale 2^24. */
  readonly amplitude: number;
  /** Scale of the words of the entry, and of the basis (before its factor 2^(scale − s1 − s2)). */
  readonly s1: number;
  readonly s2: number;
}

/**
 * What a selection table is made of at P1. All build e_{i,j,p} = D_{i,j,p} + pad, packed to the bit
 * (`TableLayout`).
 */
export type SelectionTable<V extends Vector = Vector> =
  /** D_j = table[row_i · stride + j]: a public table with one row per value of P1's index; rows may overlap. P = 1. */
  | { readonly kind: 'rows'; readonly table: Words; readonly n: number; readonly stride: number; readonly row: V }
  /**
   * D_{j,p}: coefficients of the polynomial of segment (a_hi − j) mod n re-centred at a_lo, for x = a − ℓ in Z_2^(t
   * + log2 n). P = degree + 1.
   */
  | { readonly kind: 'polynomial'; readonly polynomial: PiecewisePolynomial; readonly a: V }
  /**
   * D_{2j+w} = (gate ⊕ w) · round(2^s1 · exp(start_i + a_lo)), i = (a_hi − j) mod 32/width, starts 0, then −32 +
   * i·width (exact formula: reference/selection.ts). x = a − ℓ in Z_2^25 at scale 20 (a segment has 2^22 ulps at width
   * 4, 2^23 at 8). n = 64/width, P = 1.
   */
  | { readonly kind: 'exp'; readonly s1: number; readonly width: ExpWidth; readonly a: V; readonly gate: V }
  /**
   * D_{w} = (gate ⊕ w) · (constant + a, −1, then for every term cos and sin of a times its amplitude) for a gated sum
   * of cosines of x = a − ℓ (exact formula: reference/cosine.ts). n = 2 with a gate, n = 1 without. P =
   * `cosineExponents(sum).length`.
   */
  | { readonly kind: 'cosine'; readonly sum: CosineSum; readonly a: V; readonly gate?: V | undefined }
  /**
   * Choice among V shared values by B shared bits: with the joint bits j ⊕ α (α from `bits`, bit b weighs 2^b) the
   * entry is value `pick[j ⊕ α]` (or 0 for 255): D_{j,0} = a_pick, D_{j,1+v} = [v = pick]. n = 2^B, P = 1 + V.
   */
  | { readonly kind: 'choose'; readonly pick: Uint8Array; readonly bits: readonly V[]; readonly values: readonly V[] };

/** What P2 (and P0) know of a selection: the entry c_i ∈ [0, n) and the basis φ_i (P words of Z_2^k). */
export interface Choice<V extends Vector = Vector> {
  /** Entry index per element (k ≤ 32 vector). */
  readonly index: V;
  /**
   * N·P words over the output ring, element-major; undefined stands for P = 1 and φ = 1. φ_p is a multiple of 2^(k −
   * widths[p]).
   */
  readonly basis?: V | undefined;
  /** In place of a basis, what it is made of, for kernels that make it (`RingKernels.makesCosines`). */
  readonly cosines?: { readonly l: V; readonly sum: CosineSum } | undefined;
}

/** What the receiver of OTs makes. */
export interface OtReceived<V extends Vector = Vector> {
  /** d, over Z_2^32: it goes to the sender. */
  readonly message: V;
  /** w_c. */
  readonly words: V;
}

/** What their sender makes. */
export interface OtSent<V extends Vector = Vector> {
  readonly zero: V;
  readonly one: V;
}

/** Words of a stream from `first` on, as a part of a matrix that nobody holds. */
export interface Drawn {
  readonly stream: Stream;
  readonly first: number;
}

/** What a vector is multiplied by: for every stream its sign, or 0 for none of it. */
export interface DrawnFactor<V extends Vector = Vector> {
  readonly x: V;
  readonly signs: readonly (-1 | 0 | 1)[];
}

/** What a linear map of a circuit is made of: operations of `RingKernels`, at once or not. */
export interface Linear<V extends Vector = Vector, Result = V | Promise<V>> {
  add(x: V, y: V): Result;
  sub(x: V, y: V): Result;
  scale(x: V, c: bigint): Result;
  offset(x: V, c: bigint): Result;
  shiftRight(x: V, s: number, k: number): Result;
  cast(x: V, k: number): Result;
  sumRows(x: V, cols: number): Result;
  repeat(x: V, cols: number): Result;
  concat(parts: readonly V[]): Result;
  gather(x: V, places: Pattern | Uint32Array): Result;
}

/** The same of a backend that computes them in the calling thread: thousands of small ones come without a promise. */
export type LinearAtOnce<V extends Vector = Vector> = Linear<V, V>;

/** The vectors that are still needed; of a scope that is over `through`, where no call is under way. */
export type Live = (() => Iterable<unknown>) | 'through';

export interface RingKernels<V extends Vector = Vector> {
  readonly name: 'reference' | 'wasm' | 'native' | 'webgpu';
  /**
   * What ends this backend for everybody, if anything did. A call that is refused, or that there is no room for, is
   * not in it.
   */
  readonly fault: Fault;

  // ── where vectors live ───────────────────────────────────────────────────
  /** The words of a vector, in the caller's memory. */
  read(x: V): Promise<Words>;
  /**
   * Kernels with a scope of memory of their own: the same device and matrices, other vectors. Closing a scope frees
   * what it held, whatever else runs. A run of the protocol has one. Backends without a device return themselves.
   */
  scope(): RingKernels<V>;
  /**
   * Frees (and clears) every vector that this scope made and that is not among `live`. Called between gates, when
   * nothing but a `pack` or `read` that was asked for before may still need another. Without `live` the scope is over:
   * what a call needs that is under way is not written over.
   */
  sweep(live?: Live): void;

  /** Linear operations without a promise, where they are computed in the calling thread. */
  readonly atOnce?: LinearAtOnce<V>;
  /**
   * Whether a choice may have a sum of cosines in place of its basis, which has ten words an element with GeLU: a block
   * of it is made where it is used.
   */
  readonly makesCosines?: true;

  // ── elementwise, all mod 2^k ─────────────────────────────────────────────
  add(x: V, y: V): Promise<V>;
  sub(x: V, y: V): Promise<V>;
  mul(x: V, y: V): Promise<V>;
  /** x_i · c. */
  scale(x: V, c: bigint): Promise<V>;
  /** x_i + c. */
  offset(x: V, c: bigint): Promise<V>;
  /** (x_i >> s) mod 2^k, logical shift of the canonical residue. */
  shiftRight(x: V, s: number, k: number): Promise<V>;
  /** x_i mod 2^k; for a wider k the residue is kept (zero extension). */
  cast(x: V, k: number): Promise<V>;

  // ── rows of length `cols` ────────────────────────────────────────────────
  /** x_{r,c} + row_c. */
  addRow(x: V, row: V): Promise<V>;
  /** x_{r,c} · row_c. */
  mulRow(x: V, row: V): Promise<V>;
  /** Σ_c x_{r,c}: one word per row. */
  sumRows(x: V, cols: number): Promise<V>;
  /** Each word repeated `cols` times: the inverse shape of sumRows. */
  repeat(x: V, cols: number): Promise<V>;
  /** The vectors one after the other, all over one ring. */
  concat(parts: readonly V[]): Promise<V>;
  /** out_i = x_{places_i}: slices, transposes and head splits by public places, given as a pattern or as a list. */
  gather(x: V, places: Pattern | Uint32Array): Promise<V>;

  // ── products ─────────────────────────────────────────────────────────────
  matmul(x: V, y: V, shape: ProductShape): Promise<V>;
  /**
   * Σ x·Y of the factors, of one row each (m = 1), whose matrices lie side by side (a row of the last one ends before
   * the next row of the first begins). They are read there, neither gathered nor cut to the ring of x first. Absent
   * where a backend is no better than `gather` and `matmul`.
   */
  matmulPlaced?(factors: readonly PlacedFactors<V>[], shape: ProductShape, places: MatrixPlaces): Promise<V>;
  /**
   * Loads a rows × cols matrix (row-major); 'i32' takes an Int32Array, 'u64' a BigUint64Array. The caller may drop
   * its copy, or change it, once that is done. In shared memory it is not copied on the way to worker threads.
   */
  loadMatrix(entries: Int32Array | BigUint64Array, rows: number, cols: number): Promise<Matrix>;
  /** Where there is an order that saves work on matrices that are loaded again and again. */
  readonly panels?: PanelLoader;
  /** x (m × rows) · M (rows × cols) mod 2^bits, in words of Z_2^64: fewer bits are less work. */
  matmulMatrix(x: V, matrix: Matrix, bits?: number): Promise<V>;
  /** The 32-bit entries of a matrix, row by row, where the kernels can give them back: proofs ask for them. */
  entries?(matrix: Matrix): Promise<Int32Array | undefined>;
  /**
   * M·V mod 2^64, rows × σ, of a matrix of 32-bit entries and of bits: as `ProofKernels.columns`, where it lies. A
   * vector of its own, whatever scope it is asked of. Undefined where the kernels cannot.
   */
  columns?(matrix: Matrix, v: BigUint64Array, sigma: number): Promise<Words | undefined>;
  /** Gives the matrix's memory back; it must not be used afterwards. A second call does nothing. */
  freeMatrix(matrix: Matrix): Promise<void>;

  // ── randomness ───────────────────────────────────────────────────────────
  /**
   * `count` uniform words of Z_2^k: word i is lane i of the key stream (laneBytes(k) each, little-endian), masked
   * to k bits; from word `first` on.
   */
  draw(stream: Stream, k: number, count: number, first?: number): Promise<V>;
  /**
   * Σ x·Y of the factors, x (m × inner, inner > 0) over one ring of 33 bits or more, Y (inner × n) the sum of ± as many
   * words of each stream. No Y is ever there as a whole. Where a backend is no better than `draw` and `matmul`, it is
   * absent.
   */
  matmulDrawn?(factors: readonly DrawnFactor<V>[], drawn: readonly Drawn[], inner: number, n: number): Promise<V>;

  // ── wire form ────────────────────────────────────────────────────────────
  /** Packed to the bit: word i is the bits [i·k, (i+1)·k), the lowest first in a word and in a byte. Then zeros. */
  pack(x: V): Promise<Uint8Array>;
  /**
   * The inverse. What is behind the last word in the last byte is ignored: a sender decides nothing by it.
   * @param given the caller has no use for the bytes any more: their memory may be freed
   */
  unpack(bytes: Uint8Array, k: number, count: number, given?: 'given'): Promise<V>;

  // ── dealer-assisted selection (PROTOCOL §4.7, §6) ──────────────────────
  /**
   * P1: elements [from, to) of a table: e_{i,j,p} = D_{i,j,p} + w_{i,j,p} mod 2^widths[p], packed element-major, then
   * entry, then word; the first of them at bit 0, zeros behind the last. The pad of a word is the bits of the stream at
   * the word's place in the table of all elements.
   */
  selectionTable(
    table: SelectionTable<V>,
    layout: TableLayout,
    pads: Stream,
    from: number,
    to: number,
  ): Promise<Uint8Array>;
  /**
   * All elements of a table without pads, packed the same way: what a public function has at public indices.
   * SECURITY: never of what a party holds of a secret. Nothing hides these words. test/security/clear-tables.test.ts.
   */
  clearTable(table: SelectionTable<V>, layout: TableLayout): Promise<Uint8Array>;
  /** P0: B_i = −Σ_p w_{i,c_i,p} φ_{i,p} − r0_i mod 2^k, with the same pads. */
  dealSelection(choice: Choice<V>, layout: TableLayout, pads: Stream, r0: V): Promise<V>;
  /**
   * P2: y_i = Σ_p e_{i,c_i,p} φ_{i,p} + B_i mod 2^k for the elements [from, to) whose table bytes are given;
   * `choice` and `word` are of all elements.
   * @param given the caller has no use for the table any more: its bytes may be handed to a worker, and
   * their memory freed
   */
  evaluateSelection(
    choice: Choice<V>,
    layout: TableLayout,
    table: Uint8Array,
    word: V,
    from: number,
    to: number,
    given?: 'given',
  ): Promise<V>;
  /**
   * φ of a polynomial: φ_0 = 2^s2, φ_p = ⌊ℓ_lo^p / 2^(pt−s2)⌋ (shifted left when pt < s2) for p ≤ degree, N·(degree
   * + 1) words over Z_2^k. ℓ over Z_2^(t + log2 n); degree · t < 128.
   */
  powers(l: V, t: number, s2: number, degree: Degree, k: number): Promise<V>;
  /**
   * φ of the exponential: round(2^s2 · exp(−ℓ_lo)), ℓ_lo = ℓ at scale 20 modulo a segment's width, from two integer
   * tables.
   */
  expBasis(l: V, s2: number, width: ExpWidth, k: number): Promise<V>;
  /**
   * φ of a sum of cosines: 2^shift, 2^shift · ℓ, then for every term 2^(scale − s1 − s2) · round(2^s2 · cos) and the
   * same of sin, of 2π · frequency · ℓ / 2^20, from two integer tables. N·P words over Z_2^k.
   */
  cosineBasis(l: V, sum: CosineSum, k: number): Promise<V>;
  /** φ of a choice: (1, −ℓ_0, …, −ℓ_{V−1}) per element. */
  chooseBasis(values: readonly V[]): Promise<V>;

  // ── distributed point function over Z_2^64 (look-up of a secret row) ─────
  /** The share vector of 2^depth words of one key (layout in `reference/point.ts`), truncated to `count`. */
  expandPoint(key: Uint8Array, depth: number, count: number): Promise<V>;

  // ── oblivious transfer extension (PROTOCOL §4.12; base, streams and hash: `ot-base.ts`) ──
  /**
   * The receiver's side of one OT an element: its message d, 32 bits each, and its words w_c over Z_2^k. `choice`
   * has single bits.
   */
  otReceive(base: Uint8Array, nonce: Uint8Array, choice: V, k: number): Promise<OtReceived<V>>;
  /** The sender's side, from the receiver's message: both words of each OT. */
  otSend(base: Uint8Array, nonce: Uint8Array, message: V, k: number): Promise<OtSent<V>>;

  /** Releases workers and matrices. The kernels must not be used afterwards. */
  close(): Promise<void>;
}
