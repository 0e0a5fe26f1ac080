/**
 * Who is at the other end of a TLS link between processes. Two ways, never mixed on one link:
 *
 * - *Certified*: an authority that all three parties trust has issued a certificate for each; it names exactly one
 *   party (`party-<id>.tercet`). Whoever keeps the
 *   authority's key can be any party to any other: right for parties of one user, or where the data owners' own organisation keeps it.
 * - *Pinned*: each compute party shows a certificate of its own identity, and the other end has that key
 *   beforehand, as pages have it. There is no authority. Data
 *   owners are anonymous, as in a browser, and prove the parties again inside the link (`net/handshake/handshake.ts`).
 *
 * SECURITY: test/net/credentials.test.ts.
 */
import type { X509Certificate } from 'node:crypto';
import * as tls from 'node:tls';
import { TercetError } from '../../core/errors.ts';
import { partyName } from './hello.ts';
import { type Pin, acceptedOf } from '../identity/pin.ts';
import { swappedParty, wrongKey } from '../identity/identity-errors.ts';
import { ed25519Of } from './self-signed.ts';
import { certificateRefused, errorCode, partyWords } from './tls-errors.ts';
import type { EndId, PartyId, ServerId } from '../wire/types.ts';

/** PEM: the authority's certificate, and a key with its certificate. */
export interface Certified {
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
}

export interface Pinned {
  /** What a compute party shows, as PEM; a data owner shows nothing. */
  readonly own?: { readonly key: string; readonly cert: string };
  /** The identities that this end expects. */
  readonly pins: Readonly<Partial<Record<ServerId, Pin>>>;
}

/** What one end of a link shows, and whom it believes. */
export type Credentials = Certified | Pinned;

export function isPinned(credentials: Credentials): credentials is Pinned {
  return 'pins' in credentials;
}

/** AES-128 first: the fastest on every machine with AES instructions, and as strong as the rest of the system. */
const CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';

/** For both ends. */
export function contextOptions(credentials: Credentials): tls.SecureContextOptions {
  const shown = isPinned(credentials)
    ? (credentials.own ?? {})
    : { ca: credentials.ca, key: credentials.key, cert: credentials.cert };
  return { ...shown, ciphers: CIPHERS, minVersion: 'TLSv1.3' };
}

/** @throws {TercetError} ERR_PEER_CERTIFICATE for credentials that cannot be used */
export function secureContext(credentials: Credentials): tls.SecureContext {
  try {
    return tls.createSecureContext(contextOptions(credentials));
  } catch (error) {
    throw certificateRefused(`own key or certificate cannot be used (${errorCode(error)})`, { cause: error });
  }
}

/** The part of a TLS socket that tells who is at the other end. */
export interface ProvedSocket {
  readonly authorized: boolean;
  readonly authorizationError: unknown;
  getPeerCertificate(): tls.PeerCertificate;
  getPeerX509Certificate(): X509Certificate | undefined;
  isSessionReused(): boolean;
}

/**
 * Returns if the other end has proved to be `claimed`.
 * @param where the other end, as the user knows it
 * @throws {TercetError} ERR_PEER_CERTIFICATE; with pins ERR_IDENTITY_KEY, or ERR_IDENTITY_PARTY for the key of the
 * other compute party. `party` is the one that did not prove itself.
 */
export function checkProof(
  socket: ProvedSocket,
  credentials: Credentials,
  { self, claimed, where }: { self: EndId; claimed: EndId; where: string },
): void {
  if (!isPinned(credentials)) {
    checkCertified(socket, self, where);
    const certified = partyOf(socket.getPeerCertificate());
    if (certified === claimed) return;
    const shown = certified === undefined ? 'names no party' : `is that of ${partyWords(certified)}`;
    throw certificateRefused(
      `${where} did not prove to ${partyWords(self)} that it is ${partyWords(claimed)}: its certificate ${shown}`,
      { party: claimed },
    );
  }
  // Data owners are anonymous to compute parties.
  if (claimed === 0) return;
  const { pins } = credentials;
  const certificate = socket.isSessionReused() ? undefined : socket.getPeerX509Certificate();
  const shown = certificate === undefined ? undefined : ed25519Of(certificate.publicKey);
  const isOf = (party: ServerId) => shown !== undefined && acceptedOf(pins[party] ?? '').includes(shown);
  if (isOf(claimed)) return;
  const other = claimed === 1 ? 2 : 1;
  const failure = isOf(other) ? swappedParty(claimed, other) : wrongKey(claimed);
  throw new TercetError(
    failure.code,
    `${where} did not prove itself to ${partyWords(self)}: ${failure.message}`,
    failure.hint,
    { party: claimed },
  );
}

/**
 * What can be said before the other end has said who it is: whether its certificate is the authority's and in its time.
 * @throws {TercetError} ERR_PEER_CERTIFICATE
 */
export function checkCertified(socket: ProvedSocket, self: EndId, where: string): void {
  // A resumed session shows no certificate; nothing here ever resumes one.
  if (socket.authorized && !socket.isSessionReused()) return;
  const none = socket.getPeerX509Certificate() === undefined;
  const why = none
    ? 'it showed no certificate'
    : `its certificate is not accepted (${errorCode({ code: socket.authorizationError })})`;
  throw certificateRefused(`${where} did not prove to ${partyWords(self)} which party it is: ${why}`);
}

/** Dealers have pinned identities, and no certificates of an authority. */
const CERTIFIED: readonly PartyId[] = [0, 1, 2];

/** The one party that a certificate names, or undefined if it names none or (a wildcard, say) several. */
export function partyOf(certificate: tls.PeerCertificate): PartyId | undefined {
  const named = CERTIFIED.filter((party) => namesHost(partyName(party), certificate));
  return named.length === 1 ? named[0] : undefined;
}

function namesHost(name: string, certificate: tls.PeerCertificate): boolean {
  // Only the subject alternative names count; a certificate without any would be matched by its common name.
  return certificate.subjectaltname !== undefined && tls.checkServerIdentity(name, certificate) === undefined;
}
