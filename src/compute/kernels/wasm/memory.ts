/**
 * The memory of one instance: the stack of a module and its constants, then what stays (matrices, tables, regions of
 * vectors), then the scratch of the operation at hand. Operands are copied in, results out, but for vectors that lie in
 * it: kernels read and write those in place. Scratch and stack are zeroed after every operation, because they held
 * shares, pads or keys.
 */
import type { PanelOrder } from '../panels.ts';
import { invariant } from '../../../core/errors.ts';
import { type Vectors, type Words, isShared, laneBytes, ringMask, viewWords, zeros } from '../../ring.ts';
import type { Stream } from '../types.ts';
import { noMemory } from './failure.ts';
import { type Export, type Linked, type NativeLibrary, type Place, linkModule } from './link.ts';

export type Lane = Exclude<Place, number>;
/** Makes kernels, each time with a memory of their own. */
export type Link = (of: WebAssembly.Module | NativeLibrary) => Linked | Memory;
/** Computes elements of a vector of those of others. */
export type Lanewise = (at: readonly Place[], out: Place, n: number) => void;

const PAGE = 65536;
/** Of everything that is taken. */
export const ALIGN = 64;
/** Bytes beyond every buffer that kernels may read or fill: a group of four ChaCha blocks and an unaligned word. */
export const SLACK = 512;
/**
 * Elements that are worked on at a time: operands and result of 64 KB each stay in the cache, and little is zeroed
 * behind them. Packed, they begin and end with a byte.
 */
export const BLOCK = 1 << 13;
/** Bytes from which on `copyShared` is faster than `set`: 10 GB/s and 9 there, 22 and 9.5 for a block of words. */
export const COPIED_BYTES = 1 << 12;
/** "expand 32-byte k", as it lies in memory. */
const SIGMA = Uint8Array.from('expand 32-byte k', (letter) => letter.charCodeAt(0));

export function up(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/**
 * Sizes that the module alone knows (`wasm/src`). Read from it, not repeated here: with too small a scratch a
 * kernel would write over what lies behind.
 */
interface Sizes {
  /** Bytes that a table's buffer has behind the table, for the key stream generated ahead. */
  readonly tableAhead: number;
  /** Bytes that the dealing of corrections needs beyond the key stream of its elements. */
  readonly dealSlack: number;
  /** Bytes of scratch of a product with a matrix of limbs. */
  readonly limbsLeft: number;
  /** Columns of a panel: of matrices of limbs, of 32-bit results, and of floats. */
  readonly limbsPanel: number;
  readonly panel32: number;
  readonly panelF32: number;
}

export class Memory {
  readonly exports: Record<string, Export>;
  /** Where the results of the operation at hand are taken from. */
  pool: Vectors | undefined;
  protected readonly linked: Linked;
  #sizes: Sizes | undefined;
  /** All of the memory. Kept, because views that are made for every operation are garbage like what they show. */
  #all: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #all64 = new BigUint64Array(0);
  /** Where the persistent part begins. */
  readonly #base: number;
  /** Persistent blocks in order of address. */
  protected readonly held: { at: number; end: number }[] = [];
  protected top: number;

  constructor(of: WebAssembly.Module | Linked) {
    this.linked = 'exports' in of ? of : linkModule(of);
    this.exports = this.linked.exports;
    this.#base = up(this.linked.base, ALIGN);
    this.top = this.#base;
  }

  /** What the memory is now. Growth detaches the views before; to ask the engine each time takes as long as 1 KB. */
  get #bytes(): Uint8Array<ArrayBuffer> {
    if (this.#all.length === 0) {
      this.#all = new Uint8Array(this.linked.memory.buffer);
      this.#all64 = new BigUint64Array(this.linked.memory.buffer);
    }
    return this.#all;
  }

  get #buffer(): ArrayBuffer {
    return this.#bytes.buffer;
  }

  /** Sizes of tercet.wasm; the module of the proofs has none of them. 0 for a kernel that owner.wasm lacks. */
  get sizes(): Sizes {
    const size = (name: string) => this.exports[name]?.() ?? 0;
    this.#sizes ??= {
      tableAhead: size('table_ahead'),
      dealSlack: size('deal_slack'),
      limbsLeft: size('limbs_left'),
      limbsPanel: size('limbs_panel'),
      panel32: size('matmul_panel32'),
      panelF32: size('matmul_f32_panel'),
    };
    return this.#sizes;
  }

  protected reserve(end: number): void {
    const missing = end + SLACK - this.#bytes.length;
    if (missing <= 0) return;
    // Some growth ahead: every growth replaces the buffer, and in some engines copies it. What is not written to
    // takes no memory.
    const pages = Math.ceil(missing / PAGE);
    const ahead = Math.ceil(this.#bytes.length / PAGE / 8);
    try {
      this.linked.memory.grow(pages + Math.max(16, ahead));
    } catch {
      this.#growLast(pages);
    }
    this.#all = new Uint8Array(0);
    this.linked.moved?.();
  }

  /** Near the limit, no more than what is needed. */
  #growLast(pages: number): void {
    try {
      this.linked.memory.grow(pages);
    } catch (cause) {
      throw noMemory(cause);
    }
  }

  protected get scratch(): number {
    return this.held.length === 0 ? this.#base : this.held[this.held.length - 1].end;
  }

  /** Scratch for the operation at hand; zeroed already. */
  take(bytes: number): number {
    const at = this.top;
    this.reserve(at + bytes);
    this.top = up(at + bytes, ALIGN);
    return at;
  }

  /**
   * Memory that stays until `drop`, at the first gap that is large enough. Only between operations: scratch lies
   * behind it.
   */
  keep(bytes: number): number {
    let at = this.#base;
    let i = 0;
    for (; i < this.held.length && this.held[i].at - at < bytes; i++) at = this.held[i].end;
    this.reserve(at + bytes);
    this.held.splice(i, 0, { at, end: up(at + bytes, ALIGN) });
    this.top = this.scratch;
    return at;
  }

  drop(at: number): void {
    const i = this.held.findIndex((block) => block.at === at);
    if (i < 0) return;
    this.wipe(at, this.held[i].end);
    this.held.splice(i, 1);
    this.top = this.scratch;
  }

  /** Zeros in place of bytes [from, to). */
  wipe(from: number, to: number): void {
    this.#bytes.fill(0, from, to);
  }

  /** Runs one operation, then zeroes its scratch and the stack, whatever happened. */
  run<T>(operation: () => T): T {
    try {
      return operation();
    } finally {
      this.wipe(this.scratch, Math.min(up(this.top + SLACK, ALIGN), this.#bytes.length));
      this.wipe(0, this.linked.stack);
      this.top = this.scratch;
    }
  }

  /** Whether kernels read and write this vector where it lies. */
  sees(_x: Words): boolean {
    return false;
  }

  // ── in and out ────────────────────────────────────────────────────────────

  /** A view, good until the memory grows. */
  bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#buffer, at, length);
  }

  copy(data: Lane): number {
    const at = this.take(data.byteLength);
    this.write(at, data);
    return at;
  }

  /** Whether kernels read operands and write results where they lie. */
  get direct(): boolean {
    return false;
  }

  /** An operand of which a kernel reads nothing beyond its end. */
  operand(data: Lane): Place {
    return this.copy(data);
  }

  /** The same of a vector, in 64-bit lanes. */
  operand64(x: Words): Place {
    return x.k > 32 ? this.operand(x.data) : this.copy64(x);
  }

  /** The same in 32-bit lanes. */
  operand32(x: Words): Place {
    return x.k <= 32 ? this.operand(x.data) : this.copy32(x);
  }

  /** A part of an operand where a kernel sees it: in the scratch at `at`, or where it lies. */
  shown(at: number, data: Lane): Place {
    this.write(at, data);
    return at;
  }

  /** Where a kernel writes words [from, to) of a result: where they belong, or in the scratch at `at`. */
  place(at: number | undefined, { k }: Words, from: number, to: number): Place {
    return at ?? this.lanes(k, to - from);
  }

  /** Scratch for so many words of a result; undefined where a kernel writes them where they belong. */
  unplaced(result: Words, count: number): number | undefined {
    return this.sees(result) ? undefined : this.lanes(result.k, count);
  }

  /** A result vector that a kernel writes, and nothing beyond its end. */
  made(k: number, count: number, work: (out: Place) => void): Words {
    const result = this.result(k, count);
    const out = this.place(undefined, result, 0, count);
    work(out);
    this.store(out, result, 0, count);
    return result;
  }

  write(at: number, data: Lane): void {
    const bytes = this.#bytes;
    if (this.#copiesShared(data, data.byteLength))
      this.linked.copyShared?.(bytes, at, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    else if (data instanceof Uint8Array) bytes.set(data, at);
    else if (data instanceof BigUint64Array && at % 8 === 0) this.#all64.set(data, at / 8);
    else bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
  }

  #copiesShared(data: Lane, bytes: number): boolean {
    if (this.linked.copyShared === undefined || bytes < COPIED_BYTES) return false;
    return this.linked.shared === true || isShared(data);
  }

  /** Words of a vector to where a block of them lies. */
  load(at: number, { data }: Words, from: number, to: number): void {
    this.write(at, from === 0 && to === data.length ? data : data.subarray(from, to));
  }

  /** Words of a block to where they belong in a vector, if they are not there (`place`). */
  store(at: Place, { data }: Words, from: number, to: number): void {
    if (typeof at !== 'number') return;
    const [count, lane] = [to - from, data.BYTES_PER_ELEMENT];
    if (this.#copiesShared(data, lane * count)) {
      const place = new Uint8Array(data.buffer, data.byteOffset + lane * from, lane * count);
      this.linked.copyShared?.(place, 0, this.bytes(at, lane * count));
    } else if (data instanceof Uint32Array) data.set(this.indices(at, count), from);
    else data.set(this.words(at, count), from);
  }

  /** Words [from, to) of a vector where they lie, or in the scratch at `at` for those that lie elsewhere. */
  block(at: number | undefined, x: Words, from: number, to: number): Place {
    if (at === undefined) return this.place(at, x, from, to);
    this.load(at, x, from, to);
    return at;
  }

  /** One operation block by block: `work` gets elements [from, to). */
  blocks(count: number, work: (from: number, to: number) => void): void {
    for (let from = 0; from < count; from += BLOCK) work(from, Math.min(count, from + BLOCK));
  }

  /** A vector over Z_2^k of which element i is made of the elements i of the operands. */
  lanewise(k: number, operands: readonly Words[], work: Lanewise): Words {
    return this.inBlocks(this.result(k, operands[0].data.length), operands, work);
  }

  protected inBlocks(result: Words, operands: readonly Words[], work: Lanewise): Words {
    const count = result.data.length;
    this.run(() => {
      const n = Math.min(count, BLOCK);
      const [at, out] = [operands.map((x) => this.unplaced(x, n)), this.unplaced(result, n)];
      this.blocks(count, (from, to) => {
        const places = operands.map((x, i) => this.block(at[i], x, from, to));
        const place = this.place(out, result, from, to);
        work(places, place, to - from);
        this.store(place, result, from, to);
      });
    });
    return result;
  }

  /** Operations on elements [from, to), one after the other: as many as have a block of words, `scale` an element. */
  parts(count: number, scale: number, work: (from: number, to: number) => void): void {
    const step = Math.ceil(BLOCK / scale);
    for (let from = 0; from < count; from += step) this.run(() => work(from, Math.min(count, from + step)));
  }

  /** A vector over Z_2^k of `scale` words for each element of x: `work` is given and gives 64-bit lanes. */
  widened(x: Words, scale: number, k: number, work: (at: Place, out: number, n: number) => void): Words {
    const result = this.result(k, scale * x.data.length);
    this.parts(x.data.length, scale, (from, to) => {
      const [a, words] = [this.operand64(viewWords(x, from, to)), scale * (to - from)];
      const out = this.take(8 * words);
      work(a, out, to - from);
      this.store(this.shift(out, 64, words, 0, k), result, scale * from, scale * to);
    });
    return result;
  }

  /** A vector for a result that is written whole. */
  result(k: number, count: number): Words {
    return this.pool?.take(k, count) ?? zeros(count, k);
  }

  /** A result vector, copied out of the memory. */
  read(at: number, k: number, count: number): Words {
    const words = this.result(k, count);
    this.store(at, words, 0, count);
    return words;
  }

  /** A view of 64-bit lanes, good until the memory grows. */
  words(at: number, count: number): BigUint64Array {
    return new BigUint64Array(this.#buffer, at, count);
  }

  /** A view of 32-bit lanes, good until the memory grows. */
  indices(at: number, count: number): Uint32Array {
    return new Uint32Array(this.#buffer, at, count);
  }

  // ── lanes ─────────────────────────────────────────────────────────────────

  lanes(k: number, count: number): number {
    return this.take(laneBytes(k) * count);
  }

  /** The export for the lane width of k. */
  of(name: string, k: number): Export {
    return this.exports[`${name}${k <= 32 ? 32 : 64}`];
  }

  /** A mask or constant in the lane type of k: i32 and i64 parameters take Number and BigInt. */
  lane(value: bigint, k: number): number | bigint {
    return k <= 32 ? Number(BigInt.asUintN(32, value)) : BigInt.asUintN(64, value);
  }

  mask(k: number): number | bigint {
    return this.lane(ringMask(k), k);
  }

  /** x >> s in the lanes of `to`, masked to k bits. */
  shift(at: number, from: number, count: number, s: number, k: number): number {
    const out = this.lanes(k, count);
    const width = from <= 32 ? 32 : 64;
    if (s < width) this.exports[`shift${width}to${k <= 32 ? 32 : 64}`](at, out, count, s, this.mask(k));
    return out;
  }

  word64(at: number): bigint {
    return new DataView(this.#buffer).getBigUint64(at, true);
  }

  /** A vector in 64-bit lanes, whatever its ring. */
  copy64(x: Words): number {
    const at = this.copy(x.data);
    return x.k > 32 ? at : this.shift(at, x.k, x.data.length, 0, 64);
  }

  /** A vector of indices in 32-bit lanes. */
  copy32(x: Words): number {
    const at = this.copy(x.data);
    return x.k <= 32 ? at : this.shift(at, x.k, x.data.length, 0, 32);
  }

  /** The 16 initial words of a stream (the counter is set by the kernels). */
  state({ key, nonce }: Stream): number {
    invariant(key.length === 32 && nonce.length === 12, 'a stream needs a 32-byte key and a 12-byte nonce');
    const at = this.take(64);
    this.write(at, SIGMA);
    this.write(at + 16, key);
    this.write(at + 52, nonce);
    return at;
  }
}

/** Rows of a block of panels: KC of `limbs.rs`, which a test holds this to. */
const BLOCK_ROWS = 256;

/** The order of panels, as `matmul_i32` takes it. */
export function panelOrder(columns: number): PanelOrder {
  return { rows: BLOCK_ROWS, columns };
}
