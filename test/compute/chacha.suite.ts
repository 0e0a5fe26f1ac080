/**
 * ChaCha20 of a backend: the published vectors of RFC 8439 and an independent implementation. Called by the test of
 * each backend.
 */
import { chacha20 } from '@noble/ciphers/chacha.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import { type Words, bytesOf } from '../../src/compute/ring.ts';
import { onHost } from '../support/host-kernels.ts';
import { Random } from './kernels.suite.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const counting = Uint8Array.from({ length: 32 }, (_, i) => i);
const zero = new Uint8Array(32);

/** [source, key, nonce, first block, key stream]. */
const VECTORS: [string, Uint8Array, string, number, string][] = [
  [
    '§2.3.2',
    counting,
    '000000090000004a00000000',
    1,
    '10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4ed2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e',
  ],
  [
    '§2.4.2',
    counting,
    '000000000000004a00000000',
    1,
    '224f51f3401bd9e12fde276fb8631ded8c131f823d2c06e27e4fcaec9ef3cf788a3b0aa372600a92b57974cded2b9334794cba40c63e34cdea212c4cf07d41b7' +
      '69a6749f3f630f4122cafe28ec4dc47e26d4346d70b98c73f3e9c53ac40c5945398b6eda1a832c89c167eacd901d7e2bf363',
  ],
  [
    'A.1 #1',
    zero,
    '000000000000000000000000',
    0,
    '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586',
  ],
  [
    'A.1 #2',
    zero,
    '000000000000000000000000',
    1,
    '9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f',
  ],
  [
    'A.1 #3',
    zero.with(31, 1),
    '000000000000000000000000',
    1,
    '3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0',
  ],
  [
    'A.1 #4',
    zero.with(1, 255),
    '000000000000000000000000',
    2,
    '72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096',
  ],
  [
    'A.1 #5',
    zero,
    '000000000000000000000002',
    0,
    'c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c78a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d',
  ],
];

/** Registers the tests of one backend. `name` goes into the titles. */
export function chachaVectors(name: string, make: () => Promise<RingKernels>): void {
  describe(`ChaCha20, ${name}`, () => {
    let kernels: RingKernels<Words>;
    beforeAll(async () => {
      kernels = onHost(await make());
    });
    afterAll(() => kernels.close());

    it.each(VECTORS)('RFC 8439 %s', async (_source, key, nonce, block, expected) => {
      const bytes = hex(expected);
      const words = await kernels.draw({ key, nonce: hex(nonce) }, 32, Math.ceil(bytes.length / 4), 16 * block);
      expect(bytesOf(words).subarray(0, bytes.length)).toEqual(bytes);
    });

    it('equals @noble/ciphers at random positions', async () => {
      const random = new Random(1);
      for (const block of [0, 1, 5, 1000, 2 ** 32 - 3]) {
        const stream = random.stream();
        const count = block > 2 ** 31 ? 11 : 150;
        const expected = chacha20(stream.key, stream.nonce, new Uint8Array(8 * count), undefined, block);
        expect(bytesOf(await kernels.draw(stream, 64, count, 8 * block))).toEqual(expected);
      }
      if (kernels.name === 'reference') return;
      const stream = random.stream();
      const long = await kernels.draw(stream, 32, 300_000);
      expect(Buffer.compare(bytesOf(long), chacha20(stream.key, stream.nonce, new Uint8Array(1_200_000)))).toBe(0);
    });

    it('ends after 2^32 blocks: the last words are there, and what would be the first once more is refused with ERR_INTERNAL', async () => {
      const stream = new Random(2).stream();
      // The other implementation stops one block earlier.
      const expected = chacha20(stream.key, stream.nonce, new Uint8Array(64), undefined, 2 ** 32 - 2);
      expect(bytesOf(await kernels.draw(stream, 64, 16, 2 ** 35 - 16)).subarray(0, 64)).toEqual(expected);
      for (const [k, count, first] of [
        [64, 1, 2 ** 35],
        [64, 2, 2 ** 35 - 1],
        [32, 4, 2 ** 36],
        [1, 1, 2 ** 40],
      ] as const) {
        const drawn = kernels.draw(stream, k, count, first);
        await expect(drawn, `${count} words of ${k} bits from ${first}`).rejects.toMatchObject({
          code: 'ERR_INTERNAL',
          message: expect.stringContaining('2^38 bytes'),
        });
      }
      // A refusal ends nothing: the same kernels go on.
      expect((await kernels.draw(stream, 64, 4, 2 ** 34)).data).toHaveLength(4);
    });
  });
}
