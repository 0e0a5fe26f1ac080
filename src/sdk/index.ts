/**
 * The SDK in a browser: `SecureTransformer.fromPretrained`, `pipeline`, `capabilities`. In a page the party runs in
 * a worker, and the page keeps its thread. In a worker of your own it runs right there; there is no WebRTC in
 * workers, so the page lends its own: `serveWebRtc(port1)` in the page, `{ page: port2 }` in the options. Without
 * that the links are WebSockets.
 *
 * Needs no cross-origin isolation. Content-Security-Policy: `script-src 'self' 'wasm-unsafe-eval'; worker-src
 * 'self'; connect-src 'self' <the parties>`; with the option `hub` also the hub, and where it keeps large files.
 */
import { browserPlace, capabilitiesOf } from '../owner/capabilities.ts';
import { loadDeployment as load } from '../owner/deployment.ts';
import { pipelineWith } from './pipeline.ts';
import type { Capabilities, Deployment, Model, PretrainedOptions } from '../owner/types/index.ts';
import { WorkerModel } from './worker/client.ts';

export { TercetError } from '../core/errors.ts';
export { servePageHost as serveWebRtc } from '../net/webrtc/page-host.ts';
export type * from './pipeline-types.ts';
export type * from '../owner/types/index.ts';

const startWorker = () =>
  new Worker(new URL('./worker/worker.ts', import.meta.url), { type: 'module', name: 'tercet-party' });

async function fromPretrained(id: string, options: PretrainedOptions = {}): Promise<Model> {
  if (typeof document === 'object') return WorkerModel.load(id, options, startWorker);
  const { loadHere } = await import('./worker/in-worker.ts');
  return loadHere(id, options);
}

/** Private inference on a model that the parties of a deployment serve. */
export const SecureTransformer = { fromPretrained } as const;

export const pipeline = pipelineWith(fromPretrained);

/** What this page can run, and why not. */
export function capabilities(): Promise<Capabilities> {
  return capabilitiesOf(browserPlace());
}

/** Fetches and checks a deployment document. @throws {TercetError} ERR_DOWNLOAD, ERR_MODEL_CONFIG */
export async function loadDeployment(source: string | URL = './tercet.json'): Promise<Deployment> {
  return (
    await load(source, typeof document === 'object' ? document.baseURI : location.href, {
      fetch: (url, init) => fetch(url, init),
    })
  ).deployment;
}
