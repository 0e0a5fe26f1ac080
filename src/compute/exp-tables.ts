/**
 * Integer tables of the separable exponential (PROTOCOL §6.4): exp(−i/512) and exp(−i/2^20) at scale 2^31.
 *
 * P0 and P2 must agree on the basis bit for bit (PROTOCOL §6.8), so the tables are computed with integers only: no
 * Math.exp, whose last bit differs between engines. exp(−ℓ/2^20) = coarse[ℓ >> 11] · fine[ℓ & 2047] / 2^62 for 0 ≤
 * ℓ ≤ 2^22.
 */

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

/** round(2^26 · exp(start_i + 4)), starts 0, −28, −24, …, −4. */
function segments(): Uint32Array {
  const step = decay(-2);
  const out = new Uint32Array(8);
  out[0] = rounded((1n << (2n * GUARD)) / step, 26n);
  let value = 1n << GUARD;
  for (let i = 7; i >= 1; i--) {
    out[i] = rounded(value, 26n);
    value = (value * step) >> GUARD;
  }
  return out;
}

export interface ExpTables {
  /** exp(−i/512), i ≤ 2048, at scale 2^31. */
  readonly coarse: Uint32Array;
  /** exp(−i/2^20), i < 2048, at scale 2^31. */
  readonly fine: Uint32Array;
  /** exp(start_i + 4) at scale 2^26 for the segments that start at 0, −28, −24, …, −4. */
  readonly segment: Uint32Array;
}

/** Computes the tables (a few milliseconds; a backend does it once). */
export function expTables(): ExpTables {
  return { coarse: powers(9, ENTRIES + 1), fine: powers(20, ENTRIES), segment: segments() };
}
