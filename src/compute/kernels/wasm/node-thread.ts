/** Starts threads of kernels in Node. */
import { Worker } from 'node:worker_threads';
import type { WorkerPort } from './messages.ts';

/**
 * A thread that runs a module, which tells it by `role` from others that import it. It keeps the process alive only
 * while it owes an answer.
 * @param module address of the module
 */
export function startThread(module: string, role: string): WorkerPort {
  // Compiled, a thread starts from that very file. From source (tests), Node 20 needs the types stripped:
  // source-worker.mjs does that.
  const source = module.endsWith('.ts');
  const entry = source ? new URL('./source-worker.mjs', import.meta.url) : new URL(module);
  const worker = new Worker(entry, { workerData: role, name: role, argv: source ? [module] : [] });
  let owed = 0;
  return {
    postMessage(message, transfer) {
      if (owed++ === 0) worker.ref();
      worker.postMessage(message, transfer);
    },
    onMessage(handler) {
      worker.on('message', (message) => {
        if (--owed === 0) worker.unref();
        handler(message);
      });
    },
    onError(handler) {
      worker.on('error', handler);
      worker.on('messageerror', handler);
      worker.on('exit', (code) => handler(new Error(`exit code ${code}`)));
    },
    async terminate() {
      // A late answer must not unref the thread whose end is awaited: the process would end first, with code 13.
      owed = Number.POSITIVE_INFINITY;
      await worker.terminate();
    },
  };
}
