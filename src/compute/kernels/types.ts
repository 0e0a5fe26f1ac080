/**
 * The kernel interface: exact integer functions on vectors over Z_2^k. Kernels know nothing of shares, parties or sockets.
 *
 * Every method is asynchronous, pure (operands are never written) and exact: two backends agree bit for bit, compared with `===`
 * in `test/compute/kernels.suite.ts`. Backends: `reference` (readable, BigInt), `wasm` (Rust, SIMD128, worker threads).
 * Letters: N elements, n entries of a selection, P words of a basis, k ring bits. Vectors are flat; shapes live in the layers above.
 */
import type { Words } from '../ring.ts';

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

/** Shape of a batched product: `batch` times (m × inner)·(inner × n), or (m × inner)·(n × inner)^T with `transposed`. */
export interface ProductShape {
  readonly batch: number;
  readonly m: number;
  readonly inner: number;
  readonly n: number;
  readonly transposed?: boolean;
}

/**
 * A piecewise polynomial for the normalised basis (design notes §14.1). `coefficients` holds segments × 4 integers C_{i,q} at scale
 * 2^(s1+guard), for the polynomial in δ/2^t on (-1, 1) of the measured segment i. Cubic, always: P = 4.
 */
export interface PiecewiseCubic {
  readonly segments: number;
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

/** What a selection table is made of at P1. All build e_{i,j,p} = D_{i,j,p} + pad, in wire form (little-endian, wireBytes(k) each). */
export type SelectionTable =
  /** D_j = table[row_i · stride + j]: a public table with one row per value of P1's index; rows may overlap. P = 1. */
  | { readonly kind: 'rows'; readonly table: Words; readonly n: number; readonly stride: number; readonly row: Words }
  /** D_{j,p}: coefficients of the polynomial of segment (a_hi − j) mod n re-centred at a_lo, for x = a − ℓ in Z_2^(t + log2 n). P = 4. */
  | { readonly kind: 'cubic'; readonly cubic: PiecewiseCubic; readonly a: Words }
  /**
   * D_{2j+w} = (gate ⊕ w) · round(2^s1 · exp(start_i + a_lo)), i = (a_hi − j) mod 8, starts 0, −28, −24, …, −4 (exact formula: reference/selection.ts).
   * x = a − ℓ in Z_2^25 at scale 20 (segment width 4 = 2^22 ulps). n = 16, P = 1.
   */
  | { readonly kind: 'exp'; readonly s1: number; readonly a: Words; readonly gate: Words }
  /**
   * Choice among V shared values by B shared bits: with the joint bits j ⊕ α (α from `bits`, bit b weighs 2^b) the entry is value
   * `pick[j ⊕ α]` (or 0 for 255): D_{j,0} = a_pick, D_{j,1+v} = [v = pick]. n = 2^B, P = 1 + V.
   */
  | { readonly kind: 'choose'; readonly pick: Uint8Array; readonly bits: readonly Words[]; readonly values: readonly Words[] };

/** What P2 (and P0) know of a selection: the entry c_i ∈ [0, n) and the basis φ_i (P words of Z_2^k). */
export interface Choice {
  /** Entry index per element (k ≤ 32 vector). */
  readonly index: Words;
  /** N·P words over the output ring, element-major; undefined stands for P = 1 and φ = 1. */
  readonly basis?: Words;
}

export interface RingKernels {
  readonly name: 'reference' | 'wasm' | 'webgpu';

  // ── elementwise, all mod 2^k ─────────────────────────────────────────────
  add(x: Words, y: Words): Promise<Words>;
  sub(x: Words, y: Words): Promise<Words>;
  mul(x: Words, y: Words): Promise<Words>;
  /** x_i · c. */
  scale(x: Words, c: bigint): Promise<Words>;
  /** x_i + c. */
  offset(x: Words, c: bigint): Promise<Words>;
  /** (x_i >> s) mod 2^k, logical shift of the canonical residue. */
  shiftRight(x: Words, s: number, k: number): Promise<Words>;
  /** x_i mod 2^k; for a wider k the residue is kept (zero extension). */
  cast(x: Words, k: number): Promise<Words>;

  // ── rows of length `cols` ────────────────────────────────────────────────
  /** x_{r,c} + row_c. */
  addRow(x: Words, row: Words): Promise<Words>;
  /** x_{r,c} · row_c. */
  mulRow(x: Words, row: Words): Promise<Words>;
  /** Σ_c x_{r,c}: one word per row. */
  sumRows(x: Words, cols: number): Promise<Words>;
  /** Each word repeated `cols` times: the inverse shape of sumRows. */
  repeat(x: Words, cols: number): Promise<Words>;
  /** out_i = x_{index_i}: slices, transposes and head splits by public indices. */
  gather(x: Words, index: Uint32Array): Promise<Words>;

  // ── products ─────────────────────────────────────────────────────────────
  matmul(x: Words, y: Words, shape: ProductShape): Promise<Words>;
  /** Loads a rows × cols matrix (row-major); 'i32' takes an Int32Array, 'u64' a BigUint64Array. The caller may drop its copy. */
  loadMatrix(entries: Int32Array | BigUint64Array, rows: number, cols: number): Promise<Matrix>;
  /** x (m × rows) · M (rows × cols) in Z_2^64. */
  matmulMatrix(x: Words, matrix: Matrix): Promise<Words>;
  /** M's words as a vector over Z_2^64 (sign-extended for 'i32'), rows given by index: used for look-ups of public or own rows. */
  freeMatrix(matrix: Matrix): Promise<void>;

  // ── randomness ───────────────────────────────────────────────────────────
  /** `count` uniform words of Z_2^k: word i is lane i of the key stream (laneBytes(k) each, little-endian), masked to k bits; from word `first` on. */
  draw(stream: Stream, k: number, count: number, first?: number): Promise<Words>;

  // ── wire form ────────────────────────────────────────────────────────────
  /** Little-endian wireBytes(k) per element; single bits eight to a byte, lowest first. */
  pack(x: Words): Promise<Uint8Array>;
  unpack(bytes: Uint8Array, k: number, count: number): Promise<Words>;

  // ── dealer-assisted selection (design notes §13, §14.1) ──────────────────
  /**
   * P1: wire bytes of elements [from, to): e_{i,j,p} = D_{i,j,p} + w_{i,j,p} mod 2^k, element-major, then entry, then basis word. The pad of word
   * number q = (i·n + j)·P + p is the wireBytes(k) bytes of the stream at q · wireBytes(k) (bit q of the stream for k = 1). Here k is 1 or a multiple of 8.
   */
  selectionTable(table: SelectionTable, k: number, pads: Stream, from: number, to: number): Promise<Uint8Array>;
  /** P0: B_i = −Σ_p w_{i,c_i,p} φ_{i,p} − r0_i mod 2^k, with the same pads. */
  dealSelection(choice: Choice, n: number, k: number, pads: Stream, r0: Words): Promise<Words>;
  /** P2: y_i = Σ_p e_{i,c_i,p} φ_{i,p} + B_i mod 2^k for the elements [from, to) whose table bytes are given; `choice` and `word` are of all elements. */
  evaluateSelection(choice: Choice, n: number, k: number, table: Uint8Array, word: Words, from: number, to: number): Promise<Words>;
  /** φ of a cubic: φ_0 = 2^s2, φ_p = ⌊ℓ_lo^p / 2^(pt−s2)⌋ (shifted left when pt < s2), N·4 words over Z_2^k. ℓ over Z_2^(t + log2 n). */
  cubicBasis(l: Words, t: number, s2: number, k: number): Promise<Words>;
  /** φ of the exponential: round(2^s2 · exp(−ℓ_lo)), ℓ_lo = ℓ mod 2^22 at scale 20, from two integer tables. */
  expBasis(l: Words, s2: number, k: number): Promise<Words>;
  /** φ of a choice: (1, −ℓ_0, …, −ℓ_{V−1}) per element. */
  chooseBasis(values: readonly Words[]): Promise<Words>;

  // ── distributed point function over Z_2^64 (look-up of a secret row) ─────
  /** The share vector of 2^depth words of one key (layout in `reference/dpf.ts`), truncated to `count`. */
  expandPoint(key: Uint8Array, depth: number, count: number): Promise<Words>;

  /** Releases workers and matrices. The kernels must not be used afterwards. */
  close(): Promise<void>;
}
