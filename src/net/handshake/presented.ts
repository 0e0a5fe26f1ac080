/**
 * The two messages behind a handshake with a credential: the owner presents it, sealed, to the party that has
 * proved who it is; the party says whether it takes it.
 */
import { type ErrorCode, TercetError } from '../../core/errors.ts';
import type { OwnerCredential, PresentedOn } from '../enrolment/credential.ts';
import { PRESENTED_BYTES, absentCredential } from '../enrolment/credential-terms.ts';
import type { Enrolment } from '../enrolment/enrolment.ts';
import { type CredentialFault, refusedCredential } from '../enrolment/refused-credential.ts';
import type { Sodium } from '../identity/sodium.ts';
import { type Verdict, decodeVerdict, encodeVerdict } from './messages.ts';
import type { LinkSecrets } from './secrets.ts';
import type { ServerId } from '../wire/types.ts';

/** With the tag of the seal. */
export const CREDENTIAL_BYTES = PRESENTED_BYTES + 16;

/** The key seals this one message and nothing else. */
const NONCE = new Uint8Array(12);

/** What the owner sends: a proxy or a recorder on the way learns nothing of who asks. */
export function sealCredential(
  sodium: typeof Sodium,
  secrets: LinkSecrets,
  credential: OwnerCredential,
  on: Omit<PresentedOn, 'binding'>,
): Uint8Array {
  const key = secrets.credentialKey();
  try {
    return sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
      credential.present({ ...on, binding: secrets.binding }),
      null,
      null,
      NONCE,
      key,
    );
  } finally {
    key.fill(0);
  }
}

/** What the party makes of it: the answer, and why it refuses if it does. */
export async function judgeCredential(
  sodium: typeof Sodium,
  secrets: LinkSecrets,
  sealed: Uint8Array,
  enrolment: Enrolment,
  on: Omit<PresentedOn, 'binding'>,
): Promise<{ readonly verdict: Uint8Array; readonly refusal: TercetError | undefined }> {
  const say = (verdict: Verdict, refusal?: TercetError) => ({
    verdict: encodeVerdict(verdict, (status) => secrets.verdict(status)),
    refusal,
  });
  try {
    await enrolment.check(opened(sodium, secrets, sealed, on.party), { ...on, binding: secrets.binding });
    return say('ok');
  } catch (error) {
    if (!(error instanceof TercetError)) throw error;
    return say(FAULTS[error.code] ?? 'refused', error);
  }
}

/**
 * @throws {TercetError} the party's reason, if it does not take the credential; ERR_FRAME_FORMAT for a verdict that
 * is not the party's
 */
export function checkVerdict(secrets: LinkSecrets, bytes: Uint8Array, party: ServerId): void {
  const verdict = decodeVerdict(bytes, (status) => secrets.verdict(status));
  if (verdict === 'ok') return;
  if (verdict === 'missing') throw absentCredential(verdict, party);
  if (verdict !== 'refused') throw refusedCredential(verdict, party);
  throw new TercetError(
    'ERR_PEER_CLOSED',
    `party ${party} could not judge the credential`,
    'look at the output of that party, or try again later',
    { party },
  );
}

function opened(sodium: typeof Sodium, secrets: LinkSecrets, sealed: Uint8Array, party: ServerId): Uint8Array {
  const key = secrets.credentialKey();
  try {
    return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, sealed, null, NONCE, key);
  } catch {
    throw refusedCredential('signature', party);
  } finally {
    key.fill(0);
  }
}

const FAULTS: Partial<Record<ErrorCode, CredentialFault | 'missing'>> = {
  ERR_CREDENTIAL_MISSING: 'missing',
  ERR_CREDENTIAL_EXPIRED: 'expired',
  ERR_CREDENTIAL_REVOKED: 'revoked',
  ERR_CREDENTIAL_SHARING: 'sharing',
  ERR_CREDENTIAL_SIGNATURE: 'signature',
};
