/** A model that a deployment serves, over the links that pages use: the SDK's model in a service. */
import { WebSocket } from 'ws';
import { nodeHub } from '../hub/environment-node.ts';
import { openOwnerLink } from '../net/gateway/owner-link.ts';
import { nodeOfferer } from '../net/webrtc/node.ts';
import type { WebSocketConstructor } from '../net/websocket/link.ts';
import type { Environment } from '../owner/environment.ts';
import { NOT_ASKED } from '../owner/model-context.ts';
import { OwnerModel } from '../owner/owner-model.ts';
import type { RunContext } from '../owner/run-context.ts';
import { Stock } from '../owner/stock.ts';
import { protocolWithProofs } from '../mpc/protocol/registry.ts';
import { loadDeployment } from '../owner/deployment.ts';
import type { Deployment } from '../owner/types/index.ts';
import { nodeProving, peakMemory } from './kernels.ts';
import { type TlsModelOptions, borrowed } from './tls-model.ts';

export interface DeploymentModelOptions extends Omit<TlsModelOptions, 'named' | 'dealer' | 'onProgress'> {
  readonly deployment: Deployment;
  /** Whether the deployment's dealer deals. */
  readonly dealer: boolean;
}

/** Relative addresses have nothing to be relative to here. */
const BASE = 'http://127.0.0.1/';

/** @throws {TercetError} what `SecureTransformer.fromPretrained` throws */
export async function openDeploymentModel(
  id: string,
  { deployment, dealer, kernels, plan = 'lan', protocol, stock, span }: DeploymentModelOptions,
): Promise<OwnerModel> {
  const offerer = nodeOfferer();
  const environment: Environment = {
    base: BASE,
    fetch: (url, init) => fetch(url, init),
    hub: async () => nodeHub(),
    now: () => performance.now(),
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    peakMemory,
    proving: nodeProving,
    capabilities: async () => {
      const none = { ok: false, reason: NOT_ASKED, detail: 'the device is that of the service' } as const;
      const there = { ok: true, detail: '' } as const;
      const every = { webgpu: none, wasm: there, webrtc: there, workers: there };
      return { ...every, threads: 0, crossOriginIsolated: false, device: 'wasm' };
    },
    openKernels: async () => borrowed(kernels),
    openLink: ({ onFallback, ...request }) =>
      openOwnerLink({
        ...request,
        offerer,
        // ws has the browser's interface; its types say more than is used.
        WebSocket: WebSocket as unknown as WebSocketConstructor,
        onFallback: (event) => onFallback({ what: 'transport', ...event }),
      }),
    ...(span && { span }),
  };
  const device = kernels.name === 'webgpu' ? 'webgpu' : 'wasm';
  const poolOf = stock === undefined ? undefined : (context: RunContext) => new Stock(context, stock);
  const options = {
    deployment,
    device,
    plan,
    dealer,
    ...(protocol !== undefined && { protocol: protocolWithProofs(protocol) }),
  } as const;
  return OwnerModel.load(id, options, environment, poolOf);
}

/**
 * A deployment, and where its relative addresses are relative to: made whole, so that it can be read again.
 * @throws {TercetError} ERR_INSECURE, ERR_DOWNLOAD, ERR_MODEL_CONFIG, ERR_ARGUMENT
 */
export async function readDeployment(source: string): Promise<Deployment> {
  const { deployment, base } = await loadDeployment(source, BASE, { fetch: (url, init) => fetch(url, init) });
  return { ...deployment, models: new URL(deployment.models, base).href };
}
