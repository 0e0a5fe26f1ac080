/** When gates are due in the rounds, and when wires are needed last: both follow from a circuit alone. */
import type { Wire } from '../../share/wire.ts';
import { type Circuit, isGate } from './circuit.ts';
import { type Gate, lastHalf } from './gate.ts';
import type { LocalNode } from './local.ts';

/** For every half-round the gates that have a message in it or are over with it, in order. */
export function byHalf(gates: readonly Gate[], halves: number): readonly (readonly Gate[])[] {
  const due = Array.from({ length: halves }, (): Gate[] => []);
  for (const gate of gates)
    for (const half of new Set([gate.half12 ?? -1, gate.half21 ?? -1, lastHalf(gate)]))
      if (half >= 0) due[half].push(gate);
  return due;
}

/**
 * Whether components of this wire are computed from its operands on demand, so that the operands must live as long
 * as it does.
 */
function derives(source: LocalNode | Gate): boolean {
  if (!isGate(source) || source.relation === 'lift') return true;
  const sends = source.half12 !== undefined || source.half21 !== undefined;
  // A reshare of a widening derives its mask from that of what was widened.
  if (source.relation === 'reshare') return !sends || source.inputs.length > 1;
  return !sends && source.relation === 'affine';
}

/**
 * For each position, the wires that nobody needs after it. A gate needs its inputs until its position; a local
 * node until its result is dropped.
 */
export function releasePlan(
  { sources, gates, kept }: Pick<Circuit, 'sources' | 'gates' | 'kept'>,
  position: (gate: Gate) => number,
): ReadonlyMap<number, readonly number[]> {
  const lastUse = new Float64Array(sources.length).fill(-1);
  const need = (wires: readonly Wire[], at: number) => {
    for (const { id } of wires) if (lastUse[id] < at) lastUse[id] = at;
  };
  for (const gate of gates) {
    const at = position(gate);
    need(gate.inputs, at);
    if (gate.out !== undefined && lastUse[gate.out.id] < at) lastUse[gate.out.id] = at;
  }
  need([...kept.values()], Number.POSITIVE_INFINITY);
  for (let id = sources.length - 1; id >= 0; id--) if (derives(sources[id])) need(sources[id].inputs, lastUse[id]);
  const plan = new Map<number, number[]>();
  lastUse.forEach((at, id) => {
    const wires = plan.get(at);
    if (wires === undefined) plan.set(at, [id]);
    else wires.push(id);
  });
  return plan;
}
