/**
 * Affine maps Σ x·W + Σ x∘row with model weights, over Z_2^64, untruncated (PROTOCOL §14.4).
 *
 * Open weights. P0 needs no W:
 *   P2 → P1, ahead   q = −Σ λ2·W + λ2'
 *   P1 → P2          m' = Σ (m − λ1)·W + q + λ1'
 *
 * Secret weights W = M − L1 − L2:
 *   P0 → P2, ahead   Γ2 = Σ Λ·(L1 + L2) − Γ1
 *   P2 → P1          q = Σ (m − λ2)·(M − L2) − λ2·L2 + Γ2 + λ2'  (= m·M − m·L2 − λ2·M + …)
 *   P1 → P2          m' = q − Σ λ1·M − m·L1 + Γ1 + λ1'
 */
import { type Vector, wireLength } from '../../../compute/ring.ts';
import type { Wire } from '../../share/wire.ts';
import type { AffineTerm } from '../types.ts';
import type { MatrixTerm, Side } from '../../proof/relations.ts';
import { type Halves, type Proved, tagOf } from '../frame/gate.ts';
import type { Party } from '../frame/party.ts';
import type { Position } from '../frame/relation.ts';
import { crossOfP1, dealCross, recvCross, recvReshared, sendReshared } from '../frame/reshare.ts';
import { affineTraits, total } from '../frame/weighted-sums.ts';
import { matrixRelation } from './relations.ts';
import { completeTotal, liftedOfP1, masksOfP1, partOfP2 } from './secret-sums.ts';
import { openAffineHalves, secretAffineHalves } from './witness/affine.ts';
import { CompleteRelation, mask1 } from './complete.ts';

/** A row on the diagonal is a square matrix. Of every summand one product for each `left`, who knows the factor x. */
function inners(terms: readonly AffineTerm[], left: readonly Side[], negative = false): readonly MatrixTerm[] {
  return terms.flatMap(({ weight, diagonal }) =>
    left.map((side) => ({
      ...{ left: side, negative, inner: diagonal === true ? weight.cols : weight.rows },
      fetched: true,
    })),
  );
}

export class CompleteAffineGate extends CompleteRelation {
  readonly relation = 'affine' as const;
  readonly relations: readonly Proved[];
  readonly halves: readonly Halves[];
  readonly #terms: readonly AffineTerm[];
  readonly #phase: 'ahead' | '21';

  /** @param half21 when q goes, where it cannot go ahead: λ2 of an operand follows from the input (PROTOCOL §17) */
  constructor(position: Position, terms: readonly AffineTerm[], out: Wire, half12: number, half21?: number) {
    const word = wireLength(out.k, out.count);
    super(position, out, {
      inputs: terms.map(({ x }) => x),
      half12,
      half21,
      traits: [affineTraits(terms)],
      cost: { ...(half21 === undefined ? { p2ToP1Ahead: word } : { p2ToP1: word }), p1ToP2: word },
    });
    this.#terms = terms;
    this.#phase = half21 === undefined ? 'ahead' : '21';
    this.halves = openAffineHalves(this, terms, this.#phase);
    this.relations = [
      matrixRelation(2, 'affine.q', out, inners(terms, ['W'])),
      matrixRelation(1, 'affine.m', out, inners(terms, ['W'])),
    ];
  }

  async dealP2(p2: Party): Promise<void> {
    if (this.#phase === 'ahead') await this.#sendQ(p2);
  }

  async dealP1(p1: Party): Promise<void> {
    if (this.#phase === 'ahead') await this.#recvQ(p1);
  }

  async send21(p2: Party): Promise<void> {
    await this.#sendQ(p2);
  }

  async recv21(p1: Party): Promise<void> {
    await this.#recvQ(p1);
  }

  async #sendQ(p2: Party): Promise<void> {
    const masked = await total(p2, this.#terms, this.out.count, (x) => p2.value(x, 'l2'), 'clear');
    await sendReshared(this, p2, await p2.kernels.scale(masked, -1n), this.#phase);
  }

  async #recvQ(p1: Party): Promise<void> {
    p1.keep(this, await p1.link(2).recvBytes(tagOf(this, this.#phase), wireLength(this.out.k, this.out.count)));
  }

  async send12(p1: Party): Promise<void> {
    const { kernels } = p1;
    const own = await total(p1, this.#terms, this.out.count, (x) => p1.value(x, 'a'), 'clear');
    const ahead = await kernels.unpack(p1.takeBytes(this), this.out.k, this.out.count);
    p1.put(this.out, 'm', await kernels.add(own, await kernels.add(ahead, await mask1(this, p1))));
    await this.sendM(p1);
  }

  recv12(p2: Party): Promise<void> {
    return this.recvM(p2);
  }
}

export class CompleteSecretAffineGate extends CompleteRelation {
  readonly relation = 'affine' as const;
  readonly relations: readonly Proved[];
  readonly halves: readonly Halves[];
  readonly #terms: readonly AffineTerm[];

  /** @param owner the half-round of Γ2, where it cannot go ahead: masks of an operand follow from the input */
  constructor(position: Position, terms: readonly AffineTerm[], out: Wire, half21: number, owner?: number) {
    const word = wireLength(out.k, out.count);
    super(position, out, {
      inputs: terms.map(({ x }) => x),
      half21,
      half12: half21 + 1,
      owner: owner === undefined ? undefined : { half: owner, p0ToP2: word },
      traits: [affineTraits(terms)],
      cost: { ...(owner === undefined ? { p0ToP2Ahead: word } : {}), p2ToP1: word, p1ToP2: word },
    });
    this.#terms = terms;
    this.halves = secretAffineHalves(this, terms);
    this.relations = [
      matrixRelation(0, 'affine.gamma', out, inners(terms, ['V', 'W'], true)),
      matrixRelation(2, 'affine.q', out, inners(terms, ['V', 'W'])),
      matrixRelation(1, 'affine.m', out, inners(terms, ['W', 'V'])),
    ];
  }

  async dealP0(p0: Party): Promise<void> {
    if (this.owner === undefined) await this.#deal(p0);
  }

  async dealP1(p1: Party): Promise<void> {
    if (this.owner === undefined) p1.keep(this, await this.#ownPart(p1));
  }

  async dealP2(p2: Party): Promise<void> {
    if (this.owner === undefined) await this.#take(p2);
  }

  send02(p0: Party): Promise<void> {
    return this.#deal(p0);
  }

  recv02(p2: Party): Promise<void> {
    return this.#take(p2);
  }

  async #deal(p0: Party): Promise<void> {
    await dealCross(this, p0, await completeTotal(p0, this.#terms, this.out.count));
  }

  /** Γ1 + λ1' − Σ λ1/α·(αM − L1): all of P1's part that does not depend on the input, but for masks of matrices. */
  async #ownPart(p1: Party): Promise<Vector> {
    const { kernels } = p1;
    const masked = await masksOfP1(p1, this.#terms, this.out.count);
    const own = await kernels.add(await crossOfP1(this, p1), await mask1(this, p1));
    return kernels.sub(own, masked);
  }

  /** Γ2. */
  async #take(p2: Party): Promise<void> {
    p2.keep(this, await recvCross(this, p2));
  }

  async send21(p2: Party): Promise<void> {
    const { kernels } = p2;
    const dealt = await kernels.unpack(p2.takeBytes(this), this.out.k, this.out.count);
    await sendReshared(this, p2, await kernels.add(dealt, await partOfP2(p2, this.#terms, this.out.count)));
  }

  async recv21(p1: Party): Promise<void> {
    const { kernels } = p1;
    const own = await liftedOfP1(p1, this.#terms, this.out.count);
    const ahead = this.owner === undefined ? p1.take(this) : await this.#ownPart(p1);
    const q = await recvReshared(this, p1);
    p1.put(this.out, 'm', await kernels.sub(await kernels.add(q, ahead), own));
  }

  send12(p1: Party): Promise<void> {
    return this.sendM(p1);
  }

  recv12(p2: Party): Promise<void> {
    return this.recvM(p2);
  }
}
