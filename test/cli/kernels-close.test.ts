/**
 * Closing kernels while a worker still owes an answer must not end the process with Node's code 13 (an unsettled
 * top-level await).
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const script = (owing: string) => `
import { createWasmKernels } from './dist/compute/kernels/wasm/kernels.js';
import { loadNodeModule, nodeWorkerFactory } from './dist/compute/kernels/wasm/node-worker.js';
const module = await loadNodeModule();
const kernels = await createWasmKernels({ module, startWorker: nodeWorkerFactory(), threads: 1 });
${owing}
const until = performance.now() + 500;
while (performance.now() < until);
await kernels.close();
console.log('closed');
`;

describe('kernels with a worker', () => {
  it.each([
    ['that just started', ''],
    [
      'that owes an answer',
      'kernels.draw({ key: new Uint8Array(32), nonce: new Uint8Array(12) }, 64, 1 << 20).catch(() => undefined);',
    ],
  ])('%s close, and the process goes on', (_name, owing) => {
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script(owing)], { encoding: 'utf8' });
    expect([run.status, run.stdout.trim()]).toEqual([0, 'closed']);
  });
});
