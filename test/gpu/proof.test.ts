/** The kernels of the proofs on Dawn: conformance, and once more with limits so small that everything is cut. */
import { afterAll, expect, it } from 'vitest';
import { type WebGpuKernels, createWebGpuKernels } from '../../src/compute/kernels/webgpu/kernels.ts';
import { DeviceProofs } from '../../src/compute/kernels/webgpu/proof.ts';
import { WebGpuProofKernels } from '../../src/compute/kernels/webgpu/proof-engine.ts';
import { loadNodeProofModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { WasmProofKernels } from '../../src/compute/kernels/wasm/proof.ts';
import { proofConformance } from '../compute/proof.suite.ts';
import { openTestDevice } from './swiftshader.ts';

const { device, adapterInfo, close } = await openTestDevice();
const module = await loadNodeProofModule();
const ring = await createWebGpuKernels({ device, adapterInfo });
afterAll(() => close());

/** 32 KiB bindings, 40 workgroups in a dimension, a few milliseconds of work, eight dispatches in a submit. */
const SMALL = { bindingBytes: 2 ** 15, groupsPerDimension: 40, work: 2 ** 16, batchDispatches: 8 };

const made: WebGpuProofKernels[] = [];
function everything(of: WebGpuKernels): WebGpuProofKernels {
  const kernels = new WebGpuProofKernels(new DeviceProofs(of.commands), new WasmProofKernels(module), {
    leastBytes: 0,
  });
  made.push(kernels);
  return kernels;
}

proofConformance('webgpu on Dawn', async () => everything(ring));
proofConformance('webgpu on Dawn, smallest limits', async () =>
  everything(await createWebGpuKernels({ device, adapterInfo, limits: SMALL })),
);

it('the suites ran on the device: beside claims, only tables longer than a binding did not', () => {
  const [whole, small] = made.map(({ counts }) => counts);
  expect(whole.get('long enough for the device')).toBeGreaterThan(500);
  expect(whole.get('the device has no room')).toBeUndefined();
  // Two tables of 2^14 and 2^15 words, loaded anew for each of their 5 and 6 digits; and 65 tables of 72 bits, which
  // are 37 kB as words.
  expect(small.get('the device has no room')).toBe(12);
});
