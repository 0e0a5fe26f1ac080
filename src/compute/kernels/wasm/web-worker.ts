/** The entry of a kernel worker in a browser. */
import { serveKernels } from './worker-main.ts';

const scope = globalThis as unknown as DedicatedWorkerGlobalScope;

serveKernels({
  postMessage: (message, transfer) => scope.postMessage(message, transfer),
  onMessage: (handler) => scope.addEventListener('message', ({ data }) => handler(data)),
});
