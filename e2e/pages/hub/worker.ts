/** A worker without caches, as in a private window that refuses them. */
import { load } from './load.ts';

Object.defineProperty(globalThis, 'caches', {
  get() {
    throw new DOMException('The operation is insecure.', 'SecurityError');
  },
});

addEventListener('message', async ({ data }: MessageEvent<Parameters<typeof load>>) =>
  postMessage(await load(...data)),
);
