/**
 * A selection that is widened at once, by one oblivious transfer an element in direction 1 (`ot.ts`, `wide-select.ts`):
 * z = w_0 and t = w_0 − w_1, so P1's word is w_c.
 *
 *   P1 → P2, ahead   d: 4 bytes; P1 chooses with c = msb r0
 *
 * Views: P2 sees d, uniform because it lacks a leaf of every tree. P1 sees e, uniform by w_(1−c). P0 sees neither.
 */
import { BLOCK_BYTES } from '../../../compute/kernels/key-stream.ts';
import type { Vector } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import type { Wire } from '../../share/wire.ts';
import { selectionZero } from '../frame/dealing.ts';
import { type OtBaseGate, type Transfers, receiveAhead, sendAhead, sendCorrelated, transferCost } from './ot.ts';
import type { Party } from '../frame/party.ts';
import type { Position } from '../frame/relation.ts';
import { type Wide, WideSelectGate } from './wide-select.ts';

export class OtSelectGate extends WideSelectGate {
  readonly #transfers: Transfers;
  /** What P2 keeps of w_0 and w_0 − w_1, beside P0's words under the gate itself. */
  readonly #zero = {};
  readonly #difference = {};

  constructor(base: OtBaseGate, position: Position, out: Wire, half12: number, wide: Wide) {
    invariant(base.direction === 1, `${position.path}: P1 receives`);
    const cost = transferCost(base, wide.terms[0].count);
    super(position, out, half12, wide, { traits: ['widened by ot', base.number], cost, stream: BLOCK_BYTES });
    this.#transfers = { gate: this, base, ...this.words };
  }

  async dealP1(p1: Party): Promise<void> {
    p1.keep(
      this,
      await p1.kernels.pack(
        await receiveAhead(this.#transfers, p1, await this.choice(p1, await selectionZero(this, p1), 1)),
      ),
    );
  }

  override async dealP2(p2: Party): Promise<void> {
    const { kernels } = p2;
    await super.dealP2(p2);
    const { zero, one } = await sendAhead(this.#transfers, p2);
    p2.keep(this.#difference, await kernels.pack(await kernels.sub(zero, one)));
    p2.keep(this.#zero, await kernels.pack(zero));
  }

  protected zero(p2: Party): Promise<Vector> {
    return this.#kept(p2, this.#zero);
  }

  protected async sendUnder(p2: Party, words: Vector): Promise<void> {
    const masked = await p2.kernels.add(words, await this.#kept(p2, this.#difference));
    await sendCorrelated(this.#transfers, p2, masked);
  }

  #kept(p2: Party, what: object): Promise<Vector> {
    return p2.kernels.unpack(p2.takeBytes(what), this.words.k, this.words.count);
  }
}
