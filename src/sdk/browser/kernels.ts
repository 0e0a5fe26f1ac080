/** Kernels of a browser, in the worker that the party runs in. */
import type { RingKernels } from '../../compute/kernels/types.ts';
import type { WorkerPort } from '../../compute/kernels/wasm/messages.ts';
import { createWasmKernels } from '../../compute/kernels/wasm/kernels.ts';
import { TercetError } from '../../core/errors.ts';

/** WebAssembly with SIMD in `threads` workers, each with memory of its own: no page needs to be isolated for it. */
export async function browserWasmKernels(threads: number): Promise<RingKernels> {
  return createWasmKernels({ module: await compiled(MODULE, 'owner.wasm'), startWorker: startKernelWorker, threads });
}

/** What a data owner computes: it deals, and with proofs it makes public tables. */
const MODULE = new URL('../../compute/kernels/wasm/owner.wasm', import.meta.url);

/** Fetches and compiles a module. @throws {TercetError} ERR_DOWNLOAD */
export async function compiled(url: URL, name: string): Promise<WebAssembly.Module> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`status ${response.status}`);
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (cause) {
    throw new TercetError(
      'ERR_DOWNLOAD',
      'the WebAssembly kernels could not be loaded',
      `serve ${name} beside the scripts of the page, and reload`,
      {
        cause,
      },
    );
  }
}

function startKernelWorker(): WorkerPort {
  const worker = new Worker(new URL('../../compute/kernels/wasm/web-worker.ts', import.meta.url), {
    type: 'module',
    name: 'tercet-kernels',
  });
  return {
    postMessage: (message, transfer) => worker.postMessage(message, transfer),
    onMessage: (handler) => worker.addEventListener('message', ({ data }) => handler(data)),
    onError: (handler) => {
      worker.addEventListener('error', (event) => handler(new Error(event.message)));
      worker.addEventListener('messageerror', () => handler(new Error('a message could not be read')));
    },
    terminate: () => worker.terminate(),
  };
}
