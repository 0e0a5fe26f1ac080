/**
 * A part of a circuit that depends on nothing but its operands and its key, so that the next circuit of the same model
 * may have it as it is: the steps of a generated text differ in how many keys and values they attend to alone.
 *
 * What is shared is public and never written to: wires, nodes and gates. SECURITY: a gate has no masks. It draws by its
 * number from the generator of the step that it is run in, and nonces name the step (`mpc/prg/gate-id.ts`), so one
 * gate in two circuits draws two streams. test/session/circuits.test.ts.
 */
import type { Wire } from '../../share/wire.ts';

/** Numbers from … to − 1. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Block {
  /** With its place in the model. */
  readonly key: string;
  readonly operands: readonly Wire[];
  /** What else of the circuit before it was built on, such as a lift of an operand that was there. */
  readonly known: readonly unknown[];
  readonly gates: Span;
  /** And what makes them. */
  readonly wires: Span;
  readonly results: readonly Wire[];
  /** What a builder keeps in mind behind it. */
  readonly notes: readonly ((to: never) => void)[];
}

function same(x: readonly unknown[], y: readonly unknown[]): boolean {
  return x.length === y.length && x.every((value, i) => value === y[i]);
}

/** Whether a block is what would be built here. */
export function fits(
  block: Block,
  { key, operands, known, gates, wires }: Pick<Block, 'key' | 'operands' | 'known'> & Record<'gates' | 'wires', number>,
): boolean {
  return (
    block.key === key &&
    block.gates.from === gates &&
    block.wires.from === wires &&
    same(block.operands, operands) &&
    same(block.known, known)
  );
}

/** Whether two wires have all in common. */
export function alike(x: Wire, y: Wire): boolean {
  return (
    x.k === y.k &&
    x.scale === y.scale &&
    x.kind === y.kind &&
    x.readyA === y.readyA &&
    x.readyL2 === y.readyL2 &&
    x.readyY === y.readyY &&
    same(x.shape, y.shape)
  );
}
