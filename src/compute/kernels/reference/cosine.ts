/** Gated sums of cosines, the readable twin (PROTOCOL §6.9). One element at a time, in bigint. */
import { COSINE_SCALE, type CosineTables, TURN_BITS } from '../../cosine-tables.ts';
import { AMPLITUDE_SCALE, QUARTER, leadingWords } from '../cosine-sum.ts';
import type { CosineSum } from '../types.ts';

/** (v + half) >> drop, the nearest integer to v / 2^drop. */
function nearest(v: bigint, drop: number): bigint {
  return drop === 0 ? v : (v + (1n << BigInt(drop - 1))) >> BigInt(drop);
}

/** 2^30 · cos(2π · angle / 2^20), by the addition theorem: cos(α + β) = cos α cos β − sin α sin β. */
export function cosineOf({ coarse, fineCos, fineSin }: CosineTables, angle: bigint): bigint {
  const step = Number(BigInt.asUintN(TURN_BITS, angle));
  const [high, low] = [step >> 10, step & 1023];
  // sin α = cos(α − a quarter of a turn)
  const [cos, sin] = [coarse[high], coarse[(high - 256) & 1023]];
  return nearest(BigInt(cos) * BigInt(fineCos[low]) - BigInt(sin) * BigInt(fineSin[low]), COSINE_SCALE);
}

/** Entry `w` of the table: zero where gate ⊕ w is zero. */
export function cosineEntry(tables: CosineTables, sum: CosineSum, a: bigint, gate: bigint, w: number): bigint[] {
  const leading = [sum.constant + (sum.linear ? a : 0n), -1n].slice(0, leadingWords(sum));
  const words = sum.terms.flatMap(({ frequency, amplitude, s1 }) => {
    const angle = BigInt(frequency) * a - (sum.odd ? BigInt(QUARTER) : 0n);
    return [angle, angle - BigInt(QUARTER)].map((y) =>
      nearest(BigInt(amplitude) * cosineOf(tables, y), COSINE_SCALE + AMPLITUDE_SCALE - s1),
    );
  });
  return [...leading, ...words].map((word) => ((gate ^ BigInt(w)) & 1n) * word);
}

/** φ of one ℓ. */
export function cosinePhi(tables: CosineTables, sum: CosineSum, l: bigint): bigint[] {
  const leading = [1n, l].slice(0, leadingWords(sum)).map((word) => word << BigInt(sum.shift));
  const words = sum.terms.flatMap(({ frequency, s1, s2 }) => {
    const angle = BigInt(frequency) * l;
    return [angle, angle - BigInt(QUARTER)].map(
      (y) => nearest(cosineOf(tables, y), COSINE_SCALE - s2) << BigInt(sum.scale - s1 - s2),
    );
  });
  return [...leading, ...words];
}
