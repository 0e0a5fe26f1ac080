/**
 * Products of two secrets, symmetric (PROTOCOL §17.2; Araki, Furukawa, Lindell, Nof, Ohara, CCS 2016, §3.2). '·' is any
 * bilinear map: elementwise, or a batched matrix product. All three send at once, and each part goes to the party that
 * will share it:
 *
 *   P1 → P2   m'  =  mx·my − mx·λ1y − λ1x·my      + ρ01 − ρ12
 *   P0 → P1   λ1' = −(λ1x·λ1y + λ1x·λ2y + λ2x·λ1y + ρ02 − ρ01)
 *   P2 → P0   λ2' = −(λ2x·λ2y − λ2x·my − mx·λ2y   + ρ12 − ρ02)
 *
 * ρij ← the generator of Pi and Pj. The three masks add up to zero, and of each message the receiver lacks one ρ.
 */
import type { ProductShape } from '../../../compute/kernels/types.ts';
import { type Vector, wireLength } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import type { PartyId } from '../../../net/wire/types.ts';
import { Masked } from '../../share/masked.ts';
import type { Component, Wire } from '../../share/wire.ts';
import { type Halves, type Phase, type Proved, drawId, tagOf } from '../frame/gate.ts';
import { type Party, prgWith } from '../frame/party.ts';
import { type Position, Relation } from '../frame/relation.ts';
import { bilinearRelations } from '../malicious/product.ts';
import { wordsOfRow } from '../malicious/relations.ts';
import { ringHalves } from './witness.ts';

/** What a party sends of a product, and to whom. */
const PARTS: readonly { readonly to: PartyId; readonly component: Component; readonly phase: Phase }[] = [
  { to: 1, component: 'l1', phase: '01' },
  { to: 2, component: 'm', phase: '12' },
  { to: 0, component: 'l2', phase: '20' },
];

export class RingProductGate extends Relation {
  readonly relation = 'product' as const;
  readonly relations: readonly Proved[];
  readonly halves: readonly Halves[];
  readonly #x: Wire;
  readonly #y: Wire;
  readonly #shape: ProductShape | undefined;

  /** `shape` undefined: elementwise. */
  constructor(position: Position, x: Wire, y: Wire, shape: ProductShape | undefined, out: Wire, half: number) {
    invariant(out.k === x.k, `${position.path}: the result has the ring of its operands`);
    const word = wireLength(out.k, out.count);
    super(position, out, {
      inputs: [x, y],
      half12: half,
      owner: { half, p0ToP1: word, p2ToP0: word },
      traits: [shape && { ...shape }, 'ring', ...(shape !== undefined && wordsOfRow(shape) ? ['rows'] : [])],
      cost: { p1ToP2: word },
    });
    this.#x = x;
    this.#y = y;
    this.#shape = shape;
    this.relations = bilinearRelations(shape, out, [
      [0, 'product.l1'],
      [2, 'product.l2'],
      [1, 'product.m'],
    ]);
    this.halves = ringHalves(this, { x, y, shape });
  }

  async component(_party: Party, component: Component): Promise<Vector> {
    // SECURITY: no mask of a product is drawn, so nothing may be sent under one. test/mpc/aby3.test.ts.
    return invariant(false, `${this.path}: component "${component}" is not there yet`) as never;
  }

  send12(p1: Party): Promise<void> {
    return this.#send(p1);
  }

  send01(p0: Party): Promise<void> {
    return this.#send(p0);
  }

  send20(p2: Party): Promise<void> {
    return this.#send(p2);
  }

  recv12(p2: Party): Promise<void> {
    return this.#recv(p2, 1);
  }

  recv01(p1: Party): Promise<void> {
    return this.#recv(p1, 0);
  }

  recv20(p0: Party): Promise<void> {
    return this.#recv(p0, 2);
  }

  #times({ kernels }: Party, x: Vector, y: Vector): Promise<Vector> {
    return this.#shape === undefined ? kernels.mul(x, y) : kernels.matmul(x, y, this.#shape);
  }

  /** What a party computes of the product alone. */
  async #part(party: Party): Promise<Vector> {
    const { kernels, id } = party;
    // Whose square it takes, and whose cross terms with it.
    const [own, other]: readonly [Component, Component] = id === 0 ? ['l1', 'l2'] : ['m', id === 1 ? 'l1' : 'l2'];
    const [x, y] = [await party.value(this.#x, own), await party.value(this.#y, own)];
    const [u, v] = [await party.value(this.#x, other), await party.value(this.#y, other)];
    const cross = await kernels.add(await this.#times(party, x, v), await this.#times(party, u, y));
    if (id === 1) return kernels.sub(await this.#times(party, x, y), cross);
    if (id === 0) return kernels.scale(await kernels.add(await this.#times(party, x, y), cross), -1n);
    return kernels.sub(cross, await this.#times(party, u, v));
  }

  async #send(party: Party): Promise<void> {
    const { kernels, id } = party;
    const { to, component, phase } = PARTS[id];
    // Under the words that it shares with whom the part does not go to.
    const before = PARTS.findIndex((part) => part.to === id) as PartyId;
    const [fresh, shared] = [
      prgWith(party, before).takeMask(drawId(this, 'share'), this, 'ρ'),
      prgWith(party, to).claim(drawId(this, 'share'), this, 'ρ'),
    ];
    const [plus, minus] = [
      await kernels.draw(fresh.stream, this.out.k, this.out.count),
      await kernels.draw(shared, this.out.k, this.out.count),
    ];
    const part = await this.#part(party);
    const zero = id === 1 ? await kernels.sub(plus, minus) : await kernels.sub(minus, plus);
    const word = await kernels.add(part, zero);
    party.put(this.out, component, word);
    await party.link(to).send(tagOf(this, phase), Masked.under(fresh, word));
  }

  async #recv(party: Party, from: PartyId): Promise<void> {
    const { component, phase } = PARTS[from];
    party.put(this.out, component, await party.link(from).recv(tagOf(this, phase), this.out.k, this.out.count));
  }
}
