/**
 * What all who speak of a credential need, and the page loads before it has one: lengths and faults. Reading one is
 * `credential.ts`.
 */
import { type ErrorCode, TercetError } from '../../core/errors.ts';
import { SIGNATURE_BYTES } from '../identity/identity.ts';
import type { ServerId } from '../wire/types.ts';

export const CERTIFICATE_BYTES = 153;
export const PRESENTED_BYTES = CERTIFICATE_BYTES + SIGNATURE_BYTES;
export const SEEDS_BYTES = 64;

/** What is wrong with a credential; each has an error code of its own. */
export type CredentialFault = 'missing' | 'expired' | 'revoked' | 'sharing' | 'signature' | 'dealer';

const FAULTS: Readonly<Record<CredentialFault, readonly [ErrorCode, what: string, hint: string]>> = {
  missing: [
    'ERR_CREDENTIAL_MISSING',
    'a model with secret weights is for enrolled owners, and no credential was given',
    "ask the model's owner for a credential file (`tercet owner enrol`) and give it: `--credential FILE`, or `credential` in fromPretrained",
  ],
  expired: ['ERR_CREDENTIAL_EXPIRED', 'the credential has ended', "ask the model's owner for a new one"],
  revoked: ['ERR_CREDENTIAL_REVOKED', 'the credential was revoked', "ask the model's owner why, or for a new one"],
  sharing: [
    'ERR_CREDENTIAL_SHARING',
    'the credential is for another model, or for an older sharing of this one',
    "ask the model's owner for a credential of the sharing that is served now",
  ],
  signature: [
    'ERR_CREDENTIAL_SIGNATURE',
    "the credential is not one of this model's owner, or was not presented by the one that it was made for",
    "get the file again from the model's owner; the address in between must not change what is sent",
  ],
  dealer: [
    'ERR_CREDENTIAL_DEALER',
    "the model's owner has not allowed this dealer, which would get the seeds of the weights",
    "leave out the dealer, or ask the model's owner for a credential that names it (`tercet owner enrol --dealer HEX`)",
  ],
};

/** @param party who found the fault; absent where it was found before anybody was asked */
export function credentialFault(fault: CredentialFault, party?: ServerId): TercetError {
  const [code, what, hint] = FAULTS[fault];
  return new TercetError(code, party === undefined ? what : `party ${party}: ${what}`, hint, { party });
}
