/** What a page proves and verifies with. Loaded for whoever asks for it: nobody else downloads any of it. */
import { WasmProofKernels } from '../../compute/kernels/wasm/proof.ts';
import type { PretrainedOptions, Protocol } from '../../owner/types/index.ts';
import { provingWith } from '../../session/proved-session.ts';
import type { Proving } from '../../session/proving.ts';
import { browserWasmKernels, compiled } from './kernels.ts';

/** @param device that was asked for: one by name proves too, and then its shaders are loaded */
export async function browserProving(device: PretrainedOptions['device'], protocol: Protocol): Promise<Proving> {
  // A reference: whoever proves with the other protocol does not download its gates.
  const symmetric = protocol === 'aby3' ? (await import('../../session/symmetric.ts')).symmetric : undefined;
  const url = new URL('../../compute/kernels/wasm/proof.wasm', import.meta.url);
  const kernels = new WasmProofKernels(await compiled(url, 'proof.wasm'));
  if (device !== 'webgpu') return provingWith({ kernels, symmetric });
  const { besideDevice } = await import('../../compute/kernels/webgpu/proof-engine.ts');
  return provingWith({ kernels, symmetric, ...besideDevice(kernels, () => browserWasmKernels(0)) });
}
