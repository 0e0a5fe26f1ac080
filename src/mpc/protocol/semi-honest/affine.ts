/**
 * Affine maps Σ x·W + Σ x∘row with model weights, over Z_2^64, untruncated.
 *
 * Open weights (PROTOCOL §4.3): P1 computes Σ a·W, P2 computes Σ l2·W. Nobody sends anything. P0 does not know W, so
 * the result is an additive wire.
 *
 * Secret weights W = M − L1 − L2 (PROTOCOL §4.4, §10; a product with the operand W, whose masks come from the model
 * owner's seeds):
 *   P0 → P2  Γ2 = Σ Λx·(L1 + L2) − Γ1              ahead
 *   P2 → P1  Σ y_x·(M − L2) − λ2x·L2 + Γ2 + λ2'    half a round
 *   P1       a = message − Σ λ1x·M + (a_x + λ1x)·L1 + Γ1,   the first product ahead
 */
import type { Wire } from '../../share/wire.ts';
import type { AffineTerm } from '../types.ts';
import { refuseAdditive } from './additive.ts';
import type { LocalNode } from '../frame/local.ts';
import type { Party } from '../frame/party.ts';
import { type Position, MaskedRelation } from '../frame/relation.ts';
import { crossOfP1, dealCross, recvCross, recvReshared, sendReshared } from '../frame/reshare.ts';
import { affineTraits, maskTotal, total } from '../frame/weighted-sums.ts';

export function openAffine(terms: readonly AffineTerm[], count: number): LocalNode {
  return {
    inputs: terms.map((term) => term.x),
    traits: ['affine', affineTraits(terms)],
    apply: (party, _component, operands) => total(party, terms, count, async (_x, term) => operands[term], 'clear'),
  };
}

export class SecretAffineGate extends MaskedRelation {
  readonly relation = 'affine' as const;
  readonly #terms: readonly AffineTerm[];

  constructor(position: Position, terms: readonly AffineTerm[], out: Wire, half21: number) {
    const inputs = terms.map((term) => term.x);
    refuseAdditive(position.path, inputs);
    super(position, out, {
      inputs,
      half21,
      traits: [affineTraits(terms)],
      cost: { p0ToP2Ahead: 8 * out.count, p2ToP1: 8 * out.count },
    });
    this.#terms = terms;
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

  async send21(p2: Party): Promise<void> {
    const lifted = await total(p2, this.#terms, this.out.count, (x) => p2.value(x, 'y'), 'm-l2');
    await sendReshared(this, p2, await p2.kernels.add(lifted, p2.take(this)));
  }

  async recv21(p1: Party): Promise<void> {
    const { kernels } = p1;
    const own = await total(
      p1,
      this.#terms,
      this.out.count,
      async (x) => kernels.add(await p1.value(x, 'a'), await p1.value(x, 'l1')),
      'l1',
    );
    const ahead = p1.take(this);
    const message = await recvReshared(this, p1);
    p1.put(this.out, 'a', await kernels.sub(await kernels.add(message, ahead), own));
  }
}
