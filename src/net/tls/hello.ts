/**
 * The first bytes on a fresh TLS link: who speaks to whom in which session, and the listener's answer.
 *
 *   offset  size  field
 *        0     4  magic 'TRCT'
 *        4     1  version 2
 *        5     1  from, party 0..2
 *        6     1  to, party 0..3
 *        7     1  status: 0 from the connector and on acceptance, else why the listener refuses
 *        8    16  session
 *
 * A session of zeros names none: the link is spare. It stands with all its proofs, and becomes the link of a
 * session by a second hello, with that session, which is answered; a third one says that the answer was heard.
 *
 * TLS has proved the certificate before a hello is read; the hello only says which of the party's sessions this is,
 * and must agree with the certificate. The answer tells the connector that the listener accepted its certificate,
 * which TLS 1.3 alone does not.
 */

import { TercetError } from '../../core/errors.ts';
import { SESSION_BYTES, checkSession } from '../wire/frame.ts';
import type { EndId } from '../wire/types.ts';

export const HELLO_BYTES = 8 + SESSION_BYTES;
const MAGIC = [0x54, 0x52, 0x43, 0x54];
const VERSION = 2;

/** Why a listener refuses; the index is the status byte. */
const STATUSES = ['ok', 'certificate', 'mismatch', 'busy'] as const;
export type HelloStatus = (typeof STATUSES)[number];

export interface Hello {
  readonly from: EndId;
  readonly to: EndId;
  readonly status: HelloStatus;
  readonly session: Uint8Array;
}

/** The session of a link that is spare. */
export const NO_SESSION = new Uint8Array(SESSION_BYTES);

export function isSpare({ session }: Hello): boolean {
  return session.every((byte) => byte === 0);
}

/** The DNS name that a party's certificate carries. */
export function partyName(party: EndId): string {
  return `party-${party}.tercet`;
}

function isEndId(value: number): value is EndId {
  return value === 0 || value === 1 || value === 2 || value === 3;
}

/** @throws TercetError ERR_ARGUMENT unless the session has 16 bytes */
export function encodeHello(hello: Hello): Uint8Array {
  checkSession(hello.session);
  const out = new Uint8Array(HELLO_BYTES);
  out.set(MAGIC);
  out.set([VERSION, hello.from, hello.to, STATUSES.indexOf(hello.status)], 4);
  out.set(hello.session, 8);
  return out;
}

/** @throws TercetError ERR_FRAME_FORMAT if this is no hello, ERR_PEER_MISMATCH if it is one of another version */
export function decodeHello(bytes: Uint8Array): Hello {
  const [version, from, to, status] = bytes.subarray(4, 8);
  if (bytes.length !== HELLO_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new TercetError(
      'ERR_FRAME_FORMAT',
      'the peer does not speak the link protocol',
      'check that host and port belong to a Tercet party',
    );
  }
  if (version !== VERSION) {
    throw new TercetError(
      'ERR_PEER_MISMATCH',
      `link version ${version}, expected ${VERSION}`,
      'run the same version of Tercet on all parties',
    );
  }
  if (!isEndId(from) || !isEndId(to) || status >= STATUSES.length) {
    throw new TercetError(
      'ERR_FRAME_FORMAT',
      'the peer sent a malformed greeting',
      'run the same version of Tercet on all parties',
    );
  }
  return { from, to, status: STATUSES[status], session: Uint8Array.from(bytes.subarray(8)) };
}
