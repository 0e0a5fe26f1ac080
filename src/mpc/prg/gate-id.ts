/**
 * The address of one draw. A stream position is never used for two purposes: (session, execution) choose the key, and
 * every other part of the id is a field of the 96-bit nonce, so two different ids can never meet (no hash, no
 * collision to argue about).
 *
 * Element numbers are positions in the stream of the id. PROTOCOL §3.2, and §11.1 rule 1: one repeated
 * pad is a total break.
 */
import { invariant } from '../../core/errors.ts';

/** What a draw is for. Two draws of one gate for different purposes are independent. */
export const PURPOSES = {
  /** λ1 of a wire that P1 lifts (sends as a + λ1). */
  mask1: 1,
  /** λ2 of a gate's output. */
  mask2: 2,
  /** One-time pads of a selection table. */
  pad: 3,
  /** r0 of a selection: the output's λ1 is −r0. */
  zero: 4,
  /** Γ1, P1's half of a product's cross term. */
  cross: 5,
  /** Root seeds of point-function keys. */
  point: 6,
  /** λ of model weights (keyed by the model owner's seeds, not by a session). */
  weight: 7,
  /** Roots of the trees of an OT base. */
  otRoot: 8,
  /** Δ of an OT base. */
  otDelta: 9,
  /** Pad of the siblings that P0 sends to the sender of an OT base. */
  otPad: 10,
  /** The OTs of a gate: no words are drawn, the address itself goes into leaves and hash. */
  ot: 11,
  /** A pair's word of the three that add up to zero over a product's parts (PROTOCOL §17). */
  share: 12,
} as const;

export type Purpose = keyof typeof PURPOSES;

/**
 * One run of a circuit. A new run (cancel, edit, reconnect, regenerate) has a new number; decoding steps and
 * branches theirs.
 */
export interface Execution {
  /** 16 random bytes that the three parties agreed on. */
  readonly session: Uint8Array;
  readonly number: number;
  readonly step: number;
  readonly branch: number;
}

/** Every session has one execution, which begins here. */
export function firstStep(session: Uint8Array): Execution {
  return { session, number: 0, step: 0, branch: 0 };
}

export interface DrawId {
  readonly step: number;
  readonly branch: number;
  /** Number of the gate in the circuit (its op path, by the circuit's table). */
  readonly gate: number;
  readonly purpose: Purpose;
  /** Distinguishes several draws of one gate for one purpose. */
  readonly table: number;
  /** 0: P1 builds the table, P2 chooses. 1: of an OT base and its OTs, P1 chooses. */
  readonly direction: 0 | 1;
}

/**
 * One number for every id of a step and branch, for those that keep account of draws: the fields of the nonce side by
 * side, in 53 bits. They are as wide as `nonceOf` checks.
 */
export function drawNumber({ gate, table, purpose, direction }: Omit<DrawId, 'step' | 'branch'>): number {
  return gate * 2 ** 21 + table * 2 ** 5 + PURPOSES[purpose] * 2 + direction;
}

/** A text for every id is more work than the id. */
function check(name: string, value: number, bits: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** bits)
    invariant(false, `draw id: ${name} must fit ${bits} bits`);
}

/**
 * The injective 12-byte encoding: step u16 ‖ branch u16 ‖ gate u32 ‖ table u16 ‖ purpose u8 ‖ direction u8,
 * little-endian.
 */
export function nonceOf(id: DrawId): Uint8Array {
  const { step, branch, gate, table } = id;
  check('step', step, 16);
  check('branch', branch, 16);
  check('gate', gate, 32);
  check('table', table, 16);
  const nonce = new Uint8Array(12);
  nonce[0] = step;
  nonce[1] = step >>> 8;
  nonce[2] = branch;
  nonce[3] = branch >>> 8;
  nonce[4] = gate;
  nonce[5] = gate >>> 8;
  nonce[6] = gate >>> 16;
  nonce[7] = gate >>> 24;
  nonce[8] = table;
  nonce[9] = table >>> 8;
  nonce[10] = PURPOSES[id.purpose];
  nonce[11] = id.direction;
  return nonce;
}
