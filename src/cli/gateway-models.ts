/**
 * What a gateway serves, and with whom: parties that are named, those of a deployment, or two that it starts on this
 * machine.
 */
import type { Cleanup } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import { LocalParties } from '../daemon/local.ts';
import { loadCredentials } from '../net/tls/certificates.ts';
import { defaultThreads, embeddedModels } from '../node/defaults.ts';
import { openDeploymentModel, readDeployment } from '../node/deployment-model.ts';
import { type TlsModelOptions, openTlsModels } from '../node/tls-model.ts';
import { type TlsParties, tlsHealth } from '../node/tls-owner.ts';
import type { OwnerModel } from '../owner/owner-model.ts';
import type { PartyHealth } from '../owner/types/index.ts';
import type { ProtocolId } from '../mpc/protocol/types.ts';
import { deviceOf, nodeProving } from '../node/kernels.ts';
import type { Proving } from '../session/proving.ts';
import { credentialFolder } from './credentials.ts';
import { ENTRY } from './entry.ts';
import { integer, namedModel, networkTimeout } from './options.ts';
import { type RemoteFlags, remote } from './remote.ts';

export interface GatewayModelFlags extends RemoteFlags {
  readonly model: readonly string[];
  readonly deployment?: string;
  readonly device: string;
  readonly threads?: string;
  readonly networkTimeout?: string;
}

export interface GatewayModelOptions
  extends Omit<TlsModelOptions, 'named' | 'dealer' | 'onProgress' | 'protocol' | 'proving'> {
  /** What requests may name; the first is for those that name none. */
  readonly protocols: readonly [ProtocolId, ...ProtocolId[]];
  /** What ends with the gateway. */
  readonly cleanup: Cleanup;
}

interface GatewayModels {
  /** By protocol, each with all models. */
  readonly models: ReadonlyMap<ProtocolId, readonly OwnerModel[]>;
  /** Asks every server whether it is there and proves who it is. */
  reach(): Promise<readonly PartyHealth[]>;
}

/** @throws {TercetError} what the flags, the parties, the deployment or a model's files can be wrong in */
export function openGatewayModels(flags: GatewayModelFlags, options: GatewayModelOptions): Promise<GatewayModels> {
  return flags.deployment === undefined ? ofParties(flags, options) : ofDeployment(flags, flags.deployment, options);
}

export function threadsOf({ threads }: Pick<GatewayModelFlags, 'threads'>): number {
  return threads === undefined ? defaultThreads() : integer('threads', threads, 0, 64);
}

async function ofDeployment(
  flags: GatewayModelFlags,
  source: string,
  { cleanup, protocols, ...options }: GatewayModelOptions,
): Promise<GatewayModels> {
  const { peers, identities, dealerIdentity, tlsCert, tlsKey, tlsCa, networkTimeout: timeout, dealer } = flags;
  if ((peers ?? identities ?? dealerIdentity ?? tlsCert ?? tlsKey ?? tlsCa ?? timeout) !== undefined)
    throw new TercetError(
      'ERR_ARGUMENT',
      '--deployment names the parties, and what they must prove',
      'leave out --peers, --identities, --dealer-identity, --tls-cert and --network-timeout',
    );
  if (dealer !== undefined && dealer !== 'deployment')
    throw new TercetError('ERR_ARGUMENT', 'the deployment names the dealer', 'give --dealer deployment');
  const deployment = await readDeployment(source);
  const open = deployment.entries.filter(({ weights }) => weights.open !== undefined).map(({ id }) => id);
  const names = flags.model.length > 0 ? flags.model : open;
  const each = eachOf(protocols, options);
  const models = protocols.map((): OwnerModel[] => []);
  for (const name of names)
    for (const [i, by] of each.entries()) {
      const asked = { ...options, ...by, deployment, dealer: dealer !== undefined };
      models[i].push(cleanup.add(await openDeploymentModel(name, asked), (model) => model.dispose()));
    }
  const [[first]] = models;
  if (first === undefined)
    throw new TercetError('ERR_MODEL_NOT_FOUND', 'the deployment serves no model of open weights', 'choose another');
  return { models: byProtocol(protocols, models), reach: () => first.health() };
}

/** What each protocol is asked for with. They share what proves. */
function eachOf(
  protocols: GatewayModelOptions['protocols'],
  { kernels, securityLevel }: Pick<GatewayModelOptions, 'kernels' | 'securityLevel'>,
) {
  let proofs: Promise<Proving> | undefined;
  const proving = () => {
    proofs ??= nodeProving(deviceOf(kernels));
    return proofs;
  };
  const by = (protocol: ProtocolId, i: number) => {
    // SECURITY: requests that name no protocol get the level that was asked for, or there is no gateway.
    const level = i > 0 && protocol === '3pc_semi_honest' ? undefined : securityLevel;
    return { protocol, securityLevel: level, proving };
  };
  const [first, ...others] = protocols;
  return [by(first, 0), ...others.map((protocol, i) => by(protocol, i + 1))] as const;
}

function byProtocol(
  protocols: readonly ProtocolId[],
  models: readonly (readonly OwnerModel[])[],
): GatewayModels['models'] {
  return new Map(protocols.map((protocol, i) => [protocol, models[i]]));
}

async function ofParties(
  flags: GatewayModelFlags,
  { cleanup, protocols, ...options }: GatewayModelOptions,
): Promise<GatewayModels> {
  const names = flags.model.length > 0 ? flags.model : embeddedModels();
  const known = await remote(flags);
  const recvTimeoutMs = networkTimeout(flags.networkTimeout);
  const parties: TlsParties =
    'peers' in known
      ? { addresses: known.peers, credentials: known.credentials, dealer: known.dealer?.address, recvTimeoutMs }
      : { ...(await started(flags, names, { cleanup, protocols })), recvTimeoutMs };
  const dealer = 'peers' in known ? known.dealer?.identity : undefined;
  const [first, ...others] = eachOf(protocols, options);
  const models = protocols.map((): OwnerModel[] => []);
  for (const name of names) {
    const asked = { ...options, dealer, named: names.length > 1 };
    const each = [{ ...asked, ...first }, ...others.map((by) => ({ ...asked, ...by }))] as const;
    for (const [i, model] of (await openTlsModels(namedModel(name), parties, each)).entries())
      models[i].push(cleanup.add(model, (open) => open.dispose()));
  }
  return { models: byProtocol(protocols, models), reach: () => tlsHealth(parties) };
}

/** Both compute parties as processes of this machine. */
async function started(
  flags: GatewayModelFlags,
  names: readonly string[],
  { cleanup, protocols }: Pick<GatewayModelOptions, 'cleanup' | 'protocols'>,
): Promise<Pick<TlsParties, 'addresses' | 'credentials'>> {
  const certificates = credentialFolder(flags);
  const credentials = await loadCredentials(certificates, 0);
  const local = cleanup.add(
    await LocalParties.start({
      entry: ENTRY,
      stay: true,
      args: () => [
        ...names.flatMap((name) => ['--model', name]),
        // Nobody but this process reaches them: what a run may take is for this process to say.
        ...['--max-memory', 'none', '--max-traffic', 'none', '--max-sessions', '32', '--certificates', certificates],
        ...['--device', flags.device, '--threads', String(threadsOf(flags))],
        ...['--protocols', protocols.join(',')],
      ],
    }),
    (parties) => parties.stop(),
  );
  await local.ready();
  return { addresses: local.addresses(), credentials };
}
