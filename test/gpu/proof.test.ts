/** The kernels of the proofs on Dawn: conformance, and once more with limits so small that everything is cut. */
import { afterAll } from 'vitest';
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

const everything = (of: WebGpuKernels) =>
  new WebGpuProofKernels(new DeviceProofs(of.commands), new WasmProofKernels(module), { leastBytes: 0 });

proofConformance('webgpu on Dawn', async () => everything(ring));
proofConformance('webgpu on Dawn, smallest limits', async () =>
  everything(await createWebGpuKernels({ device, adapterInfo, limits: SMALL })),
);
