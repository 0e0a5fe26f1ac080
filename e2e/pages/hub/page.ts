/**
 * A page whose models' public files come from a hub: in the SDK's worker, or in one of its own that the browser
 * refuses its caches.
 */
import type { HubSource } from '../../../src/sdk/index.ts';
import { type Loaded, load } from './load.ts';

const deployment = new URL('tercet.json', document.baseURI).href;

function loadWithoutCaches(...asked: [id: string, text: string, hub: boolean | HubSource]): Promise<Loaded> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const told = new Promise<Loaded>((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<Loaded>) => resolve(data);
  });
  worker.postMessage([asked[0], deployment, asked[1], asked[2]]);
  return told.finally(() => worker.terminate());
}

Object.assign(globalThis, {
  load: (id: string, text: string, hub: boolean | HubSource) => load(id, deployment, text, hub),
  loadWithoutCaches,
});
