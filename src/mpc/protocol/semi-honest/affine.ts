/**
 * Affine maps Σ x·W + Σ x∘row with model weights, over Z_2^64, untruncated. Their results are additive wires.
 *
 * Open weights (PROTOCOL §4.3): P1 computes Σ a·W, P2 computes Σ l2·W. Nobody sends anything. P0 does not know W.
 *
 * Secret weights W = M − L1 − L2 (PROTOCOL §4.4, §10; a product with the operand W, whose masks come from the model
 * owner's seeds). x is lifted, m = a_x + λ1x = y_x + λ2x:
 *   P0 → P2  Γ2 = Σ Λx·(L1 + L2) − Γ1                       ahead
 *   P1       a = Γ1 − Σ λ1x·M − Σ m·L1,                     the first two ahead
 *   P2       l2 = −(Σ y_x·(M − L2) − λ2x·L2 + Γ2)
 * Γ1 is a draw of its own, so l2 is uniform whatever x and W are: what is shifted behind it is right in the mean.
 */
import type { Vector } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import type { Component, Wire } from '../../share/wire.ts';
import type { AffineTerm } from '../types.ts';
import { notDerived, refuseAdditive } from './additive.ts';
import type { LocalNode } from '../frame/local.ts';
import type { Party } from '../frame/party.ts';
import { type Position, Relation } from '../frame/relation.ts';
import { crossOfP1, dealCross, recvCross } from '../frame/reshare.ts';
import { affineTraits, maskTotal, total } from '../frame/weighted-sums.ts';

export function openAffine(terms: readonly AffineTerm[], count: number, out: () => Wire): LocalNode {
  return {
    inputs: terms.map((term) => term.x),
    traits: ['affine', affineTraits(terms)],
    apply: (party, _component, operands) =>
      total(party, terms, count, async (_x, term) => operands[term], 'clear', party.bitsRead(out())),
  };
}

export class SecretAffineGate extends Relation {
  readonly relation = 'affine' as const;
  readonly #terms: readonly AffineTerm[];

  constructor(position: Position, terms: readonly AffineTerm[], out: Wire) {
    const inputs = terms.map((term) => term.x);
    refuseAdditive(position.path, inputs);
    invariant(out.kind === 'additive', `${position.path}: nobody sends P2's part of a map`);
    super(position, out, { inputs, traits: [affineTraits(terms)], cost: { p0ToP2Ahead: 8 * out.count } });
    this.#terms = terms;
  }

  /** Each party's part waits for its operands alone. Made when it is first read, of words that are kept once. */
  component(party: Party, component: Component): Promise<Vector> {
    if (party.id === 1 && component === 'a') return this.#partOfP1(party);
    if (party.id === 2 && component === 'l2') return this.#partOfP2(party);
    return notDerived(this, component);
  }

  async dealP0(p0: Party): Promise<void> {
    const { kernels } = p0;
    const sum = await maskTotal(
      p0,
      this.#terms,
      this.out.count,
      async (x) => kernels.add(await p0.value(x, 'l1'), await p0.value(x, 'l2')),
      'l1+l2',
    );
    await dealCross(this, p0, sum);
  }

  /** Γ1 − Σ λ1·M: all of P1's part that does not depend on the input. */
  async dealP1(p1: Party): Promise<void> {
    const masked = await total(p1, this.#terms, this.out.count, (x) => p1.value(x, 'l1'), 'm');
    p1.keep(this, await p1.kernels.sub(await crossOfP1(this, p1), masked));
  }

  /** Γ2 − Σ λ2·L2. */
  async dealP2(p2: Party): Promise<void> {
    const dealt = await p2.kernels.unpack(await recvCross(this, p2), 64, this.out.count);
    p2.keep(
      this,
      await p2.kernels.sub(dealt, await maskTotal(p2, this.#terms, this.out.count, (x) => p2.value(x, 'l2'), 'l2')),
    );
  }

  async #partOfP1(p1: Party): Promise<Vector> {
    const { kernels } = p1;
    const own = await total(
      p1,
      this.#terms,
      this.out.count,
      async (x) => kernels.add(await p1.value(x, 'a'), await p1.value(x, 'l1')),
      'l1',
    );
    return kernels.sub(p1.take(this), own);
  }

  async #partOfP2(p2: Party): Promise<Vector> {
    const lifted = await total(p2, this.#terms, this.out.count, (x) => p2.value(x, 'y'), 'm-l2');
    return p2.kernels.scale(await p2.kernels.add(lifted, p2.take(this)), -1n);
  }
}
