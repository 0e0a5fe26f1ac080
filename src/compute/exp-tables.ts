/**
 * Integer tables of the separable exponential (PROTOCOL §6.4): exp(−i/512) and exp(−i/2^20) at scale 2^31.
 *
 * P0 and P2 must agree on the basis bit for bit (PROTOCOL §6.8), so the tables are computed with integers only: no
 * Math.exp, whose last bit differs between engines. exp(−ℓ/2^20) = coarse[ℓ >> 11] · fine[ℓ & 2047] / 2^62 for 0 ≤
 * ℓ ≤ 2^23.
 */

/** Widths of a segment of the exponential that the tables serve. */
export type ExpWidth = 4 | 8;

/** Segments of a width: 32 units in all. */
export function expSegments(width: ExpWidth): number {
  return 32 / width;
}

/** log2 of a segment's width in steps of 2^−20. */
export function expSegmentBits(width: ExpWidth): number {
  return width === 4 ? 22 : 23;
}

const ENTRIES = 2048;
const GUARD = 96n;

/** exp(−2^−log2Step) with 96 fractional bits, by its Taylor series. */
function decay(log2Step: number): bigint {
  let term = 1n << GUARD;
  let sum = term;
  for (let n = 1n; term !== 0n; n++) {
    term = -(log2Step >= 0 ? term >> BigInt(log2Step) : term << BigInt(-log2Step)) / n;
    sum += term;
  }
  return sum;
}

/** round(2^scale · value) of a value with 96 fractional bits. */
function rounded(value: bigint, scale: bigint): number {
  return Number((value + (1n << (GUARD - scale - 1n))) >> (GUARD - scale));
}

/** round(2^31 · exp(−i · 2^−log2Step)) for i in [0, count). */
function powers(log2Step: number, count: number): Uint32Array {
  const step = decay(log2Step);
  const out = new Uint32Array(count);
  let value = 1n << GUARD;
  for (let i = 0; i < count; i++) {
    out[i] = rounded(value, 31n);
    value = (value * step) >> GUARD;
  }
  return out;
}

/** round(2^scale · exp(start_i + width)), starts 0, then −32 + i·width: a scale for every segment. */
function segments(width: ExpWidth, scales: readonly number[]): ExpSegments {
  const step = decay(-Math.log2(width));
  const factor = new Uint32Array(expSegments(width));
  factor[0] = rounded((1n << (2n * GUARD)) / step, BigInt(scales[0]));
  let value = 1n << GUARD;
  for (let i = factor.length - 1; i >= 1; i--) {
    factor[i] = rounded(value, BigInt(scales[i]));
    value = (value * step) >> GUARD;
  }
  return { factor, scale: Uint32Array.from(scales) };
}

/** Factors of the segments of one width. */
interface ExpSegments {
  /** exp(start_i + width) at scale 2^scale_i, the segment that starts at 0 first, then from the lowest up. */
  readonly factor: Uint32Array;
  readonly scale: Uint32Array;
}

export interface ExpTables {
  /** exp(−i/512), i ≤ 4096, at scale 2^31. */
  readonly coarse: Uint32Array;
  /** exp(−i/2^20), i < 2048, at scale 2^31. */
  readonly fine: Uint32Array;
  readonly segments: Readonly<Record<ExpWidth, ExpSegments>>;
}

let made: ExpTables | undefined;

/** The tables. Made once: that takes milliseconds, and every proved step hashes them. Nobody writes to them. */
export function expTables(): ExpTables {
  made ??= compute();
  return made;
}

function compute(): ExpTables {
  return {
    coarse: powers(9, 2 * ENTRIES + 1),
    fine: powers(20, ENTRIES),
    segments: {
      // Scale 26 throughout: exp(4) fills its 32 bits.
      4: segments(4, new Array<number>(8).fill(26)),
      // The largest scale of at most 32 at which a factor fits 32 bits: exp(8), e^−16, e^−8, 1.
      8: segments(8, [20, 32, 32, 31]),
    },
  };
}
