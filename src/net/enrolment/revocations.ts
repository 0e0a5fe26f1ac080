/**
 * The list of a sharing's revoked credentials: signed by the enrolment key, numbered, public. Parties keep the
 * newest that they were given.
 */
import { concatBytes, fromHex, toHex } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
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
  let file: Readonly<Record<string, unknown>>;
  try {
    file = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as typeof file;
    if (typeof file !== 'object' || file === null) throw wrong('is malformed');
  } catch {
    throw wrong('is malformed');
  }
  const { version, number, ids, signature } = file;
  const isHex = (value: unknown, length: number): value is string =>
    typeof value === 'string' && value.length === 2 * length && /^[0-9a-f]*$/.test(value);
  if (
    version !== VERSION ||
    !Number.isSafeInteger(number) ||
    (number as number) < 1 ||
    !Array.isArray(ids) ||
    ids.length > MAX_REVOKED
  )
    throw wrong('is malformed');
  if (!ids.every((id) => isHex(id, CREDENTIAL_ID_BYTES)) || !isHex(signature, SIGNATURE_BYTES))
    throw wrong('is malformed');
  if (file['sharing'] !== sharing) throw wrong('is of another sharing');
  const list: RevocationList = { sharing, number: number as number, ids: ids as string[] };
  if (!(await verifySignature(enrolment, revocationTranscript(list), fromHex(signature))))
    throw wrong('is not signed by the enrolment key of this sharing');
  return list;
}

function revocationTranscript({ sharing, number, ids }: RevocationList): Uint8Array {
  const version = new Uint8Array(8);
  new DataView(version.buffer).setBigUint64(0, BigInt(number), true);
  return encodeTranscript('tercet/1 revoked owners', [fromHex(sharing), version, concatBytes(ids.map(fromHex))]);
}
