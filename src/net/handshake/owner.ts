/** The data owner's half of the handshake, without a link: bytes in, bytes out. */
import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import type { OwnerCredential } from '../enrolment/credential.ts';
import { absentCredential } from '../enrolment/credential-terms.ts';
import { type PartyIdentity, verifyPin } from '../identity/identity.ts';
import type { Pin } from '../identity/pin.ts';
import {
  busy,
  otherOf,
  replayed,
  swappedParty,
  tooLarge,
  wrongFingerprint,
  wrongKey,
  wrongModel,
  wrongRequest,
} from '../identity/identity-errors.ts';
import {
  type HandshakeStatus,
  NONCE_BYTES,
  type OwnerHello,
  decodeOwnerHello,
  decodePartyHello,
  encodeFinish,
  encodeOwnerHello,
  signedPart,
} from './messages.ts';
import { Ephemeral, type LinkSecrets } from './secrets.ts';
import type { ServerId } from '../wire/types.ts';

/** What the data owner asks for, and whom it expects. */
export interface OwnerTerms extends Omit<OwnerHello, 'nonce' | 'ephemeral' | 'enrolled' | 'dealer'> {
  /** The pinned public key of the party. */
  readonly identity: Pin;
  /** The pinned public key of the other compute party, to tell a swap from a stranger. */
  readonly otherIdentity?: Pin | undefined;
  /** For secret weights: presented once the party has proved who it is. */
  readonly credential?: OwnerCredential | undefined;
  /** This end deals for an owner, and proves this identity. */
  readonly dealer?: Pick<PartyIdentity, 'sign'> | undefined;
}

export class OwnerHandshake {
  /** The first message. */
  readonly hello: Uint8Array;
  readonly #terms: OwnerTerms;
  readonly #ephemeral: Ephemeral;

  private constructor(terms: OwnerTerms, ephemeral: Ephemeral) {
    this.#terms = terms;
    this.#ephemeral = ephemeral;
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    this.hello = encodeOwnerHello({
      ...terms,
      enrolled: terms.credential !== undefined,
      dealer: terms.dealer !== undefined,
      nonce,
      ephemeral: ephemeral.publicKey,
    });
  }

  static async begin(terms: OwnerTerms): Promise<OwnerHandshake> {
    return new OwnerHandshake(terms, await Ephemeral.create());
  }

  /**
   * Judges the party's answer. Nothing of it is believed before its signature has been checked with the pinned key.
   * @throws {TercetError} ERR_IDENTITY_KEY, ERR_IDENTITY_PARTY, ERR_IDENTITY_REPLAY, ERR_IDENTITY_FINGERPRINT,
   * ERR_MODEL_HASH, ERR_PEER_MISMATCH, ERR_FRAME_FORMAT
   */
  async finish(answer: Uint8Array): Promise<{ finish: Uint8Array; secrets: LinkSecrets }> {
    try {
      const { party, identity, otherIdentity } = this.#terms;
      const hello = decodePartyHello(answer);
      if (!(await verifyPin(identity, signedPart(answer), hello.signature))) {
        const other =
          otherIdentity !== undefined && (await verifyPin(otherIdentity, signedPart(answer), hello.signature));
        throw other || hello.party !== party ? swappedParty(party, otherOf(party)) : wrongKey(party);
      }
      if (hello.party !== party) throw swappedParty(party, hello.party);
      this.#checkAsked(hello.asked);
      if (hello.status !== 'ok') throw refused(party, hello.status);
      const secrets = await this.#ephemeral.agree(hello.ephemeral, concatBytes([this.hello, answer]));
      return { finish: encodeFinish(secrets.confirmation()), secrets };
    } finally {
      this.#ephemeral.wipe();
    }
  }

  /** The question that the party signed must be ours, in every part. */
  #checkAsked(asked: Uint8Array): void {
    if (equalBytes(asked, this.hello)) return;
    const { party, session, modelHash, requestCode, signallingHash } = this.#terms;
    const other = decodeOwnerHello(asked);
    const own = decodeOwnerHello(this.hello);
    if (other.party !== party) throw swappedParty(party, other.party);
    if (
      !equalBytes(other.session, session) ||
      !equalBytes(other.nonce, own.nonce) ||
      !equalBytes(other.ephemeral, own.ephemeral)
    )
      throw replayed(party);
    if (!equalBytes(other.modelHash, modelHash)) throw wrongModel(party);
    if (!equalBytes(other.signallingHash, signallingHash))
      throw wrongFingerprint(party, 'the link is not the one that its signalling set up');
    if (!equalBytes(other.requestCode, requestCode)) throw wrongRequest(party);
    throw new TercetError(
      'ERR_PEER_MISMATCH',
      `party ${party} was asked over another kind of link`,
      'try again, or choose the transport by name',
    );
  }
}

function refused(party: ServerId, status: HandshakeStatus): TercetError {
  if (status === 'party') return swappedParty(party, otherOf(party));
  if (status === 'model') return wrongModel(party);
  if (status === 'credential') return absentCredential('missing', party);
  if (status === 'request') return wrongRequest(party);
  if (status === 'signalling') return wrongFingerprint(party, 'it does not know the signalling of this link');
  if (status === 'session') return replayed(party);
  if (status === 'large') return tooLarge(party);
  if (status === 'busy') return busy(party);
  return new TercetError(
    'ERR_PEER_CLOSED',
    `party ${party} refused the link`,
    'look at the output of that party, or try again later',
  );
}
