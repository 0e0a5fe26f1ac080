/** Weights of means, as integers that are the same wherever they are made. */
import { type Words, zeros } from './ring.ts';

/**
 * Means of the first 1, 2, … `places` of so many words, as the rows of a matrix: row n − 1 has round(2^scale / n) on
 * its first n places, and zeros. So its first row is the first word alone.
 */
export function meanWeights(places: number, scale: number, k: number): Words {
  const weights = zeros(places * places, k);
  for (let n = 1; n <= places; n++) {
    const [one, parts] = [1n << BigInt(scale), BigInt(n)];
    const weight = BigInt.asUintN(k, (2n * one + parts) / (2n * parts));
    const from = (n - 1) * places;
    if (weights.data instanceof Uint32Array) weights.data.fill(Number(weight), from, from + n);
    else weights.data.fill(weight, from, from + n);
  }
  return weights;
}
