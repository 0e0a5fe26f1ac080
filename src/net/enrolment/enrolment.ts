/**
 * A compute party's judgement of who may use one sharing of secret weights. Each party judges alone, with the
 * public key of the enrolment (part of the sharing's name) and the newest list of revoked credentials that it was
 * given.
 *
 * Security: nothing of a certificate is believed before the enrolment key's signature, and nothing of an owner
 * before the proof on this very link.
 */
import { type TercetError, asTercetError, invariant } from '../../core/errors.ts';
import { type PresentedOn, proofTranscript, readCertificate, verifyCertificate } from './credential.ts';
import { CERTIFICATE_BYTES, PRESENTED_BYTES, absentCredential } from './credential-terms.ts';
import { refusedCredential } from './refused-credential.ts';
import { verifyPermit } from './permit.ts';
import { SESSION_BYTES } from '../wire/frame.ts';
import { verifySignature } from '../identity/identity.ts';
import { type RevocationList, readRevocations } from './revocations.ts';
import type { ServerId } from '../wire/types.ts';

export interface EnrolmentOptions {
  /** Name of the sharing, and the public key that signs its certificates: 64 hex digits each. */
  readonly sharing: string;
  readonly publicKey: string;
  /** The list of revoked credentials where there is a new one, else undefined. Asked at every check. */
  readonly revocations?: (() => Promise<Uint8Array | undefined>) | undefined;
  /** Hears why a new list was not taken. The old one stays in force. */
  readonly onProblem?: ((error: TercetError) => void) | undefined;
  /** Seconds since 1970. */
  readonly now?: (() => number) | undefined;
}

export class Enrolment {
  readonly sharing: string;
  readonly publicKey: string;
  readonly #options: EnrolmentOptions;
  #list: RevocationList | undefined;
  #revoked: ReadonlySet<string> = new Set();
  #refreshed: Promise<void> = Promise.resolve();

  constructor(options: EnrolmentOptions) {
    this.sharing = options.sharing;
    this.publicKey = options.publicKey;
    this.#options = options;
  }

  /** Number of the list that is in force; 0 without one. */
  get listNumber(): number {
    return this.#list?.number ?? 0;
  }

  /**
   * Takes a list unless it holds a newer one already.
   * @throws {TercetError} ERR_MODEL_FORMAT for one that is malformed, of another sharing, or not signed
   */
  async take(bytes: Uint8Array): Promise<void> {
    const list = await readRevocations(bytes, this.sharing, this.publicKey);
    if (list.number <= this.listNumber) return;
    this.#list = list;
    this.#revoked = new Set(list.ids);
  }

  /**
   * Who presents this on this link: the certificate's id, 32 hex digits.
   * @param presented what `OwnerCredential.present` made; undefined: nothing was
   * @throws {TercetError} ERR_CREDENTIAL_MISSING, ERR_CREDENTIAL_SHARING, ERR_CREDENTIAL_SIGNATURE,
   * ERR_CREDENTIAL_EXPIRED, ERR_CREDENTIAL_REVOKED
   */
  async check(presented: Uint8Array | undefined, on: PresentedOn): Promise<string> {
    const { party } = on;
    invariant(on.session.length === SESSION_BYTES && on.binding.length === 32, 'a link without a binding');
    if (presented === undefined) throw absentCredential('missing', party);
    const certificate = presented.subarray(0, CERTIFICATE_BYTES);
    const fields = presented.length === PRESENTED_BYTES ? readCertificate(certificate) : undefined;
    if (fields === undefined) throw refusedCredential('signature', party);
    if (fields.sharing !== this.sharing) throw refusedCredential('sharing', party);
    const proved =
      (await verifyCertificate(certificate, this.publicKey)) &&
      (await verifySignature(fields.ownerKey, proofTranscript(certificate, on), presented.subarray(CERTIFICATE_BYTES)));
    if (!proved) throw refusedCredential('signature', party);
    if ((this.#options.now ?? seconds)() >= fields.expires) throw refusedCredential('expired', party);
    await this.#refresh();
    if (this.#revoked.has(fields.id)) throw refusedCredential('revoked', party);
    return fields.id;
  }

  /**
   * Whether the model's owner allows a dealer, which would hold the seeds of the weights.
   * @param permit what `OwnerCredential.permitFor` gave; undefined: nothing was
   * @throws {TercetError} ERR_CREDENTIAL_DEALER
   */
  async checkDealer(permit: Uint8Array | undefined, dealer: string, party: ServerId): Promise<void> {
    const { sharing, publicKey } = this;
    if (permit === undefined || !(await verifyPermit(permit, { sharing, dealer }, publicKey)))
      throw absentCredential('dealer', party);
  }

  /** One after the other: whoever asks while a new list is being read waits for it. */
  #refresh(): Promise<void> {
    this.#refreshed = this.#refreshed.then(() => this.#read());
    return this.#refreshed;
  }

  async #read(): Promise<void> {
    try {
      const bytes = await this.#options.revocations?.();
      if (bytes !== undefined) await this.take(bytes);
    } catch (error) {
      this.#options.onProblem?.(asTercetError(error));
    }
  }
}

function seconds(): number {
  return Date.now() / 1000;
}
