/**
 * Integer tables of the separable exponential (design notes §14.1): exp(−i/512) and exp(−i/2^20) at scale 2^31.
 *
 * P0 and P2 must agree on the basis bit for bit (§15 F4), so the tables are computed with integers only: no Math.exp, whose last bit
 * differs between engines. exp(−ℓ/2^20) = coarse[ℓ >> 11] · fine[ℓ & 2047] / 2^62 for 0 ≤ ℓ ≤ 2^22.
 */

const ENTRIES = 2048;
const GUARD = 96n;

/** round(2^31 · exp(−i · 2^−log2Step)) for i in [0, count), by repeated products of a Taylor value with 96 fractional bits. */
function powers(log2Step: number, count: number): Uint32Array {
  const one = 1n << GUARD;
  let term = one;
  let base = one;
  for (let n = 1n; term !== 0n; n++) {
    term = -(term >> BigInt(log2Step)) / n;
    base += term;
  }
  const out = new Uint32Array(count);
  let value = one;
  for (let i = 0; i < count; i++) {
    out[i] = Number((value + (1n << (GUARD - 32n))) >> (GUARD - 31n));
    value = (value * base) >> GUARD;
  }
  return out;
}

export interface ExpTables {
  /** exp(−i/512), i ≤ 2048, at scale 2^31. */
  readonly coarse: Uint32Array;
  /** exp(−i/2^20), i < 2048, at scale 2^31. */
  readonly fine: Uint32Array;
  /** exp(4i − 28), i < 8, at scale 2^31 (entry 0 is unused: that segment is zero). */
  readonly segment: Uint32Array;
}

/** Computes the tables (a few milliseconds; a backend does it once). */
export function expTables(): ExpTables {
  const descending = powers(-2, 8);
  return { coarse: powers(9, ENTRIES + 1), fine: powers(20, ENTRIES), segment: descending.reverse() };
}
