/**
 * How each party rounds its part of a short gate (PROTOCOL §5.5): from k bits to the k − d bits in which the gate's
 * result is shared.
 *
 * SECURITY: a part is rounded first and masked afterwards, by a draw over the short ring. A mask that is drawn over k
 * bits and cleared below would leave the low bits of a longer message open.
 */
import type { RingKernels } from '../../../compute/kernels/types.ts';
import type { Vector } from '../../../compute/ring.ts';

/** (x + c) / 2^d rounded down, over Z_2^(k−d). */
async function shifted(kernels: RingKernels, x: Vector, c: bigint, d: number): Promise<Vector> {
  return kernels.shiftRight(c === 0n ? x : await kernels.offset(x, c), d, x.k - d);
}

/** P0's part, ⌈x/2^d⌉: with P2's, one floor of the sum under a uniform coin. */
export async function roundUp(kernels: RingKernels, x: Vector, d: number): Promise<Vector> {
  return d === 0 ? x : shifted(kernels, x, (1n << BigInt(d)) - 1n, d);
}

/** P2's part, ⌊x/2^d⌋. */
export async function roundDown(kernels: RingKernels, x: Vector, d: number): Promise<Vector> {
  return d === 0 ? x : shifted(kernels, x, 0n, d);
}

/** P1's part, where it has one: to the nearest. */
export async function roundNearest(kernels: RingKernels, x: Vector, d: number): Promise<Vector> {
  return d === 0 ? x : shifted(kernels, x, 1n << BigInt(d - 1), d);
}

/** x·2^d over Z_2^k: a word that was dealt without its low bits. */
export async function raised(kernels: RingKernels, x: Vector, d: number, k: number): Promise<Vector> {
  return d === 0 ? x : kernels.scale(await kernels.cast(x, k), 1n << BigInt(d));
}
