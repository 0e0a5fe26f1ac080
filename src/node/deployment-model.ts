/** A model that a deployment serves, over the links that pages use: the SDK's model in a service. */
import type { Environment } from '../owner/environment.ts';
import { NODE_BASE, nodeEnvironment } from '../owner/environment-node.ts';
import { NOT_ASKED } from '../owner/model-context.ts';
import { OwnerModel } from '../owner/owner-model.ts';
import type { RunContext } from '../owner/run-context.ts';
import { Stock } from '../owner/stock.ts';
import { protocolWithProofs } from '../mpc/protocol/registry.ts';
import { loadDeployment } from '../owner/deployment.ts';
import type { Deployment } from '../owner/types/index.ts';
import { deviceOf, nodeProving, peakMemory } from './kernels.ts';
import { type TlsModelOptions, borrowed } from './tls-model.ts';

export interface DeploymentModelOptions extends Omit<TlsModelOptions, 'named' | 'dealer' | 'onProgress'> {
  readonly deployment: Deployment;
  /** Whether the deployment's dealer deals. */
  readonly dealer: boolean;
}

/** @throws {TercetError} what `SecureTransformer.fromPretrained` throws */
export async function openDeploymentModel(
  id: string,
  {
    deployment,
    dealer,
    kernels,
    plan = 'lan',
    protocol,
    securityLevel,
    maxCharacters,
    batchSize,
    stock,
    span,
    proving,
  }: DeploymentModelOptions,
): Promise<OwnerModel> {
  const device = kernels.name === 'webgpu' ? 'webgpu' : 'wasm';
  const environment: Environment = {
    ...nodeEnvironment(),
    peakMemory,
    proving: proving ?? (() => nodeProving(deviceOf(kernels))),
    capabilities: async () => {
      const none = { ok: false, reason: NOT_ASKED, detail: 'the device is that of the service' } as const;
      const there = { ok: true, detail: '' } as const;
      const every = { webgpu: none, wasm: there, webrtc: there, workers: there };
      return { ...every, threads: 0, crossOriginIsolated: false, device: 'wasm' };
    },
    openKernels: async () => borrowed(kernels),
    span,
  };
  const poolOf = stock === undefined ? undefined : (context: RunContext) => new Stock(context, stock);
  const options = {
    deployment,
    device,
    plan,
    dealer,
    maxCharacters,
    batchSize,
    securityLevel,
    protocol: protocol === undefined ? undefined : protocolWithProofs(protocol),
  } as const;
  return OwnerModel.load(id, options, environment, poolOf);
}

/**
 * A deployment, and where its relative addresses are relative to: made whole, so that it can be read again.
 * @throws {TercetError} ERR_INSECURE, ERR_DOWNLOAD, ERR_MODEL_CONFIG, ERR_ARGUMENT
 */
export async function readDeployment(source: string): Promise<Deployment> {
  const { deployment, base } = await loadDeployment(source, NODE_BASE, { fetch: (url, init) => fetch(url, init) });
  return { ...deployment, models: new URL(deployment.models, base).href };
}
