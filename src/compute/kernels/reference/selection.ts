/** Selection tables and bases, the readable twin (PROTOCOL §4.7, §6). One element at a time, in bigint. */
import { cosineTables } from '../../cosine-tables.ts';
import { type ExpTables, type ExpWidth, expSegmentBits, expSegments } from '../../exp-tables.ts';
import { type Words, ringMask, wordAt } from '../../ring.ts';
import { checkCosine } from '../cosine-sum.ts';
import { BINOMIAL } from '../polynomial-bound.ts';
import { rounding } from '../selection-shape.ts';
import type { Choice, Degree, PiecewisePolynomial, SelectionTable } from '../types.ts';
import { cosineEntry } from './cosine.ts';

/**
 * D_{j,p} of a polynomial for one element: Σ_{q ≥ p} C_{i,q} · binom(q,p) · (−1)^p · u^{q−p} with u = a_lo / 2^t and
 * i = (a_hi − j) mod n, by Horner's rule in integers: each step multiplies by a_lo and shifts t bits down (floor), and
 * the guard bits are rounded off at the end.
 */
function polynomialEntry(polynomial: PiecewisePolynomial, a: bigint, j: number): bigint[] {
  const { segments, degree, guard, coefficients } = polynomial;
  const t = BigInt(polynomial.t);
  const low = a & ringMask(polynomial.t);
  const segment = (Number(a >> t) - j + segments) % segments;
  const half = guard > 0 ? 1n << BigInt(guard - 1) : 0n;
  return Array.from({ length: degree + 1 }, (_, p) => {
    let sum = 0n;
    for (let q = degree; q >= p; q--)
      sum = ((sum * low) >> t) + coefficients[(degree + 1) * segment + q] * BINOMIAL[q][p];
    return ((p % 2 === 0 ? sum : -sum) + half) >> BigInt(guard);
  });
}

/**
 * Entry j of the exponential table for one element: (gate ⊕ w) · round(2^s1 · exp(start_i + a_lo)). Segment 0
 * starts at 0: a measured index one too high for x in [−width, 0) has a_lo < ℓ_lo, so exp(a_lo)·exp(−ℓ_lo) is right
 * there.
 */
function expEntry(
  tables: ExpTables,
  { s1, width }: { readonly s1: number; readonly width: ExpWidth },
  a: bigint,
  gate: bigint,
  j: number,
): bigint {
  const [n, bits] = [expSegments(width), expSegmentBits(width)];
  const segment = (Number(a >> BigInt(bits)) - (j >> 1) + n) % n;
  if ((gate ^ BigInt(j & 1)) === 0n) return 0n;
  const below = Number((1n << BigInt(bits)) - (a & ringMask(bits))); // exp(a_lo − width) = exp(−below)
  const fraction = (BigInt(tables.coarse[below >> 11]) * BigInt(tables.fine[below & 2047]) + (1n << 30n)) >> 31n;
  const [half, drop] = rounding(31 + tables.segments[width].scale[segment] - s1);
  return (fraction * BigInt(tables.segments[width].factor[segment]) + half) >> BigInt(drop);
}

/** D_{i,j,p} for element i and entry j. */
export function tableEntry(table: SelectionTable<Words>, tables: ExpTables, i: number, j: number): bigint[] {
  switch (table.kind) {
    case 'rows':
      return [wordAt(table.table, Number(table.row.data[i]) * table.stride + j)];
    case 'polynomial':
      return polynomialEntry(table.polynomial, wordAt(table.a, i), j);
    case 'exp':
      return [expEntry(tables, table, wordAt(table.a, i), wordAt(table.gate, i), j)];
    case 'cosine': {
      const { sum, a, gate } = table;
      checkCosine(sum);
      return cosineEntry(cosineTables(), sum, wordAt(a, i), gate === undefined ? 1n : wordAt(gate, i), j);
    }
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

/** φ of a polynomial for one ℓ: (2^s2, ⌊ℓ_lo / 2^(t−s2)⌋, ⌊ℓ_lo² / 2^(2t−s2)⌋, …), up to the power `degree`. */
export function powersOf(l: bigint, t: number, s2: number, degree: Degree): bigint[] {
  const low = l & ringMask(t);
  return Array.from({ length: degree + 1 }, (_, p) => {
    const shift = p * t - s2;
    const power = low ** BigInt(p);
    return shift >= 0 ? power >> BigInt(shift) : power << BigInt(-shift);
  });
}

/** φ of the exponential for one ℓ. */
export function expPhi(tables: ExpTables, l: bigint, s2: number, width: ExpWidth): bigint {
  const low = Number(l & ringMask(expSegmentBits(width)));
  const product = BigInt(tables.coarse[low >> 11]) * BigInt(tables.fine[low & 2047]);
  return (product + (1n << BigInt(61 - s2))) >> BigInt(62 - s2);
}
