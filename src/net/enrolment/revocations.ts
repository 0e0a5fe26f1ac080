/**
 * The list of a sharing's revoked credentials: signed by the enrolment key, numbered, public. Parties keep the
 * newest that they were given.
 */
import { concatBytes, fromHex, toHex } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import { type Refusal, count, hex, list as listOf, object, oneOf, parseJson } from '../../core/json.ts';
import { CREDENTIAL_ID_BYTES } from './credential.ts';
import { type PartyIdentity, SIGNATURE_BYTES, verifySignature } from '../identity/identity.ts';
import { encodeTranscript } from '../wire/transcript.ts';

const VERSION = 1;

/** A signed list of the credentials that are good no more. The one with the higher number is the newer one. */
export interface RevocationList {
  readonly sharing: string;
  readonly number: number;
  /** Ids, 32 hex digits each. */
  readonly ids: readonly string[];
}

/** Most revoked credentials of a sharing: by then it should be shared again. */
export const MAX_REVOKED = 10_000;

export function signRevocations({ sharing, number, ids }: RevocationList, enrolment: PartyIdentity): string {
  const signature = toHex(enrolment.sign(revocationTranscript({ sharing, number, ids })));
  return `${JSON.stringify({ version: VERSION, sharing, number, ids, signature }, null, 2)}\n`;
}

const LIST = object({
  version: oneOf([VERSION]),
  sharing: hex(32),
  number: count(Number.MAX_SAFE_INTEGER),
  ids: listOf(hex(CREDENTIAL_ID_BYTES), MAX_REVOKED),
  signature: hex(SIGNATURE_BYTES),
});
const REFUSAL: Refusal = {
  code: 'ERR_MODEL_FORMAT',
  what: 'the list of revoked credentials is malformed',
  hint: 'take the file that `tercet owner revoke` wrote',
};

/**
 * @throws {TercetError} ERR_MODEL_FORMAT for a list that is malformed, of another sharing, or not signed by the
 * enrolment key
 */
export async function readRevocations(bytes: Uint8Array, sharing: string, enrolment: string): Promise<RevocationList> {
  const wrong = (what: string) =>
    new TercetError(
      'ERR_MODEL_FORMAT',
      `the list of revoked credentials ${what}`,
      'take the file that `tercet owner revoke` wrote',
    );
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw wrong('is malformed');
  }
  const { signature, ...list } = parseJson(LIST, text, REFUSAL);
  if (list.number < 1) throw wrong('is malformed');
  if (list.sharing !== sharing) throw wrong('is of another sharing');
  if (!(await verifySignature(enrolment, revocationTranscript(list), fromHex(signature))))
    throw wrong('is not signed by the enrolment key of this sharing');
  return list;
}

function revocationTranscript({ sharing, number, ids }: RevocationList): Uint8Array {
  const version = new Uint8Array(8);
  new DataView(version.buffer).setBigUint64(0, BigInt(number), true);
  return encodeTranscript('tercet/1 revoked owners', [fromHex(sharing), version, concatBytes(ids.map(fromHex))]);
}
