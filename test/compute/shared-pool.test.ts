/** Vectors that threads share: blocks of dead ones are used again behind a sweep, and never before. */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { type WorkerPort, createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import type { Linked } from '../../src/compute/kernels/wasm/link.ts';
import { linkInNode } from '../../src/compute/kernels/wasm/node-native.ts';
import { loadNodeModule, nodeBackend } from '../../src/compute/kernels/wasm/node-worker.ts';
import type { ScopePool } from '../../src/compute/kernels/wasm/pool.ts';
import { sharedPools } from '../../src/compute/kernels/wasm/shared-pool.ts';
import { tableLayout } from '../../src/compute/kernels/table-layout.ts';
import { type Words, viewWords, wordsFrom, zeros } from '../../src/compute/ring.ts';
import { conformance } from './kernels.suite.ts';

const module = await loadNodeModule();
const pools = sharedPools(() => undefined);
/** A megabyte: what is taken is worth a sweep. */
const COUNT = 1 << 18;
const x = wordsFrom(
  Array.from({ length: COUNT }, (_, i) => i),
  32,
);
const kernels = await createWasmKernels({ party: PartyOperations, module, threads: 0, pool: pools });

/** What a vector holds before it is written is not zero here. */
function soiled(make: () => ScopePool): () => ScopePool {
  return () => {
    const pool = make();
    const { take } = pool;
    pool.take = (k, count) => {
      const words = take.call(pool, k, count);
      new Uint8Array(words.data.buffer, words.data.byteOffset, words.data.byteLength).fill(0xa5);
      return words;
    };
    return pool;
  };
}

const place = ({ data }: Words) => [data.buffer, data.byteOffset, data.byteLength];
const overlap = (x: Words, y: Words) =>
  x.data.buffer === y.data.buffer &&
  x.data.byteOffset < y.data.byteOffset + y.data.byteLength &&
  y.data.byteOffset < x.data.byteOffset + x.data.byteLength;

describe('a scope with shared memory', () => {
  const backends: { close(): Promise<void> }[] = [];
  afterAll(() => Promise.all(backends.map((backend) => backend.close())));
  for (const threads of [1, 2]) {
    conformance(`wasm, shared memory that held other words, ${threads} threads`, async () => {
      const { pool, ...backend } = await nodeBackend(threads);
      const made = await createWasmKernels({ ...backend, pool: soiled(pool as () => ScopePool) });
      backends.push(made);
      return made.scope();
    });
  }

  it('uses the memory of a dead vector again, and no other', async () => {
    const scope = kernels.scope();
    const [kept, dead, part] = [await scope.offset(x, 1n), await scope.offset(x, 2n), await scope.offset(x, 3n)];
    expect(kept.data.buffer).toBeInstanceOf(SharedArrayBuffer);
    // A part of a vector keeps all of it.
    const view = viewWords(part, COUNT - 1, COUNT);
    scope.sweep(() => [kept, undefined, new Uint8Array(3), view]);
    const [next, fresh] = [await scope.offset(x, 4n), await scope.offset(x, 5n)];
    expect(place(next)).toEqual(place(dead));
    const all = [kept, part, next, fresh];
    for (const [i, a] of all.entries()) for (const b of all.slice(i + 1)) expect(overlap(a, b)).toBe(false);
    expect(all.map(({ data }) => data[7])).toEqual([8, 10, 11, 12]);
    expect(view.data[0]).toBe(COUNT + 2);
  });

  // Threads share memory in Node alone, which copies it at once. Below a block, within one, and behind several.
  it.each([100, 5000, 40000])('has the same words in it as elsewhere, of %i', async (count) => {
    const copied = vi.fn();
    const link = (of: Parameters<typeof linkInNode>[0]): Linked => {
      const { copyShared, ...linked } = linkInNode(of);
      return {
        ...linked,
        copyShared: (to, at, from) => {
          copied(from.length);
          copyShared?.(to, at, from);
        },
      };
    };
    const backend = await createWasmKernels({ party: PartyOperations, module, link, threads: 0, pool: pools });
    const [scope, plain] = [backend.scope(), await createWasmKernels({ module, threads: 0 })];
    for (const k of [20, 32, 33, 64]) {
      const stream = { key: new Uint8Array(32).fill(k), nonce: new Uint8Array(12) };
      const results = await Promise.all(
        [scope, plain].map(async (on) => {
          const [x, y] = [await on.draw(stream, k, count), await on.draw(stream, k, count, 7)];
          // A part that begins within a word of eight bytes, and one that is its own end.
          const part = viewWords(await on.add(x, y), 1, count);
          const cut = await on.shiftRight(part, 3, k - 3);
          return [await on.pack(await on.repeat(cut, 3)), await on.pack(await on.unpack(await on.pack(y), k, count))];
        }),
      );
      expect(results[0].map((bytes, i) => Buffer.compare(bytes, results[1][i]))).toEqual([0, 0]);
    }
    expect(copied.mock.calls.length > 0).toBe(4 * count >= 1 << 12);
  });

  it('joins what lies free side by side', () => {
    const pool = pools();
    const parts = Array.from({ length: 8 }, () => pool.take(32, 1 << 18));
    const whole = 1 << 21;
    pool.sweep(parts.filter((_, i) => i % 2 === 1));
    expect(pool.take(32, whole).data.buffer).not.toBe(parts[0].data.buffer);
    pool.sweep([]);
    const again = [pool.take(32, whole), pool.take(32, whole)];
    expect(again.some(({ data }) => data.buffer === parts[0].data.buffer)).toBe(true);
    expect(overlap(again[0], again[1])).toBe(false);
  });

  it('takes memory of its own for what no region holds, and leaves the smallest vectors to the collector', () => {
    const pool = pools();
    expect(pool.take(64, 1 << 22).data.length).toBe(1 << 22);
    const smallest = [pool.take(64, 4), pool.take(64, 4)].map(({ data }) => data.buffer);
    expect(smallest[0]).toBeInstanceOf(ArrayBuffer);
    expect(smallest[1]).not.toBe(smallest[0]);
    expect(pool.shared?.(64, 4)).toBeUndefined();
  });

  it('has small vectors side by side, each by itself and of zeros, and writes over none of them', () => {
    const pool = pools();
    const shapes = [
      [64, 9],
      [32, 17],
      [64, 500],
      [1, 333],
      [48, 100],
    ] as const;
    // More than a buffer has room for.
    const all = Array.from({ length: 2000 }, (_, i) => {
      const [k, count] = shapes[i % shapes.length];
      return pool.take(k, count);
    });
    expect(all.every(({ data }) => data.length > 0 && data.buffer instanceof ArrayBuffer)).toBe(true);
    const isZero = ({ data }: Words) => !data.some((word: number | bigint) => word !== 0 && word !== 0n);
    expect(all.every(isZero)).toBe(true);
    for (const [i, { data }] of all.entries()) {
      if (data instanceof Uint32Array) data.fill(i);
      else data.fill(BigInt(i));
    }
    pool.take(32, COUNT);
    pool.sweep([]);
    for (let i = 0; i < 100; i++) pool.take(64, 500);
    expect(all.map(({ data }) => [Number(data[0]), Number(data.at(-1))])).toEqual(all.map((_, i) => [i, i]));
    expect(new Set(all.map(({ data }) => data.buffer)).size).toBeLessThan(8);
  });

  // SECURITY: as for large ones. Whoever gives a scope up may still have a gate at work.
  it('gives small ones to the next scope where it is through, overwritten, and leaves others as they are', () => {
    const make = sharedPools(() => undefined);
    const [one, two] = [make(), make()];
    const [ended, given] = [one.take(64, 100), two.take(64, 100)];
    for (const { data } of [ended, given]) (data as BigUint64Array).fill(7n);
    one.drop(true);
    two.drop(false);
    expect(ended.data[99]).toBe(0n);
    expect(given.data[99]).toBe(7n);
    const [again, other] = [make().take(64, 100), make().take(64, 100)];
    expect(place(again)).toEqual(place(ended));
    expect(other.data.buffer).not.toBe(given.data.buffer);
  });

  it('leaves small ones to the collector behind sixteen megabytes', () => {
    const pool = pools();
    const last = (count: number) => Array.from({ length: count }, () => pool.take(64, 500)).at(-1)?.data.buffer;
    expect(last(4192)?.byteLength).toBe(1 << 20);
    expect(last(1)?.byteLength).toBe(4000);
  });

  // SECURITY: a mask whose memory is written over before it is added masks nothing.
  it('writes over nothing at its end, where a gate may be at work', async () => {
    const scope = kernels.scope();
    const mask = await scope.offset(x, 5n);
    scope.sweep();
    for (let i = 0; i < 3; i++) await scope.scale(x, 0n);
    scope.sweep(() => []);
    await scope.scale(x, 0n);
    expect(mask.data[9]).toBe(14);
  });

  it('leaves its regions to the next scope where it is through, and nothing in them', async () => {
    const told = vi.fn();
    const pool = sharedPools(told);
    const backend = await createWasmKernels({ party: PartyOperations, module, threads: 0, pool });
    const scope = backend.scope();
    const made = await scope.offset(x, 5n);
    const read = await scope.read(made);
    scope.sweep('through');
    expect([made.data[9], read.data[9]]).toEqual([0, 14]);
    const next = backend.scope();
    const again = await next.offset(x, 6n);
    expect(again.data.buffer).toBe(made.data.buffer);
    // One that was given up keeps what it has: the next takes other memory.
    next.sweep();
    const other = await backend.scope().offset(x, 7n);
    expect(other.data.buffer).not.toBe(again.data.buffer);
    expect(again.data[9]).toBe(15);
    expect(told).not.toHaveBeenCalled();
  });

  it('keeps no more regions for others than were left lying before, and none that is larger', () => {
    const told = vi.fn();
    const make = sharedPools(told);
    const through = (pool: ScopePool) => pool.drop(true);
    const large = make();
    const buffer = large.take(64, 1 << 21).data.buffer;
    through(large);
    const pool = make();
    // Nine regions of 8 MB: eight are kept.
    const buffers = Array.from({ length: 9 }, () => pool.take(64, 1 << 20).data.buffer);
    through(pool);
    const next = make();
    const again = Array.from({ length: 9 }, () => next.take(64, 1 << 20).data.buffer);
    expect(again.filter((one) => buffers.includes(one)).length).toBe(8);
    expect(again.includes(buffer)).toBe(false);
  });

  it('never uses what was read, or what another scope made', async () => {
    const [one, two] = [kernels.scope(), kernels.scope()];
    const [made, other] = [await one.offset(x, 1n), await two.offset(x, 2n)];
    const read = await one.read(made);
    one.sweep(() => []);
    for (let i = 0; i < 3; i++) await one.scale(x, 0n);
    expect([other.data[9], read.data[9]]).toEqual([11, 10]);
    expect(read.data.buffer).toBeInstanceOf(ArrayBuffer);
  });

  it('has what ended scopes leave collected, when it is worth it', () => {
    const told = vi.fn();
    const make = sharedPools(told);
    for (let i = 0; i < 7; i++) {
      const pool = make();
      pool.take(32, COUNT);
      pool.drop(false);
    }
    expect(told).not.toHaveBeenCalled();
    const last = make();
    last.take(32, COUNT);
    last.drop(false);
    expect(told).toHaveBeenCalledTimes(1);
  });

  it('has workers let go of it too, and they work on', async () => {
    const backend = await nodeBackend(1);
    const asked: string[] = [];
    const startWorker = () => {
      const port = backend.startWorker?.() as WorkerPort;
      const postMessage: WorkerPort['postMessage'] = (message, transfer) => {
        asked.push((message as { kind: string }).kind);
        port.postMessage(message, transfer);
      };
      return { ...port, postMessage };
    };
    const made = await createWasmKernels({ ...backend, startWorker });
    const scope = made.scope();
    await scope.repeat(x, 64);
    scope.sweep();
    expect(asked).toEqual(['start', 'collect']);
    const shape = { batch: 1, m: 64, inner: 128, n: 128 };
    const left = wordsFrom(new Array<number>(64 * 128).fill(2), 32);
    const right = wordsFrom(new Array<number>(128 * 128).fill(3), 32);
    expect((await made.scope().matmul(left, right, shape)).data[64 * 128 - 1]).toBe(768);
    expect(asked).toEqual(['start', 'collect', 'call']);
    await made.close();
  });

  it('is swept when a megabyte was taken: a sweep looks at everything', () => {
    const pool = pools();
    const live = vi.fn(function* (): Iterable<unknown> {});
    const sweep = () => pool.sweep({ [Symbol.iterator]: () => live()[Symbol.iterator]() });
    pool.take(32, COUNT / 2);
    sweep();
    expect(live).not.toHaveBeenCalled();
    pool.take(32, COUNT / 2);
    sweep();
    sweep();
    expect(live).toHaveBeenCalledTimes(1);
  });

  it('gives the operand itself where an operation changes nothing', async () => {
    const scope = kernels.scope();
    expect(await scope.offset(x, 0n)).toBe(x);
    expect(await scope.scale(x, 1n)).toBe(x);
    expect(await scope.cast(x, x.k)).toBe(x);
    expect(await scope.concat([x])).toBe(x);
  });
});

describe('what a worker is sent of a selection', () => {
  /** A scope of a backend of one worker, and the arguments of what its worker is asked for. */
  async function watched() {
    const backend = await nodeBackend(1);
    const asked: (readonly unknown[])[] = [];
    const startWorker = () => {
      const port = backend.startWorker?.() as WorkerPort;
      const postMessage: WorkerPort['postMessage'] = (message, transfer) => {
        const { args } = message as { args?: readonly unknown[] };
        if (args !== undefined) asked.push(args);
        port.postMessage(message, transfer);
      };
      return { ...port, postMessage };
    };
    const made = await createWasmKernels({ ...backend, startWorker });
    return { made, scope: made.scope(), asked };
  }
  const pads = { key: new Uint8Array(32), nonce: new Uint8Array(12) };
  const n = 64;
  const layout = tableLayout(n, 1);
  const table = wordsFrom(
    Array.from({ length: n * n }, (_, i) => i % 3),
    1,
  );

  it('is no small table, and of a large one the public part in shared memory', async () => {
    const { made, scope, asked } = await watched();
    const rows = (count: number) => wordsFrom(new Array<number>(count).fill(5), 8);
    const small = () => scope.selectionTable({ kind: 'rows', table, n, stride: n, row: rows(64) }, layout, pads, 0, 64);
    const first = await small();
    // The second one finds the table in wire form.
    expect(await small()).toEqual(first);
    expect(asked).toEqual([]);
    const count = 1 << 13;
    const large = { kind: 'rows', table, n, stride: n, row: rows(count) } as const;
    const bytes = await scope.selectionTable(large, layout, pads, 0, count);
    expect(bytes.subarray(0, first.length)).toEqual(first);
    const sent = asked.map(([part]) => (part as typeof large).table.data);
    expect(sent.map(({ buffer }) => buffer instanceof SharedArrayBuffer)).toEqual([true]);
    await scope.selectionTable(large, layout, pads, 0, count);
    expect((asked[1][0] as typeof large).table.data.buffer).toBe(sent[0].buffer);
    await made.close();
  });

  it('is the table that the caller gives away, and else a copy', async () => {
    const { made, scope } = await watched();
    const count = 1 << 17;
    const bits = tableLayout(1, 8);
    const choice = { index: zeros(count, 1) };
    const word = zeros(count, 8);
    const bytes = new Uint8Array(count).fill(7);
    const kept = await scope.evaluateSelection(choice, bits, bytes, word, 0, count);
    expect(bytes.length).toBe(count);
    const given = await scope.evaluateSelection(choice, bits, bytes, word, 0, count, 'given');
    expect(bytes.length).toBe(0);
    expect(given).toEqual(kept);
    // A part of a buffer that others may see is never handed over.
    const longer = new Uint8Array(count + 8).fill(7);
    await scope.evaluateSelection(choice, bits, longer.subarray(8), word, 0, count, 'given');
    expect(longer.length).toBe(count + 8);
    await made.close();
  });
});
