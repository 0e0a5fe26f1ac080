/** A worker of a page, as the data owner's party sees it. */
import { openOwnerLink } from '../../net/gateway/owner-link.ts';
import { pageOfferer } from '../../net/webrtc/page-client.ts';
import { browserWasmKernels } from './kernels.ts';
import { openWebGpuKernels } from './webgpu.ts';
import { browserPlace, capabilitiesOf } from '../../owner/capabilities.ts';
import type { Environment } from '../../owner/environment.ts';

/** Name of the cache that a hub's files are kept in. */
const CACHE = 'tercet-hub';

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
    openLink: ({ onFallback, ...request }) =>
      openOwnerLink({ ...request, offerer, onFallback: (event) => onFallback({ what: 'transport', ...event }) }),
  };
}
