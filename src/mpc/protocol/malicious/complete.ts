/**
 * What every gate of complete sharing has (PROTOCOL §14.1): its result is x = m − λ1 − λ2, P1 holds m and λ1, P2
 * holds m and λ2, P0 both masks. Each word that is sent carries a mask of its own draw which its receiver does not
 * know: λ2 of the result towards P1, λ1 of the result towards P2.
 */
import type { Vector } from '../../../compute/ring.ts';
import { MAX_INDEX_BITS } from '../../../compute/index-group.ts';
import { invariant } from '../../../core/errors.ts';
import { Masked } from '../../share/masked.ts';
import type { Component, Wire } from '../../share/wire.ts';
import { type Gate, drawId, tagOf } from '../frame/gate.ts';
import { type Party, prgOf } from '../frame/party.ts';
import { Relation } from '../frame/relation.ts';
import { outputMask } from '../frame/reshare.ts';

type CompleteGate = Gate & { readonly out: Wire };

/** λ1 of a result, at P0 and P1. */
export function mask1(gate: CompleteGate, party: Party): Promise<Vector> {
  return party.kernels.draw(prgOf(party, 1).claim(drawId(gate, 'mask1'), gate, 'λ1'), gate.out.k, gate.out.count);
}

/** λ2 of a result, at P0 and P2. */
export function mask2(gate: CompleteGate, party: Party): Promise<Vector> {
  return outputMask(gate, party, 'l2');
}

/** What a shift by d adds of a component: its residue mod 2^d, over the component's ring. */
export async function coinOf({ kernels }: Party, mask: Vector, d: number): Promise<Vector> {
  return kernels.cast(await kernels.cast(mask, d), mask.k);
}

/** A gate with fresh λ1 and λ2 for its result. */
export abstract class CompleteRelation extends Relation {
  async component(party: Party, component: Component): Promise<Vector> {
    return component === 'l1' ? mask1(this, party) : outputMask(this, party, component);
  }

  /** P1 → P2: m, under λ1. */
  protected async sendM(p1: Party): Promise<void> {
    const fresh = prgOf(p1, 1).takeMask(drawId(this, 'mask1'), this, 'λ1');
    await p1.link(2).send(tagOf(this, '12'), Masked.under(fresh, await p1.value(this.out, 'm')));
  }

  protected async recvM(p2: Party): Promise<void> {
    p2.put(this.out, 'm', await p2.link(1).recv(tagOf(this, '12'), this.out.k, this.out.count));
  }
}

/** SECURITY: what a proof folds must fit. @throws {TercetError} ERR_INTERNAL for a function of more indices */
export function checkIndex(path: string, bits: number): void {
  invariant(
    bits <= MAX_INDEX_BITS,
    `${path}: a function of 2^${bits} indices, and at most 2^${MAX_INDEX_BITS} are proved`,
  );
}
