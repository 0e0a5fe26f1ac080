/**
 * How many low bits of a wire anybody reads. Sums, products and shifts to the left need of their operands no higher
 * bits than are wanted of the result, so a map whose result is cut down behind it may be computed modulo less: the rest
 * are bits that nobody reads, and what is read stays the same bit for bit.
 */
import type { Wire } from '../../share/wire.ts';
import { type Circuit, isGate } from './circuit.ts';

/** By number of the wire. Gates and the next step read all of theirs, and so does who does not say otherwise. */
export function bitsRead({
  wires,
  sources,
  gates,
  kept,
}: Pick<Circuit, 'wires' | 'sources' | 'gates' | 'kept'>): number[] {
  const read = new Array<number>(wires.length).fill(0);
  const reads = ({ id, k }: Wire, bits: number) => {
    const wanted = bits < k ? bits : k;
    if (read[id] < wanted) read[id] = wanted;
  };
  for (const { inputs } of gates) for (const x of inputs) reads(x, x.k);
  for (const x of kept.values()) reads(x, x.k);
  // Operands have lower numbers.
  for (let id = wires.length - 1; id >= 0; id--) {
    const source = sources[id];
    if (isGate(source)) continue;
    for (const x of source.inputs) reads(x, source.bitsOfOperands?.(read[id]) ?? x.k);
  }
  return read;
}
