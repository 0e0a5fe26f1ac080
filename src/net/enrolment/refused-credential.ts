/** What is wrong with a credential that was given; each fault has an error code of its own. */
import type { TercetError } from '../../core/errors.ts';
import type { ServerId } from '../wire/types.ts';
import { credentialError } from './credential-terms.ts';

export type CredentialFault = keyof typeof FAULTS;

const FAULTS = {
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
} as const;

/** @param party who found the fault; absent where it was found before anybody was asked */
export function refusedCredential(fault: CredentialFault, party?: ServerId): TercetError {
  return credentialError(FAULTS[fault], party);
}
