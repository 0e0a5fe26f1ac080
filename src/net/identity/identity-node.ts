/**
 * The file that holds a party's identity: 32 bytes of seed as hex, readable by its owner only, made on first use.
 *
 * Security: who can read the file can be the party. A file that others may read is refused, not repaired: it may
 * have been read already.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromHex } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import { partyName } from '../tls/hello.ts';
import type { ServerId } from '../wire/types.ts';
import { type PartyIdentity, SEED_BYTES, identityFromSeed } from './identity.ts';
import { type OwnCertificate, selfSigned } from '../tls/self-signed.ts';

const FORM = /^[0-9a-f]{64}\n?$/;

/** Where the identity of a party is kept below its state folder. */
export function identityPath(dir: string, party: ServerId, stage: 'current' | 'next' | 'old' = 'current'): string {
  const name = party === 3 ? 'identity-dealer' : `identity-party-${party}`;
  return join(dir, stage === 'current' ? `${name}.key` : `${name}.${stage}.key`);
}

/**
 * The identity of `party` kept in `dir`, made if there is none. Processes that come at the same time end with the
 * same one.
 * @throws {TercetError} ERR_IDENTITY_KEY for a file that is damaged, unreadable or open to others
 */
export async function ensureIdentity(dir: string, party: ServerId): Promise<PartyIdentity> {
  return identityFromSeed(await ensureSeed(dir, party));
}

/** The one that follows it, made if there is none. @throws {TercetError} as `ensureIdentity` */
export async function ensureNextIdentity(dir: string, party: ServerId): Promise<PartyIdentity> {
  return identityFromSeed(await ensureSeed(dir, party, 'next'));
}

/**
 * The same identity as a certificate, which it shows to the other compute party. @throws {TercetError} as
 * `ensureIdentity`
 */
export async function ensureOwnCertificate(dir: string, party: ServerId): Promise<OwnCertificate> {
  return selfSigned(await ensureSeed(dir, party), partyName(party));
}

async function ensureSeed(dir: string, party: ServerId, stage: 'current' | 'next' = 'current'): Promise<Uint8Array> {
  const path = identityPath(dir, party, stage);
  try {
    return await readSeed(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw asIdentityError(path, error);
  }
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const draft = join(dir, `.identity-${randomBytes(8).toString('hex')}`);
    try {
      await writeFile(draft, `${randomBytes(SEED_BYTES).toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true });
      // A link is made whole or not at all, and never over a file that is there: the first process wins.
      await link(draft, path).catch((error: unknown) => {
        if (codeOf(error) !== 'EEXIST') throw error;
      });
    } finally {
      await rm(draft, { force: true });
    }
    return await readSeed(path);
  } catch (error) {
    throw asIdentityError(path, error);
  }
}

async function readSeed(path: string): Promise<Uint8Array> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0 && process.platform !== 'win32') {
    throw new TercetError(
      'ERR_IDENTITY_KEY',
      `the identity file ${path} can be read by other users`,
      `chmod 600 ${path} if nobody else could have read it; else delete it and publish the new key`,
    );
  }
  const file = await open(path, 'r');
  try {
    const text = (await file.readFile()).toString('latin1');
    if (!FORM.test(text))
      throw new TercetError(
        'ERR_IDENTITY_KEY',
        `the identity file ${path} is damaged`,
        'restore it from a copy, or delete it and publish the new key',
      );
    return fromHex(text.trim());
  } finally {
    await file.close();
  }
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

function asIdentityError(path: string, error: unknown): TercetError {
  if (error instanceof TercetError) return error;
  return new TercetError(
    'ERR_IDENTITY_KEY',
    `the identity file ${path} cannot be used (${codeOf(error) || 'failure'})`,
    'check the folder and its owner',
    {
      cause: error,
    },
  );
}
