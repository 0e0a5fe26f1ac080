/**
 * Integer tables of the cosine (PROTOCOL §6.9): a turn of 2^20 steps, in 1024 coarse and 1024 fine ones, at scale
 * 2^30.
 *
 * P0 and P2 must agree on the basis bit for bit (PROTOCOL §6.8), so the tables are computed with integers only: no
 * Math.cos, whose last bit differs between engines. `cosineOf` puts them together by the addition theorem.
 */

/** log2 of the steps of a turn. */
export const TURN_BITS = 20;
/** Fractional bits of the tables and of `cosineOf`. */
export const COSINE_SCALE = 30;
const ENTRIES = 1024;
const GUARD = 128n;
const ONE = 1n << GUARD;

/** arctan(1/n), with 128 fractional bits. */
function arctan(n: bigint): bigint {
  let power = ONE / n;
  let sum = 0n;
  for (let i = 1n; power !== 0n; i += 2n) {
    sum += (i % 4n === 1n ? power : -power) / i;
    power /= n * n;
  }
  return sum;
}

/** cos and sin of an angle of at most an eighth of a turn, by their Taylor series. */
function series(angle: bigint): [cos: bigint, sin: bigint] {
  const sums: [bigint, bigint] = [0n, 0n];
  let term = ONE;
  for (let n = 0n; term !== 0n; n++) {
    sums[Number(n % 2n)] += n % 4n < 2n ? term : -term;
    term = ((term * angle) >> GUARD) / (n + 1n);
  }
  return sums;
}

function rounded(value: bigint): number {
  const drop = GUARD - BigInt(COSINE_SCALE);
  return Number((value + (1n << (drop - 1n))) >> drop);
}

export interface CosineTables {
  /** cos(2π·i/1024), i < 1024: a whole turn. */
  readonly coarse: Int32Array;
  /** cos and sin of 2π·i/2^20, i < 1024. */
  readonly fineCos: Int32Array;
  readonly fineSin: Int32Array;
}

function compute(): CosineTables {
  const turn = 2n * (16n * arctan(5n) - 4n * arctan(239n)); // Machin's formula for π
  const coarse = new Int32Array(ENTRIES);
  // An eighth of a turn, and the rest by symmetry: cos(π − x) = −cos x holds to the bit.
  const [quarter, eighth] = [ENTRIES / 4, ENTRIES / 8];
  const set = (i: number, value: number): void => {
    coarse[i] = value;
    coarse[(ENTRIES - i) % ENTRIES] = value;
    coarse[ENTRIES / 2 - i] = -value;
    coarse[(ENTRIES / 2 + i) % ENTRIES] = -value;
  };
  for (let i = 0; i <= eighth; i++) {
    const [cos, sin] = series((turn * BigInt(i)) / BigInt(ENTRIES));
    set(i, rounded(cos));
    set(quarter - i, i === 0 ? 0 : rounded(sin));
  }
  const fine = Array.from({ length: ENTRIES }, (_, i) => series((turn * BigInt(i)) >> BigInt(TURN_BITS)));
  return {
    coarse,
    fineCos: Int32Array.from(fine, ([cos]) => rounded(cos)),
    fineSin: Int32Array.from(fine, ([, sin]) => rounded(sin)),
  };
}

let made: CosineTables | undefined;

/** The tables: a constant, computed when it is first asked for (some milliseconds). Not to be written. */
export function cosineTables(): CosineTables {
  made ??= compute();
  return made;
}
