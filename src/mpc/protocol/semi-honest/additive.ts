/**
 * Additive wires (PROTOCOL §2.3): x = a − l2 with l2 at P2 alone. Widenings, affine maps and look-ups give them,
 * because there both parties hold a part of the result and neither needs to send it.
 *
 * Here is what refuses them, and the gate that makes masked ones of them:
 *
 *   P2 → P1  λ2' − l2, λ2' ← k02 fresh     P1 now holds a' = a + message = x + λ2'
 *
 * It is asked for where the value is read, in the reader's ring and after its shift, so that the message is as short
 * as what is read. Two readers have two gates, so two draws (PROTOCOL §11.1, rule 2).
 *
 * Of a widening P1 has the low bits under the masks of what was widened, Z_2^k' with λ2. There λ2' = λ2 + 2^k'·ν, and
 * only the upper bits travel (PROTOCOL §4.11):
 *
 *   P2 → P1  (λ2 − l2) / 2^k' + ν,  ν ← k02 over Z_2^(k−k')
 *
 * Views: P1 sees a uniform word, by λ2' or ν. P0 and P2 receive nothing.
 */
import { type Vector, laneBytes, wireLength } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import { AHEAD, type Component, type Wire } from '../../share/wire.ts';
import { tagOf } from '../frame/gate.ts';
import type { Party } from '../frame/party.ts';
import { MaskedRelation, type Position, Relation } from '../frame/relation.ts';
import { outputMask, recvReshared, sendReshared } from '../frame/reshare.ts';
import { raised } from '../frame/rounding.ts';

/**
 * SECURITY: P0 deals from the masks of these wires. With an additive one it would deal from another mask than the one
 * that P2 has: garbage, without an error.
 */
export function refuseAdditive(path: string, wires: readonly Wire[]): void {
  invariant(
    wires.every(({ kind }) => kind === 'masked'),
    `${path}: takes masked wires only`,
  );
}

/** No component of a gate's additive result can be derived: each is there once its party has made it. */
export function notDerived({ path }: Position, component: Component): never {
  return invariant(false, `${path}: component "${component}" is not there yet`) as never;
}

/** A gate whose result stays where its parts are: `a` at P1, `l2` at P2. */
export abstract class AdditiveRelation extends Relation {
  async component(_party: Party, component: Component): Promise<Vector> {
    return notDerived(this, component);
  }
}

export class ReshareGate extends MaskedRelation {
  readonly relation = 'reshare' as const;
  readonly x: Wire;
  readonly #narrow: Wire | undefined;
  readonly longestDraw: number;

  /**
   * `half21` undefined: P2 knows its part before the input, and sends it then.
   * @param narrow the masked wire that x is a widening of: its bits do not travel
   */
  constructor(position: Position, x: Wire, out: Wire, half21: number | undefined, narrow?: Wire) {
    invariant(x.kind === 'additive' && (half21 === undefined) === (x.readyL2 === AHEAD), `${position.path}: of what?`);
    if (narrow !== undefined) refuseAdditive(position.path, [narrow]);
    const k = x.k - (narrow?.k ?? 0);
    const word = wireLength(k, x.count);
    super(position, out, {
      inputs: narrow === undefined ? [x] : [x, narrow],
      half21,
      traits: narrow === undefined ? [] : ['upper bits', k],
      cost: half21 === undefined ? { p2ToP1Ahead: word } : { p2ToP1: word },
    });
    this.x = x;
    this.#narrow = narrow;
    this.longestDraw = laneBytes(k) * x.count;
  }

  override async component(party: Party, component: Component): Promise<Vector> {
    if (component === 'l2' && this.#narrow !== undefined) {
      const low = await party.kernels.cast(await party.value(this.#narrow, 'l2'), this.out.k);
      return this.#mask(party, low, this.#narrow.k, await outputMask(this, party, 'l2', this.#k));
    }
    if (component !== 'a' || this.half21 !== undefined) return outputMask(this, party, component);
    const message = await party.kernels.unpack(party.takeBytes(this), this.out.k, this.out.count, 'given');
    return party.kernels.add(await party.value(this.x, 'a'), message);
  }

  async dealP2(p2: Party): Promise<void> {
    if (this.half21 === undefined) await this.#send(p2, 'ahead');
  }

  async dealP1(p1: Party): Promise<void> {
    if (this.half21 !== undefined) return;
    p1.keep(this, await p1.link(2).recvBytes(tagOf(this, 'ahead'), wireLength(this.out.k, this.out.count)));
  }

  send21(p2: Party): Promise<void> {
    return this.#send(p2, '21');
  }

  /** P1 works out its own part while the message is on its way. */
  async recv21(p1: Party): Promise<void> {
    const { kernels } = p1;
    const own = await p1.value(this.x, 'a');
    const message = await recvReshared(this, p1, this.#k);
    p1.put(this.out, 'a', await kernels.add(own, await raised(kernels, message, this.out.k - this.#k, this.out.k)));
  }

  /** Ring of the message. */
  get #k(): number {
    return this.out.k - (this.#narrow?.k ?? 0);
  }

  /** λ2' = λ2 + 2^k'·ν. */
  async #mask({ kernels }: Party, low: Vector, k: number, upper: Vector): Promise<Vector> {
    return kernels.add(low, await raised(kernels, upper, k, this.out.k));
  }

  async #send(p2: Party, phase: '21' | 'ahead'): Promise<void> {
    const { kernels } = p2;
    const own = await p2.value(this.x, 'l2');
    if (this.#narrow === undefined) {
      await sendReshared(this, p2, await kernels.scale(own, -1n), phase);
      return;
    }
    // A multiple of 2^k', so nothing is lost.
    const low = await kernels.cast(await p2.value(this.#narrow, 'l2'), this.out.k);
    const upper = await kernels.shiftRight(await kernels.sub(low, own), this.#narrow.k, this.#k);
    const mask = await sendReshared(this, p2, upper, phase);
    p2.put(this.out, 'l2', await this.#mask(p2, low, this.#narrow.k, mask));
  }
}
