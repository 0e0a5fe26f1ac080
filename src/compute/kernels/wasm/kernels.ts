/**
 * The WebAssembly backend: `RingKernels` on one instance in the calling thread and, with `threads` > 0, on that many
 * workers. `dispatch.ts` decides where a call runs; what is cut in a way of its own has a file.
 */
import { invariant } from '../../../core/errors.ts';
import { letGo } from '../../../core/let-go.ts';
import type { ExpWidth } from '../../exp-tables.ts';
import { Lists, type Pattern } from '../../pattern.ts';
import { type Words, checkRing, laneBytes, wireLength } from '../../ring.ts';
import type { Fault } from '../fault.ts';
import { tableShape } from '../selection-shape.ts';
import type { TableLayout } from '../table-layout.ts';
import type {
  Choice,
  CosineSum,
  Degree,
  Drawn,
  DrawnFactor,
  Matrix,
  MatrixPlaces,
  PanelLoader,
  PlacedFactors,
  OtReceived,
  LinearAtOnce,
  Live,
  OtSent,
  ProductShape,
  RingKernels,
  SelectionTable,
  Stream,
} from '../types.ts';
import { linearAtOnce } from './at-once.ts';
import { Dispatch, type WasmOptions } from './dispatch.ts';
import { otReceive, otSend } from './ot-ranges.ts';
import { panelOrder } from './memory.ts';
import { Matrices, matmul, matmulDrawn, matmulF32 } from './products.ts';
import * as selection from './selection-ranges.ts';

export type { WorkerPort } from './messages.ts';

/** Words of a point function below which it stays in the calling thread, and by which ranges are cut. */
const POINT_WORDS = 1 << 10;

export class WasmKernels implements RingKernels<Words> {
  readonly name: 'wasm' | 'native';
  readonly #on: Dispatch;
  readonly #matrices: Matrices;
  readonly #lists: Lists;
  readonly atOnce: LinearAtOnce<Words>;
  readonly makesCosines = true;

  /** @param of what a backend is made of, or the kernels that these are a scope of */
  constructor(of: WasmOptions | WasmKernels) {
    if (of instanceof WasmKernels) {
      this.name = of.name;
      this.#on = of.#on.scope();
      this.#matrices = of.#matrices;
      this.#lists = of.#lists;
      this.atOnce = linearAtOnce(this.#on, this.#lists);
      return;
    }
    this.name = 'library' in of.module ? 'native' : 'wasm';
    this.#on = Dispatch.start(of);
    this.#matrices = new Matrices(
      this.#on,
      this.#on.here(({ panel }) => panelOrder(panel)),
    );
    this.#lists = new Lists();
    this.atOnce = linearAtOnce(this.#on, this.#lists);
  }

  get fault(): Fault {
    return this.#on.fault;
  }

  // ── elementwise ───────────────────────────────────────────────────────────

  // In the calling thread (`at-once.ts`).

  async read(x: Words): Promise<Words> {
    // What is read outlives the scope.
    return this.#on.pool === undefined ? x : { k: x.k, data: x.data.slice() };
  }

  scope(): WasmKernels {
    return new WasmKernels(this);
  }

  /** Outside of a scope the collector frees vectors. */
  sweep(live?: Live): void {
    if (typeof live === 'function') this.#on.pool?.sweep(live());
    else this.#on.drop(live === 'through');
  }

  /** Of a call that may have run on workers. */
  async #made(result: Promise<Words>): Promise<Words> {
    const words = await result;
    return this.#on.pool?.adopt(words) ?? words;
  }

  async add(x: Words, y: Words): Promise<Words> {
    return this.atOnce.add(x, y);
  }

  async sub(x: Words, y: Words): Promise<Words> {
    return this.atOnce.sub(x, y);
  }

  async mul(x: Words, y: Words): Promise<Words> {
    return this.#on.here((instance) => instance.mul(x, y));
  }

  async scale(x: Words, c: bigint): Promise<Words> {
    return this.atOnce.scale(x, c);
  }

  async offset(x: Words, c: bigint): Promise<Words> {
    return this.atOnce.offset(x, c);
  }

  async shiftRight(x: Words, s: number, k: number): Promise<Words> {
    return this.atOnce.shiftRight(x, s, k);
  }

  async cast(x: Words, k: number): Promise<Words> {
    return this.atOnce.cast(x, k);
  }

  async addRow(x: Words, row: Words): Promise<Words> {
    invariant(x.k === row.k, 'addRow: operands over different rings');
    return this.#on.here((instance) => instance.addRow(x, row));
  }

  async mulRow(x: Words, row: Words): Promise<Words> {
    invariant(x.k === row.k, 'mulRow: operands over different rings');
    return this.#on.here((instance) => instance.mulRow(x, row));
  }

  async sumRows(x: Words, cols: number): Promise<Words> {
    return this.atOnce.sumRows(x, cols);
  }

  async repeat(x: Words, cols: number): Promise<Words> {
    return this.atOnce.repeat(x, cols);
  }

  async concat(parts: readonly Words[]): Promise<Words> {
    return this.atOnce.concat(parts);
  }

  async gather(x: Words, places: Pattern | Uint32Array): Promise<Words> {
    return this.atOnce.gather(x, places);
  }

  // ── products ──────────────────────────────────────────────────────────────

  matmul(x: Words, y: Words, shape: ProductShape): Promise<Words> {
    return this.#made(matmul(this.#on, x, y, shape));
  }

  /** In the calling thread: one row of each is less work than to ask another one. */
  async matmulPlaced(
    factors: readonly PlacedFactors<Words>[],
    shape: ProductShape,
    places: MatrixPlaces,
  ): Promise<Words> {
    return this.#on.here((instance) => instance.matmulPlaced(factors, shape, places));
  }

  loadMatrix(entries: Int32Array | BigUint64Array, rows: number, cols: number): Promise<Matrix> {
    return this.#matrices.load(entries, rows, cols);
  }

  get panels(): PanelLoader {
    const { order } = this.#matrices;
    return { order, load: (panels, rows, cols) => this.#matrices.loadPanels(panels, rows, cols) };
  }

  matmulMatrix(x: Words, matrix: Matrix, bits = 64): Promise<Words> {
    return this.#made(this.#matrices.multiply(this.#on, x, matrix, bits));
  }

  entries(matrix: Matrix): Promise<Int32Array | undefined> {
    return this.#matrices.entries(matrix);
  }

  columns(matrix: Matrix, v: BigUint64Array, sigma: number): Promise<Words | undefined> {
    return this.#matrices.columns(matrix, v, sigma);
  }

  freeMatrix(matrix: Matrix): Promise<void> {
    return this.#matrices.free(matrix);
  }

  /** a (m × k) · b (k × n) in f32: the plaintext model's product, to compare speeds with. Never for shares. */
  matmulF32(a: Float32Array, b: Float32Array, m: number, k: number, n: number): Promise<Float32Array> {
    return matmulF32(this.#on, a, b, m, k, n);
  }

  // ── randomness ────────────────────────────────────────────────────────────

  async draw(stream: Stream, k: number, count: number, first = 0): Promise<Words> {
    checkRing(k);
    // 16 words are whole blocks in either lane.
    return this.#on.ranged(
      'draw',
      k,
      count,
      1,
      this.#on.staysHere(count),
      (from, to) => [stream, k, to - from, first + from],
      16,
    );
  }

  matmulDrawn(
    factors: readonly DrawnFactor<Words>[],
    drawn: readonly Drawn[],
    inner: number,
    n: number,
  ): Promise<Words> {
    return this.#made(matmulDrawn(this.#on, factors, drawn, inner, n));
  }

  // ── wire form ─────────────────────────────────────────────────────────────

  async pack(x: Words): Promise<Uint8Array> {
    // Lanes that are wholly on the wire are the wire form (little-endian, as typed arrays are on every platform
    // that runs this).
    if (x.k === 8 * laneBytes(x.k)) return new Uint8Array(x.data.buffer, x.data.byteOffset, x.data.byteLength).slice();
    return this.#on.here((instance) => instance.pack(x));
  }

  async unpack(bytes: Uint8Array, k: number, count: number, given?: 'given'): Promise<Words> {
    invariant(bytes.length === wireLength(checkRing(k), count), 'unpack: byte length does not match the count');
    const words = this.#on.here((instance) => instance.unpack(bytes, k, count));
    if (given !== undefined) letGo(bytes);
    return words;
  }

  // ── selection ─────────────────────────────────────────────────────────────

  selectionTable(
    table: SelectionTable<Words>,
    layout: TableLayout,
    pads: Stream,
    from: number,
    to: number,
  ): Promise<Uint8Array> {
    return selection.selectionTable(this.#on, table, layout, pads, from, to);
  }

  clearTable(table: SelectionTable<Words>, layout: TableLayout): Promise<Uint8Array> {
    return selection.selectionTable(this.#on, table, layout, undefined, 0, tableShape(table).count);
  }

  dealSelection(choice: Choice<Words>, layout: TableLayout, pads: Stream, r0: Words): Promise<Words> {
    return selection.dealSelection(this.#on, choice, layout, pads, r0);
  }

  evaluateSelection(
    choice: Choice<Words>,
    layout: TableLayout,
    table: Uint8Array,
    word: Words,
    from: number,
    to: number,
    given?: 'given',
  ): Promise<Words> {
    return selection.evaluateSelection(this.#on, choice, layout, table, word, [from, to], given);
  }

  powers(l: Words, t: number, s2: number, degree: Degree, k: number): Promise<Words> {
    return selection.powers(this.#on, l, t, s2, degree, k);
  }

  expBasis(l: Words, s2: number, width: ExpWidth, k: number): Promise<Words> {
    return selection.expBasis(this.#on, l, s2, width, k);
  }

  cosineBasis(l: Words, sum: CosineSum, k: number): Promise<Words> {
    return selection.cosineBasis(this.#on, l, sum, k);
  }

  async chooseBasis(values: readonly Words[]): Promise<Words> {
    return this.#on.here((instance) => instance.chooseBasis(values));
  }

  // ── distributed point function ────────────────────────────────────────────

  async expandPoint(key: Uint8Array, depth: number, count: number): Promise<Words> {
    return this.#on.ranged(
      'expandPoint',
      64,
      count,
      1,
      count <= POINT_WORDS,
      (from, to) => [key, depth, from, to],
      POINT_WORDS,
    );
  }

  // ── OT extension ──────────────────────────────────────────────────────────

  otReceive(base: Uint8Array, nonce: Uint8Array, choice: Words, k: number): Promise<OtReceived<Words>> {
    return otReceive(this.#on, base, nonce, choice, k);
  }

  otSend(base: Uint8Array, nonce: Uint8Array, message: Words, k: number): Promise<OtSent<Words>> {
    return otSend(this.#on, base, nonce, message, k);
  }

  async close(): Promise<void> {
    if (this.#on.pool === undefined) await this.#on.close();
    else this.#on.drop(false);
  }
}

/**
 * Makes the WebAssembly backend. Workers start at once and are ready when they answer; failures show at the first
 * call.
 */
export async function createWasmKernels(options: WasmOptions): Promise<WasmKernels> {
  return new WasmKernels(options);
}
