/**
 * The command stream of a device: dispatches are encoded one after the other and submitted together, at the latest
 * at the end of the turn of the event loop.
 *
 * A batch is: the parameters of its dispatches (one write), the dispatches (one pass), copies of what was asked
 * back (one staging buffer, one mapping), and clears of what was released. Error scopes surround every batch; what
 * it reads is handed out only when they, and those of all batches before it, are empty.
 */
import { type TercetError, asTercetError, invariant } from '../../../core/errors.ts';
import type { Fault } from '../fault.ts';
import { kernelError, memoryError } from './fault.ts';
import type { KernelLimits } from './limits.ts';
import { Pipelines, SLOT } from './pipelines.ts';
import { type Block, BufferPool, Budget, USAGE } from './pool.ts';
import { nextTurn } from '../../../core/event-loop.ts';

/** A range of a buffer as a shader sees it. */
export interface Binding {
  readonly block: Block;
  readonly offset: number;
  readonly size: number;
}

export interface Job {
  readonly shader: string;
  /** Whether ring words are two limbs. */
  readonly wide: boolean;
  readonly constants: Readonly<Record<string, number>>;
  /** The shader's `Params` as u32. */
  readonly params: readonly number[];
  readonly bindings: readonly Binding[];
  readonly groups: number;
  /** What it costs in multiply-adds, where that is more than its vectors are long. */
  readonly work?: number;
}

interface Read {
  readonly block: Block;
  readonly offset: number;
  readonly bytes: number;
  readonly resolve: (bytes: Uint8Array) => void;
  /** There is no room for it. */
  readonly fail: (error: TercetError) => void;
}

/** Reads that share a staging buffer. */
interface Delivery {
  readonly staging: Block;
  readonly length: number;
  readonly reads: readonly Read[];
}

/** Counts since the device was opened. */
export interface Counters {
  dispatches: number;
  submits: number;
  /** Mappings of staging buffers: the waits of the host for the device. */
  readbacks: number;
}

const SCOPES = ['out-of-memory', 'validation', 'internal'] as const;
const MAP_READ = 0x1;
/** Released bytes that wait for their clear, beyond which a batch is submitted early. */
const RELEASED_BYTES = 2 ** 28;
/** Bytes of one upload. */
const WRITE_BYTES = 2 ** 25;
/** How long a failed mapping waits for the device to say why. */
const REASON_MS = 2000;

/** Bytes that a copy of [offset, offset + bytes) takes: whole u32. */
function copied({ offset, bytes }: { readonly offset: number; readonly bytes: number }): {
  readonly from: number;
  readonly length: number;
} {
  const from = offset - (offset % 4);
  return { from, length: Math.ceil((offset + bytes - from) / 4) * 4 };
}

export class Commands {
  readonly pipelines: Pipelines;
  readonly storage: BufferPool;
  readonly budget: Budget;
  readonly counters: Counters = { dispatches: 0, submits: 0, readbacks: 0 };
  readonly limits: KernelLimits;
  readonly fault: Fault;
  readonly #device: GPUDevice;
  readonly #staging: BufferPool;
  readonly #params: GPUBuffer;
  readonly #paramsGroup: GPUBindGroup;
  /** Parameters of the dispatches of this batch; zeroed when they are on the device, because keys are among them. */
  readonly #slots: Uint32Array<ArrayBuffer>;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #used = 0;
  #work = 0;
  #releasedBytes = 0;
  #reads: Read[] = [];
  /** Settles when the error scopes of all batches so far are empty. */
  #checked: Promise<void> = Promise.resolve();

  constructor(device: GPUDevice, limits: KernelLimits, fault: Fault) {
    this.#device = device;
    this.limits = limits;
    this.fault = fault;
    this.budget = new Budget(limits);
    this.storage = new BufferPool(device, USAGE.STORAGE | USAGE.COPY_SRC | USAGE.COPY_DST, this.budget, limits);
    this.#staging = new BufferPool(device, USAGE.MAP_READ | USAGE.COPY_DST, this.budget, limits);
    this.pipelines = new Pipelines(device);
    this.#slots = new Uint32Array((limits.batchDispatches * SLOT) / 4);
    this.#params = device.createBuffer({ size: this.#slots.byteLength, usage: USAGE.UNIFORM | USAGE.COPY_DST });
    this.#paramsGroup = device.createBindGroup({
      layout: this.pipelines.params,
      entries: [{ binding: 0, resource: { buffer: this.#params, size: SLOT } }],
    });
  }

  // ── what calls encode ─────────────────────────────────────────────────────

  /**
   * A zeroed storage buffer.
   * @throws {TercetError} ERR_DEVICE_MEMORY over the budget or the largest buffer.
   */
  take(bytes: number): Block {
    this.#open();
    return this.storage.take(bytes);
  }

  /** Gives a buffer back. Commands encoded before still see its contents; it is cleared after them. */
  release(block: Block): void {
    this.#open();
    this.storage.release(block);
    this.#releasedBytes += block.size;
    if (this.#releasedBytes > RELEASED_BYTES) this.flush();
  }

  /** Writes bytes to a buffer that no unsubmitted command refers to (a fresh one): the write comes before them. */
  write(block: Block, bytes: Uint8Array, offset = 0): void {
    this.#open();
    const whole = bytes.length - (bytes.length % 4);
    // In pieces: the device copies each to memory of its own first.
    for (let at = 0; at < whole; at += WRITE_BYTES) {
      this.#device.queue.writeBuffer(
        block.buffer,
        offset + at,
        bytes.buffer as ArrayBuffer,
        bytes.byteOffset + at,
        Math.min(WRITE_BYTES, whole - at),
      );
    }
    if (whole === bytes.length) return;
    const tail = new Uint8Array(4);
    tail.set(bytes.subarray(whole));
    this.#device.queue.writeBuffer(block.buffer, offset + whole, tail);
  }

  run({ shader, wide, constants, params, bindings, groups, work = 0 }: Job): void {
    if (groups === 0) return;
    // A watchdog looks at submits as a whole.
    if (this.#used === this.limits.batchDispatches || (this.#work > 0 && this.#work + work > this.limits.work))
      this.flush();
    const encoder = this.#open();
    const { pipeline, storage } = this.pipelines.program(shader, wide, constants);
    invariant(params.length * 4 <= SLOT, `${shader}: too many parameters`);
    this.#slots.set(params, (this.#used * SLOT) / 4);
    const entries = bindings.map(({ block, offset, size }, binding) => ({
      binding,
      resource: { buffer: block.buffer, offset, size },
    }));
    // Folded: a shader finds its number by group_number.
    const x = Math.min(groups, this.limits.groupsPerDimension);
    const y = Math.ceil(groups / x);
    invariant(y <= this.limits.groupsPerDimension, `${shader}: too many workgroups`);
    this.#pass ??= encoder.beginComputePass();
    this.#pass.setPipeline(pipeline);
    this.#pass.setBindGroup(0, this.#paramsGroup, [this.#used * SLOT]);
    this.#pass.setBindGroup(1, this.#device.createBindGroup({ layout: storage, entries }));
    this.#pass.dispatchWorkgroups(x, y);
    this.#used++;
    this.#work += work;
    this.counters.dispatches++;
  }

  copy(from: Block, fromOffset: number, to: Block, toOffset: number, bytes: number): void {
    if (bytes === 0) return;
    const encoder = this.#open();
    this.#endPass();
    encoder.copyBufferToBuffer(from.buffer, fromOffset, to.buffer, toOffset, bytes);
  }

  /** Bytes of a buffer as they are when this is called. The buffer may be released at once. */
  read(block: Block, offset: number, bytes: number): Promise<Uint8Array> {
    this.#open();
    return new Promise((resolve, reject) => {
      const stop = this.fault.watch(reject);
      const done = (read: Uint8Array) => {
        stop();
        resolve(read);
      };
      const fail = (error: TercetError) => {
        stop();
        reject(error);
      };
      this.#reads.push({ block, offset, bytes, resolve: done, fail });
    });
  }

  /** Submits what was encoded and resolves when the device has accepted it (not: has done it). */
  async accepted(): Promise<void> {
    this.flush();
    await this.#checked;
    this.fault.check();
  }

  /** Destroys every buffer; the failure must be raised before. */
  destroy(): void {
    this.flush();
    this.storage.destroy();
    this.#staging.destroy();
    this.#params.destroy();
  }

  // ── batches ───────────────────────────────────────────────────────────────

  #open(): GPUCommandEncoder {
    this.fault.check();
    if (this.#encoder === undefined) {
      for (const scope of SCOPES) this.#device.pushErrorScope(scope);
      const encoder = this.#device.createCommandEncoder();
      this.#encoder = encoder;
      nextTurn(() => {
        if (this.#encoder === encoder) this.flush();
      });
    }
    return this.#encoder;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }

  flush(): void {
    const encoder = this.#encoder;
    if (encoder === undefined) return;
    this.#endPass();
    this.#encoder = undefined;
    if (this.fault.failed) {
      // Whoever waits has been told. The scopes must come off, and keys must not stay.
      this.#reads = [];
      this.#slots.fill(0);
      void this.#popScopes();
      return;
    }
    // Copies before clears: what was released may still be asked for.
    const deliveries = this.#encodeReads(encoder);
    this.storage.clear(encoder);
    this.#staging.clear(encoder);
    this.#releasedBytes = 0;
    this.#work = 0;
    const bytes = this.#used * SLOT;
    if (bytes > 0) {
      this.#device.queue.writeBuffer(this.#params, 0, this.#slots.buffer, 0, bytes);
      this.#slots.fill(0, 0, bytes / 4);
      encoder.clearBuffer(this.#params, 0, bytes);
      this.#used = 0;
    }
    this.#device.queue.submit([encoder.finish()]);
    this.counters.submits++;
    // Without its values, or each batch would keep all before it.
    const checked = Promise.all([this.#checked, this.#popScopes()]).then(() => undefined);
    this.#checked = checked;
    for (const delivery of deliveries) void this.#deliver(delivery, checked);
  }

  /** Copies into as few staging buffers as their size allows: one, but for very long reads. */
  #encodeReads(encoder: GPUCommandEncoder): Delivery[] {
    const deliveries: Delivery[] = [];
    let rest = this.#reads;
    this.#reads = [];
    while (rest.length > 0) {
      let length = 0;
      let taken = 0;
      while (taken < rest.length && (taken === 0 || length + copied(rest[taken]).length <= this.limits.bufferBytes))
        length += copied(rest[taken++]).length;
      const reads = rest.slice(0, taken);
      rest = rest.slice(taken);
      let staging: Block;
      try {
        staging = this.#staging.take(length);
      } catch (error) {
        // No room for all of them: the longest read is refused, and the rest is tried again.
        const longest = reads.reduce((a, b) => (b.bytes > a.bytes ? b : a));
        longest.fail(asTercetError(error));
        rest = [...reads.filter((read) => read !== longest), ...rest];
        continue;
      }
      let at = 0;
      for (const read of reads) {
        const { from, length: bytes } = copied(read);
        if (bytes > 0) encoder.copyBufferToBuffer(read.block.buffer, from, staging.buffer, at, bytes);
        at += bytes;
      }
      deliveries.push({ staging, length, reads });
    }
    return deliveries;
  }

  async #popScopes(): Promise<void> {
    const popped = [...SCOPES].reverse().map(async (scope) => ({ scope, error: await this.#device.popErrorScope() }));
    try {
      for (const { scope, error } of await Promise.all(popped)) {
        if (error !== null)
          this.fault.raise(
            scope === 'out-of-memory'
              ? memoryError('the GPU has no memory left', error.message)
              : kernelError(error.message),
          );
      }
    } catch (error) {
      // A lost device may refuse; it says so itself.
      this.#suspect(error);
    }
  }

  async #deliver({ staging, length, reads }: Delivery, checked: Promise<void>): Promise<void> {
    this.counters.readbacks++;
    try {
      // A mapping has a length, also when all that was asked for is empty.
      await Promise.all([staging.buffer.mapAsync(MAP_READ, 0, Math.max(length, 8)), checked]);
      this.fault.check();
      const mapped = staging.buffer.getMappedRange(0, Math.max(length, 8));
      let at = 0;
      for (const read of reads) {
        const start = at + (read.offset % 4);
        read.resolve(new Uint8Array(mapped, start, read.bytes).slice());
        at += copied(read).length;
      }
      staging.buffer.unmap();
      this.#open();
      this.#staging.release(staging);
    } catch (error) {
      this.#suspect(error);
    }
  }

  /** Something failed that a lost device would explain. If the device says nothing, that is the failure. */
  #suspect(error: unknown): void {
    const timer = setTimeout(() => this.fault.raise(kernelError(String(error))), REASON_MS);
    this.fault.watch(() => clearTimeout(timer));
  }
}
