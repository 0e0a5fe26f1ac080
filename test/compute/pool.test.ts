/** Vectors of a scope: written over behind a sweep, and never before. */
import { describe, expect, it } from 'vitest';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { Pool } from '../../src/compute/kernels/wasm/pool.ts';
import { wordsFrom } from '../../src/compute/ring.ts';

const kernels = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
const COUNT = 1024;
const x = wordsFrom(
  Array.from({ length: COUNT }, (_, i) => i),
  32,
);

describe('a scope of the WebAssembly kernels', () => {
  it('uses the buffer of a dead vector again, and no other', async () => {
    const scope = kernels.scope();
    const [kept, dead] = [await scope.offset(x, 1n), await scope.offset(x, 2n)];
    scope.sweep(() => [kept, undefined, new Uint8Array(3)]);
    const [next, fresh] = [await scope.offset(x, 3n), await scope.offset(x, 4n)];
    expect(next.data.buffer).toBe(dead.data.buffer);
    expect([kept.data[7], next.data[7], fresh.data[7]]).toEqual([8, 10, 11]);
    expect(new Set([kept, next, fresh].map(({ data }) => data.buffer)).size).toBe(3);
  });

  it('never uses what it was given, what was read, or what another scope made', async () => {
    const [one, two] = [kernels.scope(), kernels.scope()];
    const [made, other] = [await one.offset(x, 1n), await two.offset(x, 2n)];
    const read = await one.read(made);
    one.sweep(() => []);
    for (let i = 0; i < 3; i++) await one.scale(x, 0n);
    expect([x.data[9], other.data[9], read.data[9]]).toEqual([9, 11, 10]);
  });

  it('holds a bounded number of bytes, those of the sizes in use', async () => {
    const pool = new Pool();
    const big = Array.from({ length: 5 }, () => pool.take(32, 1 << 21).data.buffer);
    pool.sweep([]);
    const small = pool.take(32, 1 << 20).data.buffer;
    pool.sweep([]);
    const again = Array.from({ length: 5 }, () => pool.take(32, 1 << 21).data.buffer);
    expect(again.filter((buffer) => big.includes(buffer))).toHaveLength(3);
    expect(pool.take(32, 1 << 20).data.buffer).toBe(small);
  });

  // SECURITY: a mask whose buffer is written over before it is added masks nothing.
  it('writes over nothing at its end, where a gate may be at work', async () => {
    const scope = kernels.scope();
    const mask = await scope.offset(x, 5n);
    scope.sweep();
    for (let i = 0; i < 3; i++) await scope.scale(x, 0n);
    scope.sweep(() => []);
    await scope.scale(x, 0n);
    expect(mask.data[9]).toBe(14);
  });

  it('closes alone', async () => {
    await kernels.scope().close();
    expect((await kernels.add(x, x)).data[9]).toBe(18);
  });
});
