/** How far P0 deals ahead of what it takes in for its proofs: public, so that what it holds meanwhile can be declared. */
import { laneBytes } from '../../../../compute/ring.ts';
import type { Circuit } from '../../frame/circuit.ts';
import type { Gate } from '../../frame/gate.ts';

const AHEAD_BYTES = 2 ** 26;

/**
 * Bytes of masks, by `maskBytes`, of gates that were dealt and not taken in. Where P0 has a part in the rounds, nothing
 * is left when they begin.
 */
export function aheadOf({ owner }: Pick<Circuit, 'owner'>, aheadBytes = AHEAD_BYTES): number {
  return owner === undefined ? aheadBytes : 0;
}

/** About what the masks of a gate's operands and of its result take. */
export function maskBytes({ inputs, out }: Pick<Gate, 'inputs' | 'out'>): number {
  return [...inputs, ...(out === undefined ? [] : [out])].reduce(
    (sum, { count, k }) => sum + 2 * laneBytes(k) * count,
    0,
  );
}
