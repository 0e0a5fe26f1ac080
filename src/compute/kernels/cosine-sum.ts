/** Shape and limits of sums of cosines, the same for every back end. */
import { TercetError } from '../../core/errors.ts';
import { COSINE_SCALE, TURN_BITS } from '../cosine-tables.ts';
import type { CosineSum } from './types.ts';

/** Fractional bits of the amplitudes. */
export const AMPLITUDE_SCALE = 24;
/** A quarter of a turn: sin y = cos(y − a quarter). */
export const QUARTER = 1 << (TURN_BITS - 2);

/** Words ahead of those of the cosines: the constant with x, and −x's own; the constant alone; none. */
export function leadingWords({ linear, constant }: CosineSum): 0 | 1 | 2 {
  if (linear) return 2;
  return constant === 0n ? 0 : 1;
}

/** Words of an entry, and of the basis of an element. */
export function basisWords(sum: CosineSum): number {
  return leadingWords(sum) + 2 * sum.terms.length;
}

/**
 * v_p of every word of an entry: its φ is a multiple of 2^(v_p) for any ℓ, so that over Z_2^k the word is needed mod
 * 2^(k − v_p) only. Constants of the sum, never of data.
 */
export function cosineExponents(sum: CosineSum): readonly number[] {
  return [
    ...new Array<number>(leadingWords(sum)).fill(sum.shift),
    ...sum.terms.flatMap(({ s1, s2 }) => [sum.scale - s1 - s2, sum.scale - s1 - s2]),
  ];
}

/** The terms as back ends lay them out: frequency, amplitude, s1, s2, v. */
export function termWords({ scale, terms }: CosineSum): Int32Array {
  return Int32Array.from(
    terms.flatMap(({ frequency, amplitude, s1, s2 }) => [frequency, amplitude, s1, s2, scale - s1 - s2]),
  );
}

/** @throws {TercetError} ERR_RANGE for a sum that no back end computes. */
export function checkCosine(sum: CosineSum): void {
  const { scale, shift, constant, terms } = sum;
  const whole = (v: number, most: number) => Number.isInteger(v) && v >= 0 && v <= most;
  const bounded = (v: bigint) => v > -(1n << 62n) && v < 1n << 62n;
  if (
    whole(scale, 63) &&
    whole(shift, scale) &&
    bounded(constant) &&
    terms.every(
      ({ frequency, amplitude, s1, s2 }) =>
        whole(frequency, (1 << TURN_BITS) - 1) &&
        whole(Math.abs(amplitude), 2 ** 31 - 1) &&
        whole(s1, COSINE_SCALE) &&
        whole(s2, COSINE_SCALE) &&
        s1 + s2 <= scale,
    )
  )
    return;
  throw new TercetError(
    'ERR_RANGE',
    'a sum of cosines with a scale, frequency or amplitude out of range',
    'use scales of at most 30 bits for a word and its basis, 63 for both, and amplitudes below 128',
  );
}
