/**
 * From two ephemeral keys to the keys of a link: X25519, then HKDF-SHA256 salted with the hash of everything that
 * was said (RFC 5869), one label for each use.
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import { type AgreementKey, agreementKey } from '../identity/curves.ts';
import { INSPECT } from '../identity/sodium.ts';

const KEY_BYTES = 32;

/** An X25519 key pair for one handshake. */
export class Ephemeral {
  readonly publicKey: Uint8Array;
  readonly #key: AgreementKey;

  private constructor(key: AgreementKey) {
    this.publicKey = key.publicKey;
    this.#key = key;
  }

  static async create(): Promise<Ephemeral> {
    return new Ephemeral(await agreementKey());
  }

  /**
   * The keys that both sides of a handshake derive; used once, and wiped by it.
   * @throws {TercetError} ERR_IDENTITY_KEY for a peer key of small order
   */
  async agree(peerKey: Uint8Array, transcript: Uint8Array): Promise<LinkSecrets> {
    const shared = await this.#key.agree(peerKey);
    this.wipe();
    if (shared === undefined) {
      throw new TercetError(
        'ERR_IDENTITY_KEY',
        'the peer sent an ephemeral key that no honest party has',
        'do not use this party; tell its operator',
      );
    }
    const secrets = new LinkSecrets(shared, sha256(transcript));
    shared.fill(0);
    return secrets;
  }

  wipe(): void {
    this.#key.wipe();
  }

  toString(): string {
    return 'Ephemeral(redacted)';
  }

  toJSON(): string {
    return this.toString();
  }

  [INSPECT](): string {
    return this.toString();
  }
}

/** The keys of one link. Each getter hands out a copy that its caller owns; `wipe` ends that. */
export class LinkSecrets {
  readonly #pair: Uint8Array;
  readonly #toParty: Uint8Array;
  readonly #toOwner: Uint8Array;
  readonly #finish: Uint8Array;
  readonly #credential: Uint8Array;
  readonly #verdict: Uint8Array;
  /** SHA-256 of both hellos: public, and the same for no other link. */
  readonly binding: Uint8Array;

  constructor(shared: Uint8Array, salt: Uint8Array) {
    this.binding = salt;
    const derive = (use: string): Uint8Array =>
      hkdf(sha256, shared, salt, new TextEncoder().encode(`tercet/1 ${use}`), KEY_BYTES);
    this.#pair = derive('pair key');
    this.#toParty = derive('records to the party');
    this.#toOwner = derive('records to the owner');
    this.#finish = derive('owner finished');
    this.#credential = derive('owner credential');
    this.#verdict = derive('party verdict');
  }

  /** What the pair's generators are made of (`PairPrg`). */
  pairKey(): Uint8Array {
    return this.#pair.slice();
  }

  recordKeys(side: 'owner' | 'party'): { send: Uint8Array; receive: Uint8Array } {
    const [send, receive] = side === 'owner' ? [this.#toParty, this.#toOwner] : [this.#toOwner, this.#toParty];
    return { send: send.slice(), receive: receive.slice() };
  }

  /** What only somebody with these keys can say: derived for this, used for nothing else. */
  confirmation(): Uint8Array {
    return sha256(concatBytes([this.#finish, new TextEncoder().encode('finish')]));
  }

  /** Seals one message: what the owner presents. */
  credentialKey(): Uint8Array {
    return this.#credential.slice();
  }

  /** What only the party at the other end can say of a credential, for each verdict another. */
  verdict(status: number): Uint8Array {
    return hmac(sha256, this.#verdict, Uint8Array.of(status));
  }

  wipe(): void {
    for (const key of [this.#pair, this.#toParty, this.#toOwner, this.#finish, this.#credential, this.#verdict])
      key.fill(0);
  }

  toString(): string {
    return 'LinkSecrets(redacted)';
  }

  toJSON(): string {
    return this.toString();
  }

  [INSPECT](): string {
    return this.toString();
  }
}
