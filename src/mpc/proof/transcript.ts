/**
 * The messages of a proof, as bytes. Lengths follow from the segment, so a message of any other length is refused, and
 * so is a number that is not below its bound: one value has one form.
 */
import { bytesOf } from '../../compute/ring.ts';

/**
 * Claims with their masks: `bits`/8 bytes each, little-endian. The length is the range check: what V can be sent is
 * 0 ≤ c < 2^bits and nothing else.
 * @returns undefined where a claim is out of range: an honest prover's chance of that is σ²·2^(claims − masks)
 */
export function encodeClaims(claims: readonly bigint[], bits: number): Uint8Array | undefined {
  const width = bits / 8;
  const out = new Uint8Array(width * claims.length);
  for (const [i, claim] of claims.entries()) {
    if (claim < 0n || claim >> BigInt(bits) !== 0n) return undefined;
    for (let b = 0, rest = claim; b < width; b++, rest >>= 8n) out[width * i + b] = Number(rest & 255n);
  }
  return out;
}

/** @returns undefined for another length than that of `count` claims */
export function decodeClaims(bytes: Uint8Array, bits: number, count: number): bigint[] | undefined {
  const width = bits / 8;
  if (bytes.length !== width * count) return undefined;
  return Array.from({ length: count }, (_, i) => {
    let claim = 0n;
    for (let b = width - 1; b >= 0; b--) claim = (claim << 8n) | BigInt(bytes[width * i + b]);
    return claim;
  });
}

/** Field elements, 8 bytes each. */
export function encodeField(values: readonly bigint[]): Uint8Array {
  return bytesOf({ k: 64, data: BigUint64Array.from(values) }).slice();
}

/** @returns undefined for another length than that of `count` elements, or an element that is not below q */
export function decodeField(bytes: Uint8Array, count: number, q: bigint): bigint[] | undefined {
  if (bytes.length !== 8 * count) return undefined;
  const values = Array.from(new BigUint64Array(bytes.slice().buffer));
  return values.every((value) => value < q) ? values : undefined;
}
