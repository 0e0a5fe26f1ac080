/**
 * What a party signs when it answers an offer: which run, whom, with which certificates, over which model. The data
 * owner reads it only after the signature has been checked with the pinned key, and only then looks at the
 * description that came with it.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { verifyPin } from '../identity/identity.ts';
import type { Pin } from '../identity/pin.ts';
import {
  otherOf,
  replayed,
  swappedParty,
  wrongFingerprint,
  wrongKey,
  wrongModel,
  wrongRequest,
} from '../identity/identity-errors.ts';
import { decodeTranscript, encodeTranscript } from '../wire/transcript.ts';
import type { ServerId } from '../wire/types.ts';

const DOMAIN = 'tercet/1 rtc';
const FIELDS = 8;

export interface RtcStatement {
  readonly session: Uint8Array;
  readonly party: ServerId;
  readonly clientNonce: Uint8Array;
  readonly partyNonce: Uint8Array;
  /** One for each association, in order. */
  readonly clientFingerprints: readonly Uint8Array[];
  readonly partyFingerprints: readonly Uint8Array[];
  readonly modelHash: Uint8Array;
  readonly requestCode: Uint8Array;
}

export function encodeStatement(statement: RtcStatement): Uint8Array {
  const { session, party, clientNonce, partyNonce, clientFingerprints, partyFingerprints, modelHash, requestCode } =
    statement;
  const fields = [
    session,
    Uint8Array.of(party),
    clientNonce,
    partyNonce,
    concatBytes(clientFingerprints),
    concatBytes(partyFingerprints),
    modelHash,
    requestCode,
  ];
  return encodeTranscript(DOMAIN, fields);
}

/** What goes into the handshake in the link itself, so that it belongs to this signalling and no other. */
export function signallingHash(statement: Uint8Array, signature: Uint8Array): Uint8Array {
  return sha256(concatBytes([statement, signature]));
}

export interface Expected extends Omit<RtcStatement, 'partyNonce'> {
  readonly identity: Pin;
  readonly otherIdentity?: Pin | undefined;
}

/**
 * Judges a signed answer.
 * @param claimed the party that the answer says it is of; unproved, used to say what went wrong
 * @throws {TercetError} ERR_IDENTITY_KEY, ERR_IDENTITY_PARTY, ERR_IDENTITY_REPLAY, ERR_IDENTITY_FINGERPRINT,
 * ERR_MODEL_HASH, ERR_PEER_MISMATCH
 */
export async function checkStatement(
  statement: Uint8Array,
  signature: Uint8Array,
  claimed: number,
  expected: Expected,
): Promise<void> {
  const { party, identity, otherIdentity } = expected;
  if (!(await verifyPin(identity, statement, signature))) {
    const other = otherIdentity !== undefined && (await verifyPin(otherIdentity, statement, signature));
    throw other || claimed !== party ? swappedParty(party, otherOf(party)) : wrongKey(party);
  }
  const fields = decodeTranscript(statement, DOMAIN, FIELDS);
  // Signed by the party, but something else: an answer of another kind or version.
  if (fields === undefined) throw replayed(party);
  const [session, who, clientNonce, , clientFingerprints, partyFingerprints, modelHash, requestCode] = fields;
  if (!equalBytes(who, Uint8Array.of(party))) throw swappedParty(party, otherOf(party));
  if (!equalBytes(session, expected.session) || !equalBytes(clientNonce, expected.clientNonce)) throw replayed(party);
  if (!equalBytes(clientFingerprints, concatBytes(expected.clientFingerprints)))
    throw wrongFingerprint(party, 'it was shown another certificate than the one of this device');
  if (!equalBytes(partyFingerprints, concatBytes(expected.partyFingerprints)))
    throw wrongFingerprint(party, 'the certificate in its answer is not the one that it signed');
  if (!equalBytes(modelHash, expected.modelHash)) throw wrongModel(party);
  if (!equalBytes(requestCode, expected.requestCode)) throw wrongRequest(party);
}
