/** Vectors that threads share: blocks of dead ones are used again behind a sweep, and never before. */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { type WorkerPort, createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { loadNodeModule, nodeBackend } from '../../src/compute/kernels/wasm/node-worker.ts';
import type { ScopePool } from '../../src/compute/kernels/wasm/pool.ts';
import { sharedPools } from '../../src/compute/kernels/wasm/shared-pool.ts';
import { type Words, viewWords, wordsFrom } from '../../src/compute/ring.ts';
import { conformance } from './kernels.suite.ts';

const module = await loadNodeModule();
const pools = sharedPools(() => undefined);
const COUNT = 2048;
const x = wordsFrom(
  Array.from({ length: COUNT }, (_, i) => i),
  32,
);
const kernels = await createWasmKernels({ module, threads: 0, pool: pools });

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

  it('takes memory of its own for what no region holds, and leaves small vectors to the collector', () => {
    const pool = pools();
    expect(pool.take(64, 1 << 22).data.length).toBe(1 << 22);
    expect(pool.take(64, 4).data.buffer).toBeInstanceOf(ArrayBuffer);
    expect(pool.shared?.(64, 4)).toBeUndefined();
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
      pool.drop();
    }
    expect(told).not.toHaveBeenCalled();
    const last = make();
    last.take(32, COUNT);
    last.drop();
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
    await scope.repeat(x, 1 << 13);
    scope.sweep();
    expect(asked).toEqual(['start', 'collect']);
    const shape = { batch: 1, m: 64, inner: 128, n: 128 };
    const left = wordsFrom(new Array<number>(64 * 128).fill(2), 32);
    const right = wordsFrom(new Array<number>(128 * 128).fill(3), 32);
    expect((await made.scope().matmul(left, right, shape)).data[64 * 128 - 1]).toBe(768);
    expect(asked).toEqual(['start', 'collect', 'call']);
    await made.close();
  });
});
