/**
 * What a party shows on the links between processes, and whom it believes there, from what the user named. Nothing
 * named: the local set, for this machine alone.
 */
import { join } from 'node:path';
import type { Command } from 'commander';
import { isLoopback } from '../core/address.ts';
import { TercetError } from '../core/errors.ts';
import { checkCredentials, loadCredentials } from '../net/tls/certificates.ts';
import type { Certified, Credentials } from '../net/tls/credentials.ts';
import { ensureIdentity, ensureOwnCertificate } from '../net/identity/identity-node.ts';
import { type Pin, identitiesOf } from '../net/identity/pin.ts';
import type { PartyId } from '../net/wire/types.ts';
import { stateFolder } from '../node/defaults.ts';
import { parseIdentities, parsePin, keyPem, pem } from './options.ts';

export interface CredentialFlags {
  readonly certificates?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
}

/** The options of every command that has such links. */
export function credentialOptions(command: Command): Command {
  return command
    .option(
      '--certificates <dir>',
      "folder with this party's key, and its certificate if an authority issued one (default: of this user, for this machine)",
    )
    .option('--tls-cert <file>', "certificate of this party, PEM, in place of a folder's")
    .option('--tls-key <file>', 'key of that certificate, PEM')
    .option('--tls-ca <file>', 'certificate of the authority that all three parties trust, PEM');
}

/** Where keys are kept. */
export function credentialFolder({ certificates }: CredentialFlags): string {
  return certificates ?? join(stateFolder(), 'certificates');
}

export interface PartyCredentialFlags extends CredentialFlags {
  /** `1=HEX` or `2=HEX`: that of the other compute party. */
  readonly peerIdentity?: string;
}

/**
 * @param hosts where it listens and connects to
 * @throws {TercetError} ERR_ARGUMENT, ERR_PEER_CERTIFICATE, ERR_IDENTITY_KEY
 */
export async function partyCredentials(
  id: 1 | 2,
  flags: PartyCredentialFlags,
  hosts: readonly string[],
): Promise<Credentials> {
  const { peerIdentity } = flags;
  const files = await certified(id, flags);
  if (peerIdentity === undefined) return files ?? fromFolder(id, flags, hosts, `--peer-identity ${3 - id}=HEX`);
  if (files !== undefined)
    throw new TercetError('ERR_ARGUMENT', '--peer-identity and --tls-cert exclude each other', 'give one of them');
  const folder = credentialFolder(flags);
  const pinned = onePin(id, peerIdentity);
  if (identitiesOf(pinned).includes((await ensureIdentity(folder, id)).publicKey)) {
    throw new TercetError(
      'ERR_ARGUMENT',
      '--peer-identity is the identity of this party itself',
      'give the one that the other operator prints',
    );
  }
  const { key, cert } = await ensureOwnCertificate(folder, id);
  return { own: { key, cert }, pins: { [3 - id]: pinned } };
}

function onePin(id: 1 | 2, list: string): Pin {
  const match = /^([12])=(.*)$/.exec(list);
  const pin = parsePin(match?.[2] ?? '');
  if (pin === undefined || Number(match?.[1]) !== 3 - id) {
    throw new TercetError(
      'ERR_ARGUMENT',
      `--peer-identity expected ${3 - id}=HEX of 64 lower-case digits, or OLD+NEW@TIME`,
      'the other operator prints it with tercet identity',
    );
  }
  return pin;
}

/** For a data owner that names running parties. */
export async function ownerCredentials(
  flags: CredentialFlags & { readonly identities?: string },
  hosts: readonly string[],
): Promise<Credentials> {
  const files = await certified(0, flags);
  if (flags.identities === undefined) return files ?? fromFolder(0, flags, hosts, '--identities 1=HEX,2=HEX');
  if (files !== undefined || flags.certificates !== undefined) {
    throw new TercetError(
      'ERR_ARGUMENT',
      '--identities and certificates exclude each other',
      'with --identities a data owner shows no certificate',
    );
  }
  const [one, two] = parseIdentities('identities', flags.identities);
  return { pins: { 1: one, 2: two } };
}

async function certified(
  id: PartyId,
  { tlsCert, tlsKey, tlsCa, certificates }: CredentialFlags,
): Promise<Certified | undefined> {
  const given = [tlsCert, tlsKey, tlsCa].filter((file) => file !== undefined).length;
  if (given === 0) return undefined;
  if (tlsCert === undefined || tlsKey === undefined || tlsCa === undefined) {
    throw new TercetError('ERR_ARGUMENT', '--tls-cert, --tls-key and --tls-ca belong together', 'give all three');
  }
  if (certificates !== undefined)
    throw new TercetError('ERR_ARGUMENT', '--certificates and --tls-cert exclude each other', 'give one of them');
  const credentials = {
    cert: await pem('tls-cert', tlsCert),
    key: await keyPem('tls-key', tlsKey),
    ca: await pem('tls-ca', tlsCa),
  };
  checkCredentials(credentials, id);
  return credentials;
}

async function fromFolder(
  id: PartyId,
  flags: CredentialFlags,
  hosts: readonly string[],
  pins: string,
): Promise<Credentials> {
  const far = hosts.find((host) => !isLoopback(host));
  // The local set would be made without a word, and nobody on another machine could ever accept it.
  if (far !== undefined && flags.certificates === undefined) {
    throw new TercetError(
      'ERR_ARGUMENT',
      `links to other machines (${far}) need proof of who is there`,
      `give ${pins} (tercet identity prints that of a party), or --certificates with what an authority issued (tercet certificates --help)`,
    );
  }
  return loadCredentials(credentialFolder(flags), id);
}
