/**
 * Node's side of the WebAssembly backend: reads the module, starts worker threads, and is the entry of such a
 * thread.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { collectNow } from '../../../core/collect-node.ts';
import type { WasmOptions } from './dispatch.ts';
import type { WorkerPort } from './messages.ts';
import type { NativeLibrary } from './link.ts';
import { HomeMemory } from './home-memory.ts';
import { KernelInstance } from './instance.ts';
import { linkShared, openInNode } from './node-native.ts';
import { PartyOperations } from './party-operations.ts';
import { startThread } from './node-thread.ts';
import { withSharedMemory } from './shared-module.ts';
import { type Home, sharedPools } from './shared-pool.ts';
import { serveKernels } from './worker-main.ts';

/** Tells a kernel thread from any other thread that imports this file (a test runner's, for instance). */
const ROLE = 'tercet-kernels';

/** Compiles `tercet.wasm`, which lies next to this file in `src` and in `dist`. */
export async function loadNodeModule(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(new URL('tercet.wasm', import.meta.url)));
}

/** The same on a memory that threads share. */
export async function loadSharedModule(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(withSharedMemory(await readFile(new URL('tercet.wasm', import.meta.url))));
}

/** What a scope's vectors lie in. Undefined where the process has no address space for another one. */
function openHome(module: WebAssembly.Module): Home | undefined {
  try {
    const memory = new HomeMemory(linkShared(module));
    return { kernels: new KernelInstance(memory, PartyOperations), memory };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What `npm run build:native` writes, beside `src` and `dist`; undefined where nobody did. */
export function builtLibrary(): NativeLibrary | undefined {
  const library = join(fileURLToPath(new URL('../../../../native/', import.meta.url)), 'tercet.node');
  return existsSync(library) ? { library } : undefined;
}

/** Compiles `proof.wasm`, beside it: the kernels of the proofs. */
export async function loadNodeProofModule(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(new URL('proof.wasm', import.meta.url)));
}

/** Compiles `fold.wasm`, beside it: what weights are encoded by. */
export async function loadNodeFoldModule(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(new URL('fold.wasm', import.meta.url)));
}

/** What starts a worker thread for `createWasmKernels`. */
export function nodeWorkerFactory(): () => WorkerPort {
  return () => startThread(import.meta.url, ROLE);
}

/**
 * What `createWasmKernels` makes a backend of in Node, where threads share memory.
 * @param library the kernels as a library, in place of WebAssembly
 */
export async function nodeBackend(threads: number, library?: NativeLibrary): Promise<WasmOptions> {
  const shared = library === undefined ? await loadSharedModule() : undefined;
  // In a turn of its own: this one still holds what a scope leaves behind.
  const pool = sharedPools(() => void setImmediate(collectNow), shared && (() => openHome(shared)));
  const module = library ?? (await loadNodeModule());
  return { module, link: openInNode, party: PartyOperations, startWorker: nodeWorkerFactory(), threads, pool };
}

if (!isMainThread && workerData === ROLE && parentPort !== null) {
  const port = parentPort;
  serveKernels(
    {
      postMessage: (message, transfer) => port.postMessage(message, transfer),
      onMessage: (handler) => port.on('message', handler),
      // In a turn of its own: this one still holds the message.
      collect: () => void setImmediate(collectNow),
    },
    PartyOperations,
    openInNode,
  );
}
