/**
 * The kernels as a library of the processor: conformance inline and with workers, on memory that grows. Where none was
 * built (`npm run build:native`) there is nothing to test.
 */
import { describe, expect, it } from 'vitest';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { linkInNode } from '../../src/compute/kernels/wasm/node-native.ts';
import { KernelInstance } from '../../src/compute/kernels/wasm/instance.ts';
import { builtLibrary, loadNodeModule, nodeBackend } from '../../src/compute/kernels/wasm/node-worker.ts';
import { Random, conformance, same } from './kernels.suite.ts';

const library = builtLibrary();

describe.skipIf(library === undefined)('native kernels', () => {
  if (library === undefined) return;
  conformance('native, inline', async () => createWasmKernels(await nodeBackend(0, library)));
  conformance('native, two workers', async () => createWasmKernels(await nodeBackend(2, library)));

  it('have the functions of the module, no more and no less', async () => {
    const names = (of: WebAssembly.Module | { library: string }) =>
      Object.entries(linkInNode(of).exports)
        .filter(([, value]) => typeof value === 'function')
        .map(([name]) => name)
        .sort();
    expect(names(library)).toEqual(names(await loadNodeModule()));
  });

  it('follow their memory when it grows, and leave nothing behind in it', () => {
    const linked = linkInNode(library);
    const instance = new KernelInstance(linked);
    const random = new Random(11);
    const first = random.words(200, 64);
    const sum = instance.add(first, first);
    const bytes = linked.memory.buffer.byteLength;
    const [x, y] = [random.words(2 ** 20, 64), random.words(2 ** 20, 64)];
    instance.matmul(x, y, { batch: 1, m: 1024, inner: 1024, n: 1024 });
    expect(linked.memory.buffer.byteLength).toBeGreaterThan(bytes);
    same(instance.add(first, first), sum);
    expect(new Uint8Array(linked.memory.buffer).every((byte) => byte === 0)).toBe(true);
  });

  it('refuse arguments of another type than they take', () => {
    const { add64 } = linkInNode(library).exports;
    expect(() => add64(64, 64, 64, 1)).toThrow('other arguments');
    expect(() => add64(64, 64, 64, 1, 3)).toThrow('other arguments');
  });
});
