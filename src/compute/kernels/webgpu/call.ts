/**
 * One call of the interface: operands made ready, results and scratch taken, jobs encoded, scratch released.
 * Synchronous from end to end, so calls never interleave and commands are in the order of the calls.
 */
import { invariant } from '../../../core/errors.ts';
import { type Vector, type Words, bytesOf, laneBytes, lengthOf } from '../../ring.ts';
import { type Arena, DeviceVector } from './arena.ts';
import type { Binding, Commands, Job } from './commands.ts';
import { memoryError } from './fault.ts';
import { BLOCK_WORK } from './limits.ts';
import type { Block } from './pool.ts';

/** A vector on the device. */
export interface Operand {
  readonly k: number;
  readonly length: number;
  readonly block: Block;
}

/**
 * Public tables that callers keep (selection rows, coefficients, exponentials), uploaded once each and dropped with
 * the caller's copy.
 */
export class Constants {
  readonly #commands: Commands;
  readonly #blocks = new WeakMap<object, Block>();
  readonly #dropped: FinalizationRegistry<Block>;

  constructor(commands: Commands) {
    this.#commands = commands;
    this.#dropped = new FinalizationRegistry((block) => {
      if (!commands.fault.failed) commands.release(block);
    });
  }

  /** The bytes of an array that is never written to again. */
  get(data: Uint32Array | Int32Array | BigUint64Array | BigInt64Array): Block {
    const known = this.#blocks.get(data);
    if (known !== undefined) return known;
    const block = this.#commands.take(data.byteLength);
    this.#commands.write(block, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.#blocks.set(data, block);
    this.#dropped.register(data, block);
    return block;
  }
}

export class Call {
  readonly commands: Commands;
  readonly constants: Constants;
  readonly #arena: Arena;
  readonly #scratch: Block[] = [];

  constructor(commands: Commands, constants: Constants, arena: Arena) {
    this.commands = commands;
    this.constants = constants;
    this.#arena = arena;
  }

  /** A vector of either kind as an operand; host words are uploaded for this call. */
  operand(x: Vector): Operand {
    if (x instanceof DeviceVector) return { k: x.k, length: x.length, block: x.blockOf(this.commands) };
    invariant('data' in x, 'a vector of another backend');
    return { k: x.k, length: x.data.length, block: this.upload(bytesOf(x)) };
  }

  /** A public table as an operand; the upload of host words is kept. */
  table(x: Vector): Operand {
    return 'data' in x
      ? { k: x.k, length: x.data.length, block: this.constants.get((x as Words).data) }
      : this.operand(x);
  }

  result(k: number, length: number): { readonly vector: DeviceVector; readonly out: Operand } {
    const vector = this.#arena.make(k, length);
    return { vector, out: { k, length, block: vector.blockOf(this.commands) } };
  }

  /** A zeroed buffer for this call alone. */
  scratch(bytes: number): Block {
    const block = this.commands.take(bytes);
    this.#scratch.push(block);
    return block;
  }

  upload(bytes: Uint8Array): Block {
    const block = this.scratch(bytes.length);
    this.commands.write(block, bytes);
    return block;
  }

  /** Key stream blocks that a dispatch may make. */
  get blocks(): number {
    return this.commands.limits.work / BLOCK_WORK;
  }

  run(job: Job): void {
    this.commands.run(job);
  }

  /** Releases the scratch. */
  end(): void {
    if (this.commands.fault.failed) return;
    for (const block of this.#scratch) this.commands.release(block);
  }

  // ── bindings ──────────────────────────────────────────────────────────────

  /** Bytes [from, to) of a block; `from` must be a multiple of 256. */
  range(block: Block, from: number, to: number): Binding {
    // Whole vectors of four words: shaders may see the buffer as array<vec2<u32>>.
    const size = Math.min(Math.max(16, Math.ceil((to - from) / 16) * 16), block.size - from);
    if (size > this.commands.limits.bindingBytes)
      throw memoryError(`an operand of ${size} bytes exceeds a binding of this GPU`);
    return { block, offset: from, size };
  }

  /** All words of an operand. */
  whole({ block, k, length }: Operand): Binding {
    return this.range(block, 0, laneBytes(k) * length);
  }

  /** Elements [from, to) of an operand, `each` lanes an element; `from` is a multiple of 64, as `pieces` makes it. */
  part({ block, k }: Operand, from: number, to: number, each = 1): Binding {
    const bytes = each * laneBytes(k);
    return this.range(block, from * bytes, to * bytes);
  }

  /**
   * Elements from `from` on wherever that is: a binding that starts at most 255 bytes before, and the element's
   * place in it.
   */
  window(block: Block, bytes: number, from: number, to: number): { readonly binding: Binding; readonly at: number } {
    const start = Math.floor((from * bytes) / 256) * 256;
    return { binding: this.range(block, start, to * bytes), at: (from * bytes - start) / bytes };
  }

  /** Cuts [0, count) into ranges of a multiple of `unit` elements, such that `bytes` for each element fit a binding. */
  *pieces(
    count: number,
    bytes: number,
    unit = 64,
    most = Number.POSITIVE_INFINITY,
  ): Iterable<readonly [from: number, to: number]> {
    const fits = Math.floor(Math.min((this.commands.limits.bindingBytes - 256) / bytes, most) / unit) * unit;
    const step = count * bytes <= this.commands.limits.bindingBytes && count <= most ? count : Math.max(unit, fits);
    for (let from = 0; from < count; from += step) yield [from, Math.min(count, from + step)];
  }
}

/** Whether lanes are two words. */
export function wide(k: number): boolean {
  return k > 32;
}

/** (lo, hi) of a number mod 2^64. */
export function limbs(value: bigint): [number, number] {
  return [Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n))];
}

/** Workgroups of 64 for a number of invocations. */
export function groupsOf(invocations: number): number {
  return Math.ceil(invocations / 64);
}

/** Throws unless both vectors are over one ring and of one length. */
export function sameShape(x: Vector, y: Vector): void {
  invariant(x.k === y.k, `operands over different rings: ${x.k} and ${y.k} bits`);
  invariant(lengthOf(x) === lengthOf(y), `operands of different lengths: ${lengthOf(x)} and ${lengthOf(y)}`);
}
