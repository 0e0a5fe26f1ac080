/**
 * The WebGPU backend: `RingKernels` on one device. Vectors stay on it; `pack`, `selectionTable` and `read` bring
 * words back, all that are asked for in one turn of the event loop in one copy. Commands are encoded in the order
 * of the calls, so a result may be used before the device has computed it.
 *
 * Security: buffers are cleared before another vector gets their memory, parameters (keys) after every submit.
 * Addresses depend on secrets only where a party looks up its own choice (each shader says so); nothing branches on
 * them. A failure of the device is final: see ../fault.ts.
 */
import { cosineTables } from '../../cosine-tables.ts';
import { type ExpWidth, expTables } from '../../exp-tables.ts';
import { Lists, type Pattern } from '../../pattern.ts';
import type { Vector, Words } from '../../ring.ts';
import { withoutPads } from '../clear-table.ts';
import { Fault } from '../fault.ts';
import type { TableLayout } from '../table-layout.ts';
import type {
  Choice,
  CosineSum,
  Degree,
  Live,
  Matrix,
  OtReceived,
  OtSent,
  ProductShape,
  RingKernels,
  SelectionTable,
  Stream,
} from '../types.ts';
import { Arena } from './arena.ts';
import { Call, Constants } from './call.ts';
import { Commands, type Counters } from './commands.ts';
import * as elementwise from './elementwise.ts';
import { closedError, observe } from './fault.ts';
import { type KernelLimits, limitsOf } from './limits.ts';
import { otReceive, otSend } from './ot.ts';
import { expandPoint } from './point.ts';
import { DeviceMatrix, matmul, matmulMatrix } from './products.ts';
import * as rows from './rows.ts';
import * as selection from './selection.ts';
import * as streams from './streams.ts';
import { type FunctionTables, cosineWords, expWords, selectionTable } from './tables.ts';

export { requestDevice } from './device.ts';
export type { KernelLimits } from './limits.ts';

export interface WebGpuOptions {
  /** A device for these kernels alone: they use its error scopes. */
  readonly device: GPUDevice;
  readonly adapterInfo?: GPUAdapterInfo;
  /** Whether it is a driver in software, as `requestDevice` says. */
  readonly software?: boolean;
  /** Closes the device when the kernels are closed. Without it, whoever opened the device does that. */
  readonly close?: () => void;
  /** Lower limits than the device's: a memory budget, or small ones in tests. */
  readonly limits?: Partial<KernelLimits>;
}

/** What the kernels run on and what they have done so far. */
export interface WebGpuDescription extends Counters {
  readonly adapter: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
  };
  readonly limits: KernelLimits;
  readonly buffers: number;
  readonly bytes: number;
  readonly pipelines: number;
  /** Vectors of this arena that are not freed. */
  readonly vectors: number;
}

/** What the arenas of a device share. */
interface Shared {
  readonly options: WebGpuOptions;
  readonly commands: Commands;
  readonly constants: Constants;
  readonly lists: Lists;
  readonly tables: FunctionTables;
}

export class WebGpuKernels implements RingKernels {
  readonly name = 'webgpu' as const;
  readonly #shared: Shared;
  readonly #arena: Arena;
  /** Whether these are a scope, whose end frees its vectors and nothing else. */
  readonly #scoped: boolean;

  constructor(shared: Shared, scoped = false) {
    this.#shared = shared;
    this.#arena = new Arena(shared.commands);
    this.#scoped = scoped;
  }

  get fault(): Fault {
    return this.#shared.commands.fault;
  }

  /** Whether the device is a driver in software. */
  get software(): boolean {
    return this.#shared.options.software ?? false;
  }

  /** For kernels beside these on the same device: they share its order, its budget and its failure. */
  get commands(): Commands {
    return this.#shared.commands;
  }

  describe(): WebGpuDescription {
    const { commands, options } = this.#shared;
    const { vendor = '', architecture = '', device = '', description = '' } = options.adapterInfo ?? {};
    return {
      adapter: { vendor, architecture, device, description },
      limits: commands.limits,
      buffers: commands.storage.count,
      bytes: commands.budget.used,
      pipelines: commands.pipelines.count,
      vectors: this.#arena.count,
      ...commands.counters,
    };
  }

  /**
   * Runs one call from operands to commands, and releases its scratch. A refused operand, or one that there is no
   * room for, fails the call alone: room is counted before the device is asked, so one session that is too large
   * takes nobody else along. What the device itself refuses ends the kernels.
   */
  #call<T>(body: (call: Call) => T): T {
    const { commands, constants } = this.#shared;
    commands.fault.check();
    const call = new Call(commands, constants, this.#arena);
    try {
      return body(call);
    } finally {
      call.end();
    }
  }

  async read(x: Vector): Promise<Words> {
    return this.#call((call) => streams.read(call, x));
  }

  scope(): WebGpuKernels {
    return new WebGpuKernels(this.#shared, true);
  }

  sweep(live?: Live): void {
    this.#arena.sweep(typeof live === 'function' ? live() : []);
  }

  // ── elementwise ───────────────────────────────────────────────────────────

  async add(x: Vector, y: Vector): Promise<Vector> {
    return this.#call((call) => elementwise.vectors(call, 'add', x, y));
  }

  async sub(x: Vector, y: Vector): Promise<Vector> {
    return this.#call((call) => elementwise.vectors(call, 'sub', x, y));
  }

  async mul(x: Vector, y: Vector): Promise<Vector> {
    return this.#call((call) => elementwise.vectors(call, 'mul', x, y));
  }

  async scale(x: Vector, c: bigint): Promise<Vector> {
    return this.#call((call) => elementwise.constants(call, 'mul', x, c));
  }

  async offset(x: Vector, c: bigint): Promise<Vector> {
    return this.#call((call) => elementwise.constants(call, 'add', x, c));
  }

  async shiftRight(x: Vector, s: number, k: number): Promise<Vector> {
    return this.#call((call) => elementwise.shifted(call, x, s, k));
  }

  async cast(x: Vector, k: number): Promise<Vector> {
    return this.shiftRight(x, 0, k);
  }

  // ── rows ──────────────────────────────────────────────────────────────────

  async addRow(x: Vector, row: Vector): Promise<Vector> {
    return this.#call((call) => elementwise.rows(call, 'add', x, row));
  }

  async mulRow(x: Vector, row: Vector): Promise<Vector> {
    return this.#call((call) => elementwise.rows(call, 'mul', x, row));
  }

  async sumRows(x: Vector, cols: number): Promise<Vector> {
    return this.#call((call) => rows.sumRows(call, x, cols));
  }

  async repeat(x: Vector, cols: number): Promise<Vector> {
    return this.#call((call) => rows.repeat(call, x, cols));
  }

  async concat(parts: readonly Vector[]): Promise<Vector> {
    return this.#call((call) => rows.concat(call, parts));
  }

  async gather(x: Vector, places: Pattern | Uint32Array): Promise<Vector> {
    const index = this.#shared.lists.of(places);
    return this.#call((call) => rows.gather(call, x, index));
  }

  // ── products ──────────────────────────────────────────────────────────────

  async matmul(x: Vector, y: Vector, shape: ProductShape): Promise<Vector> {
    return this.#call((call) => matmul(call, x, y, shape));
  }

  /**
   * Resolves when the device has accepted the matrix, so that a model that does not fit is refused here and not at
   * its first use.
   */
  async loadMatrix(entries: Int32Array | BigUint64Array, rowCount: number, cols: number): Promise<Matrix> {
    const matrix = this.#call(({ commands }) => new DeviceMatrix(commands, entries, rowCount, cols));
    await this.#shared.commands.accepted();
    return matrix;
  }

  async matmulMatrix(x: Vector, matrix: Matrix, bits = 64): Promise<Vector> {
    const product = this.#call((call) => matmulMatrix(call, x, matrix));
    return bits < 64 ? this.cast(await this.cast(product, bits), 64) : product;
  }

  async freeMatrix(matrix: Matrix): Promise<void> {
    this.#shared.commands.fault.check();
    if (matrix instanceof DeviceMatrix) matrix.free();
  }

  // ── randomness and wire form ──────────────────────────────────────────────

  async draw(stream: Stream, k: number, count: number, first = 0): Promise<Vector> {
    return this.#call((call) => streams.draw(call, stream, k, count, first));
  }

  async pack(x: Vector): Promise<Uint8Array> {
    return this.#call((call) => streams.pack(call, x));
  }

  async unpack(bytes: Uint8Array, k: number, count: number): Promise<Vector> {
    return this.#call((call) => streams.unpack(call, bytes, k, count));
  }

  // ── selection ─────────────────────────────────────────────────────────────

  async selectionTable(
    table: SelectionTable,
    layout: TableLayout,
    pads: Stream,
    from: number,
    to: number,
  ): Promise<Uint8Array> {
    return this.#call((call) => selectionTable(call, table, this.#shared.tables, layout, pads, from, to));
  }

  clearTable(table: SelectionTable, layout: TableLayout): Promise<Uint8Array> {
    return withoutPads(this, table, layout);
  }

  async dealSelection(choice: Choice, layout: TableLayout, pads: Stream, r0: Vector): Promise<Vector> {
    return this.#call((call) => selection.dealSelection(call, choice, layout, pads, r0));
  }

  async evaluateSelection(
    choice: Choice,
    layout: TableLayout,
    table: Uint8Array,
    word: Vector,
    from: number,
    to: number,
  ): Promise<Vector> {
    return this.#call((call) => selection.evaluateSelection(call, choice, layout, table, word, from, to));
  }

  async powers(l: Vector, t: number, s2: number, degree: Degree, k: number): Promise<Vector> {
    return this.#call((call) => selection.powers(call, l, t, s2, degree, k));
  }

  async expBasis(l: Vector, s2: number, width: ExpWidth, k: number): Promise<Vector> {
    return this.#call((call) => selection.expBasis(call, l, s2, width, k, this.#shared.tables.expWords()));
  }

  async cosineBasis(l: Vector, sum: CosineSum, k: number): Promise<Vector> {
    return this.#call((call) => selection.cosineBasis(call, l, sum, k, this.#shared.tables.cosine()));
  }

  async chooseBasis(values: readonly Vector[]): Promise<Vector> {
    return this.#call((call) => selection.chooseBasis(call, values));
  }

  async expandPoint(key: Uint8Array, depth: number, count: number): Promise<Vector> {
    return this.#call((call) => expandPoint(call, key, depth, count));
  }

  async otReceive(base: Uint8Array, nonce: Uint8Array, choice: Vector, k: number): Promise<OtReceived> {
    return this.#call((call) => otReceive(call, base, nonce, choice, k));
  }

  async otSend(base: Uint8Array, nonce: Uint8Array, message: Vector, k: number): Promise<OtSent> {
    return this.#call((call) => otSend(call, base, nonce, message, k));
  }

  /** Destroys every buffer, and closes the device if that was asked for. Of a scope: frees its vectors. */
  async close(): Promise<void> {
    if (this.#scoped) {
      this.sweep();
      return;
    }
    const { commands, options } = this.#shared;
    commands.fault.raise(closedError());
    commands.destroy();
    options.close?.();
  }
}

/** What `make` gives, made when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Makes the WebGPU backend on a device of `requestDevice`. Shaders are compiled when they are first used. */
export async function createWebGpuKernels(options: WebGpuOptions): Promise<WebGpuKernels> {
  const { device } = options;
  const fault = new Fault();
  observe(device, fault);
  const commands = new Commands(device, limitsOf(device, options.limits), fault);
  const exp = once(expTables);
  const words = once(() => expWords(exp()));
  const cosine = once(() => cosineWords(cosineTables()));
  return new WebGpuKernels({
    options,
    commands,
    constants: new Constants(commands),
    lists: new Lists(),
    tables: { exp, expWords: words, cosine },
  });
}
