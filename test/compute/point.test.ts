/** Distributed point functions: the two expansions sum to the unit vector. */
import { describe, expect, it } from 'vitest';
import { pointKeyBytes } from '../../src/compute/kernels/point-key.ts';
import { generatePoint } from '../../src/compute/kernels/reference/point.ts';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import { loadNodeModule, nodeWorkerFactory } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import type { Words } from '../../src/compute/ring.ts';
import { Random } from './kernels.suite.ts';

const module = await loadNodeModule();
const backends: [string, () => Promise<RingKernels<Words>>][] = [
  ['reference', async () => new ReferenceKernels()],
  ['wasm, inline', () => createWasmKernels({ party: PartyOperations, module, threads: 0 })],
  [
    'wasm, two workers',
    () => createWasmKernels({ party: PartyOperations, module, startWorker: nodeWorkerFactory(), threads: 2 }),
  ],
];

async function checkPoint(
  kernels: RingKernels<Words>,
  random: Random,
  alpha: number,
  depth: number,
  count: number,
): Promise<void> {
  const keys = generatePoint(alpha, depth, random.bytes(32), random.bytes(16));
  expect(keys.map((key) => key.length)).toEqual([pointKeyBytes(depth), pointKeyBytes(depth)]);
  const [left, right] = await Promise.all(keys.map((key) => kernels.expandPoint(key, depth, count)));
  const sum = await kernels.add(left, right);
  expect(sum.data.length).toBe(count);
  expect(sum.data.findIndex((word) => word !== 0n)).toBe(alpha < count ? alpha : -1);
  if (alpha < count) expect([sum.data[alpha], sum.data.findLastIndex((word) => word !== 0n)]).toEqual([1n, alpha]);
}

describe.each(backends)('point functions, %s', (_, make) => {
  it('every point of small domains', async () => {
    const kernels = await make();
    const random = new Random(7);
    for (const depth of [0, 1, 2, 4]) {
      for (let alpha = 0; alpha < 2 ** depth; alpha++) await checkPoint(kernels, random, alpha, depth, 2 ** depth);
    }
    await checkPoint(kernels, random, 9, 5, 20);
    await checkPoint(kernels, random, 25, 5, 20);
    await kernels.close();
  });

  it('random points of 2^15, truncated to a vocabulary', async () => {
    const kernels = await make();
    const random = new Random(8);
    const rounds = kernels.name === 'reference' ? 0 : 4;
    for (let i = 0; i < rounds; i++) await checkPoint(kernels, random, random.below(30522), 15, 30522);
    await checkPoint(kernels, random, 700, 10, 1000);
    await kernels.close();
  });
});
