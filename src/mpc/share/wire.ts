/**
 * The one share tensor. A secret vector x over Z_2^k is held as m = x + λ1 + λ2 in its one-sided form
 * (PROTOCOL §2.1):
 *
 *   a = x + λ2 at P1,   λ2 at P2 and P0,   and, only where a product needs them,   y = x + λ1 at P2,   λ1 at P1 and P0.
 *
 * m itself (= a + λ1 = y + λ2) never needs to exist. A wire is the public side of such a value: its shape, ring,
 * scale and which components exist from which half-round on. The components live with each party
 * (`protocol/frame/engine.ts`).
 *
 * An additive wire (PROTOCOL §2.3) has the same form, x = a − l2, but its l2 is what P2 computed, not a draw: P0 does
 * not know it. A local operation does not mind. A gate that needs P0's help does, so it takes masked wires only.
 */

/**
 * What a party may hold of a wire. One-sided sharing: P0 l1, l2; P1 a, l1; P2 y, l2. Complete sharing: m in place of a
 * and y, which are m − l1 and m − l2 then.
 */
export type Component = 'm' | 'a' | 'y' | 'l1' | 'l2';

/** Whether both compute parties hold m of every wire, which a proof needs, or each its own side (PROTOCOL §14.1). */
export type Sharing = 'one-sided' | 'complete';

/** When P2 knows the l2 of a masked wire: before the input. */
export const AHEAD = -1;

/** A public handle of one secret tensor inside a circuit. Immutable; carries no data. */
export interface Wire {
  readonly id: number;
  readonly shape: readonly number[];
  readonly count: number;
  /** Ring width in bits. */
  readonly k: number;
  /** Fixed-point scale: real = value / 2^scale. */
  readonly scale: number;
  /** Whether P0 knows l2. */
  readonly kind: 'masked' | 'additive';
  /** First half-round (even: P1 → P2, odd: P2 → P1) in which P1 can use `a` (of complete sharing: `m`). */
  readonly readyA: number;
  /** First half-round in which P2 can use `l2`, or `AHEAD`: of a masked wire always. */
  readonly readyL2: number;
  /** First half-round in which P2 can use `y` (of complete sharing: `m`); undefined when P2 does not hold it. */
  readonly readyY: number | undefined;
}

export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** What parties 0, 1 and 2 hold of a wire that they keep. */
export const HELD: Record<Sharing, readonly (readonly Component[])[]> = {
  'one-sided': [
    ['l1', 'l2'],
    ['a', 'l1'],
    ['y', 'l2'],
  ],
  complete: [
    ['l1', 'l2'],
    ['m', 'l1'],
    ['m', 'l2'],
  ],
};
