/**
 * How many low bits of a wire anybody reads. Sums, products and shifts to the left need of their operands no higher
 * bits than are wanted of the result, so a map whose result is cut down behind it may be computed modulo less: the rest
 * are bits that nobody reads, and what is read stays the same bit for bit.
 */
import type { Circuit, Flow } from './circuit.ts';
import { ALL_BITS } from './flow.ts';

/** By number of the wire. Gates and the next step read all of theirs, and so does who does not say otherwise. */
export function bitsRead(
  { rings, counts, operands, moreBits }: Flow,
  { gates, kept }: Pick<Circuit, 'gates' | 'kept'>,
): Uint8Array {
  const read = new Uint8Array(rings.length);
  for (const { inputs } of gates) for (const { id, k } of inputs) read[id] = k;
  for (const { id, k } of kept.values()) read[id] = k;
  let at = operands.length;
  // Operands have lower numbers.
  for (let id = rings.length - 1; id >= 0; id--) {
    const more = moreBits[id];
    const bits = more === ALL_BITS ? ALL_BITS : read[id] + more;
    for (let i = counts[id]; i > 0; i--) {
      const x = operands[--at];
      const wanted = Math.min(bits, rings[x]);
      if (read[x] < wanted) read[x] = wanted;
    }
  }
  return read;
}

/** Zeros below the lowest set bit of a factor of words, which move all bits up by as many. */
export function trailingZeros(c: bigint): number {
  let zeros = 0;
  while (zeros < 64 && ((c >> BigInt(zeros)) & 1n) === 0n) zeros++;
  return zeros;
}
