/** What local operations need of their operands where only low bits of the result are read (`bits-read.ts`). */

/** How many low bits of the operands the low `bits` bits of a result need. */
export type BitsOfOperands = (bits: number) => number;

/** Of sums, and of words that are only moved. */
export const asMany: BitsOfOperands = (bits) => bits;

/** Zeros below the lowest set bit of a factor of words, which move all bits up by as many. */
export function trailingZeros(c: bigint): number {
  let zeros = 0;
  while (zeros < 64 && ((c >> BigInt(zeros)) & 1n) === 0n) zeros++;
  return zeros;
}
