import { conformance } from '../compute/kernels.suite.ts';
import { createWebGpuKernels } from '../../src/compute/kernels/webgpu/kernels.ts';
import { openNodeDevice } from '../../src/compute/kernels/webgpu/node-device.ts';
const opened = await openNodeDevice();
conformance('webgpu', () => createWebGpuKernels({...opened, limits: { bindingBytes: 2**15, groupsPerDimension: 40, productWork: 2**16, blockWork: 2**10, batchDispatches: 8 }}));
