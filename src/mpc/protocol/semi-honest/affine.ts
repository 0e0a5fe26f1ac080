/**
 * Affine maps Σ x·W + Σ x∘row with model weights, over Z_2^64, untruncated. Their results are additive wires.
 *
 * Open weights (PROTOCOL §4.3): P1 computes Σ a·W, P2 computes Σ l2·W. Nobody sends anything. P0 does not know W.
 *
 * Secret weights W = M − L1 − L2 (PROTOCOL §4.4, §10; a product with the operand W, whose masks come from the model
 * owner's seeds). x is lifted, m = a_x + λ1x = y_x + λ2x. A party multiplies once (`halves-of-maps.ts`):
 *   P0 → P2  Γ2 = Σ (λ1x·α + λ2x)·(L1 + βL2) − Γ1           ahead
 *   P1       a = Γ1 + Σ (a_x + λ1x·α)·(αM − L1)
 *   P2       l2 = −(Σ (y_x + λ2x·β)·(βM − L2) + Γ2)
 * Γ1 is a draw of its own, so l2 is uniform whatever x and W are: what is shifted behind it is right in the mean.
 * All is computed modulo 2^bits, where no more is read of the result. Γ2 is sent whole, and its other bits are −Γ1's.
 */
import type { Vector } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import type { Component, Wire } from '../../share/wire.ts';
import type { AffineTerm } from '../types.ts';
import { notDerived, refuseAdditive } from './additive.ts';
import { evenRows, timesAlpha, timesBeta } from '../frame/halves-of-maps.ts';
import type { LocalNode } from '../frame/local.ts';
import type { Party } from '../frame/party.ts';
import { type Position, Relation } from '../frame/relation.ts';
import { crossOfP1, dealCross, recvCross } from '../frame/reshare.ts';
import { affineTraits, dealtTotal, mapsOf, rowsOf, total } from '../frame/weighted-sums.ts';

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
    // Parties that multiply otherwise have parts that do not fit.
    const traits = ['halves', affineTraits(terms)];
    super(position, out, { inputs, traits, cost: { p0ToP2Ahead: 8 * out.count } });
    this.#terms = terms;
  }

  /** Each party's part waits for its operands alone. Made when it is first read, of words that are kept once. */
  component(party: Party, component: Component): Promise<Vector> {
    if (party.id === 1 && component === 'a') return this.#partOfP1(party);
    if (party.id === 2 && component === 'l2') return this.#partOfP2(party);
    return notDerived(this, component);
  }

  async dealP0(p0: Party): Promise<void> {
    await dealCross(this, p0, await dealtTotal(p0, this.#terms, this.out.count, p0.bitsRead(this.out)));
  }

  async dealP2(p2: Party): Promise<void> {
    p2.keep(this, await recvCross(this, p2));
  }

  async #partOfP1(p1: Party): Promise<Vector> {
    const { kernels } = p1;
    const { count } = this.out;
    const factor = async (x: Wire, inner: number) =>
      kernels.add(
        await evenRows(kernels, await p1.value(x, 'a'), inner),
        await timesAlpha(kernels, await p1.value(x, 'l1'), inner),
      );
    const maps = mapsOf(this.#terms);
    const product = await total(
      p1,
      maps,
      count,
      (x, term) => factor(x, maps[term].weight.rows),
      'αm-l1',
      p1.bitsRead(this.out),
    );
    const part = await kernels.add(await crossOfP1(this, p1), product);
    const rows = rowsOf(this.#terms);
    if (rows.length === 0) return part;
    const lifted = async (x: Wire) => kernels.add(await p1.value(x, 'a'), await p1.value(x, 'l1'));
    const masked = await total(p1, rows, count, (x) => p1.value(x, 'l1'), 'm');
    return kernels.sub(part, await kernels.add(masked, await total(p1, rows, count, lifted, 'l1')));
  }

  async #partOfP2(p2: Party): Promise<Vector> {
    const { kernels } = p2;
    const { count } = this.out;
    const factor = async (x: Wire, inner: number) =>
      kernels.add(
        await evenRows(kernels, await p2.value(x, 'y'), inner),
        await timesBeta(kernels, await p2.value(x, 'l2'), inner),
      );
    const maps = mapsOf(this.#terms);
    const product = await total(
      p2,
      maps,
      count,
      (x, term) => factor(x, maps[term].weight.rows),
      'βm-l2',
      p2.bitsRead(this.out),
    );
    let part = await kernels.add(product, await kernels.unpack(p2.takeBytes(this), 64, count, 'given'));
    const rows = rowsOf(this.#terms);
    if (rows.length > 0) {
      part = await kernels.add(part, await total(p2, rows, count, (x) => p2.value(x, 'y'), 'm-l2'));
      part = await kernels.sub(part, await total(p2, rows, count, (x) => p2.value(x, 'l2'), 'l2'));
    }
    return kernels.scale(part, -1n);
  }
}
