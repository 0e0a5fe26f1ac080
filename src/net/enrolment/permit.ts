/**
 * The model owner's word that a dealer may be handed the seeds of a sharing (docs/adr/0036).
 *
 * It names the sharing and the dealer, and no data owner: the seeds are those of all its owners, so what a dealer can
 * do with them does not depend on who hands them over. It has no end, because a dealer that has seen seeds knows them
 * for good: another sharing ends it.
 */
import { fromHex } from '../../core/bytes.ts';
import { type PartyIdentity, SIGNATURE_BYTES, verifySignature } from '../identity/identity.ts';
import { encodeTranscript } from '../wire/transcript.ts';

export const PERMIT_BYTES = SIGNATURE_BYTES;

/** Which dealer, for which sharing: 64 hex digits each. */
export interface Permitted {
  readonly sharing: string;
  readonly dealer: string;
}

/** @param enrolment the model owner's enrolment key */
export function issuePermit(permitted: Permitted, enrolment: Pick<PartyIdentity, 'sign'>): Uint8Array {
  return enrolment.sign(transcript(permitted));
}

/** Whether the enrolment key signed it. @param enrolment its public half, 64 hex digits */
export function verifyPermit(permit: Uint8Array, permitted: Permitted, enrolment: string): Promise<boolean> {
  return verifySignature(enrolment, transcript(permitted), permit);
}

function transcript({ sharing, dealer }: Permitted): Uint8Array {
  return encodeTranscript('tercet/1 dealing permit', [fromHex(sharing), fromHex(dealer)]);
}
