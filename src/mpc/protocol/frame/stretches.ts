/** A circuit cut into its blocks and what lies between: passes over it take what is known of a block. */
import type { Block, Span } from './block.ts';
import type { Circuit } from './circuit.ts';

/** Gates and wires that belong together: a block, or what lies between two. */
export interface Stretch {
  readonly gates: Span;
  readonly wires: Span;
  readonly block?: Block | undefined;
}

/** Every block of a circuit, and what lies between in stretches of so many gates and wires at most, in order. */
export function* stretches(
  { gates, wires, blocks }: Pick<Circuit, 'gates' | 'wires' | 'blocks'>,
  most: number,
): Generator<Stretch> {
  const at = { gates: 0, wires: 0 };
  const next = (kind: 'gates' | 'wires', end: number): Span => {
    const from = at[kind];
    at[kind] = Math.min(from + most, end);
    return { from, to: at[kind] };
  };
  function* until(gate: number, wire: number): Generator<Stretch> {
    while (at.gates < gate || at.wires < wire) yield { gates: next('gates', gate), wires: next('wires', wire) };
  }
  for (const block of blocks) {
    yield* until(block.gates.from, block.wires.from);
    yield { gates: block.gates, wires: block.wires, block };
    at.gates = block.gates.to;
    at.wires = block.wires.to;
  }
  yield* until(gates.length, wires.length);
}
