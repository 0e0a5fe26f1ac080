/** Selection tables and bases, the readable twin (PROTOCOL §4.7, §6). One element at a time, in bigint. */
import type { ExpTables } from '../../exp-tables.ts';
import { type Words, ringMask, wordAt } from '../../ring.ts';
import type { Choice, PiecewiseCubic, SelectionTable } from '../types.ts';

const BINOMIAL = [[1n], [1n, 1n], [1n, 2n, 1n], [1n, 3n, 3n, 1n]] as const;

/**
 * D_{j,p} of a cubic for one element: Σ_{q ≥ p} C_{i,q} · binom(q,p) · (−1)^p · u^{q−p} with u = a_lo / 2^t and i =
 * (a_hi − j) mod n, by Horner's rule in integers: each step multiplies by a_lo and shifts t bits down (floor), and
 * the guard bits are rounded off at the end.
 */
function cubicEntry(cubic: PiecewiseCubic, a: bigint, j: number): bigint[] {
  const t = BigInt(cubic.t);
  const low = a & ringMask(cubic.t);
  const segment = (Number(a >> t) - j + cubic.segments) % cubic.segments;
  const half = cubic.guard > 0 ? 1n << BigInt(cubic.guard - 1) : 0n;
  return [0, 1, 2, 3].map((p) => {
    let sum = 0n;
    for (let q = 3; q >= p; q--) sum = ((sum * low) >> t) + cubic.coefficients[4 * segment + q] * BINOMIAL[q][p];
    return ((p % 2 === 0 ? sum : -sum) + half) >> BigInt(cubic.guard);
  });
}

/**
 * Entry j of the exponential table for one element: (gate ⊕ w) · round(2^s1 · exp(start_i + a_lo)). Segment 0
 * starts at 0: a measured index one too high for x in [−4, 0) has a_lo < ℓ_lo, so exp(a_lo)·exp(−ℓ_lo) is right
 * there.
 */
function expEntry(tables: ExpTables, s1: number, a: bigint, gate: bigint, j: number): bigint {
  const segment = (Number(a >> 22n) - (j >> 1) + 8) % 8;
  if ((gate ^ BigInt(j & 1)) === 0n) return 0n;
  const below = Number((1n << 22n) - (a & ringMask(22))); // exp(a_lo − 4) = exp(−below)
  const fraction = (BigInt(tables.coarse[below >> 11]) * BigInt(tables.fine[below & 2047]) + (1n << 30n)) >> 31n;
  return (fraction * BigInt(tables.segment[segment]) + (1n << BigInt(56 - s1))) >> BigInt(57 - s1);
}

/** D_{i,j,p} for element i and entry j. */
export function tableEntry(table: SelectionTable<Words>, tables: ExpTables, i: number, j: number): bigint[] {
  switch (table.kind) {
    case 'rows':
      return [wordAt(table.table, Number(table.row.data[i]) * table.stride + j)];
    case 'cubic':
      return cubicEntry(table.cubic, wordAt(table.a, i), j);
    case 'exp':
      return [expEntry(tables, table.s1, wordAt(table.a, i), wordAt(table.gate, i), j)];
    case 'choose': {
      let joint = j;
      table.bits.forEach((bit, b) => {
        joint ^= Number(bit.data[i]) << b;
      });
      const pick = table.pick[joint];
      const entry = [pick === 255 ? 0n : wordAt(table.values[pick], i)];
      for (let v = 0; v < table.values.length; v++) entry.push(pick === v ? 1n : 0n);
      return entry;
    }
  }
}

/** φ_p of one element of a choice over Z_2^k (1 when the basis is absent). */
export function basisWord(choice: Choice<Words>, i: number, P: number, p: number): bigint {
  return choice.basis === undefined ? 1n : wordAt(choice.basis, i * P + p);
}

/** φ of a cubic for one ℓ: (2^s2, ⌊ℓ_lo / 2^(t−s2)⌋, ⌊ℓ_lo² / 2^(2t−s2)⌋, ⌊ℓ_lo³ / 2^(3t−s2)⌋). */
export function cubicPhi(l: bigint, t: number, s2: number): bigint[] {
  const low = l & ringMask(t);
  return [0, 1, 2, 3].map((p) => {
    const shift = p * t - s2;
    const power = low ** BigInt(p);
    return shift >= 0 ? power >> BigInt(shift) : power << BigInt(-shift);
  });
}

/** φ of the exponential for one ℓ. */
export function expPhi(tables: ExpTables, l: bigint, s2: number): bigint {
  const low = Number(l & ringMask(22));
  const product = BigInt(tables.coarse[low >> 11]) * BigInt(tables.fine[low & 2047]);
  return (product + (1n << BigInt(61 - s2))) >> BigInt(62 - s2);
}
