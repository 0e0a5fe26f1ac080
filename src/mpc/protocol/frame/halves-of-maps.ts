/**
 * One product a party for x·W with secret weights (PROTOCOL §4.4, ADR 74).
 *
 * W = M − L1 − L2 and x = m − λ1 − λ2. For any α that has an inverse and β = 1 − α that has one,
 *
 *   x·W = (m − λ1/α)·(αM − L1) + (m − λ2/β)·(βM − L2) + Λ·(L1 + L2) − λ1/α·L1 − λ2/β·L2.
 *
 * P1 knows the first product, P2 the second, P0 the rest. Modulo 2^64 no number does: one of α and 1 − α is even. So α
 * acts on the two halves of the inner dimension, as a sixth root of unity: β = 1 − α = 1/α, and P0's terms are one
 * product as well, (λ1α + λ2)·(L1 + βL2).
 *
 *   x·α = (−x₁, x₀ + x₁)    x·β = (x₀ + x₁, −x₀)    αM = (M₁; M₁ − M₀)    βM = (M₀ − M₁; M₀)
 *
 * An odd dimension has a zero behind it.
 */
import type { RingKernels } from '../../../compute/kernels/types.ts';
import { strided } from '../../../compute/pattern.ts';
import { type Vector, type Words, lengthOf, viewWords, zeros } from '../../../compute/ring.ts';

/** Rows of a half of a matrix. */
export function halfOf(inner: number): number {
  return Math.ceil(inner / 2);
}

/** Rows of `inner` words, with a zero behind each where that is odd. */
export async function evenRows(kernels: RingKernels, x: Vector, inner: number): Promise<Vector> {
  if (inner % 2 === 0) return x;
  const m = lengthOf(x) / inner;
  const places = Uint32Array.from({ length: m * (inner + 1) }, (_, i) => {
    const [row, column] = [Math.floor(i / (inner + 1)), i % (inner + 1)];
    return column === inner ? m * inner : row * inner + column;
  });
  return kernels.gather(await kernels.concat([x, zeros(1, x.k)]), places);
}

/** Every row is s·(x₀, x₀) + t·(x₁, x₁), with a factor for each half of the result. */
async function turned(
  kernels: RingKernels,
  x: Vector,
  inner: number,
  [s0, s1]: readonly [bigint, bigint],
  [t0, t1]: readonly [bigint, bigint],
): Promise<Vector> {
  const h = halfOf(inner);
  const even = await evenRows(kernels, x, inner);
  const m = lengthOf(even) / (2 * h);
  const twice = (from: number) => kernels.gather(even, strided(from, [m, 2 * h], [2, 0], [h, 1]));
  const factors = (first: bigint, second: bigint): Words => {
    const data = new BigUint64Array(2 * h);
    data.fill(BigInt.asUintN(64, first), 0, h);
    data.fill(BigInt.asUintN(64, second), h);
    return { k: 64, data };
  };
  const low = await kernels.mulRow(await twice(0), factors(s0, s1));
  return kernels.add(low, await kernels.mulRow(await twice(h), factors(t0, t1)));
}

/** x·α, row by row, over Z_2^64. */
export function timesAlpha(kernels: RingKernels, x: Vector, inner: number): Promise<Vector> {
  return turned(kernels, x, inner, [0n, 1n], [-1n, 1n]);
}

/** x·β. */
export function timesBeta(kernels: RingKernels, x: Vector, inner: number): Promise<Vector> {
  return turned(kernels, x, inner, [1n, -1n], [1n, 0n]);
}

/** Both halves of a matrix. What is missing of the second is zero. */
function halves(words: Words, inner: number): readonly [Words, Words] {
  const [h, cols] = [halfOf(inner), words.data.length / inner];
  const first = viewWords(words, 0, h * cols);
  if (inner % 2 === 0) return [first, viewWords(words, h * cols, inner * cols)];
  const second = zeros(h * cols, 64);
  (second.data as BigUint64Array).set(words.data.subarray(h * cols) as BigUint64Array);
  return [first, second];
}

/** αM − L, P1's factor with its mask, or βM − L, P2's. */
export async function partOfMatrix(
  kernels: RingKernels,
  party: 1 | 2,
  masked: Words,
  mask: Words,
  inner: number,
): Promise<Words> {
  const [[m0, m1], [l0, l1]] = [halves(masked, inner), halves(mask, inner)];
  const [first, second] = party === 1 ? [m1, await kernels.sub(m1, m0)] : [await kernels.sub(m0, m1), m0];
  return kernels.read(await kernels.concat([await kernels.sub(first, l0), await kernels.sub(second, l1)]));
}
