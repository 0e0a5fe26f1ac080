/**
 * The certificates of a party on disk: its own, as somebody issued it, or a local set of all three, made on first use.
 *
 * Security model: the local set is for parties that one user starts. Whoever can read the folder can be any party;
 * the files are readable by their owner only. The key of its authority is never written: it signs three
 * certificates and is forgotten, so nobody can add a fourth. Parties of different owners never share a set: each
 * has a folder with its own key (`authority.ts`), or pins the others' identities (`credentials.ts`).
 */

import { X509Certificate, createPrivateKey, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TercetError } from '../../core/errors.ts';
import { type Authority, createAuthority, createRequest, issueCertificate } from './authority.ts';
import type { Certified } from './credentials.ts';
import { partyName } from './hello.ts';
import type { PartyId } from '../wire/types.ts';

interface PartyCertificate {
  readonly key: string;
  readonly cert: string;
}

export interface Certificates {
  readonly ca: string;
  readonly parties: readonly [PartyCertificate, PartyCertificate, PartyCertificate];
}

export interface CertificateTimes {
  /** The present, for tests. */
  readonly now?: Date | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const RENEW_DAYS = 7;
const PARTIES: readonly PartyId[] = [0, 1, 2];
/**
 * A complete set is one folder; the highest number counts. Folders are renamed into place whole, so none is ever
 * half written.
 */
const SET_NAME = /^set-(\d{6})$/;
const ATTEMPTS = 20;

/** The part of `certificates` that belongs to one party. */
export function credentialsOf(certificates: Certificates, party: PartyId): Certified {
  return { ca: certificates.ca, ...certificates.parties[party] };
}

/**
 * The certificates in `dir`, made if there are none and renewed within 7 days of their end.
 *
 * Processes that come at the same time end with the same set: a set is made in a folder of its own and renamed to
 * the next number, which only one of them can do; the others take what that one made.
 *
 * @throws TercetError ERR_PEER_CERTIFICATE if a set is there but damaged, or if the folder cannot be used
 */
export async function ensureCertificates(dir: string, times: CertificateTimes = {}): Promise<Certificates> {
  const now = times.now ?? new Date();
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const newest = await newestSet(dir);
      const found = newest === 0 ? undefined : await readSet(dir, newest);
      if (found === 'gone') continue;
      if (found !== undefined && found.until.getTime() - now.getTime() > RENEW_DAYS * DAY_MS) return found.certificates;
      await publishSet(dir, newest + 1, await createCertificates({ now }));
    }
  } catch (error) {
    if (error instanceof TercetError) throw error;
    throw unusable(dir, 'cannot be read or written', error);
  }
  throw unusable(dir, 'changes all the time');
}

/**
 * A fresh authority and three party certificates (ECDSA P-256, one year), in memory only; the authority's key is
 * forgotten.
 */
export async function createCertificates(times: CertificateTimes = {}): Promise<Certificates> {
  const authority = await createAuthority(times);
  const issue = async (party: PartyId): Promise<PartyCertificate> => {
    const { key, request } = await createRequest(party);
    return {
      key,
      cert: await issueCertificate(authority, request, { party, hosts: ['localhost', '127.0.0.1'], ...times }),
    };
  };
  return { ca: authority.ca, parties: [await issue(0), await issue(1), await issue(2)] };
}

/**
 * The credentials of one party in `dir`: its own files (`ca.pem`, `party-N.pem`, `party-N.key`, as `tercet
 * certificates` makes them), without those of anybody else; or, in a folder that holds none, the local set of
 * `ensureCertificates`.
 *
 * @throws TercetError ERR_PEER_CERTIFICATE naming what is missing, does not belong together, is another party's, or
 * is out of its time
 */
export async function loadCredentials(dir: string, party: PartyId, times: CertificateTimes = {}): Promise<Certified> {
  const now = times.now ?? new Date();
  if ((await ownFiles(dir)) > 0) return readOwn(dir, party, now);
  const newest = newestOf(await filesIn(dir));
  // A whole set was made here and is renewed here; a part of one was handed over. One that has just been replaced
  // loses its files one by one.
  const files = newest === 0 ? 0 : await ownFiles(setPath(dir, newest));
  if (files > 0 && files < 1 + 2 * PARTIES.length && newestOf(await filesIn(dir)) === newest)
    return readOwn(setPath(dir, newest), party, now);
  return credentialsOf(await ensureCertificates(dir, times), party);
}

const OWN_FILE = /^(ca\.pem|party-[012]\.(key|pem))$/;

async function ownFiles(dir: string): Promise<number> {
  return (await filesIn(dir)).filter((name) => OWN_FILE.test(name)).length;
}

async function filesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw unusable(dir, 'cannot be read or written', error);
  }
}

async function readOwn(dir: string, party: PartyId, now: Date): Promise<Certified> {
  const read = async (name: string): Promise<string> => {
    try {
      return await readFile(join(dir, name), 'utf8');
    } catch (cause) {
      const how = `tercet certificates request --party-id ${party} makes a key, and whoever keeps the authority issues the rest`;
      throw new TercetError('ERR_PEER_CERTIFICATE', `there is no ${name} in ${dir}`, how, { cause });
    }
  };
  const credentials = {
    ca: await read('ca.pem'),
    key: await read(`party-${party}.key`),
    cert: await read(`party-${party}.pem`),
  };
  const { mode } = await stat(join(dir, `party-${party}.key`));
  if ((mode & 0o077) !== 0 && process.platform !== 'win32')
    throw unfit(
      `party-${party}.key in ${dir} can be read by other users`,
      'make a new key: it may have been read already',
    );
  checkCredentials(credentials, party, now);
  return credentials;
}

/** The first moment at which one of the certificates does not hold any more. PEM. @throws {TercetError} */
export function endOf(certificates: readonly string[]): { readonly from: Date; readonly until: Date } {
  try {
    const all = certificates.map((pem) => new X509Certificate(pem));
    const [first] = [...all].sort((a, b) => Date.parse(a.validTo) - Date.parse(b.validTo));
    return { from: new Date(first.validFrom), until: new Date(first.validTo) };
  } catch (cause) {
    throw unfit('a certificate is no PEM', 'give the files that `tercet certificates` made', cause);
  }
}

/**
 * Puts a new certificate for the same key in the place of the party's own, by the authority whose key is at hand.
 * @throws {TercetError} ERR_PEER_CERTIFICATE for another authority, or a folder without this party's own files
 */
export async function renewOwn(
  dir: string,
  party: PartyId,
  { authority, now, days }: CertificateTimes & { readonly authority: Authority; readonly days?: number | undefined },
): Promise<void> {
  const { key, ca } = await readOwn(dir, party, now ?? new Date());
  if (new X509Certificate(ca).fingerprint256 !== new X509Certificate(authority.ca).fingerprint256)
    throw unfit('the authority is not that of the party’s certificate', 'give the one that issued it');
  const { request } = await createRequest(party, key);
  const cert = await issueCertificate(authority, request, { party, now, days });
  // Whole, or not at all: another process may read it now.
  const draft = join(dir, `.draft-${randomBytes(8).toString('hex')}`);
  await writeFile(draft, cert, { mode: 0o600, flag: 'wx', flush: true });
  await rename(draft, join(dir, `party-${party}.pem`));
}

/**
 * Whether an authority's certificate, a key and a certificate belong together and are those of `party`.
 * @throws TercetError ERR_PEER_CERTIFICATE
 */
export function checkCredentials({ ca, key, cert }: Certified, party: PartyId, now = new Date()): void {
  let authority: X509Certificate;
  let certificate: X509Certificate;
  let fits: boolean;
  try {
    authority = new X509Certificate(ca);
    certificate = new X509Certificate(cert);
    fits = certificate.checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw unfit(
      `the certificate, the key or the authority of party ${party} is no PEM`,
      'give the files that `tercet certificates` made',
      cause,
    );
  }
  if (!fits)
    throw unfit(
      `the key of party ${party} is not that of its certificate`,
      'give the key that the certificate was requested with',
    );
  if (!certificate.verify(authority.publicKey))
    throw unfit(
      `the certificate of party ${party} was issued by another authority`,
      'give the ca.pem that came with it',
    );
  const named = PARTIES.filter((id) => certificate.checkHost(partyName(id), { subject: 'never' }) !== undefined);
  if (named.length !== 1 || named[0] !== party) {
    const whose = named.length === 1 ? `that of party ${named[0]}` : 'that of no party';
    throw unfit(`the certificate is ${whose}, this is party ${party}`, 'give each party its own certificate');
  }
  for (const { validFrom, validTo } of [authority, certificate]) {
    if (!(Date.parse(validFrom) <= now.getTime() && now.getTime() < Date.parse(validTo))) {
      throw unfit(
        `the certificate of party ${party} holds from ${validFrom} to ${validTo}`,
        'check the clock, or ask whoever keeps the authority for a new one',
      );
    }
  }
}

function unfit(what: string, hint: string, cause?: unknown): TercetError {
  return new TercetError('ERR_PEER_CERTIFICATE', what, hint, { cause });
}

/** The number of the newest set, 0 if there is none. */
async function newestSet(dir: string): Promise<number> {
  return newestOf(await readdir(dir));
}

function newestOf(names: readonly string[]): number {
  return Math.max(0, ...names.map((name) => Number(SET_NAME.exec(name)?.[1] ?? 0)));
}

function setPath(dir: string, number: number): string {
  return join(dir, `set-${String(number).padStart(6, '0')}`);
}

/** Reads and checks one set. `gone` if another process replaced it meanwhile. */
async function readSet(dir: string, number: number): Promise<{ certificates: Certificates; until: Date } | 'gone'> {
  const path = setPath(dir, number);
  const read = (name: string): Promise<string> => readFile(join(path, name), 'utf8');
  try {
    const party = async (id: PartyId): Promise<PartyCertificate> => ({
      key: await read(`party-${id}.key`),
      cert: await read(`party-${id}.pem`),
    });
    const certificates: Certificates = {
      ca: await read('ca.pem'),
      parties: [await party(0), await party(1), await party(2)],
    };
    return { certificates, until: checkSet(certificates) };
  } catch (error) {
    if ((await newestSet(dir)) !== number) return 'gone';
    throw unusable(dir, 'is damaged', error);
  }
}

/** When the set ends. Throws unless every certificate is the authority's, names its party, and belongs to its key. */
function checkSet(certificates: Certificates): Date {
  const ca = new X509Certificate(certificates.ca);
  let until = new Date(ca.validTo);
  for (const party of PARTIES) {
    const { key, cert } = certificates.parties[party];
    const certificate = new X509Certificate(cert);
    const good =
      certificate.verify(ca.publicKey) &&
      certificate.checkPrivateKey(createPrivateKey(key)) &&
      certificate.checkHost(partyName(party), { subject: 'never' }) !== undefined;
    if (!good) throw new Error(`certificate of party ${party} does not fit`);
    const end = new Date(certificate.validTo);
    if (end < until) until = end;
  }
  if (Number.isNaN(until.getTime())) throw new Error('certificate without an end');
  return until;
}

/**
 * Writes a set beside its place and renames it there; leaves things as they are if another process was first.
 * Removes older sets.
 */
async function publishSet(dir: string, number: number, certificates: Certificates): Promise<void> {
  const draft = join(dir, `.draft-${randomBytes(8).toString('hex')}`);
  try {
    await mkdir(draft, { mode: 0o700 });
    await chmod(draft, 0o700);
    const write = (name: string, text: string): Promise<void> =>
      writeFile(join(draft, name), text, { mode: 0o600, flag: 'wx', flush: true });
    await write('ca.pem', certificates.ca);
    for (const party of PARTIES) {
      await write(`party-${party}.key`, certificates.parties[party].key);
      await write(`party-${party}.pem`, certificates.parties[party].cert);
    }
    // A folder cannot be renamed onto one that is not empty: the first process wins.
    await rename(draft, setPath(dir, number));
  } catch (error) {
    if ((await newestSet(dir)) < number) throw error;
    return;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  for (let old = number - 1; old > 0 && old >= number - 2; old--)
    await rm(setPath(dir, old), { recursive: true, force: true });
}

function unusable(dir: string, what: string, cause?: unknown): TercetError {
  return new TercetError(
    'ERR_PEER_CERTIFICATE',
    `the certificate folder ${dir} ${what}`,
    'delete the folder and start again',
    { cause },
  );
}
