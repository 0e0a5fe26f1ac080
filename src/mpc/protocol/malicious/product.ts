/**
 * Products of two secrets (PROTOCOL §14.5), '·' any bilinear map: elementwise, or a batched matrix product.
 *
 *   P0 → P2, ahead   Γ2 = ⌈(Λx·Λy − ρ1 − ρ2) / 2^d⌉ − Γ1   Λ = λ1 + λ2; Γ1 ← k01, both over Z_2^(k−d)
 *   P2 → P1          q = m_x·m_y − m_x·λ2y − λ2x·m_y + 2^d·Γ2 + λ2'
 *   P1 → P2          m = q − λ1x·m_y − m_x·λ1y + 2^d·Γ1 + λ1'
 *
 * ρi = λi' mod 2^d is what the local shift behind the gate adds of the masks. So that shift gives ⌊(x·y + ρ)/2^d⌋ with
 * one coin ρ = (ρ1 + ρ2 − Λx·Λy) mod 2^d (PROTOCOL §14.7). Only P0's word is short: what P1 and P2 send is linear in
 * what they received, as a proof wants it. With d = 0 it is exact.
 */
import type { ProductShape } from '../../../compute/kernels/types.ts';
import { type Vector, wireLength } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import type { PartyId } from '../../../net/wire/types.ts';
import type { Wire } from '../../share/wire.ts';
import type { Halves, Proved } from '../frame/gate.ts';
import type { Party } from '../frame/party.ts';
import type { Position } from '../frame/relation.ts';
import { crossOfP1, dealCross, recvCross, recvReshared, sendReshared } from '../frame/reshare.ts';
import { raised, roundUp } from '../frame/rounding.ts';
import { elementwise, matrixRelation, wordsOfRow } from './relations.ts';
import { productHalves } from './witness/product.ts';
import { CompleteRelation, coinOf, mask1 } from './complete.ts';

/** What is proved of a product, by its prover: two products of a factor of V's and one of W's, and words of each. */
export type ProvedPart = readonly [prover: PartyId, message: string, negative?: boolean];

/** A relation for each part, or for each of a batch. */
export function bilinearRelations(
  shape: ProductShape | undefined,
  out: Wire,
  parts: readonly ProvedPart[],
): readonly Proved[] {
  const words = wordsOfRow(shape);
  if (words !== undefined) return parts.map(([prover, message]) => elementwise(prover, message, out, 2 * words));
  const { batch, m, inner, n } = shape as ProductShape;
  const one = { shape: [m, n], k: out.k, count: m * n };
  // Of the two products each has one factor of V's and one of W's, the other way round.
  return parts.flatMap(([prover, message, negative = false]) => {
    const terms = (['V', 'W'] as const).map((left) => ({ left, negative, inner }));
    return Array.from({ length: batch }, () => matrixRelation(prover, message, one, terms));
  });
}

/** P0's Γ2 is proved where it may gain by a false one. */
function relationsOf(shape: ProductShape | undefined, out: Wire, secret: boolean): readonly Proved[] {
  const gamma: ProvedPart = [0, 'product.gamma', true];
  return bilinearRelations(shape, out, [...(secret ? [gamma] : []), [2, 'product.q'], [1, 'product.m']]);
}

export class CompleteProductGate extends CompleteRelation {
  readonly relation = 'product' as const;
  readonly relations: readonly Proved[];
  readonly halves: readonly Halves[];
  readonly #x: Wire;
  readonly #y: Wire;
  readonly #shape: ProductShape | undefined;
  readonly #drop: number;

  /** `shape` undefined: elementwise. `drop`: low bits of the result that P0's word lacks. */
  constructor(
    position: Position,
    x: Wire,
    y: Wire,
    shape: ProductShape | undefined,
    out: Wire,
    half21: number,
    drop: number,
    secret: boolean,
  ) {
    invariant(out.k === x.k && drop < out.k, `${position.path}: the result has the ring of its operands`);
    const word = wireLength(out.k, out.count);
    super(position, out, {
      inputs: [x, y],
      half21,
      half12: half21 + 1,
      // Versions that number relations otherwise cannot prove to each other.
      traits: [shape && { ...shape }, 'short', drop, ...(shape !== undefined && wordsOfRow(shape) ? ['rows'] : [])],
      cost: { p0ToP2Ahead: wireLength(out.k - drop, out.count), p2ToP1: word, p1ToP2: word },
    });
    this.#x = x;
    this.#y = y;
    this.#shape = shape;
    this.#drop = drop;
    this.relations = relationsOf(shape, out, secret);
    this.halves = productHalves(this, { x, y, shape, drop }, secret);
  }

  #times(party: Party, x: Vector, y: Vector): Promise<Vector> {
    return this.#shape === undefined ? party.kernels.mul(x, y) : party.kernels.matmul(x, y, this.#shape);
  }

  /** A word of the dealer, at its place in the ring. */
  #whole({ kernels }: Party, word: Vector): Promise<Vector> {
    return raised(kernels, word, this.#drop, this.out.k);
  }

  async dealP0(p0: Party): Promise<void> {
    const { kernels } = p0;
    const x = await kernels.add(await p0.value(this.#x, 'l1'), await p0.value(this.#x, 'l2'));
    const y = await kernels.add(await p0.value(this.#y, 'l1'), await p0.value(this.#y, 'l2'));
    await dealCross(this, p0, await this.#short(p0, await this.#times(p0, x, y)));
  }

  /** Γ over Z_2^(k−d): less what the shift behind the gate will add, rounded up. */
  async #short(p0: Party, cross: Vector): Promise<Vector> {
    if (this.#drop === 0) return cross;
    const { kernels } = p0;
    let rest = cross;
    for (const side of ['l1', 'l2'] as const)
      rest = await kernels.sub(rest, await coinOf(p0, await p0.value(this.out, side), this.#drop));
    return roundUp(kernels, rest, this.#drop);
  }

  async dealP2(p2: Party): Promise<void> {
    p2.keep(this, await recvCross(this, p2, this.out.k - this.#drop));
  }

  /** m_x·(m_y − λ2y) − λ2x·m_y. */
  async send21(p2: Party): Promise<void> {
    const { kernels } = p2;
    const cross = await kernels.unpack(p2.takeBytes(this), this.out.k - this.#drop, this.out.count);
    const left = await this.#times(p2, await p2.value(this.#x, 'm'), await p2.value(this.#y, 'y'));
    const right = await this.#times(p2, await p2.value(this.#x, 'l2'), await p2.value(this.#y, 'm'));
    await sendReshared(this, p2, await kernels.add(await kernels.sub(left, right), await this.#whole(p2, cross)));
  }

  async recv21(p1: Party): Promise<void> {
    const { kernels } = p1;
    const left = await this.#times(p1, await p1.value(this.#x, 'l1'), await p1.value(this.#y, 'm'));
    const right = await this.#times(p1, await p1.value(this.#x, 'm'), await p1.value(this.#y, 'l1'));
    const cross = await this.#whole(p1, await crossOfP1(this, p1, this.out.k - this.#drop));
    const own = await kernels.sub(await kernels.add(cross, await mask1(this, p1)), await kernels.add(left, right));
    p1.put(this.out, 'm', await kernels.add(await recvReshared(this, p1), own));
  }

  send12(p1: Party): Promise<void> {
    return this.sendM(p1);
  }

  recv12(p2: Party): Promise<void> {
    return this.recvM(p2);
  }
}
