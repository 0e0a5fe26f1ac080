/**
 * Comparison and selection (PROTOCOL §6.7): the sign of x from three 8-bit leaves and one joint table, two rounds.
 *
 * x over Z_2^25 is a − λ2; its sign is msb(a) ⊕ msb(λ2) ⊕ borrow of the low 24 bits. The most significant bits are
 * shares of a bit already.
 */
import type { Gates, Wire } from './gates.ts';

/** Bits of a leaf's table, and of the three leaves together. */
const CHUNK = 8;
const LOW = 3 * CHUNK;
/**
 * Ring of `isNegative`, by the coins of a rounding: the leaves' bits and the sign. With two coins a leaf is a public
 * function that somebody proves, of at most 2^20 indices.
 */
export const SIGN_BITS = { 1: LOW + 1, 2: 20 } as const;

/** Joint index: less0, less1, equal1, less2, equal2, msb. */
function signEntry(j: number): bigint {
  const bit = (b: number) => (j >> b) & 1;
  const borrow = bit(3) | (bit(4) & (bit(1) | (bit(2) & bit(0))));
  return BigInt(borrow ^ bit(5));
}

const SIGN = Array.from({ length: 64 }, (_, j) => signEntry(j));

/** Joint index: less0, less1, equal1, the sign without a borrow into the top bits, the sign with one. */
const SIGN_OF_TWO = Array.from({ length: 32 }, (_, j) => {
  const bit = (b: number) => (j >> b) & 1;
  const borrow = bit(1) | (bit(2) & bit(0));
  return BigInt(bit(3 + borrow));
});

/**
 * [x < 0] as one shared bit, exact for every x in the ring of `SIGN_BITS` read as signed: −2^24 ≤ x < 2^24 with one
 * coin. A wider value is first shifted or reduced by the caller, who declares that it fits.
 * Cost of an element: P0 6 bits, P1 → P2 168 bytes, 2 rounds.
 */
export function isNegative(gates: Gates, x: Wire): Wire {
  const leaf = (chunk: number, kind: 'less' | 'equal') => gates.borrow(x, CHUNK * chunk, CHUNK, kind);
  if (gates.rounding.coins === 2) {
    // The top bits of the two halves are no shares of a bit here, so the sign is read with them.
    const top = (kind: 'negative' | 'below') => gates.borrow(x, 2 * CHUNK, x.k - 2 * CHUNK, kind);
    const bits = [leaf(0, 'less'), leaf(1, 'less'), leaf(1, 'equal'), top('negative'), top('below')];
    return gates.jointTable(bits, SIGN_OF_TWO, 1);
  }
  const msb = gates.shift(x, LOW);
  return gates.jointTable(
    [leaf(0, 'less'), leaf(1, 'less'), leaf(1, 'equal'), leaf(2, 'less'), leaf(2, 'equal'), msb],
    SIGN,
    1,
  );
}

/**
 * [x < 0] of a short ring, Z_2^k with k ≤ 10: one table of 2^(k−1) bits. Exact for every x read as signed; one
 * round, one bit of P0.
 */
export function isNegativeIn(gates: Gates, x: Wire): Wire {
  return gates.sign(x);
}

/** The same, lifted: it enters products in the half-round in which P2 gets it. The top bit has a lift of its own. */
export function isNegativeLifted(gates: Gates, x: Wire): Wire {
  const low = x.k - 1;
  return gates.add(gates.borrow(x, 0, low, 'less'), gates.lift(gates.reshape(gates.shift(x, low), x.shape, 0)));
}

/** bit ? x : y, one round, one word of P0. */
export function select(gates: Gates, bit: Wire, x: Wire, y: Wire): Wire {
  return gates.choose([bit], [y, x], Uint8Array.of(0, 1));
}
