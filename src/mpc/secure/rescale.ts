/** Shifts by what they are for: from the scale that a wire has to the scale that its reader wants. */
import { invariant } from '../../core/errors.ts';
import type { Gates, Wire } from './gates.ts';

/** log2 by which x is larger than at `scale`. */
function bitsAbove(x: Wire, scale: number): number {
  invariant(scale <= x.scale, `rescale: scale ${x.scale} cannot be refined to ${scale}`);
  return x.scale - scale;
}

/**
 * x at a coarser scale, in Z_2^ring or in all bits that the shift leaves: ⌊x + ρ⌋ in units of 2^−scale. A negative
 * scale reads units larger than one. Free.
 *
 * @example rescale(gates, product, 13, 17)   // scale 32 over Z_2^64 → scale 13 over Z_2^17
 */
export function rescale(gates: Gates, x: Wire, scale: number, ring?: number): Wire {
  const shifted = gates.shift(x, bitsAbove(x, scale));
  return ring === undefined ? shifted : gates.reduce(shifted, ring);
}
