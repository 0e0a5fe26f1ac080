/** When gates are due in the rounds, and when wires are needed last: both follow from a circuit alone. */
import type { Wire } from '../../share/wire.ts';
import type { Circuit } from './circuit.ts';
import { type Gate, lastHalf } from './gate.ts';

/** For every half-round the gates that have a message in it or are over with it, in order. */
export function byHalf(gates: readonly Gate[], halves: number): readonly (readonly Gate[])[] {
  const due = Array.from({ length: halves }, (): Gate[] => []);
  for (const gate of gates) {
    const { half12 = -1, half21 = -1 } = gate;
    const last = lastHalf(gate);
    if (half12 >= 0) due[half12].push(gate);
    if (half21 >= 0 && half21 !== half12) due[half21].push(gate);
    if (last >= 0 && last !== half12 && last !== half21) due[last].push(gate);
  }
  return due;
}

/** Of a wire that is never needed. */
const NEVER = -1;
/** Of one that outlives the step. */
const ALWAYS = 2 ** 31 - 1;

/** For each position, the wires that nobody needs after it. */
export class Releases {
  /** Wires by position, those of position p from `#starts[p]` on. */
  readonly #wires: Uint32Array;
  readonly #starts: Uint32Array;

  constructor(lastUse: Int32Array) {
    let positions = 0;
    for (const at of lastUse) if (at !== ALWAYS && at >= positions) positions = at + 1;
    const starts = new Uint32Array(positions + 2);
    const counts = (at: number) => at !== ALWAYS && at !== NEVER;
    for (const at of lastUse) if (counts(at)) starts[at + 2]++;
    for (let p = 2; p < starts.length; p++) starts[p] += starts[p - 1];
    this.#wires = new Uint32Array(starts[positions + 1]);
    // Behind the last wire of a position the next one begins.
    for (let id = 0; id < lastUse.length; id++) if (counts(lastUse[id])) this.#wires[starts[lastUse[id] + 1]++] = id;
    this.#starts = starts;
  }

  /** Numbers of wires, growing. */
  at(position: number): Uint32Array {
    // Behind the last position nothing is left.
    const last = this.#starts.length - 2;
    return this.#wires.subarray(this.#starts[Math.min(position, last)], this.#starts[Math.min(position + 1, last)]);
  }
}

/** When wires are needed last. A gate needs its inputs until its position; a local node until its result is dropped. */
export function releasePlan(
  { flow: { counts, operands, derived }, gates, kept }: Pick<Circuit, 'flow' | 'gates' | 'kept'>,
  position: (gate: Gate) => number,
): Releases {
  const lastUse = new Int32Array(counts.length).fill(NEVER);
  const need = ({ id }: Wire, at: number) => {
    if (lastUse[id] < at) lastUse[id] = at;
  };
  for (const gate of gates) {
    const at = position(gate);
    for (const wire of gate.inputs) need(wire, at);
    if (gate.out !== undefined) need(gate.out, at);
  }
  for (const wire of kept.values()) need(wire, ALWAYS);
  let operand = operands.length;
  for (let id = counts.length - 1; id >= 0; id--) {
    const at = derived[id] === 1 ? lastUse[id] : NEVER;
    for (let i = counts[id]; i > 0; i--) {
      const x = operands[--operand];
      if (lastUse[x] < at) lastUse[x] = at;
    }
  }
  return new Releases(lastUse);
}
