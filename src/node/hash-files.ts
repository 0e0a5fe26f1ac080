/**
 * SHA-256 of files. Large ones are hashed by a thread, so that a start goes on meanwhile; this file is the entry of
 * such a thread too.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

/** Tells such a thread from any other that imports this file. */
const ROLE = 'tercet-hash';
/** Less is hashed sooner than a thread starts. */
const LEAST_BYTES = 32 * 2 ** 20;
/** Stays in a core's own cache from the read to the hash: twice as much took three times as long to read. */
const BUFFER_BYTES = 1 << 17;

/** In the order of the paths. @throws as reading the files does */
export async function hashFiles(paths: readonly string[]): Promise<string[]> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const large = sizes.reduce((sum, size) => sum + size, 0) >= LEAST_BYTES;
  // Node 20 starts no thread from a source with types, as in tests.
  return large && !import.meta.url.endsWith('.ts') ? inThread(paths) : each(paths);
}

/** Through one buffer: a stream's new buffers cost more than the hash. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  const file = await open(path, 'r');
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

async function each(paths: readonly string[]): Promise<string[]> {
  const hashes: string[] = [];
  for (const path of paths) hashes.push(await hashFile(path));
  return hashes;
}

/** `hashFile` where nothing else waits for the thread: without a hand-over for each read. */
function hashNow(path: string): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const bytes = readSync(file, buffer, 0, buffer.length, null);
      if (bytes === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytes));
    }
  } finally {
    closeSync(file);
  }
}

function inThread(paths: readonly string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { role: ROLE, paths }, name: ROLE });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the thread that hashes ended with code ${code}`)));
  });
}

const given = workerData as { readonly role?: unknown; readonly paths: readonly string[] } | null;
if (!isMainThread && parentPort !== null && given?.role === ROLE) parentPort.postMessage(given.paths.map(hashNow));
