/** Every byte of two proofs, on the kernels that need no device; `test/gpu/proved.test.ts` has those that do. */
import { ReferenceProofKernels } from '../../../src/compute/kernels/reference/proof.ts';
import { loadNodeProofModule } from '../../../src/compute/kernels/wasm/node-worker.ts';
import { WasmProofKernels } from '../../../src/compute/kernels/wasm/proof.ts';
import { proofVectors } from './vectors.suite.ts';

const module = await loadNodeProofModule();

proofVectors('reference', () => new ReferenceProofKernels());
proofVectors('wasm', () => new WasmProofKernels(module));
