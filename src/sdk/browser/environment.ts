/** A worker of a page, as the data owner's party sees it. */
import type { RingKernels } from '../../compute/kernels/types.ts';
import { TercetError } from '../../core/errors.ts';
import { openOwnerLink } from '../../net/gateway/owner-link.ts';
import { pageOfferer } from '../../net/webrtc/page-client.ts';
import { browserWasmKernels } from './kernels.ts';
import { browserPlace, capabilitiesOf } from '../../owner/capabilities.ts';
import type { Environment } from '../../owner/environment.ts';

/** Name of the cache that a hub's files are kept in. */
const CACHE = 'tercet-hub';

/** Of a device of this worker's own, with the adapter's real limits. */
async function openWebGpuKernels(gpu: GPU | undefined): Promise<RingKernels> {
  if (gpu === undefined)
    throw new TercetError('ERR_DEVICE_UNAVAILABLE', 'this browser has no WebGPU in workers', "use device: 'wasm'");
  // Loaded when it is wanted: the shaders are a third of the worker's code.
  const { createWebGpuKernels, requestDevice } = await import('../../compute/kernels/webgpu/kernels.ts');
  return createWebGpuKernels(await requestDevice(gpu));
}

/** @param page port to the page's half of WebRTC, where it has any. */
export function workerEnvironment(base: string, page: MessagePort | undefined): Environment {
  const place = browserPlace(page !== undefined);
  const offerer = page === undefined ? undefined : pageOfferer(page);
  return {
    base,
    fetch: (url, init) => fetch(url, init),
    async hub() {
      const { browserStore } = await import('../../hub/memory-store.ts');
      // Pages that are not secure have no caches, and private windows may refuse them: then this rejects, and
      // memory does.
      return { store: browserStore(async () => caches.open(CACHE)) };
    },
    now: () => performance.now(),
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    // No browser tells a worker what it uses unless the page is isolated.
    peakMemory: () => 0,
    capabilities: () => capabilitiesOf(place),
    openKernels: (device) => (device === 'webgpu' ? openWebGpuKernels(place.gpu) : browserWasmKernels(place.threads)),
    proving: async (...asked) => (await import('./proofs.ts')).browserProving(...asked),
    openLink: ({ onFallback, ...request }) =>
      openOwnerLink({ ...request, offerer, onFallback: (event) => onFallback({ what: 'transport', ...event }) }),
  };
}
