/**
 * The three messages of the handshake, each of one length, and the two that follow where the owner has a credential
 * (secret weights).
 *
 *   owner hello (184)                        party hello (320)                       finish (40)
 *     0   4  magic 'TRHK'                      0   4  magic                            0   4  magic
 *     4   1  version 1                         4   1  version                          4   1  version
 *     5   1  kind 1                            5   1  kind 2                           5   1  kind 3
 *     6   1  transport 1..3, plus 128          6   1  status: 0, or why not            6   1  0
 *            if a credential follows,
 *            plus 64 from a dealer
 *     7   1  party asked for, 1 to 3           7   1  party that answers               7   1  0
 *     8  16  session                           8 184  the owner hello as it came       8  32  confirmation
 *    24  32  nonce                           192  32  nonce
 *    56  32  X25519 ephemeral                224  32  X25519 ephemeral
 *    88  32  hash of the model               256  64  Ed25519 signature over all of the above
 *   120  32  the coded request
 *   152  32  hash of the signed signalling
 *
 *   credential (233), from the owner         verdict (40), from the party
 *     0 233  what `OwnerCredential.present`    0   4  magic
 *            made, ChaCha20-Poly1305 under     4   1  version
 *            a key of this link                5   1  kind 4
 *                                              6   1  0: taken, or the fault
 *                                              7   1  0
 *                                              8  32  HMAC of byte 6 under a key of this link
 *
 * A dealer (session/dealer.ts) comes like an owner and proves its pinned identity behind `finish`:
 *
 *   dealer (72)
 *     0   4  magic; 4 1 version; 5 1 kind 5; 6 1 0; 7 1 0
 *     8  64  Ed25519 signature over session, party and the hash of both hellos
 *
 * The party repeats what it was asked, so that an answer to another question is known as what it is once its
 * signature has been checked.
 */
import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import { SIGNATURE_BYTES } from '../identity/identity.ts';
import { SESSION_BYTES } from '../wire/frame.ts';
import { encodeTranscript } from '../wire/transcript.ts';
import type { ServerId } from '../wire/types.ts';

/** In place of the hash of a signed signalling: nothing came before the link. */
export const NO_SIGNALLING = new Uint8Array(32);
/** In place of the hash of a model: the only one that is served, whichever it is. */
export const ANY_MODEL = new Uint8Array(32);

export const OWNER_HELLO_BYTES = 184;
export const PARTY_HELLO_BYTES = 320;
export const FINISH_BYTES = 40;
export const VERDICT_BYTES = 40;
export const DEALER_BYTES = 8 + SIGNATURE_BYTES;
export const NONCE_BYTES = 32;
/** Hashes; a nonce and an ephemeral key have the same size. */
const HASH_BYTES = 32;
const MAGIC = Uint8Array.of(0x54, 0x52, 0x48, 0x4b);
const VERSION = 1;
const SIGNED_BYTES = 256;

/** Index is the byte on the wire. */
const TRANSPORTS = ['', 'webrtc', 'websocket', 'tls'] as const;
export type LinkKind = 'webrtc' | 'websocket' | 'tls';

/** What a party answers; the index is the status byte. */
const STATUSES = [
  'ok',
  'party',
  'session',
  'signalling',
  'model',
  'request',
  'refused',
  'large',
  'busy',
  'credential',
] as const;
export type HandshakeStatus = (typeof STATUSES)[number];

/** What a party says of a credential; the index is the byte. */
const VERDICTS = ['ok', 'missing', 'expired', 'revoked', 'sharing', 'signature', 'refused'] as const;
export type Verdict = (typeof VERDICTS)[number];
/** Bits of the transport's byte. */
const ENROLLED = 0x80;
const DEALER = 0x40;

export interface OwnerHello {
  readonly transport: LinkKind;
  /** Whether a credential follows the handshake. */
  readonly enrolled: boolean;
  /** Whether this end is a dealer, whose proof follows the handshake. */
  readonly dealer: boolean;
  readonly party: ServerId;
  readonly session: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ephemeral: Uint8Array;
  readonly modelHash: Uint8Array;
  readonly requestCode: Uint8Array;
  /** Zero without signed signalling. */
  readonly signallingHash: Uint8Array;
}

export interface PartyHello {
  readonly status: HandshakeStatus;
  readonly party: ServerId;
  /** The owner hello that this answers, as bytes. */
  readonly asked: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ephemeral: Uint8Array;
  readonly signature: Uint8Array;
}

export function encodeOwnerHello(hello: OwnerHello): Uint8Array {
  const { transport, enrolled, dealer, party, session, nonce, ephemeral, modelHash, requestCode } = hello;
  return concatBytes([
    header(1, TRANSPORTS.indexOf(transport) | (enrolled ? ENROLLED : 0) | (dealer ? DEALER : 0), party),
    session,
    nonce,
    ephemeral,
    modelHash,
    requestCode,
    hello.signallingHash,
  ]);
}

/** @throws {TercetError} ERR_FRAME_FORMAT, ERR_PEER_MISMATCH for another version */
export function decodeOwnerHello(bytes: Uint8Array): OwnerHello {
  checkHeader(bytes, 1, OWNER_HELLO_BYTES);
  const transport = TRANSPORTS[bytes[6] & ~(ENROLLED | DEALER)];
  const enrolled = (bytes[6] & ENROLLED) !== 0;
  const dealer = (bytes[6] & DEALER) !== 0;
  const party = bytes[7];
  if (transport === undefined || transport === '' || !isServer(party)) throw malformed();
  const hash = (at: number): Uint8Array => bytes.slice(at, at + HASH_BYTES);
  const session = bytes.slice(8, 8 + SESSION_BYTES);
  return {
    transport,
    enrolled,
    dealer,
    party,
    session,
    nonce: hash(24),
    ephemeral: hash(56),
    modelHash: hash(88),
    requestCode: hash(120),
    signallingHash: hash(152),
  };
}

/** What the party signs: everything of its hello before the signature. */
export function signedPart(partyHello: Uint8Array): Uint8Array {
  return encodeTranscript('tercet/1 handshake', [partyHello.subarray(0, SIGNED_BYTES)]);
}

export function encodePartyHello(hello: PartyHello, sign: (message: Uint8Array) => Uint8Array): Uint8Array {
  const { status, party, asked, nonce, ephemeral } = hello;
  const signed = concatBytes([header(2, STATUSES.indexOf(status), party), asked, nonce, ephemeral]);
  return concatBytes([signed, sign(signedPart(signed))]);
}

/** @throws {TercetError} ERR_FRAME_FORMAT, ERR_PEER_MISMATCH for another version */
export function decodePartyHello(bytes: Uint8Array): PartyHello {
  checkHeader(bytes, 2, PARTY_HELLO_BYTES);
  const status: HandshakeStatus | undefined = STATUSES[bytes[6]];
  const party = bytes[7];
  if (status === undefined || !isServer(party)) throw malformed();
  return {
    status,
    party,
    asked: bytes.slice(8, 192),
    nonce: bytes.slice(192, 224),
    ephemeral: bytes.slice(224, 256),
    signature: bytes.slice(SIGNED_BYTES),
  };
}

export function encodeFinish(confirmation: Uint8Array): Uint8Array {
  return concatBytes([header(3, 0, 0), confirmation]);
}

/** The confirmation. @throws {TercetError} ERR_FRAME_FORMAT */
export function decodeFinish(bytes: Uint8Array): Uint8Array {
  checkHeader(bytes, 3, FINISH_BYTES);
  if (bytes[6] !== 0 || bytes[7] !== 0) throw malformed();
  return bytes.slice(8);
}

/** @param mac of a verdict's byte, under a key of the link */
export function encodeVerdict(verdict: Verdict, mac: (status: number) => Uint8Array): Uint8Array {
  const status = VERDICTS.indexOf(verdict);
  return concatBytes([header(4, status, 0), mac(status)]);
}

/** @throws {TercetError} ERR_FRAME_FORMAT for what the party at the other end of this link did not say */
export function decodeVerdict(bytes: Uint8Array, mac: (status: number) => Uint8Array): Verdict {
  checkHeader(bytes, 4, VERDICT_BYTES);
  const verdict: Verdict | undefined = VERDICTS[bytes[6]];
  if (verdict === undefined || bytes[7] !== 0 || !equalBytes(bytes.subarray(8), mac(bytes[6]))) throw malformed();
  return verdict;
}

/** What a dealer signs: that it, and nobody else, holds this one link. @param binding the hash of both hellos */
export function dealerStatement(session: Uint8Array, party: number, binding: Uint8Array): Uint8Array {
  return encodeTranscript('tercet/1 dealer', [session, Uint8Array.of(party), binding]);
}

export function encodeDealer(signature: Uint8Array): Uint8Array {
  return concatBytes([header(5, 0, 0), signature]);
}

/** The signature. @throws {TercetError} ERR_FRAME_FORMAT */
export function decodeDealer(bytes: Uint8Array): Uint8Array {
  checkHeader(bytes, 5, DEALER_BYTES);
  if (bytes[6] !== 0 || bytes[7] !== 0) throw malformed();
  return bytes.slice(8);
}

function isServer(party: number): party is ServerId {
  return party === 1 || party === 2 || party === 3;
}

function header(kind: number, detail: number, party: number): Uint8Array {
  return concatBytes([MAGIC, Uint8Array.of(VERSION, kind, detail, party)]);
}

function checkHeader(bytes: Uint8Array, kind: number, length: number): void {
  if (bytes.length !== length || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new TercetError(
      'ERR_FRAME_FORMAT',
      'the peer does not begin with the handshake',
      'check that the address belongs to a Tercet party',
    );
  }
  if (bytes[4] !== VERSION) {
    throw new TercetError(
      'ERR_PEER_MISMATCH',
      `handshake version ${bytes[4]}, expected ${VERSION}`,
      'run the same version of Tercet on all parties',
    );
  }
  if (bytes[5] !== kind) throw malformed();
}

function malformed(): TercetError {
  return new TercetError(
    'ERR_FRAME_FORMAT',
    'the peer sent a malformed handshake',
    'run the same version of Tercet on all parties',
  );
}
