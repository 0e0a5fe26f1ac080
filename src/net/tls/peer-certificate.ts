/** Judges the certificate of the party that was asked for, and says which end has not proved itself. */
import type { PeerCertificate } from 'node:tls';
import type { TercetError } from '../../core/errors.ts';
import type { EndId } from '../wire/types.ts';
import { partyOf } from './credentials.ts';
import { certificateRefused, isAlert, partyWords } from './tls-errors.ts';

/** Why a certificate is not that of `peer`; nothing if it is. */
export function wrongParty(
  certificate: PeerCertificate,
  self: EndId,
  peer: EndId,
  where: string,
): TercetError | undefined {
  if (partyOf(certificate) === peer) return undefined;
  return certificateRefused(
    `${where} did not prove to ${partyWords(self)} that it is party ${peer}: its certificate is not that of party ${peer}`,
    { party: peer },
  );
}

/** Who has not proved itself, where a certificate was not accepted: this end, if the other one raised the alarm. */
export function blamed(failure: TercetError, self: EndId, peer: EndId): TercetError {
  if (failure.code !== 'ERR_PEER_CERTIFICATE' || failure.party !== undefined) return failure;
  return certificateRefused(failure.message, { cause: failure.cause, party: isAlert(failure.cause) ? self : peer });
}
