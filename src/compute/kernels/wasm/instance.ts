/**
 * One WebAssembly instance of the kernels and its memory: synchronous functions on typed arrays, for a worker or
 * for the calling thread.
 *
 * Memory: the stack of the module and its constants, then what stays (matrices, tables), then the scratch of the
 * operation at hand. Operands are copied in, results out; scratch and stack are zeroed after every operation,
 * because they held shares, pads or keys.
 */
import { TercetError, invariant } from '../../../core/errors.ts';
import { expTables } from '../../exp-tables.ts';
import { type Words, laneBytes, ringMask, sameShape, wireLength, zeros } from '../../ring.ts';
import { DPF_LEVEL, DPF_ROOT } from '../dpf-key.ts';
import { blockOf } from '../key-stream.ts';
import type { Choice, PiecewiseCubic, ProductShape, SelectionTable, Stream } from '../types.ts';
import { noMemory } from './failure.ts';

type Export = (...values: (number | bigint)[]) => number;
type Lane = Uint8Array | Uint32Array | Int32Array | BigUint64Array | BigInt64Array | Float32Array;

/** Bytes of the module's stack, at address 0 (`-zstack-size` and `--stack-first` in scripts/build-wasm.mjs). */
const STACK = 16384;
const PAGE = 65536;
const ALIGN = 64;
/** Bytes beyond every buffer that kernels may read or fill: a group of four ChaCha blocks and an unaligned word. */
const SLACK = 512;
/** Blocks that a selection table's key stream is generated ahead (AHEAD in select.rs), in bytes. */
const AHEAD = 4096;
/** Bytes of a matrix copied in at a time. */
const PACK_CHUNK = 1 << 22;
const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
/** Bytes of scratch for the packed left operand (LEFT in matmul.rs). */
const LEFT = 128 * 160;
/** Columns of a panel of `matmul_i32` and `matmul_u64`; slices of a matrix begin at a multiple. */
export const PANEL = 4;

/** A matrix (or a slice of its columns) in the memory of one instance. */
interface Loaded {
  readonly at: number;
  readonly rows: number;
  readonly cols: number;
  readonly wide: boolean;
}

function up(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/** Rounding shift of a product: adds half, then drops `bits`. */
function rounding(bits: number): [half: bigint, drop: number] {
  if (bits < 0)
    throw new TercetError(
      'ERR_RANGE',
      'scale of an exponential too large',
      'use at most 57 for the table and 62 for the basis',
    );
  return [bits === 0 ? 0n : 1n << BigInt(bits - 1), bits];
}

/**
 * How Horner's rule of a cubic may be computed: 0 all products fit 32 signed bits, 1 all sums do, 2 all products
 * fit 64, 3 all sums do.
 *
 * Bound: with 0 ≤ u < 2^t and |v| ≤ M, |⌊v·u / 2^t⌋ | ≤ M (for v < 0, v ≤ v·u/2^t and v is an integer). So after s
 * steps of lane p the sum is at most the sum of the |C_q|·binom(q,p) taken in so far, and each product at most (the
 * sum before it)·(2^t − 1). Lane 0 takes 1,1,1,1; lane 1 3,2,1; lane 2 3,1; lane 3 1. C_0 enters only at the end
 * and is never multiplied.
 */
function cubicMode(cubic: PiecewiseCubic): number {
  const u = ringMask(cubic.t);
  const half = cubic.guard > 0 ? 1n << BigInt(cubic.guard - 1) : 0n;
  let product = 0n;
  let sum = 0n;
  for (let i = 0; i < cubic.segments; i++) {
    const [c0, c1, c2, c3] = [0, 1, 2, 3].map((q) => {
      const c = cubic.coefficients[4 * i + q];
      return c < 0n ? -c : c;
    });
    for (const v of [c3 + c2 + c1, 3n * c3 + 2n * c2, 3n * c3]) if (v * u > product) product = v * u;
    for (const v of [c3 + c2 + c1 + c0, 3n * c3 + 2n * c2 + c1, 3n * c3 + c2]) if (v + half > sum) sum = v + half;
  }
  const [small, large] = [1n << 31n, 1n << 63n];
  if (cubic.t < 32 && sum < small) return product < small ? 0 : 1;
  if (cubic.t < 63 && sum < large) return product < large ? 2 : 3;
  throw new TercetError(
    'ERR_RANGE',
    'coefficients of a piecewise cubic above 63 bits',
    'use a smaller scale or fewer guard bits',
  );
}

/** The part of a selection table that elements [from, to) need. Views, no copies. */
export function sliceTable(table: SelectionTable<Words>, from: number, to: number): SelectionTable<Words> {
  const part = (x: Words): Words => ({ k: x.k, data: x.data.subarray(from, to) });
  switch (table.kind) {
    case 'rows':
      return { ...table, row: part(table.row) };
    case 'cubic':
      return { ...table, a: part(table.a) };
    case 'exp':
      return { ...table, a: part(table.a), gate: part(table.gate) };
    case 'choose':
      return { ...table, bits: table.bits.map(part), values: table.values.map(part) };
  }
}

/** Words per element of a selection table, n · P. */
export function tableWords(table: SelectionTable<Words>): number {
  switch (table.kind) {
    case 'rows':
      return table.n;
    case 'cubic':
      return 4 * table.cubic.segments;
    case 'exp':
      return 16;
    case 'choose':
      return (1 << table.bits.length) * (1 + table.values.length);
  }
}

/**
 * One instance. Every public method is an operation of `RingKernels` on a range of it, or loads and frees a matrix.
 * Not reentrant, never asynchronous.
 */
export class KernelInstance {
  readonly #exports: Record<string, Export>;
  readonly #memory: WebAssembly.Memory;
  /** Where the persistent part begins. */
  readonly #base: number;
  /** Persistent blocks in order of address. */
  readonly #blocks: { at: number; end: number }[] = [];
  readonly #matrices = new Map<number, Loaded>();
  #top: number;
  #tables: { coarse: number; fine: number; segment: number } | undefined;

  constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module);
    this.#exports = exports as Record<string, Export>;
    this.#memory = exports.memory as WebAssembly.Memory;
    this.#base = up((exports.__heap_base as WebAssembly.Global).value, ALIGN);
    this.#top = this.#base;
  }

  // ── memory ────────────────────────────────────────────────────────────────

  #reserve(end: number): void {
    const missing = end + SLACK - this.#memory.buffer.byteLength;
    if (missing <= 0) return;
    try {
      // Some growth ahead: every growth replaces the buffer, and in some engines copies it.
      this.#memory.grow(Math.ceil(missing / PAGE) + 16);
    } catch (cause) {
      throw noMemory(cause);
    }
  }

  get #scratch(): number {
    return this.#blocks.length === 0 ? this.#base : this.#blocks[this.#blocks.length - 1].end;
  }

  /** Scratch for the operation at hand; zeroed already. */
  #take(bytes: number): number {
    const at = this.#top;
    this.#reserve(at + bytes);
    this.#top = up(at + bytes, ALIGN);
    return at;
  }

  /**
   * Memory that stays until `#drop`, at the first gap that is large enough. Only between operations' allocations:
   * scratch lies behind it.
   */
  #keep(bytes: number): number {
    let at = this.#base;
    let i = 0;
    for (; i < this.#blocks.length && this.#blocks[i].at - at < bytes; i++) at = this.#blocks[i].end;
    this.#reserve(at + bytes);
    this.#blocks.splice(i, 0, { at, end: up(at + bytes, ALIGN) });
    this.#top = this.#scratch;
    return at;
  }

  #drop(at: number): void {
    const i = this.#blocks.findIndex((block) => block.at === at);
    if (i < 0) return;
    new Uint8Array(this.#memory.buffer, at, this.#blocks[i].end - at).fill(0);
    this.#blocks.splice(i, 1);
    this.#top = this.#scratch;
  }

  /** Runs one operation, then zeroes its scratch and the stack, whatever happened. */
  #run<T>(operation: () => T): T {
    try {
      return operation();
    } finally {
      const from = this.#scratch;
      const end = Math.min(up(this.#top + SLACK, ALIGN), this.#memory.buffer.byteLength);
      new Uint8Array(this.#memory.buffer, from, end - from).fill(0);
      new Uint8Array(this.#memory.buffer, 0, STACK).fill(0);
      this.#top = from;
    }
  }

  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, at, length);
  }

  #copy(data: Lane): number {
    const at = this.#take(data.byteLength);
    this.#write(at, data);
    return at;
  }

  #write(at: number, data: Lane): void {
    this.#bytes(at, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  /** A result vector, copied out of the memory. */
  #read(at: number, k: number, count: number): Words {
    const data =
      k <= 32
        ? new Uint32Array(this.#memory.buffer, at, count).slice()
        : new BigUint64Array(this.#memory.buffer, at, count).slice();
    return { k, data };
  }

  #lanes(k: number, count: number): number {
    return this.#take(laneBytes(k) * count);
  }

  /** The export for the lane width of k. */
  #of(name: string, k: number): Export {
    return this.#exports[`${name}${k <= 32 ? 32 : 64}`];
  }

  /** A mask or constant in the lane type of k: i32 and i64 parameters take Number and BigInt. */
  #lane(value: bigint, k: number): number | bigint {
    return k <= 32 ? Number(BigInt.asUintN(32, value)) : BigInt.asUintN(64, value);
  }

  #mask(k: number): number | bigint {
    return this.#lane(ringMask(k), k);
  }

  /** x >> s in the lanes of `to`, masked to k bits. */
  #shift(at: number, from: number, count: number, s: number, k: number): number {
    const out = this.#lanes(k, count);
    const width = from <= 32 ? 32 : 64;
    if (s < width) this.#exports[`shift${width}to${k <= 32 ? 32 : 64}`](at, out, count, s, this.#mask(k));
    return out;
  }

  /** A vector in 64-bit lanes, whatever its ring. */
  #copy64(x: Words): number {
    const at = this.#copy(x.data);
    return x.k > 32 ? at : this.#shift(at, x.k, x.data.length, 0, 64);
  }

  /** A vector of indices in 32-bit lanes. */
  #copy32(x: Words): number {
    const at = this.#copy(x.data);
    return x.k <= 32 ? at : this.#shift(at, x.k, x.data.length, 0, 32);
  }

  // ── elementwise ───────────────────────────────────────────────────────────

  #binary(name: string, x: Words, y: Words): Words {
    sameShape(x, y);
    return this.#run(() => {
      const n = x.data.length;
      const [a, b, out] = [this.#copy(x.data), this.#copy(y.data), this.#lanes(x.k, n)];
      this.#of(name, x.k)(a, b, out, n, this.#mask(x.k));
      return this.#read(out, x.k, n);
    });
  }

  #constant(name: string, x: Words, c: bigint): Words {
    return this.#run(() => {
      const n = x.data.length;
      const [a, out] = [this.#copy(x.data), this.#lanes(x.k, n)];
      this.#of(name, x.k)(a, out, n, this.#lane(c, x.k), this.#mask(x.k));
      return this.#read(out, x.k, n);
    });
  }

  #row(name: string, x: Words, row: Words): Words {
    return this.#run(() => {
      const n = x.data.length;
      const [a, b, out] = [this.#copy(x.data), this.#copy(row.data), this.#lanes(x.k, n)];
      if (n > 0) this.#of(name, x.k)(a, b, out, n, row.data.length, this.#mask(x.k));
      return this.#read(out, x.k, n);
    });
  }

  add(x: Words, y: Words): Words {
    return this.#binary('add', x, y);
  }

  sub(x: Words, y: Words): Words {
    return this.#binary('sub', x, y);
  }

  mul(x: Words, y: Words): Words {
    return this.#binary('mul', x, y);
  }

  scale(x: Words, c: bigint): Words {
    return this.#constant('scale', x, c);
  }

  offset(x: Words, c: bigint): Words {
    return this.#constant('offset', x, c);
  }

  shiftRight(x: Words, s: number, k: number): Words {
    return this.#run(() => {
      const n = x.data.length;
      return this.#read(this.#shift(this.#copy(x.data), x.k, n, s, k), k, n);
    });
  }

  addRow(x: Words, row: Words): Words {
    return this.#row('add_row', x, row);
  }

  mulRow(x: Words, row: Words): Words {
    return this.#row('mul_row', x, row);
  }

  sumRows(x: Words, cols: number): Words {
    return this.#run(() => {
      const rows = x.data.length / cols;
      const [a, out] = [this.#copy(x.data), this.#lanes(x.k, rows)];
      this.#of('sum_rows', x.k)(a, out, rows, cols, this.#mask(x.k));
      return this.#read(out, x.k, rows);
    });
  }

  repeat(x: Words, cols: number): Words {
    return this.#run(() => {
      const n = x.data.length;
      const [a, out] = [this.#copy(x.data), this.#lanes(x.k, n * cols)];
      this.#of('repeat', x.k)(a, out, n, cols);
      return this.#read(out, x.k, n * cols);
    });
  }

  gather(x: Words, index: Uint32Array): Words {
    return this.#run(() => {
      const [a, at, out] = [this.#copy(x.data), this.#copy(index), this.#lanes(x.k, index.length)];
      const outside = this.#of('gather', x.k)(a, x.data.length, at, out, index.length);
      invariant(outside === 0, 'gather index out of range');
      return this.#read(out, x.k, index.length);
    });
  }

  // ── products ──────────────────────────────────────────────────────────────

  matmul(x: Words, y: Words, shape: ProductShape): Words {
    const { batch, m, inner, n, transposed } = shape;
    return this.#run(() => {
      const count = batch * m * n;
      const [a, b, out] = [this.#copy(x.data), this.#copy(y.data), this.#lanes(x.k, count)];
      const panels = this.#take(inner * up(n, 2 * PANEL) * 8 + LEFT);
      this.#of('product', x.k)(a, b, out, batch, m, inner, n, transposed === true ? 1 : 0, this.#mask(x.k), panels);
      return this.#read(out, x.k, count);
    });
  }

  /** Keeps a matrix (or a slice of columns) under `id`, which the caller chooses. */
  loadMatrix(id: number, entries: Int32Array | BigUint64Array, rows: number, cols: number): void {
    const wide = entries instanceof BigUint64Array;
    const at = this.#keep(rows * up(cols, PANEL) * (wide ? 8 : 4));
    const pack = this.#exports[wide ? 'pack_u64' : 'pack_i32'];
    const step = Math.max(1, Math.floor(PACK_CHUNK / (cols * entries.BYTES_PER_ELEMENT)));
    for (let row = 0; row < rows; row += step) {
      const count = Math.min(step, rows - row);
      this.#run(() => {
        pack(this.#copy(entries.subarray(row * cols, (row + count) * cols)), row, count, rows, cols, at);
      });
    }
    this.#matrices.set(id, { at, rows, cols, wide });
  }

  matmulMatrix(x: Words, id: number): Words {
    const matrix = this.#matrices.get(id);
    invariant(matrix !== undefined, 'matmulMatrix: no such matrix');
    const { at, rows, cols, wide } = matrix;
    const m = x.data.length / rows;
    return this.#run(() => {
      const [a, out] = [this.#copy(x.data), this.#lanes(64, m * cols)];
      this.#exports[wide ? 'matmul_u64' : 'matmul_i32'](a, m, rows, at, cols, out, this.#take(LEFT));
      return this.#read(out, 64, m * cols);
    });
  }

  freeMatrix(id: number): void {
    const matrix = this.#matrices.get(id);
    if (matrix === undefined) return;
    this.#matrices.delete(id);
    this.#drop(matrix.at);
  }

  /**
   * a (m × k) · b (k × n) in f32, for the plaintext model only: it gives an honest speed to compare with. Sums run
   * over k in order.
   */
  matmulF32(a: Float32Array, b: Float32Array, m: number, k: number, n: number): Float32Array {
    invariant(a.length === m * k && b.length === k * n, 'matmulF32: operands do not match the shape');
    return this.#run(() => {
      const [x, y, out, panels] = [this.#copy(a), this.#copy(b), this.#take(4 * m * n), this.#take(4 * k * up(n, 8))];
      this.#exports.matmul_f32(x, y, out, m, k, n, panels);
      return new Float32Array(this.#memory.buffer, out, m * n).slice();
    });
  }

  // ── randomness ────────────────────────────────────────────────────────────

  /** The 16 initial words of a stream (the counter is set by the kernels). */
  #state({ key, nonce }: Stream): number {
    invariant(key.length === 32 && nonce.length === 12, 'a stream needs a 32-byte key and a 12-byte nonce');
    const at = this.#take(64);
    this.#write(at, Uint32Array.from(SIGMA));
    this.#write(at + 16, key);
    this.#write(at + 52, nonce);
    return at;
  }

  draw(stream: Stream, k: number, count: number, first: number): Words {
    return this.#run(() => {
      const lane = laneBytes(k);
      const block = blockOf(first * lane, (first + count) * lane);
      const skip = (first * lane) % 64;
      const blocks = Math.ceil((skip + count * lane) / 64);
      const [state, out] = [this.#state(stream), this.#take(64 * up(blocks, 4))];
      this.#exports.keystream(state, block, blocks, out);
      if (k === 32 || k === 64) return this.#read(out + skip, k, count);
      return this.#read(this.#shift(out + skip, k, count, 0, k), k, count);
    });
  }

  // ── wire form ─────────────────────────────────────────────────────────────

  pack(x: Words): Uint8Array {
    return this.#run(() => {
      const length = wireLength(x.k, x.data.length);
      return this.#bytes(this.#pack(x), length).slice();
    });
  }

  #pack(x: Words): number {
    const n = x.data.length;
    const [a, out] = [this.#copy(x.data), this.#take(wireLength(x.k, n))];
    if (x.k === 1) this.#exports.pack_bits(a, out, n);
    else this.#of('pack', x.k)(a, out, n, Math.ceil(x.k / 8));
    return out;
  }

  unpack(bytes: Uint8Array, k: number, count: number): Words {
    return this.#run(() => {
      const [a, out] = [this.#copy(bytes), this.#lanes(k, count)];
      if (k === 1) this.#exports.unpack_bits(a, out, count);
      else this.#of('unpack', k)(a, out, count, Math.ceil(k / 8), this.#mask(k));
      return this.#read(out, k, count);
    });
  }

  // ── selection ─────────────────────────────────────────────────────────────

  /** Table bytes of `count` elements that start at number `first`; `table` is already a slice (`sliceTable`). */
  selectionTable(table: SelectionTable<Words>, k: number, pads: Stream, first: number, count: number): Uint8Array {
    if (table.kind === 'exp') this.#loadExp();
    return this.#run(() => {
      const words = tableWords(table);
      const width = k === 1 ? 0 : k / 8;
      // The first pad, in bits of the stream. Below 2^53 bits (a petabyte) positions are exact.
      const perElement = words * (k === 1 ? 1 : k);
      const position = first * perElement;
      const block = blockOf(Math.floor(position / 8), Math.ceil((position + count * perElement) / 8));
      const skip = Math.floor(position / 8) % 64;
      const shift = position % 8;
      const length = wireLength(k, count * words);
      const buf = this.#take(skip + length + AHEAD + SLACK);
      const head = [this.#state(pads), block, buf, skip, width] as const;
      this.#table(table, k, head, shift, count);
      const out = this.#bytes(buf + skip, length).slice();
      // Unused bits of the last byte are zero on the wire, not pad.
      if (k === 1 && (count * words) % 8 !== 0) out[length - 1] &= (1 << ((count * words) % 8)) - 1;
      return out;
    });
  }

  #table(table: SelectionTable<Words>, k: number, head: readonly number[], shift: number, count: number): void {
    const any = [...head, shift, count];
    switch (table.kind) {
      case 'rows': {
        const { n, stride } = table;
        const limit = Math.floor((table.table.data.length - n) / stride) + 1;
        const row = this.#copy32(table.row);
        const rows = new Uint32Array(this.#memory.buffer, row, count);
        for (let i = 0; i < count; i++) invariant(rows[i] < limit, 'selection row out of range');
        // Whole bytes per row, and lanes that add in SIMD: rows in wire form. The public table is converted once
        // per call.
        const whole =
          k === 1 ? n % 8 === 0 && stride % 8 === 0 && shift === 0 : k === 8 || k === 16 || k === 32 || k === 64;
        if (whole) {
          const [at, ring] = [this.#copy(table.table.data), table.table.k];
          const cast = ring === k ? at : this.#shift(at, ring, table.table.data.length, 0, k);
          const packed = this.#take(wireLength(k, table.table.data.length));
          if (k === 1) this.#exports.pack_bits(cast, packed, table.table.data.length);
          else this.#of('pack', k)(cast, packed, table.table.data.length, k / 8);
          this.#exports.table_rows(...head, count, packed, wireLength(k, n), wireLength(k, stride), row);
        } else {
          this.#exports.table_rows_any(...any, this.#copy64(table.table), n, stride, row);
        }
        return;
      }
      case 'cubic': {
        const { segments, t, guard, coefficients } = table.cubic;
        const mode = cubicMode(table.cubic);
        const [a, c, temp, lanes] = [
          this.#copy64(table.a),
          this.#copy(coefficients),
          this.#take(32 * segments),
          this.#take(64 * segments),
        ];
        this.#exports.table_cubic(...any, a, c, segments, t, guard, mode, temp, lanes);
        return;
      }
      case 'exp': {
        const { coarse, fine, segment } = this.#expTables();
        const [half, drop] = rounding(57 - table.s1);
        this.#exports.table_exp(
          ...any,
          this.#copy64(table.a),
          this.#copy64(table.gate),
          coarse,
          fine,
          segment,
          half,
          drop,
          this.#take(128),
        );
        return;
      }
      case 'choose': {
        const n = 1 << table.bits.length;
        const V = table.values.length;
        const joint = this.#take(4 * count);
        for (const [b, bit] of table.bits.entries()) this.#exports.join_bit(joint, this.#copy32(bit), count, b);
        const pick = this.#copy(table.pick.map((v) => (v === 255 ? V : v)));
        const values = this.#take(8 * count * (V + 1));
        table.values.forEach((value, v) => {
          const at = this.#copy64(value);
          this.#bytes(values + 8 * count * v, 8 * count).set(this.#bytes(at, 8 * count));
        });
        this.#exports.table_choose(...any, joint, pick, n, values, V, this.#take(8 * n * (V + 1)));
        return;
      }
    }
  }

  /** The integer tables of the exponential, made once per instance. They are public and stay. */
  #expTables(): { coarse: number; fine: number; segment: number } {
    invariant(this.#tables !== undefined, 'exponential tables are not loaded');
    return this.#tables;
  }

  /** Loads the tables; separate because persistent memory must be taken before an operation's scratch. */
  #loadExp(): void {
    if (this.#tables !== undefined) return;
    const { coarse, fine, segment } = expTables();
    const at = this.#keep(4 * (coarse.length + fine.length + segment.length));
    this.#tables = { coarse: at, fine: at + 4 * coarse.length, segment: at + 4 * (coarse.length + fine.length) };
    this.#write(this.#tables.coarse, coarse);
    this.#write(this.#tables.fine, fine);
    this.#write(this.#tables.segment, segment);
  }

  /** The corrections of elements that start at number `first`; choice and r0 are already slices. */
  dealSelection(choice: Choice<Words>, n: number, k: number, pads: Stream, r0: Words, first: number): Words {
    return this.#run(() => {
      const count = choice.index.data.length;
      const P = choice.basis === undefined || count === 0 ? 1 : choice.basis.data.length / count;
      const bits = P * (k === 1 ? 1 : k);
      blockOf(Math.floor((first * n * bits) / 8), Math.ceil(((first + count) * n * bits) / 8));
      // Chosen pads that cannot straddle a block cost one block each, others two; the whole stream is taken where
      // it is not longer.
      const per = 512 % bits === 0 ? 1 : 2;
      const span = n * bits <= 512 * per || bits > 512 ? Math.max(1, Math.floor((8 * AHEAD) / (n * bits))) : 0;
      const temp = this.#take(span * n * Math.ceil(bits / 8) + 4 * SLACK);
      const state = this.#state(pads);
      const [index, out] = [this.#copy32(choice.index), this.#lanes(k, count)];
      const basis = choice.basis === undefined ? 0 : this.#copy(choice.basis.data);
      const width = k === 1 ? 0 : k / 8;
      this.#of('deal', k)(
        state,
        index,
        basis,
        this.#copy(r0.data),
        out,
        BigInt(first),
        count,
        n,
        P,
        width,
        this.#mask(k),
        span,
        per,
        temp,
      );
      return this.#read(out, k, count);
    });
  }

  /** y_i = Σ_p e_{i,p} φ_{i,p} + B_i, on the chosen entries in wire form. */
  evaluateEntries(entries: Uint8Array, basis: Words | undefined, k: number, word: Words): Words {
    return this.#run(() => {
      const count = word.data.length;
      const P = basis === undefined || count === 0 ? 1 : basis.data.length / count;
      const [bytes, lanes, out] = [this.#copy(entries), this.#lanes(k, count * P), this.#lanes(k, count)];
      if (k === 1) this.#exports.unpack_bits(bytes, lanes, count * P);
      else this.#of('unpack', k)(bytes, lanes, count * P, k / 8, this.#mask(k));
      const phi = basis === undefined ? 0 : this.#copy(basis.data);
      this.#of('evaluate', k)(lanes, phi, this.#copy(word.data), out, count, P, this.#mask(k));
      return this.#read(out, k, count);
    });
  }

  cubicBasis(l: Words, t: number, s2: number, k: number): Words {
    if (t > 42)
      throw new TercetError(
        'ERR_RANGE',
        `cubic segments of 2^${t} ulps`,
        'shift the input down: segments have at most 2^42 ulps',
      );
    return this.#run(() => {
      const n = l.data.length;
      const [a, out] = [this.#copy64(l), this.#take(32 * n)];
      this.#exports.cubic_basis(a, out, n, t, s2, 3 * t > 64 ? 1 : 0);
      return this.#read(this.#shift(out, 64, 4 * n, 0, k), k, 4 * n);
    });
  }

  expBasis(l: Words, s2: number, k: number): Words {
    this.#loadExp();
    return this.#run(() => {
      const n = l.data.length;
      const [a, out] = [this.#copy64(l), this.#take(8 * n)];
      const { coarse, fine } = this.#expTables();
      const [half, drop] = rounding(62 - s2);
      this.#exports.exp_basis(a, out, n, coarse, fine, half, drop);
      return this.#read(this.#shift(out, 64, n, 0, k), k, n);
    });
  }

  chooseBasis(values: readonly Words[]): Words {
    const [{ k, data }, V] = [values[0], values.length];
    return this.#run(() => {
      const out = this.#lanes(k, data.length * (V + 1));
      for (const [v, value] of values.entries())
        this.#of('choose_basis', k)(this.#copy(value.data), out, data.length, V + 1, v, this.#mask(k));
      return this.#read(out, k, data.length * (V + 1));
    });
  }

  // ── distributed point function ────────────────────────────────────────────

  /** Words [from, to) of the expansion of a key. Level by level; only the nodes above the range. */
  expandPoint(key: Uint8Array, depth: number, from: number, to: number): Words {
    if (to <= from) return zeros(0, 64);
    return this.#run(() => {
      const k = this.#copy(key);
      const widest = 2 * up(to - from + 2, 4) + 16;
      const seeds = [this.#take(16 * widest), this.#take(16 * widest)];
      const bits = [this.#take(4 * widest), this.#take(4 * widest)];
      // The tweak must be aligned; the corrections may lie anywhere.
      const tweak = this.#copy(key.slice(16, 32));
      this.#write(seeds[0], key.slice(0, 16));
      this.#write(bits[0], Uint32Array.of(key[32]));
      let start = 0;
      let [source, source_bits] = [seeds[0], bits[0]];
      for (let level = 0; level < depth; level++) {
        const below = 2 ** (depth - level);
        const first = Math.floor(from / below);
        const nodes = Math.floor((to - 1) / below) + 1 - first;
        const next = (level + 1) % 2;
        const skip = first - start;
        this.#exports.point_level(
          ...[
            source + 16 * skip,
            source_bits + 4 * skip,
            seeds[next],
            bits[next],
            nodes,
            tweak,
            level,
            k + DPF_ROOT + DPF_LEVEL * level,
          ],
        );
        start = 2 * first;
        [source, source_bits] = [seeds[next], bits[next]];
      }
      const skip = from - start;
      const last = new DataView(this.#memory.buffer).getBigUint64(k + DPF_ROOT + DPF_LEVEL * depth, true);
      const out = this.#take(8 * up(to - from, 4));
      this.#exports.point_leaves(
        source + 16 * skip,
        source_bits + 4 * skip,
        out,
        to - from,
        tweak,
        depth,
        last,
        key[32],
      );
      return this.#read(out, 64, to - from);
    });
  }
}
