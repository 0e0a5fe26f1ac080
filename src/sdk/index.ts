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
import { TercetError } from '../core/errors.ts';
import { OwnerParty } from './owner-party.ts';
import { pipelineWith } from './pipeline.ts';
import type { Capabilities, Deployment, Model, PretrainedOptions } from '../owner/types/index.ts';
import { WorkerModel } from './worker/client.ts';

export * from './errors.ts';
export { servePageHost as serveWebRtc } from '../net/webrtc/page-host.ts';
export type { CollectedMetrics, HealthStatus } from './watching.ts';
export type { TaskResult, TaskRunOptions } from './any-task.ts';
export type { InputShares } from './owner-party.ts';
export { measureStep } from './measure.ts';
export { MetricsCollector, checkPartyConnectivity, getHealthStatus } from './watching.ts';
export type * from './pipeline-types.ts';
export type * from '../owner/types/index.ts';

const startWorker = () =>
  new Worker(new URL('./worker/worker.ts', import.meta.url), { type: 'module', name: 'tercet-party' });

/**
 * Loads a model for private inference: its configuration and tokenizer, which are checked against the hashes of the
 * deployment, and the kernels. Weights are never downloaded. No party is asked for anything before `prepare` or a run.
 *
 * Security: a compute party is trusted only as far as its identity in the deployment goes, so the deployment must
 * come from somebody whom you trust, over HTTPS or with the page.
 *
 * @param id a model that the deployment serves.
 * @example
 * const model = await SecureTransformer.fromPretrained('capitals-bert');
 * const { predictions } = await model.predict('The capital of France is [MASK].');
 * await model.dispose();
 *
 * @throws {TercetError} ERR_DOWNLOAD, ERR_INTEGRITY, ERR_MODEL_CONFIG, ERR_MODEL_NOT_FOUND, ERR_MODEL_UNSUPPORTED,
 * ERR_TOKENIZER, ERR_PROTOCOL_UNAVAILABLE, ERR_DEVICE_UNAVAILABLE, ERR_CREDENTIAL_*, ERR_INSECURE, ERR_ARGUMENT,
 * ERR_WORKER, ERR_ABORTED.
 */
async function fromPretrained(id: string, options: PretrainedOptions = {}): Promise<Model> {
  if (typeof document === 'object') return WorkerModel.load(id, options, startWorker);
  const { loadHere } = await import('./worker/in-worker.ts');
  return loadHere(id, options);
}

/**
 * Private inference on a model that the parties of a deployment serve.
 *
 * @example
 * const model = await SecureTransformer.fromPretrained('sst2-bert', { device: 'wasm' });
 * console.log((await model.classify('A warm and funny film.')).label);
 */
export const SecureTransformer = { fromPretrained } as const;

/**
 * Loads a model and returns a function for texts, as transformers.js does: names, options and results are those of its
 * pipelines (docs/TASKS.md lists the differences).
 *
 * @example
 * const fill = await pipeline('fill-mask', 'capitals-bert');
 * const [best] = (await fill('The capital of France is [MASK].')).flat();
 * console.log(best.token_str, best.score);
 * await fill.dispose();
 *
 * @throws {TercetError} ERR_ARGUMENT for a task that there is not, ERR_MODEL_UNSUPPORTED for a model of another one;
 * else as `SecureTransformer.fromPretrained`.
 */
export const pipeline = pipelineWith(fromPretrained);

/**
 * What this page can run, and why not. Opens a graphics device for a moment to see whether there is one; asks nobody
 * else for anything.
 *
 * @example
 * const { device, webgpu } = await capabilities();
 * if (device === undefined) console.log('no private inference in this browser');
 * if (!webgpu.ok) console.log(webgpu.detail);
 *
 * @throws never: what is not there is said in the answer.
 */
export function capabilities(): Promise<Capabilities> {
  return capabilitiesOf(browserPlace());
}

/** Options of `DataOwnerParty`: those of `fromPretrained`, and which model. */
export type DeploymentOptions = PretrainedOptions & {
  /** 0: the data owner's number. */
  readonly partyId?: 0;
  /** A model that the deployment serves. */
  readonly model: string;
};

/**
 * The data owner's party in the steps of the protocol, on the parties of a deployment.
 *
 * @example
 * await using party = new DataOwnerParty({ model: 'capitals-bert', deployment: '/tercet.json' });
 * await party.start();
 * party.distributeShares(await party.shareInput('The capital of France is [MASK].'));
 * const result = await party.getComputationResult();
 */
export class DataOwnerParty extends OwnerParty {
  /** Nobody is asked for anything yet. */
  constructor({ partyId = 0, model, ...options }: DeploymentOptions) {
    super(async () => {
      if (partyId !== 0)
        throw new TercetError('ERR_ARGUMENT', 'the data owner is party 0', 'tercet party runs the other two');
      return { model: await fromPretrained(model, options) };
    });
  }
}

/**
 * Fetches and checks a deployment document.
 *
 * @param source its address, relative to the page; default `./tercet.json`.
 * @example
 * const { entries, parties } = await loadDeployment();
 * console.log(entries.map(({ id }) => id), parties.map(({ operator }) => operator));
 *
 * @throws {TercetError} ERR_ARGUMENT, ERR_DOWNLOAD, ERR_MODEL_CONFIG naming the field that is wrong, ERR_INSECURE
 * for an address where anybody on the way could change it.
 */
export async function loadDeployment(source: string | URL = './tercet.json'): Promise<Deployment> {
  return (
    await load(source, typeof document === 'object' ? document.baseURI : location.href, {
      fetch: (url, init) => fetch(url, init),
    })
  ).deployment;
}
