/**
 * A selection that is widened at once, with words of the dealer for the wrap (`wide-select.ts`). It is a selection with
 * the roles exchanged: P2 has the table, P1 the choice, and P0's word goes to P1.
 *
 *   z, t ← k02
 *   P0 → P1, ahead   z − c·t: k2 − k bits
 *
 * Views: P1's word is uniform by z, and e by t. P2 receives nothing for it. SECURITY: P2 must not see P0's word, from
 * which z and t take all but c; P0 must not see e, which with t is P2's bit.
 */
import { type Vector, laneBytes, wireLength } from '../../../compute/ring.ts';
import type { DrawId } from '../../prg/gate-id.ts';
import { Masked } from '../../share/masked.ts';
import type { Wire } from '../../share/wire.ts';
import { dealSelection } from '../frame/dealing.ts';
import { drawId, tagOf } from '../frame/gate.ts';
import { type Party, prgOf } from '../frame/party.ts';
import type { Position } from '../frame/relation.ts';
import { type Wide, WideSelectGate, wrapBits } from './wide-select.ts';

export class DealtSelectGate extends WideSelectGate {
  constructor(position: Position, out: Wire, half12: number, wide: Wide) {
    const k = wrapBits(out, wide);
    const [{ count }] = wide.terms;
    const cost = { p0ToP1Ahead: wireLength(k, count) };
    super(position, out, half12, wide, { traits: ['widened by the dealer'], cost, stream: laneBytes(k) });
  }

  override async dealP0(p0: Party): Promise<void> {
    await this.dealWrap(p0, await dealSelection(this, p0));
  }

  /** P0 → P1: z − c·t. */
  protected async dealWrap(p0: Party, r0: Vector): Promise<void> {
    const { kernels } = p0;
    const { k, count } = this.words;
    const fresh = prgOf(p0, 2).takeMask(this.#address('zero'), this, 'r0');
    const t = await kernels.draw(prgOf(p0, 2).claim(this.#address('pad'), this, 'pads'), k, count);
    const chosen = await kernels.mul(await this.choice(p0, r0, k), t);
    const word = await kernels.sub(await kernels.draw(fresh.stream, k, count), chosen);
    await p0.link(1).send(tagOf(this, 'deal'), Masked.under(fresh, word));
  }

  async dealP1(p1: Party): Promise<void> {
    const { k, count } = this.words;
    p1.keep(this, await p1.link(0).recvBytes(tagOf(this, 'deal'), wireLength(k, count)));
  }

  protected async zero(p2: Party): Promise<Vector> {
    const { k, count } = this.words;
    return p2.kernels.draw(prgOf(p2, 2).claim(this.#address('zero'), this, 'r0'), k, count);
  }

  protected async sendUnder(p2: Party, words: Vector): Promise<void> {
    const { k, count } = this.words;
    const fresh = prgOf(p2, 2).takeMask(this.#address('pad'), this, 'pads');
    const t = await p2.kernels.draw(fresh.stream, k, count);
    await p2.link(1).send(tagOf(this, '21'), Masked.under(fresh, await p2.kernels.add(words, t)));
  }

  /** Of words that P1 chooses by. */
  #address(purpose: 'zero' | 'pad'): Omit<DrawId, 'step' | 'branch'> {
    return { ...drawId(this, purpose), direction: 1 };
  }
}
