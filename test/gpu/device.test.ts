/**
 * What only a backend with a device has: memory that is cleared before it is used again, read-backs in one go,
 * dispatches that are folded, and failures that end it.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { indexGroup } from '../../src/compute/index-group.ts';
import { tableBytes, tableLayout } from '../../src/compute/kernels/table-layout.ts';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import {
  type KernelLimits,
  type WebGpuKernels,
  createWebGpuKernels,
  requestDevice,
} from '../../src/compute/kernels/webgpu/kernels.ts';
import { DeviceProofs } from '../../src/compute/kernels/webgpu/proof.ts';
import { type Vector, type Words, wordsFrom, zeros } from '../../src/compute/ring.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { Random, same } from '../compute/kernels.suite.ts';
import { failure } from '../failure.ts';
import { openTestDevice } from './swiftshader.ts';

const oracle = new ReferenceKernels();
const random = new Random(77);
/** Keeps Dawn's entry object alive: devices come and go in these tests. */
const first = await openTestDevice();
afterAll(() => first.close());

/** A device whose buffers the test can look into. */
interface Spied {
  readonly kernels: WebGpuKernels;
  readonly device: GPUDevice;
  /** Every buffer but those for reading back, in the order of their creation. */
  readonly buffers: GPUBuffer[];
  contents(buffer: GPUBuffer): Promise<Uint8Array>;
}

const [MAP_READ, COPY_SRC, COPY_DST] = [0x1, 0x4, 0x8];
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function spied(limits: Partial<KernelLimits> = {}): Promise<Spied> {
  const opened = await openTestDevice();
  const { device } = opened;
  const buffers: GPUBuffer[] = [];
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    if ((descriptor.usage & MAP_READ) !== 0) return create(descriptor);
    const buffer = create({ ...descriptor, usage: descriptor.usage | COPY_SRC });
    buffers.push(buffer);
    return buffer;
  };
  const kernels = await createWebGpuKernels({ ...opened, limits });
  closing.push(() => kernels.close());
  return {
    kernels,
    device,
    buffers,
    contents: async (buffer) => {
      const staging = create({ size: buffer.size, usage: MAP_READ | COPY_DST });
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(MAP_READ);
      const bytes = new Uint8Array(staging.getMappedRange()).slice();
      staging.destroy();
      return bytes;
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const ones = (count: number, k: number): Words => wordsFrom(new Array(count).fill(-1n), k);

describe('memory', () => {
  it('of swept vectors, of scratch and of keys is all zero, and is used again', async () => {
    const { kernels, buffers, contents } = await spied();
    const scope = kernels.scope();
    const x = await scope.unpack(random.bytes(8 * 1000), 64, 1000);
    const y = await scope.add(x, ones(1000, 64));
    const packed = await scope.pack(
      await scope.cast(await scope.add(y, await scope.draw(random.stream(), 64, 1000)), 40),
    );
    expect(packed.some((byte) => byte !== 0)).toBe(true);
    // Positive control: before the sweep the buffers hold the words.
    await turn();
    const before = await Promise.all(buffers.map(contents));
    expect(before.filter((bytes) => bytes.some((byte) => byte !== 0)).length).toBeGreaterThanOrEqual(3);
    scope.sweep(() => []);
    await turn();
    expect(scope.describe().vectors).toBe(0);
    for (const buffer of buffers) expect((await contents(buffer)).every((byte) => byte === 0)).toBe(true);
    const made = buffers.length;
    same(
      await scope.read(await scope.add(ones(1000, 64), ones(1000, 64))),
      await oracle.add(ones(1000, 64), ones(1000, 64)),
    );
    expect(buffers.length).toBe(made);
  });

  it('of proofs is all zero behind every call, and that of a table when it is freed', async () => {
    const { kernels, buffers, contents } = await spied();
    const proofs = new DeviceProofs(kernels.commands);
    const [q, group, layout] = [2n ** 61n - 1n, indexGroup(6), tableLayout(4, 20, [20, 13])];
    const held = async () => {
      await turn();
      return (await Promise.all(buffers.map(contents))).filter((bytes) => bytes.some((byte) => byte !== 0)).length;
    };
    const f = BigUint64Array.from({ length: 200 }, () => random.word() % q);
    const table = await proofs.loadTable(f.subarray(0, 64), group);
    await proofs.foldTable(table, { at: 0, width: 3, xor: false }, f.subarray(0, 8), q);
    const [mu, nu, choice] = [random.indices(200, 64), random.indices(200, 64), random.indices(200, 4)];
    const step = { at: 3, width: 3, xor: false };
    await proofs.lookupRound(f, table, step, mu, nu, q);
    const bytes = random.bytes(tableBytes(layout, 100));
    const hundred = wordsFrom(choice.data.subarray(0, 100), 32);
    await proofs.choiceRound(bytes, layout, hundred, f, f.subarray(0, 1), { at: 0, width: 2, xor: false }, q);
    await proofs.digestEntries(bytes, layout, f.subarray(0, 100), f.subarray(0, 8), 48);
    await proofs.tailDot(f, 3, [f.subarray(0, 8), f.subarray(0, 8)], q);
    await proofs.draw(random.stream(), 64, 100);
    // Positive control: the table is there until it is freed.
    expect(await held()).toBe(1);
    proofs.freeTable(table);
    expect(await held()).toBe(0);
    await failure('ERR_INTERNAL', proofs.lookUp(table, nu));
  });

  it('of live vectors stays, and a freed handle is refused', async () => {
    const { kernels } = await spied();
    const scope = kernels.scope();
    const [x, y] = [random.words(50, 32), random.words(50, 32)];
    const kept = await scope.add(x, y);
    const dropped = await scope.sub(x, y);
    scope.sweep(() => [undefined, new Uint8Array(3), kept, x]);
    same(await scope.read(kept), await oracle.add(x, y));
    await failure('ERR_STATE', () => scope.add(dropped, x));
    await failure('ERR_STATE', () => scope.pack(dropped));
    await failure('ERR_INTERNAL', () => scope.add(x, { k: 32, length: 50 }));
  });

  it('of one scope is not touched by the sweep or the end of another', async () => {
    const { kernels } = await spied();
    const [one, two] = [kernels.scope(), kernels.scope()];
    const x = random.words(9, 48);
    const weights = await kernels.add(x, x);
    const [a, b] = [await one.add(weights, x), await two.sub(weights, x)];
    one.sweep(() => []);
    await one.close();
    same(await two.read(b), await oracle.sub(await oracle.add(x, x), x));
    same(await kernels.read(weights), await oracle.add(x, x));
    await failure('ERR_STATE', () => two.read(a));
  });

  it('is still there for a pack that was asked for before the sweep', async () => {
    const { kernels } = await spied();
    const scope = kernels.scope();
    for (const k of [1, 24, 32, 44, 64]) {
      const [x, y] = [random.words(300, k), random.words(300, k)];
      const sum = await scope.add(x, y);
      const [packed, words] = [scope.pack(sum), scope.read(sum)];
      scope.sweep(() => []);
      const next = await scope.add(ones(300, k), ones(300, k));
      const expected = await oracle.add(x, y);
      same(await packed, await oracle.pack(expected));
      same(await words, expected);
      same(await scope.read(next), await oracle.add(ones(300, k), ones(300, k)));
    }
  });

  it('of a handle that nobody holds any more is released by the collector', async () => {
    const { kernels } = await spied();
    setFlagsFromString('--expose_gc');
    const collect = runInNewContext('gc') as () => void;
    const kept = await kernels.add(ones(9, 64), ones(9, 64));
    for (let i = 0; i < 20; i++) await kernels.add(kept, kept);
    expect(kernels.describe().vectors).toBe(21);
    for (let i = 0; i < 50 && kernels.describe().vectors > 1; i++) {
      collect();
      await turn();
    }
    expect(kernels.describe().vectors).toBe(1);
    same(await kernels.read(kept), await oracle.add(ones(9, 64), ones(9, 64)));
  });

  it('of constants is uploaded once', async () => {
    const { kernels, buffers } = await spied();
    const table = random.words(64, 32);
    const request = () =>
      kernels.selectionTable(
        { kind: 'rows', table, n: 8, stride: 8, row: random.indices(20, 8) },
        tableLayout(8, 32),
        random.stream(),
        0,
        20,
      );
    await request();
    await turn();
    await request();
    await turn();
    const made = buffers.length;
    for (let i = 0; i < 3; i++) {
      await request();
      await turn();
    }
    expect(buffers.length).toBe(made);
  });
});

describe('commands', () => {
  it('that are asked for together come back together: one submit, one mapping', async () => {
    const { kernels } = await spied();
    const vectors: Vector[] = [];
    for (let i = 0; i < 10; i++) vectors.push(await kernels.unpack(random.bytes(80), 64, 10));
    await turn();
    const before = kernels.describe();
    const table = { kind: 'rows', table: random.words(8, 8), n: 2, stride: 2, row: random.indices(5, 4) } as const;
    await Promise.all([
      ...vectors.map((x) => kernels.pack(x)),
      ...vectors.map((x) => kernels.read(x)),
      kernels.selectionTable(table, tableLayout(2, 8), random.stream(), 0, 5),
    ]);
    const after = kernels.describe();
    expect(after.readbacks - before.readbacks).toBe(1);
    expect(after.submits - before.submits).toBe(1);
  });

  it('are folded into two dimensions above 65,535 workgroups', async () => {
    const { kernels } = await spied();
    const count = 65_536 * 64 + 5;
    const x = await kernels.draw(random.stream(), 32, count);
    const sum = await kernels.offset(x, 3n);
    const [before, after] = [await kernels.read(x), await kernels.read(sum)];
    let wrong = 0;
    for (let i = 0; i < count; i++) wrong += Number(((before.data as Uint32Array)[i] + 3) >>> 0 !== after.data[i]);
    expect(wrong).toBe(0);
  });

  it('are exact where all limbs are ones, halves are extreme, or words are random', async () => {
    const { kernels } = await spied();
    const limbs = [0n, 1n, 0xffffn, 0x10000n, 0x7fffffffn, 0x80000000n, 0xffff0000n, 0xffffffffn];
    const all = limbs.flatMap((hi) => limbs.map((lo) => (hi << 32n) | lo));
    const x = wordsFrom(
      all.flatMap((v) => all.map(() => v)),
      64,
    );
    const y = wordsFrom(
      all.flatMap(() => all),
      64,
    );
    for (const op of ['add', 'sub', 'mul'] as const)
      same((await kernels.read(await kernels[op](x, y))) as Words, await oracle[op](x, y));
    // Every product of a tile at its largest: the carries of a whole inner dimension.
    const [a, b] = [ones(70 * 200, 64), ones(200 * 66, 64)];
    const shape = { batch: 1, m: 70, inner: 200, n: 66 };
    same(await kernels.read(await kernels.matmul(a, b, shape)), wordsFrom(new Array(70 * 66).fill(200n), 64));
  });
});

describe('operands beyond a binding', () => {
  it('products are put together from parts', async () => {
    // 1 KiB: 128 words of 64 bits. Rows, columns and panels of these shapes exceed it in turn.
    const { kernels } = await spied({ bindingBytes: 1024, work: 2000 });
    for (const [m, inner, n] of [
      [3, 40, 20],
      [3, 5, 150],
      [9, 150, 3],
      [2, 200, 20],
      [20, 2, 20],
    ]) {
      const before = kernels.describe().dispatches;
      for (const k of [32, 64]) {
        const [x, y] = [random.words(2 * m * inner, k), random.words(2 * inner * n, k)];
        for (const transposed of [false, true]) {
          const shape = { batch: 2, m, inner, n, transposed };
          same(await kernels.read(await kernels.matmul(x, y, shape)), await oracle.matmul(x, y, shape));
        }
      }
      const x = random.words(m * inner, 64);
      for (const entries of [
        random.words(inner * n, 64).data as BigUint64Array,
        new Int32Array(random.words(inner * n, 32).data.buffer),
      ]) {
        const [matrix, expected] = [
          await kernels.loadMatrix(entries, inner, n),
          await oracle.loadMatrix(entries, inner, n),
        ];
        same(await kernels.read(await kernels.matmulMatrix(x, matrix)), await oracle.matmulMatrix(x, expected));
        await kernels.freeMatrix(matrix);
      }
      // Neither in one piece nor in crumbs.
      expect(kernels.describe().dispatches - before).toBeGreaterThan(20);
      expect(kernels.describe().dispatches - before).toBeLessThan(1000);
    }
  });

  it('vectors and tables are worked on in ranges', async () => {
    // Above the constants of the exponential (24.6 kB), which every range binds whole; below every vector here.
    const { kernels } = await spied({ bindingBytes: 28_672 });
    const [x, y] = [random.words(9001, 64), random.words(9001, 64)];
    same(await kernels.read(await kernels.mul(x, y)), await oracle.mul(x, y));
    same(await kernels.pack(x), await oracle.pack(x));
    for (const k of [1, 21, 24, 55]) {
      const v = random.words(9001, k);
      same(await kernels.read(await kernels.unpack(await kernels.pack(v), k, 9001)), v);
    }
    const index = Uint32Array.from({ length: 5000 }, () => random.below(9001));
    same(await kernels.read(await kernels.gather(x, index)), await oracle.gather(x, index));
    const whole: Words = { k: 64, data: x.data.slice(0, 6000) };
    same(await kernels.read(await kernels.repeat(whole, 3)), await oracle.repeat(whole, 3));
    same(await kernels.read(await kernels.sumRows(whole, 5)), await oracle.sumRows(whole, 5));
    const values = [random.words(700, 64), random.words(700, 64)];
    same(await kernels.read(await kernels.chooseBasis(values)), await oracle.chooseBasis(values));
    const bits = [random.words(700, 1), random.words(700, 1)];
    const pick = Uint8Array.of(0, 1, 255, 1);
    const stream = random.stream();
    for (const k of [8, 40, 47, 64]) {
      const layout = tableLayout(4, k, [k, 7, k]);
      const table = { kind: 'choose', pick, bits, values } as const;
      same(
        await kernels.selectionTable(table, layout, stream, 3, 690),
        await oracle.selectionTable(table, layout, stream, 3, 690),
      );
    }
    const exp = { kind: 'exp', s1: 17, width: 4, a: random.words(999, 25), gate: random.words(999, 1) } as const;
    for (const k of [1, 42, 56]) {
      const layout = tableLayout(16, k);
      same(
        await kernels.selectionTable(exp, layout, stream, 5, 999),
        await oracle.selectionTable(exp, layout, stream, 5, 999),
      );
    }
  });
});

describe('a failure', () => {
  /** Pending calls and every later one end with this code. */
  async function ends(kernels: WebGpuKernels, code: ErrorCode, pending: readonly Promise<unknown>[]): Promise<void> {
    for (const call of pending) await expect(call).rejects.toMatchObject({ code, kind: 'device' });
    await expect(kernels.add(zeros(3, 32), zeros(3, 32))).rejects.toMatchObject({ code });
    await expect(kernels.scope().draw(random.stream(), 64, 9)).rejects.toMatchObject({ code });
    await expect(kernels.loadMatrix(new Int32Array(4), 2, 2)).rejects.toMatchObject({ code });
    kernels.sweep(() => []);
  }

  it('of the device in the middle is ERR_DEVICE_LOST for what is pending and what comes later', async () => {
    const { kernels, device } = await spied();
    const x = await kernels.draw(random.stream(), 64, 200_000);
    const pending = [
      kernels.pack(x),
      kernels.read(x),
      kernels.selectionTable(
        { kind: 'exp', s1: 14, width: 4, a: zeros(9, 25), gate: zeros(9, 1) },
        tableLayout(16, 64),
        random.stream(),
        0,
        9,
      ),
    ];
    for (const call of pending) call.catch(() => undefined);
    await turn();
    device.destroy();
    await ends(kernels, 'ERR_DEVICE_LOST', pending);
  });

  it('is ERR_DEVICE_MEMORY for a call beyond the memory that was set aside, and for that call alone', async () => {
    const { kernels } = await spied({ memoryBytes: 2 ** 20 });
    const x = await kernels.draw(random.stream(), 64, 1000);
    const pending = [kernels.pack(x)];
    pending[0].catch(() => undefined);
    await expect(kernels.draw(random.stream(), 64, 2 ** 20)).rejects.toMatchObject({ code: 'ERR_DEVICE_MEMORY' });
    await expect(pending[0]).resolves.toHaveLength(8000);
    expect(kernels.fault.failed).toBe(false);
    await expect(kernels.pack(await kernels.add(x, x))).resolves.toHaveLength(8000);
  });

  it('is ERR_DEVICE_MEMORY for a read that there is no room for, and not for the shorter one of the same turn', async () => {
    const { kernels } = await spied({ memoryBytes: 2 ** 20 });
    const [long, short] = [
      await kernels.draw(random.stream(), 64, 60_000),
      await kernels.draw(random.stream(), 64, 1000),
    ];
    const [refused, served] = [kernels.read(long), kernels.read(short)];
    await expect(refused).rejects.toMatchObject({ code: 'ERR_DEVICE_MEMORY' });
    expect((await served).data).toHaveLength(1000);
    expect(kernels.fault.failed).toBe(false);
  });

  it('is ERR_DEVICE_MEMORY for a vector above the largest buffer', async () => {
    // A limit of our own: large devices have buffers beyond what a test may fill, and far beyond a binding.
    const { kernels } = await spied({ bufferBytes: 2 ** 20 });
    const row = zeros(2 ** 10, 64);
    await expect(kernels.repeat(row, 2 ** 7 + 1)).rejects.toMatchObject({ code: 'ERR_DEVICE_MEMORY' });
    expect(kernels.fault.failed).toBe(false);
    await expect(kernels.read(await kernels.repeat(row, 2 ** 7))).resolves.toHaveProperty('data.length', 2 ** 17);
  });

  it('that the error scope of a batch reports is noticed before a result is handed out', async () => {
    for (const [scope, code] of [
      ['out-of-memory', 'ERR_DEVICE_MEMORY'],
      ['validation', 'ERR_KERNEL'],
      ['internal', 'ERR_KERNEL'],
    ] as const) {
      const { kernels, device } = await spied();
      // The device reports what this scope would: an allocation cannot be made to fail on purpose without filling
      // the machine.
      const stack: GPUErrorFilter[] = [];
      const [push, pop] = [device.pushErrorScope.bind(device), device.popErrorScope.bind(device)];
      device.pushErrorScope = (filter) => {
        stack.push(filter);
        push(filter);
      };
      device.popErrorScope = async () => {
        const filter = stack.pop();
        return filter === scope ? ({ message: 'planted' } as GPUError) : pop();
      };
      await ends(kernels, code, [kernels.pack(ones(9, 64))]);
    }
  });

  it('that no scope has caught is ERR_KERNEL', async () => {
    const { kernels, device } = await spied();
    await kernels.read(await kernels.add(ones(9, 64), ones(9, 64)));
    await turn();
    // Mapping for reading goes with no usage but copying.
    device.createBuffer({ size: 16, usage: MAP_READ | COPY_SRC });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await ends(kernels, 'ERR_KERNEL', []);
  });

  it('of a command is ERR_KERNEL', async () => {
    const { kernels, device } = await spied();
    const wrong = device.createBindGroup.bind(device);
    const x = await kernels.add(ones(9, 64), ones(9, 64));
    await kernels.read(x);
    device.createBindGroup = (descriptor) => wrong({ ...descriptor, entries: [] });
    await ends(kernels, 'ERR_KERNEL', [kernels.read(await kernels.add(ones(9, 64), ones(9, 64)))]);
  });

  it('is closing, too: ERR_STATE, and the device goes with the kernels', async () => {
    const { kernels, device } = await spied();
    const pending = kernels.pack(await kernels.draw(random.stream(), 64, 100));
    const refused = expect(pending).rejects.toMatchObject({ code: 'ERR_STATE' });
    await kernels.close();
    await refused;
    await failure('ERR_STATE', () => kernels.add(zeros(3, 32), zeros(3, 32)));
    await kernels.close();
    await expect(device.lost).resolves.toMatchObject({ reason: 'destroyed' });
  });

  it('to open says why', async () => {
    await failure('ERR_DEVICE_UNAVAILABLE', () => requestDevice(undefined));
    await failure('ERR_DEVICE_UNAVAILABLE', () =>
      requestDevice({ requestAdapter: async () => null } as unknown as GPU),
    );
    const adapter = { limits: {}, info: {}, requestDevice: () => Promise.reject(new Error('planted')) };
    await failure('ERR_DEVICE_UNAVAILABLE', () =>
      requestDevice({ requestAdapter: async () => adapter } as unknown as GPU),
    );
  });
});
