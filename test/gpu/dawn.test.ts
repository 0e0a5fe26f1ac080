/**
 * The WebGPU backend on Dawn: conformance as it is, and once more with limits so small that everything is cut into
 * ranges, folded and submitted in pieces.
 */
import { afterAll } from 'vitest';
import { createWebGpuKernels } from '../../src/compute/kernels/webgpu/kernels.ts';
import { chachaVectors } from '../compute/chacha.suite.ts';
import { conformance } from '../compute/kernels.suite.ts';
import { openTestDevice } from './swiftshader.ts';

// One device for all suites, which run one after the other: closing kernels must not close it.
const opened = await openTestDevice();
const { device, adapterInfo } = opened;
afterAll(() => opened.close());

/** 32 KiB bindings, 40 workgroups in a dimension, a few milliseconds of work, eight dispatches in a submit. */
const SMALL = { bindingBytes: 2 ** 15, groupsPerDimension: 40, work: 2 ** 16, batchDispatches: 8 };

chachaVectors('webgpu on Dawn', () => createWebGpuKernels({ device, adapterInfo }));
conformance('webgpu on Dawn', () => createWebGpuKernels({ device, adapterInfo }));
conformance('webgpu on Dawn, smallest limits', () => createWebGpuKernels({ device, adapterInfo, limits: SMALL }));
