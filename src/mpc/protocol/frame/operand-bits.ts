/** Zeros below the lowest set bit of a factor of words, which move all bits up by as many. */
export function trailingZeros(c: bigint): number {
  let zeros = 0;
  while (zeros < 64 && ((c >> BigInt(zeros)) & 1n) === 0n) zeros++;
  return zeros;
}
