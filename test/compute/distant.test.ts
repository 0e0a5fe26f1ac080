/**
 * The kernels of another processor, or of this one in a process of its own: the conformance of both modules, and that
 * no call leaves anything behind on its stack. Run by `scripts/check-native.mjs`, which builds that program.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { WasmProofKernels } from '../../src/compute/kernels/wasm/proof.ts';
import { distant } from './distant.ts';
import { conformance } from './kernels.suite.ts';
import { proofConformance } from './proof.suite.ts';

const command = process.env.DISTANT_KERNELS?.split(' ');

describe.skipIf(command === undefined)('kernels of another process', () => {
  if (command === undefined) return;
  const there = distant(command);
  afterAll(() => there.close());
  // Named, so that nothing is loaded.
  const library = { library: 'distant' };
  conformance('distant', () => createWasmKernels({ module: library, link: () => there.link(0), threads: 0 }));
  proofConformance('distant', async () => new WasmProofKernels(there.link(1)));

  it('leave nothing on the stack, and go no deeper than what is overwritten', () => {
    expect(there.stack.calls).toBeGreaterThan(10_000);
    expect(there.stack.left).toBe(0);
    // What overwrites has a frame as well.
    expect(there.stack.depth).toBeLessThan(16 * 1024 + 256);
  });
});
