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
import { type TlsModelOptions, openTlsModel } from '../node/tls-model.ts';
import { type TlsParties, tlsHealth } from '../node/tls-owner.ts';
import type { OwnerModel } from '../owner/owner-model.ts';
import type { PartyHealth } from '../owner/types/index.ts';
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

export interface GatewayModelOptions extends Omit<TlsModelOptions, 'named' | 'dealer' | 'onProgress'> {
  /** What ends with the gateway. */
  readonly cleanup: Cleanup;
}

interface GatewayModels {
  readonly models: readonly OwnerModel[];
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
  { cleanup, ...options }: GatewayModelOptions,
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
  const models: OwnerModel[] = [];
  for (const name of names)
    models.push(
      cleanup.add(await openDeploymentModel(name, { ...options, deployment, dealer: dealer !== undefined }), (model) =>
        model.dispose(),
      ),
    );
  const [first] = models;
  if (first === undefined)
    throw new TercetError('ERR_MODEL_NOT_FOUND', 'the deployment serves no model of open weights', 'choose another');
  return { models, reach: () => first.health() };
}

async function ofParties(
  flags: GatewayModelFlags,
  { cleanup, ...options }: GatewayModelOptions,
): Promise<GatewayModels> {
  const names = flags.model.length > 0 ? flags.model : embeddedModels();
  const known = await remote(flags);
  const recvTimeoutMs = networkTimeout(flags.networkTimeout);
  const parties: TlsParties =
    'peers' in known
      ? { addresses: known.peers, credentials: known.credentials, dealer: known.dealer?.address, recvTimeoutMs }
      : { ...(await started(flags, names, { cleanup, protocol: options.protocol })), recvTimeoutMs };
  const dealer = 'peers' in known ? known.dealer?.identity : undefined;
  const models: OwnerModel[] = [];
  for (const name of names)
    models.push(
      cleanup.add(
        await openTlsModel(namedModel(name), parties, { ...options, dealer, named: names.length > 1 }),
        (model) => model.dispose(),
      ),
    );
  return { models, reach: () => tlsHealth(parties) };
}

/** Both compute parties as processes of this machine. */
async function started(
  flags: GatewayModelFlags,
  names: readonly string[],
  { cleanup, protocol }: Pick<GatewayModelOptions, 'cleanup' | 'protocol'>,
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
        ...(protocol === 'aby3' ? ['--protocols', protocol] : []),
      ],
    }),
    (parties) => parties.stop(),
  );
  await local.ready();
  return { addresses: local.addresses(), credentials };
}
