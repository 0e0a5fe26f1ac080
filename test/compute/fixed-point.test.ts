/** Decoded numbers are those of the residues as signed integers, rounded once. */
import { describe, expect, it } from 'vitest';
import { decodeFixed } from '../../src/compute/fixed-point.ts';
import { ringMask, viewWords, wordsFrom } from '../../src/compute/ring.ts';

describe('decoded words', () => {
  it.each([1, 2, 20, 31, 32, 33, 48, 52, 63, 64])('are the number of the signed integer, k = %i', (k) => {
    const half = 1n << BigInt(k - 1);
    // Edges of both halves, and what lies between two doubles or at the middle of them.
    const edges = [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 54n + 2n, 2n ** 54n + 6n, half];
    const values = edges
      .flatMap((edge) => [edge - 1n, edge, edge + 1n, -edge, half - edge])
      .map((x) => x & ringMask(k));
    const words = wordsFrom([0n, ...values], k);
    for (const f of [0, 11, 32]) {
      const expected = values.map((x) => Number(BigInt.asIntN(k, x)) * 2 ** -f);
      // In a part of a larger vector as well.
      expect([...decodeFixed(viewWords(words, 1, values.length + 1), f)]).toEqual(expected);
    }
  });
});
