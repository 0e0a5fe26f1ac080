/** The data owner's party in Node: by a deployment, or by the addresses of two parties. */
import { readFile } from 'node:fs/promises';
import { TercetError } from '../../core/errors.ts';
import { checkPrivate } from '../../core/private-file-node.ts';
import { checkPublicKey } from '../../net/identity/identity.ts';
import { checkCredentials } from '../../net/tls/certificates.ts';
import type { Credentials } from '../../net/tls/credentials.ts';
import type { PretrainedOptions, Protocol } from '../../owner/types/index.ts';
import type { PartyModel } from '../owner-party.ts';
import { openTogether } from './models.ts';
import { RUN, type Read, withSettings } from './settings.ts';

/** Options of `DataOwnerParty` for parties that are named by address: links over mutual TLS, without a deployment. */
export interface PeerOptions {
  /** 0: the data owner's number. */
  readonly partyId?: 0;
  /** A folder, `org/name` on a hub, or a model that ships: what both parties serve. Its weights are not read. */
  readonly model: string;
  /** `HOST:PORT` of party 1 and of party 2. */
  readonly peers: readonly [string, string];
  /** What the two must prove: 64 hex digits each, as `tercet identity` prints them. Either these or a certificate. */
  readonly identities?: readonly [string, string];
  /** Certificate of this data owner, its key, and the authority's that all three trust: PEM files. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  /** What this process computes on (default 'wasm'). */
  readonly device?: 'auto' | 'wasm' | 'native' | 'webgpu';
  /** As of `PretrainedOptions` (default 'lan'). */
  readonly plan?: 'lan' | 'wan-cloud';
  /** As of `PretrainedOptions` (default '3pc_semi_honest'). */
  readonly protocol?: Protocol;
  /** As of `PretrainedOptions` (default 128). */
  readonly securityLevel?: 128 | 256;
  /**
   * Path of a `tercet.yaml`. What it says, and over it the `MPC_…` variables, holds for options that are not given
   * here. Without it such variables are refused.
   */
  readonly config?: string;
}

/** Options of `DataOwnerParty` for the parties of a deployment. */
export type DeploymentOptions = PretrainedOptions & {
  /** 0: the data owner's number. */
  readonly partyId?: 0;
  /** A model that the deployment serves. */
  readonly model: string;
};

const NAMES: Readonly<Record<keyof PeerOptions, true>> = {
  ...{ partyId: true, model: true, peers: true, identities: true, tlsCert: true, tlsKey: true, tlsCa: true },
  ...{ device: true, plan: true, protocol: true, securityLevel: true, config: true },
};

const TLS: Read<PeerOptions> = {
  tlsCert: (tlsCert) => ({ tlsCert }),
  tlsKey: (tlsKey) => ({ tlsKey }),
  tlsCa: (tlsCa) => ({ tlsCa }),
};

/** Reads what proves the ends of the links, and opens the model over them. */
export async function openByPeers(given: PeerOptions): Promise<PartyModel> {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(NAMES, name));
  if (unknown !== undefined)
    throw usage('with peers there is no option of that name', `they go with ${Object.keys(NAMES).join(', ')}`);
  const read = given.identities === undefined ? { ...RUN, ...TLS } : RUN;
  const options = await withSettings<PeerOptions>(given, 'DataOwnerParty', read);
  const { model: name, peers, device = 'wasm', plan = 'lan', protocol, securityLevel } = options;
  if (!Array.isArray(peers) || peers.length !== 2)
    throw usage('peers expected two addresses', 'give those of party 1 and party 2');
  const addresses = [addressOf(peers[0]), addressOf(peers[1])] as const;
  const { models, close } = await openTogether({
    names: [name],
    parties: { addresses, credentials: await credentialsOf(options) },
    device,
    plan,
    protocol,
    securityLevel,
  });
  return { model: models[0], close };
}

async function credentialsOf({ identities, tlsCert, tlsKey, tlsCa }: PeerOptions): Promise<Credentials> {
  const given = [tlsCert, tlsKey, tlsCa].filter((file) => file !== undefined).length;
  if ((identities !== undefined) === given > 0)
    throw usage('peers need a proof of who is there', 'give identities, or tlsCert, tlsKey and tlsCa, and not both');
  if (identities !== undefined) {
    const [one, two] = [checkPublicKey(identities[0], 1), checkPublicKey(identities[1], 2)];
    if (one === two)
      throw usage('identities name one party twice', 'a party in both places would read the text: ask both operators');
    return { pins: { 1: one, 2: two } };
  }
  if (tlsCert === undefined || tlsKey === undefined || tlsCa === undefined)
    throw usage('tlsCert, tlsKey and tlsCa belong together', 'give all three');
  const credentials = { cert: await pem(tlsCert), key: await pem(tlsKey), ca: await pem(tlsCa) };
  await checkPrivate('tlsKey', tlsKey);
  checkCredentials(credentials, 0);
  return credentials;
}

async function pem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new TercetError('ERR_ARGUMENT', 'a file of TLS cannot be read', 'check tlsCert, tlsKey and tlsCa', { cause });
  }
}

function addressOf(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65535)
    throw usage('peers expected HOST:PORT', 'for example compute1.example:8001');
  return { host: match[1] ?? match[2], port };
}

const usage = (what: string, hint: string) => new TercetError('ERR_ARGUMENT', what, hint);
