/** What a page proves and verifies with. Loaded for whoever asks for it: nobody else downloads any of it. */
import { WasmProofKernels } from '../../compute/kernels/wasm/proof.ts';
import { provingWith } from '../../session/proved-session.ts';
import type { Proving } from '../../session/proving.ts';
import { compiled } from './kernels.ts';

export async function browserProving(): Promise<Proving> {
  const url = new URL('../../compute/kernels/wasm/proof.wasm', import.meta.url);
  return provingWith({ kernels: new WasmProofKernels(await compiled(url, 'proof.wasm')) });
}
