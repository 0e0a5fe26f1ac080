/**
 * A certificate authority for parties that do not share a folder: the party makes its key where it stays and sends
 * a request (PKCS #10), which holds no secret; whoever keeps the authority's key issues a certificate for exactly
 * that party.
 *
 * Security model: the keeper of the authority's key can be any party to any other. Where that is one of the compute
 * parties, data owners are lost to it: pin identities instead (`credentials.ts`), or let the data owners' own
 * organisation keep the authority. ECDSA P-256.
 */
import {
  X509Certificate,
  createPrivateKey,
  createPublicKey,
  createHash,
  type KeyObject,
  randomBytes,
  webcrypto,
} from 'node:crypto';
import { TercetError } from '../../core/errors.ts';
import { partyName } from './hello.ts';
import { partyWords } from './tls-errors.ts';
import type { PartyId } from '../wire/types.ts';

/** PEM. */
export interface Authority {
  readonly ca: string;
  readonly key: string;
}

export interface IssueOptions {
  readonly party: PartyId;
  /** Further names in the certificate: hosts and IPv4 addresses. They prove nothing to Tercet. */
  readonly hosts?: readonly string[];
  readonly days?: number | undefined;
  /** The present, for tests. */
  readonly now?: Date | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const LIFETIME_DAYS = 365;
/** Certificates begin a little in the past, for clocks that disagree. */
const SKEW_MS = 60 * 60 * 1000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' };
const CRYPTO = webcrypto as Crypto;

/** Loaded only where certificates are made: most runs just read them. */
async function library(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

const newKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

async function pemOf(privateKey: webcrypto.CryptoKey): Promise<string> {
  const { PemConverter } = await library();
  return PemConverter.encode(new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', privateKey)), 'PRIVATE KEY');
}

function lifetime({
  now = new Date(),
  days = LIFETIME_DAYS,
}: {
  readonly now?: Date | undefined;
  readonly days?: number | undefined;
}): {
  notBefore: Date;
  notAfter: Date;
} {
  return { notBefore: new Date(now.getTime() - SKEW_MS), notAfter: new Date(now.getTime() + days * DAY_MS) };
}

/** A fresh authority. Its name is its own, so that certificates of two of them cannot be taken for each other. */
export async function createAuthority(
  times: { readonly now?: Date | undefined; readonly days?: number | undefined } = {},
): Promise<Authority> {
  const x509 = await library();
  const keys = await newKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=Tercet authority ${randomBytes(6).toString('hex')}`,
      ...lifetime(times),
      signingAlgorithm: SIGNING,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, CRYPTO),
      ],
    },
    CRYPTO,
  );
  return { ca: root.toString('pem'), key: await pemOf(keys.privateKey) };
}

/**
 * A key for `party`, and the request that its certificate is issued for. PEM both.
 * @param own a key that the party has already, PEM (default: a new one)
 * @throws {TercetError} ERR_PEER_CERTIFICATE for a key that is none of P-256
 */
export async function createRequest(
  party: PartyId,
  own?: string,
): Promise<{ readonly key: string; readonly request: string }> {
  const x509 = await library();
  const keys = own === undefined ? await newKeys() : await pairOf(own);
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    { name: `CN=${partyName(party)}`, keys, signingAlgorithm: SIGNING },
    CRYPTO,
  );
  return { key: await pemOf(keys.privateKey), request: request.toString('pem') };
}

/**
 * A certificate for the key of a request, for one party and no other use; nothing else of the request gets into it.
 * @throws {TercetError} ERR_PEER_CERTIFICATE for a request that is none, whose sender does not hold its key, or
 * that is for another party; for an authority that cannot issue
 */
export async function issueCertificate(authority: Authority, request: string, options: IssueOptions): Promise<string> {
  const { party, hosts = [] } = options;
  const x509 = await library();
  const asked = await readRequest(request);
  if (asked.subject !== `CN=${partyName(party)}`)
    throw refused(`the request is not one of ${partyWords(party)}`, 'ask that party which request it sent');
  const root = await authorityKey(authority);
  const publicKey = await asked.publicKey.export(ALGORITHM, ['verify'], CRYPTO).catch((cause: unknown) => {
    throw refused(
      'the key of the request is not ECDSA P-256',
      'make the request with `tercet certificates request`',
      cause,
    );
  });
  // A certificate does not outlive its authority.
  const { notBefore, notAfter } = lifetime(options);
  const last = new Date(root.certificate.validTo);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: `CN=${partyName(party)}`,
      issuer: new x509.X509Certificate(authority.ca).subject,
      notBefore,
      notAfter: notAfter > last ? last : notAfter,
      signingAlgorithm: SIGNING,
      publicKey,
      signingKey: root.key,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        new x509.SubjectAlternativeNameExtension(
          [partyName(party), ...hosts].map((value) => ({
            type: /^[\d.]+$/.test(value) ? ('ip' as const) : ('dns' as const),
            value,
          })),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(root.publicKey, false, CRYPTO),
        await x509.SubjectKeyIdentifierExtension.create(publicKey, false, CRYPTO),
      ],
    },
    CRYPTO,
  );
  return certificate.toString('pem');
}

async function pairOf(pem: string): Promise<webcrypto.CryptoKeyPair> {
  try {
    const key = createPrivateKey(pem);
    const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
    return {
      privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, true, ['sign']),
      publicKey: await webcrypto.subtle.importKey('spki', spki, ALGORITHM, true, ['verify']),
    };
  } catch (cause) {
    throw refused('the key is not ECDSA P-256', 'make one with `tercet certificates request`', cause);
  }
}

async function readRequest(request: string): Promise<import('@peculiar/x509').Pkcs10CertificateRequest> {
  const x509 = await library();
  try {
    const asked = new x509.Pkcs10CertificateRequest(request);
    if (await asked.verify(CRYPTO)) return asked;
  } catch (cause) {
    throw refused('the request is none', 'give the .csr file that `tercet certificates request` made', cause);
  }
  throw refused('the request is not signed with its own key', 'ask for a new one');
}

async function authorityKey({
  ca,
  key,
}: Authority): Promise<{ key: webcrypto.CryptoKey; publicKey: webcrypto.CryptoKey; certificate: X509Certificate }> {
  try {
    const certificate = new X509Certificate(ca);
    const pair = createPrivateKey(key);
    if (!certificate.ca || !certificate.checkPrivateKey(pair)) throw new Error('they do not belong together');
    const der = pair.export({ format: 'der', type: 'pkcs8' });
    const spki = certificate.publicKey.export({ format: 'der', type: 'spki' });
    return {
      certificate,
      key: await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']),
      publicKey: await webcrypto.subtle.importKey('spki', spki, ALGORITHM, true, ['verify']),
    };
  } catch (cause) {
    throw refused(
      'the authority’s key and certificate cannot be used',
      'give the folder that `tercet certificates init` made',
      cause,
    );
  }
}

/**
 * SHA-256 of a public key in the form that certificates have it (SPKI): the same in a request and in what was
 * issued for it. 64 hex digits.
 */
export function keyFingerprint(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest('hex');
}

/** The fingerprint of a request's key. @throws {TercetError} ERR_PEER_CERTIFICATE */
export async function requestFingerprint(request: string): Promise<string> {
  return createHash('sha256')
    .update(new Uint8Array((await readRequest(request)).publicKey.rawData))
    .digest('hex');
}

function refused(what: string, hint: string, cause?: unknown): TercetError {
  return new TercetError('ERR_PEER_CERTIFICATE', what, hint, { cause });
}
