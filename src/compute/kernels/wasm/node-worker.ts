/**
 * Node's side of the WebAssembly backend: reads the module, starts worker threads, and is the entry of such a
 * thread.
 */
import { readFile } from 'node:fs/promises';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { collectNow } from '../../../core/collect-node.ts';
import type { WorkerPort } from './messages.ts';
import { serveKernels } from './worker-main.ts';

/** Tells a kernel thread from any other thread that imports this file (a test runner's, for instance). */
const ROLE = 'tercet-kernels';

/** Compiles `tercet.wasm`, which lies next to this file in `src` and in `dist`. */
export async function loadNodeModule(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(new URL('tercet.wasm', import.meta.url)));
}

/** Compiles `proof.wasm`, beside it: the kernels of the proofs. */
export async function loadNodeProofModule(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(new URL('proof.wasm', import.meta.url)));
}

/** Compiles `fold.wasm`, beside it: what weights are encoded by. */
export async function loadNodeFoldModule(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(new URL('fold.wasm', import.meta.url)));
}

/**
 * What starts a worker thread for `createWasmKernels`. A thread keeps the process alive only while it owes an
 * answer.
 */
export function nodeWorkerFactory(): () => WorkerPort {
  // Compiled, a thread starts from this very file. From source (tests), Node 20 needs the types stripped:
  // source-worker.mjs does that.
  const entry = new URL(import.meta.url.endsWith('.ts') ? './source-worker.mjs' : import.meta.url, import.meta.url);
  return () => {
    const worker = new Worker(entry, { workerData: ROLE, name: ROLE });
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
  };
}

if (!isMainThread && workerData === ROLE && parentPort !== null) {
  const port = parentPort;
  serveKernels({
    postMessage: (message, transfer) => port.postMessage(message, transfer),
    onMessage: (handler) => port.on('message', handler),
    // In a turn of its own: this one still holds the message.
    collect: () => void setImmediate(collectNow),
  });
}
