/** A sharing's enrolment in memory: its key, its name, and credentials of its owners. */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../../src/core/bytes.ts';
import {
  OwnerCredential,
  type SharingName,
  credentialText,
  issueCertificate,
  sharingHash,
} from '../../src/net/enrolment/credential.ts';
import { issuePermit } from '../../src/net/enrolment/permit.ts';
import { type PartyIdentity, createIdentity, identityFromSeed } from '../../src/net/identity/identity.ts';

export const NOW = 1_800_000_000;

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
const hash = (bytes: Uint8Array): string => toHex(sha256(bytes));

export interface TestSharing {
  readonly key: PartyIdentity;
  readonly name: SharingName;
  readonly sharing: string;
  readonly seeds: Uint8Array;
}

export async function testSharing(): Promise<TestSharing> {
  const key = await createIdentity();
  const seeds = random(64);
  const name: SharingName = {
    masked: hash(random(8)),
    seeds: [hash(seeds.slice(0, 32)), hash(seeds.slice(32))],
    config: hash(random(8)),
    plan: hash(random(8)),
    enrolment: key.publicKey,
  };
  return { key, name, sharing: sharingHash(name), seeds };
}

/**
 * The text of a credential file. @param signer who signs the certificate: the sharing's enrolment key, unless a
 * test says otherwise
 */
export async function testFile(
  { key, name, sharing, seeds }: TestSharing,
  changes: {
    readonly expires?: number;
    readonly id?: string;
    readonly signer?: PartyIdentity;
    readonly sharing?: string;
    /** A dealer that the model's owner permits. */
    readonly dealer?: string;
  } = {},
): Promise<string> {
  const seed = random(32);
  const { publicKey: ownerKey } = await identityFromSeed(seed.slice());
  const { expires = NOW + 1000, id = toHex(random(16)), signer = key } = changes;
  const certificate = issueCertificate({ id, sharing: changes.sharing ?? sharing, ownerKey, expires }, signer);
  const { dealer } = changes;
  const permitted = dealer === undefined ? undefined : { dealer, permit: issuePermit({ sharing, dealer }, key) };
  return credentialText({ name: 'alice', certificate, key: seed, seeds, sharing: name, permitted });
}

export async function testCredential(
  sharing: TestSharing,
  changes: Parameters<typeof testFile>[1] = {},
): Promise<OwnerCredential> {
  return OwnerCredential.read(await testFile(sharing, changes));
}
