/**
 * A local certificate authority with one certificate for each party, made on first use.
 *
 * Security model: this is for parties that one user starts on machines of his own. Whoever can read the folder can be any party; the
 * files are readable by their owner only. The key of the authority is never written: it signs three certificates and is forgotten, so
 * nobody can add a fourth. For parties of different owners, give each its own key file and the `ca.pem`, nothing else.
 */

import { X509Certificate, createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { chmod, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TercetError } from '../core/errors.ts';
import { partyName } from './hello.ts';
import type { PartyId } from './types.ts';

/** What one party needs for TLS, as PEM. */
export interface Credentials {
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
}

export interface PartyCertificate {
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
const LIFETIME_DAYS = 365;
const RENEW_DAYS = 7;
/** Certificates begin a little in the past, for clocks that disagree. */
const SKEW_MS = 60 * 60 * 1000;
const PARTIES: readonly PartyId[] = [0, 1, 2];
/** A complete set is one folder; the highest number counts. Folders are renamed into place whole, so none is ever half written. */
const SET_NAME = /^set-(\d{6})$/;
const ATTEMPTS = 20;

/** The part of `certificates` that belongs to one party. */
export function credentialsOf(certificates: Certificates, party: PartyId): Credentials {
  return { ca: certificates.ca, ...certificates.parties[party] };
}

/**
 * The certificates in `dir`, made if there are none and renewed within 7 days of their end.
 *
 * Processes that come at the same time end with the same set: a set is made in a folder of its own and renamed to the next number,
 * which only one of them can do; the others take what that one made.
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

/** A fresh authority and three party certificates (ECDSA P-256, one year), in memory only. */
export async function createCertificates(times: CertificateTimes = {}): Promise<Certificates> {
  const now = (times.now ?? new Date()).getTime();
  const notBefore = new Date(now - SKEW_MS);
  const notAfter = new Date(now + LIFETIME_DAYS * DAY_MS);
  // Loaded only where certificates are made: most runs just read them.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  // A name of its own for every authority, so that certificates of two of them cannot be taken for each other.
  const issuer = `CN=Tercet local authority ${randomBytes(6).toString('hex')}`;
  const authority = await newKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: issuer,
      notBefore,
      notAfter,
      signingAlgorithm,
      keys: authority,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(authority.publicKey, false, webcrypto as Crypto),
      ],
    },
    webcrypto as Crypto,
  );
  const issue = async (party: PartyId): Promise<PartyCertificate> => {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create(
      {
        subject: `CN=${partyName(party)}`,
        issuer,
        notBefore,
        notAfter,
        signingAlgorithm,
        publicKey: keys.publicKey,
        signingKey: authority.privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
          new x509.SubjectAlternativeNameExtension([
            { type: 'dns', value: partyName(party) },
            { type: 'dns', value: 'localhost' },
            { type: 'ip', value: '127.0.0.1' },
          ]),
          await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey, false, webcrypto as Crypto),
          await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto as Crypto),
        ],
      },
      webcrypto as Crypto,
    );
    const pkcs8 = new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    return { key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'), cert: certificate.toString('pem') };
  };
  return { ca: root.toString('pem'), parties: [await issue(0), await issue(1), await issue(2)] };
}

/** The number of the newest set, 0 if there is none. */
async function newestSet(dir: string): Promise<number> {
  const numbers = (await readdir(dir)).map((name) => Number(SET_NAME.exec(name)?.[1] ?? 0));
  return Math.max(0, ...numbers);
}

function setPath(dir: string, number: number): string {
  return join(dir, `set-${String(number).padStart(6, '0')}`);
}

/** Reads and checks one set. `gone` if another process replaced it meanwhile. */
async function readSet(dir: string, number: number): Promise<{ certificates: Certificates; until: Date } | 'gone'> {
  const path = setPath(dir, number);
  const read = (name: string): Promise<string> => readFile(join(path, name), 'utf8');
  try {
    const party = async (id: PartyId): Promise<PartyCertificate> => ({ key: await read(`party-${id}.key`), cert: await read(`party-${id}.pem`) });
    const certificates: Certificates = { ca: await read('ca.pem'), parties: [await party(0), await party(1), await party(2)] };
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

/** Writes a set beside its place and renames it there; leaves things as they are if another process was first. Removes older sets. */
async function publishSet(dir: string, number: number, certificates: Certificates): Promise<void> {
  const draft = join(dir, `.draft-${randomBytes(8).toString('hex')}`);
  try {
    await mkdir(draft, { mode: 0o700 });
    await chmod(draft, 0o700);
    const write = (name: string, text: string): Promise<void> => writeFile(join(draft, name), text, { mode: 0o600, flag: 'wx', flush: true });
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
  for (let old = number - 1; old > 0 && old >= number - 2; old--) await rm(setPath(dir, old), { recursive: true, force: true });
}

function unusable(dir: string, what: string, cause?: unknown): TercetError {
  return new TercetError('ERR_PEER_CERTIFICATE', `the certificate folder ${dir} ${what}`, 'delete the folder and start again', { cause });
}
