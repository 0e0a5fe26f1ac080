/** The WebAssembly backend: conformance inline and with workers, wiping, failures of workers. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { KernelInstance } from '../../src/compute/kernels/wasm/instance.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { HomeMemory } from '../../src/compute/kernels/wasm/home-memory.ts';
import { Memory } from '../../src/compute/kernels/wasm/memory.ts';
import { linkInNode, linkShared } from '../../src/compute/kernels/wasm/node-native.ts';
import {
  loadNodeModule,
  loadNodeProofModule,
  loadSharedModule,
  nodeWorkerFactory,
} from '../../src/compute/kernels/wasm/node-worker.ts';
import { LARGEST_ENTRY, panelsOf } from '../../src/compute/kernels/pack-panels.ts';
import { panelLength } from '../../src/compute/kernels/panels.ts';
import { failure } from '../failure.ts';
import { type WasmKernels, type WorkerPort, createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { WasmProofKernels } from '../../src/compute/kernels/wasm/proof.ts';
import { Pool } from '../../src/compute/kernels/wasm/pool.ts';
import { serveKernels } from '../../src/compute/kernels/wasm/worker-main.ts';
import { Random, conformance, same } from './kernels.suite.ts';
import { cosineExponents } from '../../src/compute/kernels/cosine-sum.ts';
import { tableBytes, tableLayout } from '../../src/compute/kernels/table-layout.ts';
import { type Words, zeros } from '../../src/compute/ring.ts';

const module = await loadNodeModule();
const proofs = new WasmProofKernels(await loadNodeProofModule());
const TERM = { frequency: 25, amplitude: -3_597_711, s1: 13, s2: 10 };

conformance('wasm, inline', () => createWasmKernels({ party: PartyOperations, module, threads: 0 }));
conformance('wasm, two workers', () =>
  createWasmKernels({ party: PartyOperations, module, startWorker: nodeWorkerFactory(), threads: 2 }),
);

/** A worker without a thread: it answers on later turns of the event loop, one request per turn. */
function localWorker(log?: string[]): WorkerPort & { crash(error: Error): void } {
  const queue: unknown[] = [];
  let answer: (message: unknown) => void = () => {};
  let failed: (error: unknown) => void = () => {};
  let serve: (message: unknown) => void = () => {};
  let alive = true;
  serveKernels(
    {
      postMessage: (message) => {
        if (alive) answer(message);
      },
      onMessage: (handler) => {
        serve = handler;
      },
    },
    PartyOperations,
  );
  const turn = (): void => {
    if (!alive) return;
    const message = queue.shift() as { op?: string; args?: readonly unknown[] };
    if (message.op !== undefined) log?.push(message.op);
    serve(message);
    const entries = message.args?.[1];
    if (ArrayBuffer.isView(entries) && entries.byteLength === 0) log?.push('let go');
  };
  return {
    postMessage: (message, transfer) => {
      queue.push(structuredClone(message, { transfer }));
      setImmediate(turn);
    },
    onMessage: (handler) => {
      answer = handler;
    },
    onError: (handler) => {
      failed = handler;
    },
    terminate: () => {
      alive = false;
    },
    crash: (error) => failed(error),
  };
}

/** Of the tables of rows below. */
const LAYOUT = tableLayout(64, 32);

describe('a scope', () => {
  // Results are written whole, so what a buffer held before is nowhere in them.
  const { take } = Pool.prototype;
  beforeAll(() => {
    vi.spyOn(Pool.prototype, 'take').mockImplementation(function (this: Pool, k, count) {
      const words = take.call(this, k, count);
      new Uint8Array(words.data.buffer).fill(0xa5);
      return words;
    });
  });
  afterAll(() => {
    vi.restoreAllMocks();
  });
  conformance('wasm, with buffers that held other words', async () =>
    (await createWasmKernels({ party: PartyOperations, module, threads: 0 })).scope(),
  );
  conformance('wasm, the same with workers', async () =>
    (await createWasmKernels({ party: PartyOperations, module, threads: 2, startWorker: () => localWorker() })).scope(),
  );
});

describe('wasm workers', () => {
  const random = new Random(42);
  const stream = random.stream();
  const table = (count: number) =>
    ({ kind: 'rows', table: random.words(4096, 32), n: 64, stride: 64, row: random.indices(count, 64) }) as const;

  it('short calls get their turn while a long one is under way', async () => {
    const log: string[] = [];
    const kernels = await createWasmKernels({
      party: PartyOperations,
      module,
      threads: 1,
      startWorker: () => localWorker(log),
    });
    const long = kernels.selectionTable(table(40_000), LAYOUT, stream, 0, 40_000).then(() => log.push('long done'));
    const short = kernels.selectionTable(table(3), LAYOUT, stream, 0, 3).then(() => log.push('short done'));
    await Promise.all([long, short]);
    expect(log.filter((entry) => entry === 'selectionTable').length).toBeGreaterThan(8);
    expect(log.indexOf('short done')).toBeLessThan(6);
    expect(log.indexOf('long done')).toBe(log.length - 1);
    await kernels.close();
  });

  it('long corrections are dealt by a single worker and the calling thread together, to the same words', async () => {
    const log: string[] = [];
    const options = { party: PartyOperations, module };
    const alone = await createWasmKernels({ ...options, threads: 0 });
    for (const threads of [1, 2]) {
      log.length = 0;
      const kernels = await createWasmKernels({ ...options, threads, startWorker: () => localWorker(log) });
      const scope = kernels.scope();
      for (const [count, sent] of [
        [20_001, threads],
        [1_000, 0],
      ]) {
        log.length = 0;
        const layout = tableLayout(2, 26, [26, 13, 13]);
        const choice = { index: random.indices(count, 2), basis: random.words(3 * count, 26) };
        const long = tableLayout(16, 26, [26, 13, 13]);
        const [pads, r0] = [random.stream(), random.words(count, 26)];
        for (const way of [layout, long])
          for (const on of [kernels, scope])
            same(await on.dealSelection(choice, way, pads, r0), await alone.dealSelection(choice, way, pads, r0));
        // Of short entries a lone worker is not told: their stream is no megabyte.
        if (threads === 1) expect(log).toHaveLength(2 * sent);
        else expect(log.length).toBe(sent === 0 ? 0 : 2 * sent + 2 * threads);
      }
      await kernels.close();
    }
    await alone.close();
  });

  it('a worker warms up at its start, once, and keeps nothing of it', async () => {
    const warm = vi.spyOn(KernelInstance.prototype, 'warmUp');
    try {
      const kernels = await createWasmKernels({
        party: PartyOperations,
        module,
        threads: 2,
        startWorker: () => localWorker(),
      });
      const drawn = await kernels.draw(stream, 64, 300_000);
      expect(warm).toHaveBeenCalledTimes(2);
      same(await kernels.draw(stream, 64, 300_000), drawn);
      expect(warm).toHaveBeenCalledTimes(2);
      await kernels.close();
      // The calling thread, which may be the one that answers, is not held up by it.
      await (await createWasmKernels({ party: PartyOperations, module, threads: 0 })).close();
      expect(warm).toHaveBeenCalledTimes(2);
    } finally {
      warm.mockRestore();
    }
    const instance = new KernelInstance(module, PartyOperations);
    instance.loadMatrix(1, random.words(64 * 64, 64).data as BigUint64Array, 64, 64);
    const left = random.words(64, 64);
    const before = instance.matmulMatrix(left, 1);
    instance.warmUp();
    same(instance.matmulMatrix(left, 1), before);
    expect(() => instance.matmulMatrix(left, 0)).toThrow('no such matrix');
  });

  it('a worker lets go of what matrices were copied from, when they are worth it; shared memory stays', async () => {
    const log: string[] = [];
    const kernels = await createWasmKernels({
      party: PartyOperations,
      module,
      startWorker: () => localWorker(log),
      threads: 1,
    });
    const half = new BigUint64Array(1024 * 2048);
    const { order, load } = kernels.panels;
    const shared = new Int32Array(new SharedArrayBuffer(4 * panelLength(order, 4096, 2048)));
    await kernels.loadMatrix(half, 1024, 2048);
    await kernels.loadMatrix(new BigUint64Array(shared.buffer, 0, 1024 * 2048), 1024, 2048);
    await load(shared, 4096, 2048);
    await load(shared.slice(), 4096, 2048);
    await kernels.loadMatrix(Int32Array.of(1, 2, 3, 4, 5, 6), 2, 3);
    expect(log).toEqual(['loadMatrix', 'let go', 'loadMatrix', 'loadPanels', 'loadPanels', 'let go', 'loadPanels']);
    await kernels.close();
  });

  it('operands are left alone', async () => {
    const kernels = await createWasmKernels({
      party: PartyOperations,
      module,
      threads: 2,
      startWorker: () => localWorker(),
    });
    const [x, y] = [random.words(64 * 128, 64), random.words(128 * 128, 64)];
    const [left, key] = [{ k: 64, data: x.data.slice() }, stream.key.slice()];
    await kernels.matmul(x, y, { batch: 1, m: 64, inner: 128, n: 128 });
    await kernels.powers(x, 12, 13, 3, 64).then(() => kernels.draw(stream, 32, 200_000));
    same(x, left);
    same(stream.key, key);
    await kernels.close();
  });

  it('a refused operand fails one call only', async () => {
    const kernels = await createWasmKernels({
      party: PartyOperations,
      module,
      threads: 1,
      startWorker: () => localWorker(),
    });
    const outside = { ...table(3), row: random.words(3, 30, false) };
    await expect(kernels.selectionTable(outside, LAYOUT, stream, 0, 3)).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
    await expect(kernels.selectionTable(table(3), LAYOUT, stream, 0, 3)).resolves.toHaveLength(3 * 64 * 4);
    await kernels.close();
  });

  it('a stopped worker fails pending and later calls', async () => {
    const workers: ReturnType<typeof localWorker>[] = [];
    const kernels = await createWasmKernels({
      party: PartyOperations,
      module,
      threads: 2,
      startWorker: () => {
        workers.push(localWorker());
        return workers[workers.length - 1];
      },
    });
    const pending = [kernels.selectionTable(table(9000), LAYOUT, stream, 0, 9000), kernels.draw(stream, 64, 200_000)];
    workers[1].crash(new Error('out of memory'));
    for (const call of pending) await expect(call).rejects.toMatchObject({ code: 'ERR_WORKER', kind: 'device' });
    await expect(kernels.add(random.words(3, 64), random.words(3, 64))).rejects.toMatchObject({ code: 'ERR_WORKER' });
    await expect(kernels.draw(stream, 64, 200_000)).rejects.toMatchObject({ code: 'ERR_WORKER' });
    await kernels.close();
  });

  it('a thread that is killed, or cannot start, is noticed', async () => {
    const start = nodeWorkerFactory();
    const ports: WorkerPort[] = [];
    const kernels = await createWasmKernels({
      party: PartyOperations,
      module,
      threads: 2,
      startWorker: () => {
        ports.push(start());
        return ports[ports.length - 1];
      },
    });
    const pending = kernels.draw(stream, 64, 3_000_000);
    void ports[0].terminate();
    await expect(pending).rejects.toMatchObject({ code: 'ERR_WORKER' });
    await kernels.close();
    // Not a module: the worker's first answer is an error.
    const broken = await createWasmKernels({
      party: PartyOperations,
      module: {} as WebAssembly.Module,
      threads: 1,
      startWorker: () => localWorker(),
    }).catch((error: unknown) => error);
    expect(broken).toBeInstanceOf(Error);
  });

  it('a call that there is no memory for fails alone: in the calling thread, on the way to a worker, and in it', async () => {
    const short = new RangeError('Array buffer allocation failed');
    let broken = '';
    const kernels = await createWasmKernels({
      party: PartyOperations,
      module,
      threads: 2,
      startWorker: () => {
        const port = localWorker();
        return {
          ...port,
          // An operand that is too long for the worker's memory, as the worker's own engine says it.
          postMessage: (message, transfer) =>
            port.postMessage(
              broken === 'worker' && 'op' in (message as object)
                ? { ...(message as object), args: [stream, 64, 2 ** 34, 0] }
                : message,
              transfer,
            ),
        };
      },
    });
    const long = random.words(300_000, 64);
    const trap = (words: Words): Words => {
      for (const name of ['slice', 'subarray', 'byteLength', 'byteOffset'])
        Object.defineProperty(words.data, name, {
          get: () => {
            throw short;
          },
        });
      return words;
    };
    const ends = (call: Promise<unknown>) => expect(call).rejects.toMatchObject({ code: 'ERR_DEVICE_MEMORY' });
    await ends(kernels.add(trap(random.words(300_000, 64)), long));
    const square = { batch: 1, m: 512, inner: 512, n: 512 };
    const operand = random.words(512 * 512, 64);
    await ends(kernels.matmul(trap(random.words(512 * 512, 64)), operand, square));
    broken = 'worker';
    await ends(kernels.draw(stream, 64, 200_000));
    broken = '';
    expect(kernels.fault.failed).toBe(false);
    await expect(kernels.draw(stream, 64, 200_000)).resolves.toBeDefined();
    await expect(kernels.add(long, long)).resolves.toBeDefined();
    await kernels.close();
  });

  it('a trap in a worker is a typed error', async () => {
    const kernels = await createWasmKernels({
      party: PartyOperations,
      module,
      threads: 2,
      startWorker: () => {
        const port = localWorker();
        // The operation does not exist, so the worker throws what is not one of our errors.
        return {
          ...port,
          postMessage: (message, transfer) =>
            port.postMessage(
              'op' in (message as object) ? { ...(message as object), op: 'nothing' } : message,
              transfer,
            ),
        };
      },
    });
    await expect(kernels.draw(stream, 64, 200_000)).rejects.toMatchObject({ code: 'ERR_KERNEL', kind: 'device' });
    await expect(kernels.cast(random.words(3, 64), 32)).rejects.toMatchObject({ code: 'ERR_KERNEL' });
    await kernels.close();
  });

  it('closing fails what is pending and what comes later', async () => {
    for (const threads of [0, 2]) {
      const kernels = await createWasmKernels({
        party: PartyOperations,
        module,
        threads,
        startWorker: nodeWorkerFactory(),
      });
      const pending = kernels.selectionTable(table(20_000), LAYOUT, stream, 0, 20_000).catch((error: unknown) => error);
      await kernels.close();
      if (threads > 0) await expect(pending).resolves.toMatchObject({ code: 'ERR_STATE' });
      await expect(kernels.add(random.words(3, 64), random.words(3, 64))).rejects.toMatchObject({ code: 'ERR_STATE' });
      await kernels.close();
    }
  });
});

describe('a matrix in memory that threads share', () => {
  it.each([0, 1, 3])('is loaded as any other, with %i workers, and may change behind it', async (threads) => {
    const random = new Random(8);
    // Chunks of several rows, rows that fill no cache line, columns that fill no panel.
    const [rows, cols] = [1031, 331];
    const entries = new Int32Array(new SharedArrayBuffer(4 * rows * cols));
    entries.set(new Int32Array((random.words(rows * cols, 32).data as Uint32Array).buffer));
    const x = random.words(2 * rows, 64);
    const kernels = await createWasmKernels({
      party: PartyOperations,
      module,
      threads,
      startWorker: nodeWorkerFactory(),
    });
    try {
      const expected = await kernels.matmulMatrix(x, await kernels.loadMatrix(entries.slice(), rows, cols));
      const matrix = await kernels.loadMatrix(entries, rows, cols);
      entries.fill(0);
      same(await kernels.matmulMatrix(x, matrix), expected);
    } finally {
      await kernels.close();
    }
  });
});

describe('a matrix in the order of panels', () => {
  const random = new Random(9);
  // Blocks of rows and one that is cut, columns that fill no panel; and less than one of each.
  const sizes = [
    [1031, 331],
    [512, 8],
    [3, 2],
  ] as const;

  /** Small entries, and in some panels those of two layers, up to their limits. */
  const entriesOf = (rows: number, cols: number): Int32Array => {
    const small = Int32Array.from({ length: rows * cols }, () => Number(random.word(16)) - 2 ** 15);
    small.set([LARGEST_ENTRY, -(2 ** 31), 2 ** 15, -(2 ** 15) - 1]);
    return small.fill(2 ** 30 + 5, Math.floor(0.9 * small.length));
  };

  it.each([0, 1, 3])('gives the products of the same one by rows, with %i workers, shared or not', async (threads) => {
    const kernels = await createWasmKernels({
      party: PartyOperations,
      module,
      threads,
      startWorker: nodeWorkerFactory(),
    });
    const { order, load } = kernels.panels;
    try {
      for (const [rows, cols] of sizes) {
        const entries = entriesOf(rows, cols);
        const panels = panelsOf(order, entries, rows, cols);
        const shared = new Int32Array(new SharedArrayBuffer(panels.byteLength));
        shared.set(panels);
        const x = random.words(2 * rows, 64);
        const expected = await kernels.matmulMatrix(x, await kernels.loadMatrix(entries, rows, cols));
        same(await kernels.matmulMatrix(x, await load(panels, rows, cols)), expected);
        const matrix = await load(panels, rows, cols);
        expect(await kernels.entries(matrix)).toEqual(entries);
        for (const sigma of [1, 48, 64]) {
          const v = BigUint64Array.from({ length: cols }, (_, c) => random.word(sigma) | BigInt(c === 0));
          const times = await proofs.columns({ k: 64, signed: entries }, cols, v, sigma);
          same((await kernels.columns(matrix, v, sigma)) as Words, times);
        }
        await failure('ERR_INTERNAL', kernels.columns(matrix, new BigUint64Array(cols + 1), 48));
        same(await kernels.matmulMatrix(x, await load(shared, rows, cols)), expected);
      }
    } finally {
      await kernels.close();
    }
  });

  it('is refused in another order or size, or with second layers in other places', async () => {
    const kernels = await createWasmKernels({ party: PartyOperations, module, threads: 0 });
    const { order, load } = kernels.panels;
    const [rows, cols] = sizes[0];
    const entries = entriesOf(rows, cols);
    const other = panelsOf({ ...order, rows: order.rows / 2 }, entries, rows, cols);
    const panels = panelsOf(order, entries, rows, cols);
    await load(panels, rows, cols); // positive control
    const places = panels.subarray(0, 5 * Math.ceil(cols / order.columns));
    const second = places.findLastIndex((place) => place !== 0);
    const without = panels.slice();
    without[second] = 0;
    const beyond = panels.slice();
    beyond[second] = panels.length;
    for (const wrong of [other, entries, panels.subarray(1), panels.slice(0, -1), without, beyond, new Int32Array(0)])
      await failure('ERR_INTERNAL', () => load(wrong, rows, cols));
    await kernels.close();
    await failure('ERR_RANGE', async () => panelsOf(order, Int32Array.of(LARGEST_ENTRY + 1), 1, 1));
  });
});

describe.each([
  ['wasm memory', Memory, linkInNode(module)],
  ['wasm memory that threads share', HomeMemory, linkShared(await loadSharedModule())],
] as const)('%s', (_, Kind, linked) => {
  const { memory } = linked;
  const instance = new KernelInstance(new Kind(linked), PartyOperations);

  it('does not grow with the length of a basis', () => {
    const random = new Random(6);
    const sum = { odd: true, linear: true, scale: 27, shift: 13, constant: 5n, terms: [TERM, TERM, TERM, TERM] };
    const count = 1 << 17;
    const P = cosineExponents(sum).length;
    const layout = tableLayout(1, 40, P);
    const [l, index] = [zeros(count, 20), zeros(count, 1)];
    const choice = { index, cosines: { l, sum } };
    expect(instance.cosineBasis(l, sum, 40).data.length).toBe(P * count);
    expect(instance.powers(l, 12, 12, 3, 40).data.length).toBe(4 * count);
    expect(instance.expBasis(l, 14, 4, 64).data.length).toBe(count);
    const word = instance.dealSelection(choice, layout, random.stream(), zeros(count, 40), 0);
    instance.evaluateSelection(choice, layout, new Uint8Array(tableBytes(layout, count)), word);
    // The words of one basis are 10 MB.
    expect(memory.buffer.byteLength).toBeLessThan(3 << 20);
  });

  it('holds nothing of an operation after it', () => {
    const random = new Random(5);
    const [x, y] = [random.words(900, 64), random.words(900, 64)];
    const [pads, l] = [random.stream(), random.words(50, 25)];
    const polynomial = {
      segments: 8,
      degree: 3 as const,
      t: 12,
      s1: 13,
      s2: 13,
      guard: 4,
      coefficients: BigInt64Array.from({ length: 32 }, () => random.word(14)),
    };
    instance.loadMatrix(1, x.data as BigUint64Array, 30, 30);
    instance.expBasis(l, 14, 4, 64);
    const sum = { odd: true, linear: true, scale: 27, shift: 13, constant: 5n, terms: [TERM] };
    instance.cosineBasis(l, sum, 64);
    const before = new Uint8Array(memory.buffer).slice();
    instance.add(x, y);
    instance.matmul(x, y, { batch: 1, m: 30, inner: 30, n: 30 });
    instance.matmulMatrix(x, 1);
    instance.draw(pads, 64, 333, 5);
    const curve = { kind: 'polynomial', polynomial, a: random.words(50, 15) } as const;
    instance.selectionTable(curve, tableLayout(8, 32, 4), pads, 3, 50);
    instance.selectionTable(
      { kind: 'rows', table: random.words(64, 1), n: 8, stride: 8, row: random.indices(50, 8) },
      tableLayout(8, 1),
      pads,
      3,
      50,
    );
    const gate = random.words(50, 1);
    instance.selectionTable({ kind: 'exp', s1: 14, width: 4, a: l, gate }, tableLayout(16, 42), pads, 3, 50);
    const layout = tableLayout(2, 40, cosineExponents(sum).length);
    instance.selectionTable({ kind: 'cosine', sum, a: l, gate }, layout, pads, 3, 50);
    instance.dealSelection({ index: random.indices(50, 64) }, tableLayout(64, 64), pads, random.words(50, 64), 3);
    const choice = { index: random.indices(50, 2), cosines: { l, sum } };
    const word = instance.dealSelection(choice, layout, pads, random.words(50, 40), 3);
    instance.evaluateSelection(choice, layout, random.bytes(tableBytes(layout, 50)), word);
    instance.expandPoint(random.bytes(41 + 17 * 9), 9, 3, 500);
    instance.pack(random.words(99, 44));
    instance.unpack(random.bytes(20_000), 16, 10_000);
    const chosen = { index: random.indices(9000, 2), basis: random.words(18_000, 40) };
    const bytes = random.bytes(9000 * 2 * 10);
    instance.evaluateSelection(chosen, tableLayout(2, 40, [40, 40]), bytes, random.words(9000, 40));
    expect(() =>
      instance.evaluateSelection(
        { ...chosen, index: random.words(9000, 32, false) },
        layout,
        bytes,
        random.words(9000, 40),
      ),
    ).toThrow();
    expect(() => instance.gather(x, Uint32Array.of(900))).toThrow();
    const after = new Uint8Array(memory.buffer);
    expect(Buffer.compare(after.subarray(0, before.length), before)).toBe(0);
    expect(after.subarray(before.length).every((byte) => byte === 0)).toBe(true);
    instance.freeMatrix(1);
    expect(instance.expBasis(l, 14, 4, 64).data.length).toBe(50);
  });
});

describe('matmulF32', () => {
  it('is the float product', async () => {
    const inline = await createWasmKernels({ party: PartyOperations, module, threads: 0 });
    const pooled: WasmKernels = await createWasmKernels({
      party: PartyOperations,
      module,
      threads: 2,
      startWorker: nodeWorkerFactory(),
    });
    for (const [m, k, n] of [
      [1, 1, 1],
      [5, 7, 9],
      [4, 300, 16],
      [90, 80, 100],
    ]) {
      const a = Float32Array.from({ length: m * k }, (_, i) => Math.fround(Math.sin(i)));
      const b = Float32Array.from({ length: k * n }, (_, i) => Math.fround(Math.cos(3 * i)));
      const expected = new Float32Array(m * n);
      for (let r = 0; r < m; r++) {
        for (let c = 0; c < n; c++) {
          let sum = 0;
          for (let i = 0; i < k; i++) sum = Math.fround(sum + Math.fround(a[r * k + i] * b[i * n + c]));
          expected[r * n + c] = sum;
        }
      }
      for (const kernels of [inline, pooled]) expect(await kernels.matmulF32(a, b, m, k, n)).toEqual(expected);
    }
    await inline.close();
    await pooled.close();
  });
});
