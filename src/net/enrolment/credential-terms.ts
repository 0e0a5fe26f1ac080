/**
 * What all who speak of a credential need, and the page loads before it has one: lengths, and that there is none.
 * Reading one is `credential.ts`, what is wrong with one `refused-credential.ts`.
 */
import { type ErrorCode, TercetError } from '../../core/errors.ts';
import { SIGNATURE_BYTES } from '../identity/identity.ts';
import type { ServerId } from '../wire/types.ts';

export const CERTIFICATE_BYTES = 153;
export const PRESENTED_BYTES = CERTIFICATE_BYTES + SIGNATURE_BYTES;
export const SEEDS_BYTES = 64;

const ABSENT = {
  missing: [
    'ERR_CREDENTIAL_MISSING',
    'a model with secret weights is for enrolled owners, and no credential was given',
    "ask the model's owner for a credential file (`tercet owner enrol`) and give it: `--credential FILE`, or `credential` in fromPretrained",
  ],
  dealer: [
    'ERR_CREDENTIAL_DEALER',
    "the model's owner has not allowed this dealer, which would get the seeds of the weights",
    "leave out the dealer, or ask the model's owner for a credential that names it (`tercet owner enrol --dealer HEX`)",
  ],
} as const;

/** A credential that was not given, or does not name a dealer. @param party who says so; absent for this side */
export function absentCredential(what: keyof typeof ABSENT, party?: ServerId): TercetError {
  return credentialError(ABSENT[what], party);
}

/** @param party who found the fault; absent where it was found before anybody was asked */
export function credentialError(
  [code, what, hint]: readonly [code: ErrorCode, what: string, hint: string],
  party: ServerId | undefined,
): TercetError {
  return new TercetError(code, party === undefined ? what : `party ${party}: ${what}`, hint, { party });
}
