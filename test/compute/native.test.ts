/**
 * The kernels as a library of the processor: conformance inline and with workers, on memory that grows. Where none was
 * built (`npm run build:native`) only the refusals are tested.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import type { Linked } from '../../src/compute/kernels/wasm/link.ts';
import { linkInNode, linkProofs } from '../../src/compute/kernels/wasm/node-native.ts';
import { DirectMemory } from '../../src/compute/kernels/wasm/direct-memory.ts';
import { KernelInstance } from '../../src/compute/kernels/wasm/instance.ts';
import {
  builtLibrary,
  loadNodeModule,
  loadNodeProofModule,
  nodeBackend,
} from '../../src/compute/kernels/wasm/node-worker.ts';
import { ThreadedProofKernels } from '../../src/compute/kernels/wasm/proof-thread.ts';
import { nodeProofThread } from '../../src/compute/kernels/wasm/proof-worker.ts';
import { WasmProofKernels } from '../../src/compute/kernels/wasm/proof.ts';
import { TercetError } from '../../src/core/errors.ts';
import { deviceOf, nodeKernels, nodeProving, openNative, processor } from '../../src/node/kernels.ts';
import { proofVectors } from '../mpc/proof/vectors.suite.ts';
import { Random, conformance, same } from './kernels.suite.ts';
import { proofConformance } from './proof.suite.ts';

/** What `npm run build:native -- --aside` leaves. */
const aside = fileURLToPath(new URL('../../native/target/release/libtercet_native.so', import.meta.url));
const library = existsSync(aside) ? { library: aside } : builtLibrary();

it('a library was built where one is required', () => {
  if (process.env.REQUIRE_NATIVE === '1') expect(library).toBeDefined();
});

describe('without native kernels', () => {
  const missing = { library: '/nowhere/tercet.node' };

  it('a party that asks for them by name is refused, and told what to do', async () => {
    for (const [of, hint] of [
      [undefined, 'where cargo is'],
      [missing, 'on this machine'],
    ] as const) {
      const asked = [openNative(of, 0), ...(of === undefined ? [] : [nodeProving('native', of)])];
      for (const opened of asked) {
        const refused = await opened.catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(TercetError);
        expect(refused).toMatchObject({ code: 'ERR_DEVICE_UNAVAILABLE', hint: expect.stringContaining(hint) });
      }
    }
  });

  it('auto takes WebAssembly, and says why', async () => {
    for (const [of, why] of [
      [undefined, /^no graphics$/],
      [missing, /^no graphics, and .* do not load here/],
    ] as const) {
      const { kernels, fallback, close } = await processor(0, 'no graphics', of);
      expect(kernels.name).toBe('wasm');
      expect(fallback).toMatch(why);
      await close();
    }
  });
});

describe.skipIf(library === undefined)('native kernels', () => {
  if (library === undefined) return;
  conformance('native, inline', async () => createWasmKernels(await nodeBackend(0, library)));
  conformance('native, two workers', async () => createWasmKernels(await nodeBackend(2, library)));

  const proofs = () => new WasmProofKernels(linkProofs(library));
  proofConformance('native', async () => proofs());
  proofConformance(
    'native, in a thread',
    async () => new ThreadedProofKernels(proofs(), library, nodeProofThread, { leastBytes: 0 }),
  );
  proofVectors('native', proofs);

  it('have the functions of the modules, no more and no less', async () => {
    const names = ({ exports }: Linked) =>
      Object.entries(exports)
        .filter(([, value]) => typeof value === 'function')
        .map(([name]) => name)
        .sort();
    expect(names(linkInNode(library))).toEqual(names(linkInNode(await loadNodeModule())));
    expect(names(linkProofs(library))).toEqual(names(linkProofs(await loadNodeProofModule())));
  });

  it('follow their memory when it grows, and leave nothing behind in it', () => {
    const linked = linkInNode(library);
    const instance = new KernelInstance(new DirectMemory(linked), PartyOperations);
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

  it('are what a party computes on that asks for them, and what auto takes without a graphics device', async () => {
    for (const opened of [await openNative(library, 1), await processor(1, 'no graphics', library)]) {
      expect(opened.kernels.name).toBe('native');
      expect(opened.summary).toBe('native kernels (AVX2), 1 worker threads');
      await opened.close();
    }
    // It proves with them as well.
    const { kernels: own, close: end } = await openNative(library, 0);
    expect(deviceOf(own)).toBe('native');
    expect(await nodeProving(deviceOf(own), library)).toBeDefined();
    await end();
    // WebAssembly by name is WebAssembly.
    const { kernels, close } = await nodeKernels('wasm', 0);
    expect(kernels.name).toBe('wasm');
    await close();
  });

  it('refuse arguments of another type than they take', () => {
    const { add64 } = linkInNode(library).exports;
    expect(() => add64(64, 64, 64, 1)).toThrow('other arguments');
    expect(() => add64(64, 64, 64, 1, 3)).toThrow('other arguments');
  });
});
