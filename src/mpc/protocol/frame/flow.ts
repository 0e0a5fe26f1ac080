/**
 * What the wires of a circuit are made of, in numbers. Passes over a whole circuit go over these: its nodes are objects
 * of many classes, and there are ten thousand. Those of a block are made once, for all circuits that have it.
 */
import type { Block, Span } from './block.ts';
import { type Circuit, type Flow, isGate } from './circuit.ts';
import type { Gate } from './gate.ts';
import type { LocalNode } from './local.ts';
import { stretches } from './stretches.ts';

/** More than any ring has. */
export const ALL_BITS = 1 << 10;

type Graph = Pick<Circuit, 'gates' | 'sources' | 'wires' | 'blocks'>;

/** Of blocks, which several circuits have. */
const FLOWS = new WeakMap<Block, Flow>();

export function flowOf(graph: Graph): Flow {
  const pieces: Flow[] = [];
  for (const { block, wires } of stretches(graph, graph.wires.length)) {
    const known = block && FLOWS.get(block);
    const piece = known ?? flowWithin(graph, wires);
    if (block !== undefined) FLOWS.set(block, piece);
    pieces.push(piece);
  }
  return joined(pieces);
}

function flowWithin({ sources, wires }: Graph, { from, to }: Span): Flow {
  const flow = emptyFlow(to - from);
  const operands: number[] = [];
  for (let i = 0; i < to - from; i++) {
    const source = sources[from + i];
    flow.rings[i] = wires[from + i].k;
    flow.counts[i] = source.inputs.length;
    for (const { id } of source.inputs) operands.push(id);
    flow.moreBits[i] = (isGate(source) ? undefined : source.moreBits) ?? ALL_BITS;
    flow.derived[i] = Number(isDerived(source));
    flow.linear[i] = Number(!isGate(source) && source.atOnce !== undefined);
  }
  return { ...flow, operands: Uint32Array.from(operands) };
}

function emptyFlow(wires: number): Omit<Flow, 'operands'> {
  return {
    rings: new Uint8Array(wires),
    counts: new Uint16Array(wires),
    moreBits: new Int16Array(wires),
    derived: new Uint8Array(wires),
    linear: new Uint8Array(wires),
  };
}

function joined(pieces: readonly Flow[]): Flow {
  const total = (length: (piece: Flow) => number) => pieces.reduce((sum, piece) => sum + length(piece), 0);
  const flow = {
    ...emptyFlow(total(({ rings }) => rings.length)),
    operands: new Uint32Array(total(({ operands }) => operands.length)),
  };
  let [wire, operand] = [0, 0];
  for (const { rings, counts, moreBits, derived, linear, operands } of pieces) {
    flow.rings.set(rings, wire);
    flow.counts.set(counts, wire);
    flow.moreBits.set(moreBits, wire);
    flow.derived.set(derived, wire);
    flow.linear.set(linear, wire);
    flow.operands.set(operands, operand);
    wire += rings.length;
    operand += operands.length;
  }
  return flow;
}

/**
 * Whether components of a wire are computed from its operands on demand, so that the operands must live as long as it
 * does.
 */
function isDerived(source: LocalNode | Gate): boolean {
  if (!isGate(source) || source.relation === 'lift') return true;
  const sends = source.half12 !== undefined || source.half21 !== undefined;
  // A reshare of a widening derives its mask from that of what was widened.
  if (source.relation === 'reshare') return !sends || source.inputs.length > 1;
  return !sends && source.relation === 'affine';
}
