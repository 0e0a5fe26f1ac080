/**
 * Maps what Node and OpenSSL report about a TLS connection to the typed errors of Tercet. Their messages are not
 * repeated, their codes are.
 */

import { TercetError } from '../../core/errors.ts';
import type { HelloStatus } from './hello.ts';
import type { EndId } from '../wire/types.ts';

/** How far a connection had come. `greeting`: TLS stands, but the other side has not yet said that it accepts us. */
export type TlsPhase = 'connect' | 'handshake' | 'greeting' | 'open';

const CERTIFICATE_CODES = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'HOSTNAME_MISMATCH',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_TLS_CERT_ALTNAME_FORMAT',
]);

/**
 * Whether a code says that a certificate was missing, expired, not trusted or for another name; here or (alert) at
 * the peer.
 */
export function isCertificateCode(code: string): boolean {
  if (CERTIFICATE_CODES.has(code) || code.startsWith('CERT_')) return true;
  return code.startsWith('ERR_SSL_') && /CERTIFICATE|_ALERT_UNKNOWN_CA|_ALERT_ACCESS_DENIED/.test(code);
}

/** Codes of an end that did not prove to be the party that it should be. */
export function isIdentityFailure(code: string): boolean {
  return code === 'ERR_PEER_CERTIFICATE' || code.startsWith('ERR_IDENTITY_');
}

/** Whether the other end said by a TLS alert what is wrong. */
export function isAlert(error: unknown): boolean {
  return errorCode(error).includes('_ALERT_');
}

const HINTS = {
  certificate:
    'give all parties certificates of one CA, each its own; for local runs delete the certificate folder and start again',
  closed: 'look at the output of the other party, then run again',
  format: 'check that host and port belong to a Tercet party of the same version',
  unreachable: 'start that party first, or check host, port and firewall',
};

/**
 * @param where the other end, as the user knows it ("party 2 at host:port")
 */
export function tlsError(error: unknown, phase: TlsPhase, where: string): TercetError {
  if (error instanceof TercetError) return error;
  const code = errorCode(error);
  const options = { cause: error };
  if (isCertificateCode(code)) {
    return certificateRefused(
      isAlert(error)
        ? `${where} did not accept our certificate (${code})`
        : `${where}: its certificate is not accepted (${code})`,
      options,
    );
  }
  if (phase === 'connect')
    return new TercetError('ERR_PEER_UNREACHABLE', `cannot reach ${where} (${code})`, HINTS.unreachable, options);
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') {
    return new TercetError(
      'ERR_FRAME_FORMAT',
      `${where} does not speak TLS 1.3 as expected (${code})`,
      HINTS.format,
      options,
    );
  }
  return new TercetError('ERR_PEER_CLOSED', `${where} closed the link (${code})`, HINTS.closed, options);
}

/** How errors name a party: which role, not which process. */
export function partyWords(party: EndId): string {
  return party === 0 ? 'the data owner' : party === 3 ? 'the dealer' : `party ${party}`;
}

export function certificateRefused(
  what: string,
  options?: { cause?: unknown; party?: EndId | undefined },
): TercetError {
  return new TercetError('ERR_PEER_CERTIFICATE', what, HINTS.certificate, options);
}

/** The code of a system or OpenSSL error; a plain end of the stream has none. */
export function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && /^[A-Z0-9_]{1,80}$/.test(code) ? code : 'CLOSED';
}

/** What a listener's refusal means to the connector, which is `self`. */
export function refusal(status: HelloStatus, where: string, self: EndId): TercetError {
  if (status === 'certificate') {
    const what = `${partyWords(self)} did not prove to ${where} who it is: it was refused there`;
    return new TercetError(
      'ERR_PEER_CERTIFICATE',
      what,
      'compare the identity or certificate that is expected there with the one that is shown from here',
      {
        party: self,
      },
    );
  }
  if (status === 'busy')
    return new TercetError(
      'ERR_PEER_UNREACHABLE',
      `${where} has too many links waiting`,
      'wait for its running sessions to end',
    );
  return new TercetError(
    'ERR_PEER_MISMATCH',
    `${where} is another party or version`,
    'check host and port of every party',
  );
}

/** A connection that took too long. */
export function notUp(where: string, phase: TlsPhase): TercetError {
  if (phase === 'connect')
    return new TercetError('ERR_PEER_UNREACHABLE', `cannot reach ${where} in time`, 'check host, port and firewall');
  return new TercetError(
    'ERR_PEER_TIMEOUT',
    `${where} did not finish the ${phase} in time`,
    'check that a Tercet party runs there',
  );
}

/** An `accept` that took too long; `refused` is the likely reason, if there is one. */
export function nobodyCame(peer: EndId | undefined, timeoutMs: number, refused: TercetError | undefined): TercetError {
  const what = `no link from ${peer === undefined ? 'any party' : `party ${peer}`} within ${timeoutMs / 1000} s`;
  if (refused === undefined)
    return new TercetError('ERR_PEER_TIMEOUT', what, 'start the other party, or check its output');
  return new TercetError(refused.code, `${what}; the last connection was refused: ${refused.message}`, refused.hint, {
    cause: refused,
    party: refused.party,
  });
}

export function aborted(what = 'the link was given up'): TercetError {
  return new TercetError('ERR_ABORTED', what, 'start again');
}

/**
 * Why a TLS handshake failed on the listener.
 *
 * @param authorizationError what the socket noted: Node drops a connection with an untrusted certificate without an
 * error of its own
 */
export function handshakeError(error: Error, authorizationError: unknown, where: string): TercetError {
  const code = typeof authorizationError === 'string' ? authorizationError : errorCode(authorizationError);
  if (isCertificateCode(code))
    return certificateRefused(`${where}: certificate not accepted (${code})`, { cause: error });
  if (errorCode(error) === 'ERR_TLS_HANDSHAKE_TIMEOUT') return notUp(where, 'handshake');
  return tlsError(error, 'handshake', where);
}
