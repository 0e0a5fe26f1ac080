/** Running compute parties, and a dealer, as a command that has the data owner's part is told of them. */
import { TercetError } from '../core/errors.ts';
import { protocolWithProofs } from '../mpc/protocol/registry.ts';
import { type Credentials, type Pinned, isPinned } from '../net/tls/credentials.ts';
import type { Address } from '../node/tls-owner.ts';
import { checkDealt } from '../session/dealt.ts';
import { type CredentialFlags, ownerCredentials } from './credentials.ts';
import { parseAddress, parseDealerIdentity } from './options.ts';

export interface RemoteFlags extends CredentialFlags {
  readonly peers?: string;
  readonly identities?: string;
  readonly dealer?: string;
  readonly dealerIdentity?: string;
  readonly protocol?: string;
}

export interface Remote {
  readonly peers: [Address, Address];
  readonly credentials: Credentials;
  readonly dealer?: { readonly address: Address; readonly identity: string };
}

/** Running parties, and how they are known. */
export async function remote(flags: RemoteFlags): Promise<Remote | Record<never, never>> {
  if (flags.peers === undefined) {
    if ((flags.dealer ?? flags.dealerIdentity) !== undefined)
      throw new TercetError(
        'ERR_ARGUMENT',
        '--dealer belongs to --peers and --identities',
        'parties that are started here are dealt to by this process',
      );
    if ((flags.identities ?? flags.tlsCert ?? flags.tlsKey ?? flags.tlsCa) !== undefined)
      throw new TercetError(
        'ERR_ARGUMENT',
        '--identities and --tls-cert belong to --peers',
        'parties that are started here know each other',
      );
    return {};
  }
  const peers = bothPeers(flags.peers);
  const credentials = await ownerCredentials(
    flags,
    peers.map(({ host }) => host),
  );
  const dealer = chosenDealer(flags);
  if (dealer === undefined) return { peers, credentials };
  return { peers, credentials: { pins: { ...pinsOf(credentials), 3: dealer.identity } }, dealer };
}

/** A dealer is known by its identity alone, so the parties are too. */
function pinsOf(credentials: Credentials): Pinned['pins'] {
  if (isPinned(credentials)) return credentials.pins;
  throw new TercetError(
    'ERR_ARGUMENT',
    '--dealer needs --identities: a dealer has no certificate of an authority',
    'give the identities of both parties',
  );
}

/** @throws {TercetError} ERR_ARGUMENT, ERR_PROTOCOL_UNAVAILABLE for what no dealer deals for */
function chosenDealer(flags: RemoteFlags): { address: Address; identity: string } | undefined {
  const { dealer, dealerIdentity, identities } = flags;
  if ((dealer === undefined) !== (dealerIdentity === undefined))
    throw new TercetError('ERR_ARGUMENT', '--dealer and --dealer-identity belong together', 'give both');
  if (dealer === undefined || dealerIdentity === undefined) return undefined;
  checkDealt({ protocol: protocolWithProofs(flags.protocol ?? '3pc_semi_honest') });
  return { address: parseAddress('dealer', dealer), identity: parseDealerIdentity(dealerIdentity, identities) };
}

function bothPeers(list: string): [Address, Address] {
  const match = /^1=([^,]+),2=([^,]+)$/.exec(list);
  if (match === null)
    throw new TercetError(
      'ERR_ARGUMENT',
      '--peers expected 1=HOST:PORT,2=HOST:PORT',
      'for example --peers 1=127.0.0.1:7001,2=127.0.0.1:7002',
    );
  return [parseAddress('peers', match[1]), parseAddress('peers', match[2])];
}
