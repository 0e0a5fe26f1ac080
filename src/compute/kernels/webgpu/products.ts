/**
 * matmul and matmulMatrix: tiles of 64 × 64, in as many dispatches as bindings and the watchdog ask for, and in
 * slices where there are few tiles.
 */
import { TercetError, invariant } from '../../../core/errors.ts';
import { type Vector, laneBytes, lengthOf, ringMask } from '../../ring.ts';
import type { Matrix, ProductShape } from '../types.ts';
import type { DeviceVector } from './arena.ts';
import { type Call, type Operand, groupsOf, limbs, wide } from './call.ts';
import type { Commands } from './commands.ts';
import type { Block } from './pool.ts';

const TILE = 64;
/** Workgroups that keep a large GPU busy; with fewer tiles the inner dimension is divided too. */
const BUSY = 512;
/** The least inner length of a slice: less costs more in sums than it gains. */
const SLICE = 64;

/** Bytes of a panel of a matrix, so that no upload is longer. */
const PANEL_BYTES = 2 ** 27;

/** Rows [from, from + rows) of the inner dimension of a right operand. */
interface Panel {
  readonly block: Block;
  readonly from: number;
  readonly rows: number;
}

/** What the right operand is made of: ring words in one block, or the panels of a matrix. */
interface Right {
  readonly panels: readonly Panel[];
  readonly bytes: 4 | 8;
  readonly i32: boolean;
}

/** A part of a product: [from, from + size) of each dimension. */
interface Box {
  readonly batch: readonly [from: number, to: number];
  readonly rows: readonly [from: number, to: number];
  readonly cols: readonly [from: number, to: number];
  readonly inner: readonly [from: number, to: number];
}

/** Multiply-adds. */
function workOf({ batch, rows, cols, inner }: Box): number {
  return [batch, rows, cols, inner].reduce((product, [from, to]) => product * (to - from), 1);
}

function* steps(from: number, to: number, step: number): Iterable<readonly [number, number]> {
  // Also an empty range is one step: an empty inner dimension gives zeros.
  for (let at = from; at < to || at === from; at += step) yield [at, Math.min(to, at + step)];
}

class Product {
  readonly #call: Call;
  readonly #k: number;
  readonly #x: Operand;
  readonly #right: Right;
  readonly #out: Block;
  readonly #shape: ProductShape;
  readonly #lane: 4 | 8;

  constructor(call: Call, x: Operand, right: Right, out: Block, shape: ProductShape) {
    this.#call = call;
    this.#k = x.k;
    this.#x = x;
    this.#right = right;
    this.#out = out;
    this.#shape = shape;
    this.#lane = laneBytes(x.k);
  }

  encode(): void {
    const { batch, m, n } = this.#shape;
    if (batch * m * n === 0) return;
    for (const panel of this.#right.panels) {
      const whole: Box = {
        batch: [0, batch],
        rows: [0, m],
        cols: [0, n],
        inner: [panel.from, panel.from + panel.rows],
      };
      if (this.#right.panels.length === 1 && this.#sliced(whole, panel)) return;
      for (const box of this.#boxes(whole, panel)) this.#dispatch(box, panel, this.#out, 1, box.inner[0] > 0);
    }
  }

  /**
   * Divides the inner dimension among workgroups where there are few tiles, and adds up. False where that is of no
   * use.
   */
  #sliced(whole: Box, panel: Panel): boolean {
    const { batch, m, n, inner } = this.#shape;
    const tiles = batch * Math.ceil(m / TILE) * Math.ceil(n / TILE);
    const slices = Math.min(Math.floor(BUSY / tiles), Math.floor(inner / SLICE));
    const words = batch * m * n;
    if (
      slices < 2 ||
      this.#excess(whole, panel) !== undefined ||
      slices * words * this.#lane > this.#call.commands.limits.bindingBytes
    )
      return false;
    const parts = this.#call.scratch(slices * words * this.#lane);
    this.#dispatch(whole, panel, parts, slices, false);
    this.#call.run({
      shader: 'sum-parts',
      wide: wide(this.#k),
      constants: {},
      params: [words, slices, ...limbs(ringMask(this.#k))],
      bindings: [
        this.#call.range(parts, 0, slices * words * this.#lane),
        this.#call.range(this.#out, 0, words * this.#lane),
      ],
      groups: groupsOf(words),
    });
    return true;
  }

  /**
   * What is too large of a part: one of its operands for a binding, or its work for a dispatch. Undefined when it
   * fits.
   */
  #excess(box: Box, panel: Panel): 'x' | 'y' | 'out' | 'work' | undefined {
    const { bindingBytes, work } = this.#call.commands.limits;
    const ranges = this.#ranges(box, panel);
    for (const name of ['x', 'y', 'out'] as const) {
      const [from, to, bytes] = ranges[name];
      if ((to - from) * bytes + 256 > bindingBytes) return name;
    }
    return workOf(box) > work ? 'work' : undefined;
  }

  /** The words of each operand that a part touches, as [from, to, bytes of a word]. */
  #ranges({ batch, rows, cols, inner }: Box, panel: Panel) {
    const { m, n, inner: depth, transposed } = this.#shape;
    const at = (b: number, r: number, i: number) => (b * m + r) * depth + i;
    const i0 = inner[0] - panel.from;
    const i1 = inner[1] - panel.from;
    const y =
      transposed === true
        ? (b: number, c: number, i: number) => (b * n + c) * depth + i
        : (b: number, c: number, i: number) => (b * panel.rows + i) * n + c;
    const last = batch[1] - 1;
    return {
      x: [at(batch[0], rows[0], inner[0]), at(last, rows[1] - 1, inner[1]), this.#lane],
      y: [
        y(batch[0], cols[0], i0),
        transposed === true ? y(last, cols[1] - 1, i1) : y(last, cols[1], Math.max(i0, i1 - 1)),
        this.#right.bytes,
      ],
      out: [(batch[0] * m + rows[0]) * n + cols[0], (last * m + rows[1] - 1) * n + cols[1], this.#lane],
    } as const;
  }

  /**
   * Halves dimensions until a part fits; the parts of one inner range come before the next, which adds to them.
   * Whole rows of an operand lie together, so its rows are halved before its columns.
   */
  *#boxes(whole: Box, panel: Panel): Iterable<Box> {
    if (this.#excess(whole, panel) === undefined) {
      yield whole;
      return;
    }
    const { m, n, batch, transposed } = this.#shape;
    const size = { rows: m, cols: n, inner: panel.rows };
    const order: Record<'x' | 'y' | 'out', readonly (keyof typeof size)[]> = {
      x: ['rows', 'inner'],
      y: transposed === true ? ['cols', 'inner'] : ['inner', 'cols'],
      out: ['rows', 'cols'],
    };
    for (;;) {
      const box: Box = {
        batch: [0, 1],
        rows: [0, size.rows],
        cols: [0, size.cols],
        inner: [panel.from, panel.from + size.inner],
      };
      const excess = this.#excess(box, panel);
      if (excess === undefined) break;
      const largest = (['inner', 'rows', 'cols'] as const).reduce((most, name) =>
        size[name] > size[most] ? name : most,
      );
      const name = excess === 'work' ? largest : order[excess].find((dimension) => size[dimension] > 1);
      // A single word fits every binding.
      invariant(name !== undefined && size[name] > 1, 'matmul: no part is small enough');
      size[name] = Math.ceil(size[name] / 2);
    }
    const { rows, cols, inner } = size;
    for (const i of steps(panel.from, panel.from + panel.rows, inner)) {
      for (let b = 0; b < batch; b++) {
        for (const r of steps(0, m, rows))
          for (const c of steps(0, n, cols)) yield { batch: [b, b + 1], rows: r, cols: c, inner: i };
      }
    }
  }

  #dispatch(box: Box, panel: Panel, out: Block, slices: number, accumulate: boolean): void {
    const { m, n, inner: depth, transposed } = this.#shape;
    const ranges = this.#ranges(box, panel);
    const x = this.#call.window(this.#x.block, ranges.x[2], ranges.x[0], ranges.x[1]);
    const y = this.#call.window(panel.block, ranges.y[2], ranges.y[0], ranges.y[1]);
    const [batch, rows, cols, inner] = [box.batch, box.rows, box.cols, box.inner].map(([from, to]) => to - from);
    const words = batch * m * n;
    const target =
      slices > 1
        ? { binding: this.#call.range(out, 0, slices * words * this.#lane), at: 0 }
        : this.#call.window(out, this.#lane, ranges.out[0], ranges.out[1]);
    const [tilesM, tilesN] = [Math.ceil(rows / TILE), Math.ceil(cols / TILE)];
    const tiles = tilesM * tilesN * slices * batch;
    const params = [
      ...limbs(ringMask(this.#k)),
      ...[rows, cols, inner, slices, slices > 1 ? Math.ceil(inner / slices) : inner],
      ...[x.at, m * depth, depth],
      ...[y.at, depth * n, transposed === true ? depth : n],
      ...[target.at, m * n, words, n],
      ...[Number(accumulate), tilesM, tilesN, tiles],
    ];
    this.#call.run({
      shader: 'matmul',
      wide: wide(this.#k),
      constants: { TRANSPOSED: Number(transposed === true), Y_I32: Number(this.#right.i32) },
      params,
      bindings: [x.binding, y.binding, target.binding],
      groups: tiles,
      work: workOf(box),
    });
  }
}

export function matmul(call: Call, x: Vector, y: Vector, shape: ProductShape): DeviceVector {
  const { batch, m, inner, n } = shape;
  invariant(
    x.k === y.k && lengthOf(x) === batch * m * inner && lengthOf(y) === batch * inner * n,
    'matmul: operands do not match the shape',
  );
  const [left, right] = [call.operand(x), call.operand(y)];
  const { vector, out } = call.result(x.k, batch * m * n);
  const panels = [{ block: right.block, from: 0, rows: inner }];
  new Product(call, left, { panels, bytes: laneBytes(x.k), i32: false }, out.block, shape).encode();
  return vector;
}

/**
 * A matrix on the device, in panels of whole rows that fit a binding. Shared by all scopes; freed by
 * `freeMatrix`.
 */
export class DeviceMatrix implements Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly entries: 'i32' | 'u64';
  readonly #commands: Commands;
  #panels: readonly Panel[] | undefined;

  constructor(commands: Commands, data: Int32Array | BigUint64Array, rows: number, cols: number) {
    invariant(data.length === rows * cols, 'matrix entries do not match rows × cols');
    this.#commands = commands;
    this.rows = rows;
    this.cols = cols;
    this.entries = data instanceof Int32Array ? 'i32' : 'u64';
    const { bufferBytes } = commands.limits;
    const bindingBytes = Math.min(commands.limits.bindingBytes, PANEL_BYTES);
    const rowBytes = cols * data.BYTES_PER_ELEMENT;
    // A row that fits no binding is cut by columns at each product.
    const most =
      rowBytes > bindingBytes - 512
        ? Math.max(1, Math.floor(bufferBytes / rowBytes))
        : Math.floor((bindingBytes - 512) / rowBytes);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const panels: Panel[] = [];
    for (const [from, to] of steps(0, rows, Math.min(Math.max(1, rows), most))) {
      const block = commands.take((to - from) * rowBytes);
      commands.write(block, bytes.subarray(from * rowBytes, to * rowBytes));
      panels.push({ block, from, rows: to - from });
    }
    this.#panels = panels;
  }

  right(commands: Commands): Right {
    invariant(commands === this.#commands, 'a matrix of another backend');
    if (this.#panels === undefined) throw new TercetError('ERR_STATE', 'the matrix was freed', 'load it again');
    return { panels: this.#panels, bytes: this.entries === 'i32' ? 4 : 8, i32: this.entries === 'i32' };
  }

  free(): void {
    for (const { block } of this.#panels ?? []) this.#commands.release(block);
    this.#panels = undefined;
  }
}

export function matmulMatrix(call: Call, x: Vector, matrix: Matrix): DeviceVector {
  invariant(matrix instanceof DeviceMatrix, 'a matrix of another backend');
  const right = matrix.right(call.commands);
  const { rows: inner, cols: n } = matrix;
  const m = lengthOf(x) / inner;
  invariant(x.k === 64 && Number.isInteger(m), 'matmulMatrix: x must be over Z_2^64 with whole rows');
  const left = call.operand(x);
  const { vector, out } = call.result(64, m * n);
  new Product(call, left, right, out.block, { batch: 1, m, inner, n }).encode();
  return vector;
}
