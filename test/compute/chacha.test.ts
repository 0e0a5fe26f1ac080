/** ChaCha20 of the backends that need no device. */
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { loadNodeModule, nodeWorkerFactory } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { chachaVectors } from './chacha.suite.ts';

const module = await loadNodeModule();

chachaVectors('reference', async () => new ReferenceKernels());
chachaVectors('wasm, inline', () => createWasmKernels({ party: PartyOperations, module, threads: 0 }));
chachaVectors('wasm, two workers', () =>
  createWasmKernels({ party: PartyOperations, module, startWorker: nodeWorkerFactory(), threads: 2 }),
);
