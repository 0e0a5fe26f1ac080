/**
 * Who a compute party is: an Ed25519 key pair. The data owner pins the public half (`PartyAddress.identity`);
 * everything a party says before a link stands is signed with the private half.
 *
 * Security: the private key never leaves the object, and no way of printing the object shows it. SECURITY:
 * test/net/identity.test.ts.
 */
import { fromHex, toHex } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import { verifyEd25519 } from './curves.ts';
import { type Pin, acceptedOf, identitiesOf } from './pin.ts';
import { INSPECT, type Sodium, loadSodium } from './sodium.ts';

export const SEED_BYTES = 32;
export const SIGNATURE_BYTES = 64;

const PUBLIC_KEY = /^[0-9a-f]{64}$/;

/** The private half, held by the party itself. */
export class PartyIdentity {
  /** 64 hex digits, fit to be published. */
  readonly publicKey: string;
  readonly #sodium: typeof Sodium;
  readonly #privateKey: Uint8Array;
  #wiped = false;

  constructor(sodium: typeof Sodium, publicKey: Uint8Array, privateKey: Uint8Array) {
    this.publicKey = toHex(publicKey);
    this.#sodium = sodium;
    this.#privateKey = privateKey;
  }

  /** @throws {TercetError} ERR_STATE after `wipe` */
  sign(message: Uint8Array): Uint8Array {
    if (this.#wiped) throw new TercetError('ERR_STATE', 'the identity of this party was wiped', 'load it again');
    return this.#sodium.crypto_sign_detached(message, this.#privateKey);
  }

  wipe(): void {
    this.#privateKey.fill(0);
    this.#wiped = true;
  }

  toString(): string {
    return `PartyIdentity(${this.publicKey}, private key redacted)`;
  }

  toJSON(): string {
    return this.toString();
  }

  [INSPECT](): string {
    return this.toString();
  }
}

/** A fresh identity, in memory only. */
export async function createIdentity(): Promise<PartyIdentity> {
  const seed = crypto.getRandomValues(new Uint8Array(SEED_BYTES));
  return identityFromSeed(seed);
}

/** The identity of a 32-byte seed, which is wiped. */
export async function identityFromSeed(seed: Uint8Array): Promise<PartyIdentity> {
  if (seed.length !== SEED_BYTES)
    throw new TercetError('ERR_ARGUMENT', `identity seed of ${seed.length} bytes`, `a seed has ${SEED_BYTES} bytes`);
  const sodium = await loadSodium();
  const { publicKey, privateKey } = sodium.crypto_sign_seed_keypair(seed);
  seed.fill(0);
  return new PartyIdentity(sodium, publicKey, privateKey);
}

/** Whether `text` has the form of a public key. */
export function isPublicKey(text: unknown): text is string {
  return typeof text === 'string' && PUBLIC_KEY.test(text);
}

/** @throws {TercetError} ERR_ARGUMENT for a pinned key that is none */
export function checkPublicKey(text: string, party: number): string {
  if (isPublicKey(text)) return text;
  throw new TercetError(
    'ERR_ARGUMENT',
    `the pinned identity of party ${party} is no public key`,
    'give 64 lower-case hex digits, as the party prints them',
  );
}

/** Whether `signature` is `publicKey`'s over `message`. False for anything malformed, small-order keys included. */
export async function verifySignature(publicKey: string, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (!isPublicKey(publicKey) || signature.length !== SIGNATURE_BYTES) return false;
  return verifyEd25519(fromHex(publicKey), message, signature);
}

/** Whether a signature is that of a key that is accepted now. */
export async function verifyPin(pin: Pin, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  for (const key of acceptedOf(pin)) if (await verifySignature(key, message, signature)) return true;
  return false;
}

/** @throws {TercetError} ERR_ARGUMENT for a key that is none */
export function checkPin(pin: Pin, party: number): void {
  for (const key of identitiesOf(pin)) checkPublicKey(key, party);
}
