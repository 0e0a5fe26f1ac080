/**
 * Curve25519 by the platform's own WebCrypto where it has it (browsers of 2025 and later, Node), else by libsodium,
 * which is loaded then: 150 kB that a page does not download before its first answer.
 *
 * Both accept and refuse the same: what WebCrypto leaves open (keys of small order, second encodings of a point) is
 * refused here, before either is asked.
 */
import { loadSodium } from './sodium.ts';

const X25519 = { name: 'X25519' };
const ED25519 = { name: 'Ed25519' };

/** One half of an X25519 exchange. */
export interface AgreementKey {
  readonly publicKey: Uint8Array;
  /** 32 bytes, owned by the caller; undefined for a peer key of small order, with which everybody would get zeros. */
  agree(peerKey: Uint8Array): Promise<Uint8Array | undefined>;
  /** Forgets the private half. */
  wipe(): void;
}

/** Pages that are not secure have no `subtle`. @param subtle another one for tests */
export async function agreementKey(subtle: SubtleCrypto | undefined = globalThis.crypto.subtle): Promise<AgreementKey> {
  return (await platformKey(subtle)) ?? sodiumKey();
}

async function platformKey(subtle: SubtleCrypto | undefined): Promise<AgreementKey | undefined> {
  if (subtle === undefined) return undefined;
  let pair: CryptoKeyPair;
  try {
    pair = (await subtle.generateKey(X25519, false, ['deriveBits'])) as CryptoKeyPair;
  } catch {
    return undefined;
  }
  let privateKey: CryptoKey | undefined = pair.privateKey;
  return {
    publicKey: new Uint8Array(await subtle.exportKey('raw', pair.publicKey)),
    async agree(peerKey) {
      const own = privateKey;
      if (own === undefined) return undefined;
      try {
        const peer = await subtle.importKey('raw', peerKey.slice(), X25519, false, []);
        return unlessZero(new Uint8Array(await subtle.deriveBits({ ...X25519, public: peer }, own, 256)));
      } catch {
        return undefined;
      }
    },
    // The platform holds it, and lets nobody read it; what can be done here is to let go of it.
    wipe: () => {
      privateKey = undefined;
    },
  };
}

async function sodiumKey(): Promise<AgreementKey> {
  const sodium = await loadSodium();
  const { publicKey, privateKey } = sodium.crypto_box_keypair();
  return {
    publicKey,
    async agree(peerKey) {
      try {
        return unlessZero(sodium.crypto_scalarmult(privateKey, peerKey));
      } catch {
        return undefined;
      }
    },
    wipe: () => privateKey.fill(0),
  };
}

/** RFC 7748, section 6.1: an all-zero result means a point of small order. */
function unlessZero(shared: Uint8Array): Uint8Array | undefined {
  return shared.some((byte) => byte !== 0) ? shared : undefined;
}

/**
 * Whether an Ed25519 signature (RFC 8032) is right. Keys and commitments of small order, and keys that are not the
 * one encoding of their point, are never right.
 * @param publicKey 32 bytes
 * @param signature 64 bytes
 * @param subtle another one for tests
 */
export async function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  subtle: SubtleCrypto | undefined = globalThis.crypto.subtle,
): Promise<boolean> {
  if (!isCanonical(publicKey) || hasSmallOrder(publicKey) || hasSmallOrder(signature.subarray(0, 32))) return false;
  const platform = await platformVerifies(publicKey, message, signature, subtle);
  return platform ?? (await loadSodium()).crypto_sign_verify_detached(signature, message, publicKey);
}

/** Undefined where the platform does not know the curve. */
async function platformVerifies(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  subtle: SubtleCrypto | undefined,
): Promise<boolean | undefined> {
  if (subtle === undefined) return undefined;
  try {
    const key = await subtle.importKey('raw', publicKey.slice(), ED25519, false, ['verify']);
    return await subtle.verify(ED25519, key, signature.slice(), message.slice());
  } catch (error) {
    // A key that is no point is a wrong one; anything else is left to libsodium.
    return error instanceof Error && error.name === 'DataError' ? false : undefined;
  }
}

/**
 * Little-endian y of the points whose order divides 8, the sign of x left out: 0, 1, the two of order 8, −1; then p
 * and p + 1, which are 0 and 1 again.
 */
const SMALL_ORDER: readonly string[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

function hasSmallOrder(point: Uint8Array): boolean {
  let hex = '';
  for (const [i, byte] of point.entries()) hex += (i === 31 ? byte & 0x7f : byte).toString(16).padStart(2, '0');
  return SMALL_ORDER.includes(hex);
}

/** y < 2^255 − 19: every other y has a second encoding. */
function isCanonical(point: Uint8Array): boolean {
  const middle = point.subarray(1, 31).every((byte) => byte === 0xff);
  return !((point[31] & 0x7f) === 0x7f && middle && point[0] >= 0xed);
}
