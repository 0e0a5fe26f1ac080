/** A compute party's half of the handshake, without a link: bytes in, bytes out. */
import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { type ErrorCode, TercetError } from '../../core/errors.ts';
import { absentCredential } from '../enrolment/credential-terms.ts';
import type { Enrolment } from '../enrolment/enrolment.ts';
import type { PartyIdentity } from '../identity/identity.ts';
import {
  type HandshakeStatus,
  type LinkKind,
  NONCE_BYTES,
  type OwnerHello,
  decodeFinish,
  decodeOwnerHello,
  encodePartyHello,
} from './messages.ts';
import { Ephemeral, type LinkSecrets } from './secrets.ts';
import type { ServerId } from '../wire/types.ts';

/** What the party knows of the link before the first byte, and what it serves. */
export interface PartyTerms {
  readonly party: ServerId;
  readonly identity: PartyIdentity;
  readonly transport: LinkKind;
  readonly session: Uint8Array;
  /** Zero without signed signalling. */
  readonly signallingHash: Uint8Array;
  /** Throws to refuse: ERR_MODEL_HASH, ERR_PEER_MISMATCH (request), anything else. */
  readonly admit: (asked: { readonly modelHash: Uint8Array; readonly requestCode: Uint8Array }) => void;
  /** Who may use a model: undefined for a model that is open to everybody. Asked after `admit`. */
  readonly enrolment?: ((modelHash: Uint8Array) => Enrolment | undefined) | undefined;
  /**
   * The identity that a dealer must prove on this link. Throws to refuse it, as where no owner has named one. Absent:
   * dealers are refused.
   */
  readonly dealerOf?: ((asked: Pick<OwnerHello, 'modelHash' | 'requestCode'>) => string) | undefined;
}

export interface Answer {
  /** The second message; to be sent also when the owner is refused, because it says why. */
  readonly hello: Uint8Array;
  readonly asked: OwnerHello;
  /** Present if the owner is refused. */
  readonly refusal: TercetError | undefined;
  /** Present if a credential must follow, and be taken, before anything of the link is handed out. */
  readonly enrolment: Enrolment | undefined;
  /** Present if a dealer must prove this identity before anything of the link is handed out. */
  readonly dealer: string | undefined;
}

/** What the owner is told of an owner's refusal; anything else is "refused". */
const REFUSALS: Partial<Record<ErrorCode, HandshakeStatus>> = {
  ERR_MODEL_HASH: 'model',
  ERR_PEER_MISMATCH: 'request',
  ERR_TOO_LARGE: 'large',
  ERR_PEER_BUSY: 'busy',
};

interface Judgement {
  readonly status: HandshakeStatus;
  readonly refusal?: TercetError;
  readonly dealer?: string | undefined;
}

export class PartyHandshake {
  readonly #terms: PartyTerms;
  readonly #ephemeral: Ephemeral;
  #secrets: LinkSecrets | undefined;

  private constructor(terms: PartyTerms, ephemeral: Ephemeral) {
    this.#terms = terms;
    this.#ephemeral = ephemeral;
  }

  static async begin(terms: PartyTerms): Promise<PartyHandshake> {
    return new PartyHandshake(terms, await Ephemeral.create());
  }

  /**
   * @throws {TercetError} ERR_FRAME_FORMAT, ERR_PEER_MISMATCH for something that is no owner hello of this version,
   * ERR_IDENTITY_KEY for a bad ephemeral
   */
  async answer(bytes: Uint8Array): Promise<Answer> {
    const { party, identity } = this.#terms;
    const asked = decodeOwnerHello(bytes);
    const { status, refusal, dealer } = this.#judge(asked);
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const hello = encodePartyHello(
      { status, party, asked: bytes, nonce, ephemeral: this.#ephemeral.publicKey, signature: new Uint8Array(0) },
      (message) => identity.sign(message),
    );
    if (refusal === undefined)
      this.#secrets = await this.#ephemeral.agree(asked.ephemeral, concatBytes([bytes, hello]));
    return { hello, asked, refusal, enrolment: asked.dealer ? undefined : this.#enrolment(asked), dealer };
  }

  /**
   * Checks that the owner holds the same keys, and hands them out. @throws {TercetError} ERR_FRAME_FORMAT,
   * ERR_IDENTITY_KEY
   */
  confirm(bytes: Uint8Array): LinkSecrets {
    const secrets = this.#secrets;
    if (secrets === undefined) throw new TercetError('ERR_STATE', 'the handshake was refused', 'begin a new link');
    if (!equalBytes(decodeFinish(bytes), secrets.confirmation())) {
      throw new TercetError(
        'ERR_IDENTITY_KEY',
        'the data owner did not confirm the keys of the link',
        'somebody between here and the owner changes what it sends',
      );
    }
    this.#secrets = undefined;
    return secrets;
  }

  /** Forgets every key that was not handed out. */
  wipe(): void {
    this.#ephemeral.wipe();
    this.#secrets?.wipe();
  }

  #judge(asked: OwnerHello): Judgement {
    const { party, transport, session, signallingHash, admit, dealerOf } = this.#terms;
    const who = asked.dealer ? 'a dealer' : 'the data owner';
    const refuse = (status: HandshakeStatus, what: string): Judgement => ({
      status,
      refusal: new TercetError(
        'ERR_PEER_MISMATCH',
        `${who} ${what}`,
        'nothing to do here; the other end has been told',
      ),
    });
    if (asked.party !== party) return refuse('party', `asked for party ${asked.party}, this is party ${party}`);
    if (!equalBytes(asked.session, session))
      return refuse('session', 'asked for another session than the one of this link');
    if (asked.transport !== transport) return refuse('refused', 'asked over another kind of link');
    if (!equalBytes(asked.signallingHash, signallingHash))
      return refuse('signalling', 'has other signalling than this party');
    if (asked.dealer && (dealerOf === undefined || asked.enrolled)) return refuse('refused', 'is not expected here');
    try {
      if (asked.dealer) return { status: 'ok', dealer: dealerOf?.(asked) };
      admit(asked);
    } catch (error) {
      if (!(error instanceof TercetError)) throw error;
      return { status: REFUSALS[error.code] ?? 'refused', refusal: error };
    }
    const needed = this.#enrolment(asked) !== undefined;
    if (needed && !asked.enrolled) return { status: 'credential', refusal: absentCredential('missing', party) };
    if (asked.enrolled && !needed)
      return refuse('refused', 'presents a credential for a model that is open to everybody');
    return { status: 'ok' };
  }

  #enrolment({ modelHash }: OwnerHello): Enrolment | undefined {
    return this.#terms.enrolment?.(modelHash);
  }
}
