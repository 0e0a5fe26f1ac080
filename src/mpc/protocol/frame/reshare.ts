/**
 * What gates have in common whose result P2 re-shares to P1: the fresh mask λ2' ← k02 of the output, and P0's cross
 * term Γ = Γ1 + Γ2 with Γ1 ← k01.
 */
import { type Vector, wireLength } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import { Masked } from '../../share/masked.ts';
import type { Component, Wire } from '../../share/wire.ts';
import { type Gate, drawId, tagOf } from './gate.ts';
import { type Party, prgOf } from './party.ts';

export type ResharingGate = Gate & { readonly out: Wire };

/**
 * λ2' of the output, the one component of a gate's result that needs no message. SECURITY: asking for another one
 * before its message came is an error, never another party's mask (test/mpc/declared.test.ts).
 */
export async function outputMask(
  gate: ResharingGate,
  party: Party,
  component: Component,
  k = gate.out.k,
): Promise<Vector> {
  invariant(component === 'l2', `${gate.path}: component "${component}" is not there yet`);
  return party.kernels.draw(prgOf(party, 2).claim(drawId(gate, 'mask2'), gate, 'λ2'), k, gate.out.count);
}

/**
 * P2 → P1: P2's additive part of the result, or its upper bits, under a draw of their ring. The draw of a whole result
 * is kept as its λ2: the gates behind read it next, and would draw it again.
 * @returns the draw
 */
export async function sendReshared(
  gate: ResharingGate,
  p2: Party,
  part: Vector,
  phase: '21' | 'ahead' = '21',
): Promise<Vector> {
  const fresh = prgOf(p2, 2).takeMask(drawId(gate, 'mask2'), gate, 'λ2');
  const mask = await p2.kernels.draw(fresh.stream, part.k, gate.out.count);
  if (part.k === gate.out.k) p2.put(gate.out, 'l2', mask);
  await p2.link(1).send(tagOf(gate, phase), Masked.under(fresh, await p2.kernels.add(part, mask)));
  return mask;
}

export function recvReshared(gate: ResharingGate, p1: Party, k = gate.out.k): Promise<Vector> {
  return p1.link(2).recv(tagOf(gate, '21'), k, gate.out.count);
}

/** P0 → P2, ahead: Γ2 = Γ − Γ1, over the ring of Γ. */
export async function dealCross(gate: ResharingGate, p0: Party, cross: Vector): Promise<void> {
  const fresh = prgOf(p0, 1).takeMask(drawId(gate, 'cross'), gate, 'Γ1');
  const own = await p0.kernels.draw(fresh.stream, cross.k, gate.out.count);
  await p0.link(2).send(tagOf(gate, 'deal'), Masked.under(fresh, await p0.kernels.sub(cross, own)));
}

/** P2: Γ2 in wire form, kept until it is needed. */
export function recvCross(gate: ResharingGate, p2: Party, k = gate.out.k): Promise<Uint8Array> {
  return p2.link(0).recvBytes(tagOf(gate, 'deal'), wireLength(k, gate.out.count));
}

/** Γ1 at P1. */
export function crossOfP1(gate: ResharingGate, p1: Party, k = gate.out.k): Promise<Vector> {
  return p1.kernels.draw(prgOf(p1, 1).claim(drawId(gate, 'cross'), gate, 'Γ1'), k, gate.out.count);
}
