/**
 * GeLU as a sum of cosines (PROTOCOL §6.9, §7.1): GeLU(x) = x/2 + E(x) with E even, and a few cosines make E on a
 * bounded range. What a selection of 32 segments of cubics does takes one entry of 10 words.
 *
 * Frequencies were searched among multiples of 1/128 turn a unit; amplitudes are the least squares of
 * `test/support/cosine-fit.ts`, which a test computes again. They are written here as integers, because parties must
 * agree on them and `Math.cos` differs between engines.
 *
 * x is at scale 13: a turn of 2^20 steps is 128 units. Where |x| reaches beyond a sum's range, class bits must say so:
 * the sum is periodic, and garbage there. Over Z_2^k the argument needs k − shift bits, for the linear part.
 */
import type { CosineSum, CosineTerm } from '../../compute/kernels/types.ts';

/** Scale of the argument. */
export const COSINE_ARGUMENT = 13;
const S1 = 13;

/** frequency (of 128 units a turn), amplitude at scale 2^24, and the bits that its basis needs. */
const terms = (...rows: readonly (readonly [frequency: number, amplitude: number, s2: number])[]): CosineTerm[] =>
  rows.map(([frequency, amplitude, s2]) => ({ frequency, amplitude, s1: S1, s2 }));

/** x/2 + c_0 + Σ: x at scale 13 is x/2 at scale 14, so the linear part is 2^(scale − 14) times the argument. */
function halfPlus(scale: number, constant: bigint, sum: readonly CosineTerm[]): CosineSum {
  return { odd: false, linear: true, scale, shift: scale - 14, constant, terms: sum };
}

/** x itself, at the scale of `GELU_COSINES`: gated by [x ≥ 4.5]. */
export const IDENTITY_SUM: CosineSum = { odd: false, linear: true, scale: 27, shift: 14, constant: 0n, terms: [] };

/**
 * GeLU on |x| ≤ 4.5, at scale 27. Error at most 1.1e-3 (rms 1.5e-4 where inputs are), where a class bit may call
 * 3.5 ≤ |x| < 4.5 either.
 */
export const GELU_COSINES = {
  gelu: halfPlus(27, 33_155n, terms([8, -29_654_209, 14], [25, -3_597_712, 10], [43, -644_469, 8], [63, -53_919, 4])),
  gelu_new: halfPlus(
    27,
    32_686n,
    terms([8, -28_949_530, 14], [24, -3_672_943, 11], [41, -771_285, 8], [61, -76_131, 5]),
  ),
} as const;

/**
 * GeLU on |x| ≤ 12, at scale 28, for models whose bound is that small: no class bits, no gate. Error at most 9e-4
 * (rms 1.8e-4 where inputs are). Odd multiples of 4: the harmonics of a triangle wave of period 32, which |x|/2 is.
 */
export const GELU_NEAR_COSINES = {
  gelu: halfPlus(
    28,
    65_536n,
    terms(
      ...([
        [4, -55_414_910, 15],
        [12, -6_844_551, 12],
        [20, -2_638_976, 10],
        [28, -1_247_171, 9],
      ] as const),
      ...([
        [36, -581_154, 8],
        [44, -247_080, 7],
        [52, -92_651, 5],
        [60, -30_756, 4],
        [68, -10_513, 3],
      ] as const),
    ),
  ),
  gelu_new: halfPlus(
    28,
    65_536n,
    terms(
      ...([
        [4, -55_413_574, 15],
        [12, -6_845_446, 12],
        [20, -2_641_333, 10],
        [28, -1_248_462, 9],
      ] as const),
      ...([
        [36, -580_255, 8],
        [44, -245_066, 7],
        [52, -91_182, 5],
        [60, -30_604, 4],
        [68, -11_481, 3],
      ] as const),
    ),
  ),
} as const;
