/**
 * Sums of affine maps with secret weights, from what a compute party keeps: αM − L1 or βM − L2 of a matrix
 * (`halves-of-maps.ts`), and the seed of its own mask. Messages of complete sharing are of M and of masks, so each
 * party multiplies twice:
 *
 *   P1   λ1·M + m·L1 = λ1/α·(αM − L1) + (λ1/α + m)·L1
 *   P2   y·(M − L2) − λ2·L2 = y/β·(βM − L2) − (y·β + λ2)·L2
 */
import type { RingKernels } from '../../../compute/kernels/types.ts';
import { strided } from '../../../compute/pattern.ts';
import { type Vector, lengthOf } from '../../../compute/ring.ts';
import type { Wire } from '../../share/wire.ts';
import type { AffineTerm } from '../types.ts';
import { halfOf, timesAlpha, timesBeta } from '../frame/halves-of-maps.ts';
import type { Party } from '../frame/party.ts';
import { mapsOf, maskTotal, rowsOf, total } from '../frame/weighted-sums.ts';

/** Of rows that got a zero, the words before it. */
async function asMany(kernels: RingKernels, x: Vector, inner: number): Promise<Vector> {
  const wide = 2 * halfOf(inner);
  return wide === inner ? x : kernels.gather(x, strided(0, [lengthOf(x) / wide, wide], [inner, 1]));
}

/** P0: Σ Λ·(L1 + L2). */
export async function completeTotal(p0: Party, terms: readonly AffineTerm[], count: number): Promise<Vector> {
  const { kernels } = p0;
  const both = async (x: Wire) => kernels.add(await p0.value(x, 'l1'), await p0.value(x, 'l2'));
  const maps = await maskTotal(p0, mapsOf(terms), count, both, ['l1', 'l2']);
  return kernels.add(maps, await total(p0, rowsOf(terms), count, both, 'l1+l2'));
}

/** Σ λ2·L2, which P0 and P2 know. */
export async function masksOfP2(party: Party, terms: readonly AffineTerm[], count: number): Promise<Vector> {
  const mask = (x: Wire) => party.value(x, 'l2');
  const maps = await maskTotal(party, mapsOf(terms), count, mask, ['l2']);
  return party.kernels.add(maps, await total(party, rowsOf(terms), count, mask, 'l2'));
}

/** P1, without the input: Σ λ1/α·(αM − L1), of rows Σ λ1∘M. */
export async function masksOfP1(p1: Party, terms: readonly AffineTerm[], count: number): Promise<Vector> {
  const { kernels } = p1;
  const maps = mapsOf(terms);
  const mask = async (x: Wire, term: number) => timesBeta(kernels, await p1.value(x, 'l1'), maps[term].weight.rows);
  const rows = await total(p1, rowsOf(terms), count, (x) => p1.value(x, 'l1'), 'm');
  return kernels.add(await total(p1, maps, count, mask, 'αm-l1'), rows);
}

/** P1, with it: Σ (λ1/α + m)·L1, of rows Σ m∘L1. */
export async function liftedOfP1(p1: Party, terms: readonly AffineTerm[], count: number): Promise<Vector> {
  const { kernels } = p1;
  const factor = async (x: Wire, inner: number) => {
    const turned = await asMany(kernels, await timesBeta(kernels, await p1.value(x, 'l1'), inner), inner);
    return kernels.add(turned, await p1.value(x, 'm'));
  };
  const rows = await total(p1, rowsOf(terms), count, (x) => p1.value(x, 'm'), 'l1');
  return kernels.add(await maskTotal(p1, mapsOf(terms), count, factor, ['l1']), rows);
}

/** P2: Σ y/β·(βM − L2) − (y·β + λ2)·L2, of rows Σ y∘(M − L2) − λ2∘L2. */
export async function partOfP2(p2: Party, terms: readonly AffineTerm[], count: number): Promise<Vector> {
  const { kernels } = p2;
  const maps = mapsOf(terms);
  const lifted = async (x: Wire, term: number) => timesAlpha(kernels, await p2.value(x, 'y'), maps[term].weight.rows);
  const factor = async (x: Wire, inner: number) => {
    const turned = await asMany(kernels, await timesBeta(kernels, await p2.value(x, 'y'), inner), inner);
    return kernels.add(turned, await p2.value(x, 'l2'));
  };
  const part = await kernels.sub(
    await total(p2, maps, count, lifted, 'βm-l2'),
    await maskTotal(p2, maps, count, factor, ['l2']),
  );
  const rows = rowsOf(terms);
  const shown = await kernels.add(part, await total(p2, rows, count, (x) => p2.value(x, 'y'), 'm-l2'));
  return kernels.sub(shown, await total(p2, rows, count, (x) => p2.value(x, 'l2'), 'l2'));
}
