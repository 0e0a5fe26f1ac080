/**
 * Products of two secrets, and the lift that makes an operand ready for one (PROTOCOL §4.5, §4.6). P0's part is one
 * product of masks, as in ASTRA (ePrint 2019/429), P2's is one product of pairs, as in Trio (ePrint 2024/386).
 *
 *   lift:  P1 → P2  a + λ1, λ1 ← k01 fresh                                      P2 now holds y = message − l2 = x + λ1
 *          of an additive x as soon as P1 has its part; a and λ2 of the lifted wire are those of its reshare
 *   P0 → P2  Γ2 = Λx·Λy − Γ1, Λ = λ1 + λ2                                      ahead; Γ1 ← k01
 *   P2 → P1  y_x·y_y − λ2x·λ2y + Γ2 + λ2'
 *   P1       a_z = message − λ1x·(a_y + λ1y) − (a_x + λ1x)·λ1y + Γ1
 *
 * '·' is any bilinear map: elementwise, or a batched matrix product. One word of P0 and one of P2 per output.
 *
 * A short product (PROTOCOL §5.5) gives its result over Z_2^(k−d): each of the three parts is rounded to k − d bits
 * where it is computed, P0's up, P2's down, P1's to the nearest; Γ1 and λ2' are drawn over Z_2^(k−d).
 */
import type { ProductShape } from '../../../compute/kernels/types.ts';
import { placesOf } from '../../../compute/kernels/places.ts';
import { type Vector, laneBytes, wireLength } from '../../../compute/ring.ts';
import { Masked } from '../../share/masked.ts';
import type { Component, Wire } from '../../share/wire.ts';
import { refuseAdditive } from './additive.ts';
import { drawId, tagOf } from '../frame/gate.ts';
import { type Party, prgOf } from '../frame/party.ts';
import { type Position, Relation, MaskedRelation } from '../frame/relation.ts';
import { crossOfP1, dealCross, recvCross, recvReshared, sendReshared } from '../frame/reshare.ts';
import { roundDown, roundNearest, roundUp } from '../frame/rounding.ts';

/** Every x with the component of y that it is multiplied by. */
type Factors = readonly (readonly [x: Vector, of: Component])[];

export class LiftGate extends Relation {
  readonly relation = 'lift' as const;
  readonly #x: Wire;
  readonly #masked: Wire;

  /** `masked` is x itself, or of an additive x the wire that a `ReshareGate` makes of it. */
  constructor(position: Position, x: Wire, masked: Wire, out: Wire, half12: number) {
    refuseAdditive(position.path, [masked]);
    super(position, out, {
      inputs: x === masked ? [x] : [x, masked],
      half12,
      traits: [x.kind],
      cost: { p1ToP2: wireLength(x.k, x.count) },
    });
    this.#x = x;
    this.#masked = masked;
  }

  /** a and λ2 are those of the masked wire; λ1 is this gate's draw. */
  async component(party: Party, component: Component): Promise<Vector> {
    if (component !== 'l1') return party.value(this.#masked, component);
    return party.kernels.draw(prgOf(party, 1).claim(drawId(this, 'mask1'), this, 'λ1'), this.out.k, this.out.count);
  }

  /** P1 keeps λ1 for the product. */
  async send12(p1: Party): Promise<void> {
    const fresh = prgOf(p1, 1).takeMask(drawId(this, 'mask1'), this, 'λ1');
    const mask = await p1.kernels.draw(fresh.stream, this.out.k, this.out.count);
    p1.put(this.out, 'l1', mask);
    const own = await p1.value(this.#x, 'a');
    await p1.link(2).send(tagOf(this, '12'), Masked.under(fresh, await p1.kernels.add(own, mask)));
  }

  /** P2 works out its own part while the message is on its way. */
  async recv12(p2: Party): Promise<void> {
    const own = await p2.value(this.#x, 'l2');
    const message = await p2.link(1).recv(tagOf(this, '12'), this.out.k, this.out.count);
    p2.put(this.out, 'y', await p2.kernels.sub(message, own));
  }
}

export class ProductGate extends MaskedRelation {
  readonly relation = 'product' as const;
  readonly #x: Wire;
  readonly #y: Wire;
  readonly #shape: ProductShape | undefined;
  readonly #drop: number;

  /**
   * `shape` undefined: elementwise. Both operands are lifted (or results of a selection). The product loses as many
   * low bits as its ring is narrower than theirs.
   */
  constructor(position: Position, x: Wire, y: Wire, shape: ProductShape | undefined, out: Wire, half21: number) {
    refuseAdditive(position.path, [x, y]);
    const word = wireLength(out.k, out.count);
    super(position, out, {
      inputs: [x, y],
      half21,
      traits: [shape === undefined ? undefined : { ...shape }, 'drop', x.k - out.k],
      cost: { p0ToP2Ahead: word, p2ToP1: word },
    });
    this.#x = x;
    this.#y = y;
    this.#shape = shape;
    this.#drop = x.k - out.k;
  }

  #times(party: Party, x: Vector, y: Vector): Promise<Vector> {
    return this.#shape === undefined ? party.kernels.mul(x, y) : party.kernels.matmul(x, y, this.#shape);
  }

  /**
   * Σ x·y of components of y that are read where they lie, if this is a row of each times matrices that local
   * operations moved: no sum of y with a mask is made then, nor y itself. Undefined where it is not.
   */
  async #placed(party: Party, factors: () => Promise<Factors>): Promise<Vector | undefined> {
    const { kernels } = party;
    if (this.#shape?.m !== 1 || kernels.matmulPlaced === undefined) return undefined;
    const origin = party.origin(this.#y);
    const places = origin && placesOf(origin.pattern, this.#shape);
    if (origin === undefined || places === undefined || laneBytes(origin.wire.k) !== laneBytes(this.#x.k))
      return undefined;
    const pairs: { x: Vector; y: Vector }[] = [];
    for (const [x, component] of await factors()) pairs.push({ x, y: await party.value(origin.wire, component) });
    return kernels.matmulPlaced(pairs, this.#shape, places);
  }

  async dealP0(p0: Party): Promise<void> {
    const { kernels } = p0;
    const x = await kernels.add(await p0.value(this.#x, 'l1'), await p0.value(this.#x, 'l2'));
    const cross =
      (await this.#placed(p0, async () => [
        [x, 'l1'],
        [x, 'l2'],
      ])) ??
      (await this.#times(p0, x, await kernels.add(await p0.value(this.#y, 'l1'), await p0.value(this.#y, 'l2'))));
    await dealCross(this, p0, await roundUp(kernels, cross, this.#drop));
  }

  async dealP2(p2: Party): Promise<void> {
    p2.keep(this, await recvCross(this, p2));
  }

  async send21(p2: Party): Promise<void> {
    const { kernels } = p2;
    const cross = await kernels.unpack(p2.takeBytes(this), this.out.k, this.out.count, 'given');
    const [y, l2] = [await p2.value(this.#x, 'y'), await p2.value(this.#x, 'l2')];
    const whole =
      (await this.#placed(p2, async () => [
        [y, 'y'],
        [await kernels.scale(l2, -1n), 'l2'],
      ])) ??
      (await kernels.sub(
        await this.#times(p2, y, await p2.value(this.#y, 'y')),
        await this.#times(p2, l2, await p2.value(this.#y, 'l2')),
      ));
    await sendReshared(this, p2, await kernels.add(await roundDown(kernels, whole, this.#drop), cross));
  }

  async recv21(p1: Party): Promise<void> {
    const { kernels } = p1;
    const l1 = await p1.value(this.#x, 'l1');
    const m = await kernels.add(await p1.value(this.#x, 'a'), l1);
    // λ1x·(a_y + λ1y) + m_x·λ1y, of either way to add it up.
    const whole =
      (await this.#placed(p1, async () => [
        [l1, 'a'],
        [await kernels.add(m, l1), 'l1'],
      ])) ?? (await this.#bothAtP1(p1, l1, m));
    const masked = await kernels.scale(whole, -1n);
    const own = await kernels.add(await roundNearest(kernels, masked, this.#drop), await crossOfP1(this, p1));
    p1.put(this.out, 'a', await kernels.add(await recvReshared(this, p1), own));
  }

  async #bothAtP1(p1: Party, l1x: Vector, mx: Vector): Promise<Vector> {
    const { kernels } = p1;
    const l1y = await p1.value(this.#y, 'l1');
    const left = await this.#times(p1, l1x, await kernels.add(await p1.value(this.#y, 'a'), l1y));
    return kernels.add(left, await this.#times(p1, mx, l1y));
  }
}
