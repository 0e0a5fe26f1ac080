/** Curve25519 from the platform and from libsodium: the same results, and the same refusals. */
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/core/bytes.ts';
import { agreementKey, verifyEd25519 } from '../../src/net/identity/curves.ts';
import { identityFromSeed } from '../../src/net/identity/identity.ts';

/** A platform without the curves, as browsers before 2025 are. */
const WITHOUT = {
  generateKey: async () => Promise.reject(new DOMException('unrecognized name', 'NotSupportedError')),
  importKey: async () => Promise.reject(new DOMException('unrecognized name', 'NotSupportedError')),
} as unknown as SubtleCrypto;
const SUBTLE = { platform: crypto.subtle, libsodium: WITHOUT } as const;
const ENGINES = ['platform', 'libsodium'] as const;

/** Points of small order on Curve25519, as libsodium lists them. */
const SMALL_X = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

describe('X25519', () => {
  it.each(ENGINES.flatMap((one) => ENGINES.map((two) => [one, two] as const)))(
    'of %s agrees with that of %s',
    async (one, two) => {
      const [a, b] = [await agreementKey(SUBTLE[one]), await agreementKey(SUBTLE[two])];
      const shared = await a.agree(b.publicKey);
      expect(shared).toHaveLength(32);
      expect(await b.agree(a.publicKey)).toEqual(shared);
      expect(await a.agree((await agreementKey(SUBTLE[two])).publicKey)).not.toEqual(shared);
    },
  );

  it.each(ENGINES)(
    'of %s makes no secret with a point of small order, of another length, or once it is wiped',
    async (engine) => {
      const key = await agreementKey(SUBTLE[engine]);
      const peer = (await agreementKey(WITHOUT)).publicKey;
      expect(await key.agree(peer)).toHaveLength(32);
      for (const point of SMALL_X) expect(await key.agree(fromHex(point)), point).toBeUndefined();
      expect(await key.agree(peer.subarray(1))).toBeUndefined();
      const before = await key.agree(peer);
      key.wipe();
      expect(await key.agree(peer)).not.toEqual(before);
    },
  );
});

describe('Ed25519', () => {
  const MESSAGE = new TextEncoder().encode('what was said');
  const both = async (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => {
    const [platform, libsodium] = await Promise.all(
      ENGINES.map((engine) => verifyEd25519(key, message, signature, SUBTLE[engine])),
    );
    expect(platform, `${toHex(key)} ${toHex(signature)}`).toBe(libsodium);
    return platform;
  };

  it('takes the same signatures: one that is right, and none with a bit changed anywhere', async () => {
    const identity = await identityFromSeed(new Uint8Array(32).fill(7));
    const key = fromHex(identity.publicKey);
    const signature = identity.sign(MESSAGE);
    expect(await both(key, MESSAGE, signature)).toBe(true);
    const flipped = (bytes: Uint8Array, bit: number) =>
      bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
    for (let bit = 0; bit < 512; bit += 5) expect(await both(key, MESSAGE, flipped(signature, bit))).toBe(false);
    for (let bit = 0; bit < 256; bit += 3) expect(await both(flipped(key, bit), MESSAGE, signature)).toBe(false);
    expect(await both(key, flipped(MESSAGE, 0), signature)).toBe(false);
  });

  it('takes no second form of a signature: S plus the order of the group', async () => {
    const identity = await identityFromSeed(new Uint8Array(32).fill(9));
    const signature = identity.sign(MESSAGE);
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = signature.subarray(32).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n) + order;
    const second = Uint8Array.from(signature, (byte, i) =>
      i < 32 ? byte : Number((s >> BigInt(8 * (i - 32))) & 0xffn),
    );
    expect(await both(fromHex(identity.publicKey), MESSAGE, second)).toBe(false);
  });

  it('takes nothing from keys of small order, or from second encodings of a point', async () => {
    // With the identity as key and as commitment, and S = 0, the equation holds for every message.
    const p = `${'ff'.repeat(30)}7f`;
    for (const key of [
      `01${'00'.repeat(31)}`,
      `01${'00'.repeat(30)}80`,
      `00${'00'.repeat(31)}`,
      `ec${p}`,
      `ed${p}`,
      `ee${p}`,
      `ef${p}`,
      `ff${p}`,
    ])
      for (const commitment of [`01${'00'.repeat(31)}`, `ee${p}`])
        expect(await both(fromHex(key), MESSAGE, fromHex(commitment + '00'.repeat(32)))).toBe(false);
  });
});
