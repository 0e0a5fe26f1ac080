/** The entry of a kernel worker in a browser. */
import type { ServicePort } from './messages.ts';
import { serveKernels } from './worker-main.ts';

/** What is used of a worker's global scope; the library of the DOM knows only that of a page. */
const scope = globalThis as unknown as Pick<ServicePort, 'postMessage'> & {
  onmessage: (event: MessageEvent<unknown>) => void;
};

serveKernels({
  postMessage: (message, transfer) => scope.postMessage(message, transfer),
  onMessage: (handler) => {
    scope.onmessage = ({ data }) => handler(data);
  },
});
