/**
 * A selection that is widened at once, without a word of P0 for the wrap (PROTOCOL §5.2): in place of the message that
 * would re-share it, P2 sends one correlated oblivious transfer an element (`ot.ts`, direction 1).
 *
 *   P1 → P2, ahead   d: 4 bytes; P1 chooses with c = msb r0
 *   P1 → P2          the table, as of any selection: P2 has y = f − r0
 *   P2 → P1          e = D_1 − D_0 + w_0 − w_1,  D_0 = msb y,  D_1 = 1
 *   P1               c·e + w_c = D_c − D_0 + w_0
 *
 * For 0 ≤ f < 2^(k−1), and f = −1, y + r0 = f + 2^k·(msb y ∨ msb r0) over the integers (docs/checks/ot.py). The bracket
 * is D_0 + c·(D_1 − D_0), so the parts are r0 − 2^k·(c·e + w_c) at P1 and y − 2^k·(msb y − w_0) at P2.
 *
 * Views: P2 sees d, uniform because it lacks a leaf of every tree. It must not see c: y and msb r0 tell f. P1 sees e,
 * uniform by w_(1−c). P0 sees neither.
 */
import { BLOCK_BYTES } from '../../../compute/kernels/key-stream.ts';
import { type Vector, wireLength } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import type { Component, Wire } from '../../share/wire.ts';
import { notDerived } from './additive.ts';
import {
  type OtBaseGate,
  type Transfers,
  receiveAhead,
  recvCorrelated,
  sendAhead,
  sendCorrelated,
  transferCost,
} from './ot.ts';
import type { Party } from '../frame/party.ts';
import type { Position } from '../frame/relation.ts';
import { SelectionGate } from './select.ts';
import { type Selection, chooseFromTables, selectionMask1 } from '../frame/dealing.ts';

export class OtSelectGate extends SelectionGate {
  readonly relation = 'select' as const;
  /** Ring of y. */
  readonly #k: number;
  readonly #transfers: Transfers;
  /** What P2 keeps of w_0 and w_0 − w_1, beside P0's words under the gate itself. */
  readonly #zero = {};
  readonly #difference = {};

  constructor(
    base: OtBaseGate,
    position: Position,
    inputs: readonly Wire[],
    out: Wire,
    half12: number,
    terms: readonly Selection[],
    drop: number,
  ) {
    const [{ k, count }] = terms;
    const words = out.k - k + drop;
    invariant(out.kind === 'additive' && base.direction === 1 && words > 0, `${position.path}: not widened by P2`);
    super(position, inputs, out, half12, terms, drop, {
      half21: half12 + 1,
      traits: ['widened by ot', base.number, words],
      cost: { ...transferCost(base, count), p2ToP1: wireLength(words, count) },
      longestDraw: BLOCK_BYTES * count,
    });
    this.#k = k - drop;
    this.#transfers = { gate: this, base, k: words, count };
  }

  override async component(_party: Party, component: Component): Promise<Vector> {
    return notDerived(this, component);
  }

  async dealP1(p1: Party): Promise<void> {
    p1.keep(this, await p1.kernels.pack(await receiveAhead(this.#transfers, p1, await this.#choice(p1, 1))));
  }

  override async dealP2(p2: Party): Promise<void> {
    const { kernels } = p2;
    await super.dealP2(p2);
    const { zero, one } = await sendAhead(this.#transfers, p2);
    p2.keep(this.#difference, await kernels.pack(await kernels.sub(zero, one)));
    p2.keep(this.#zero, await kernels.pack(zero));
  }

  /** l2 = 2^k·(msb y − w_0) − y; keeps D_1 − D_0 = 1 − msb y. */
  async recv12(p2: Party): Promise<void> {
    const { kernels } = p2;
    const { k, count } = this.#transfers;
    const y = await chooseFromTables(this, p2);
    const msb = await kernels.shiftRight(y, this.#k - 1, k);
    p2.keep(this, await kernels.offset(await kernels.scale(msb, -1n), 1n));
    const zero = await kernels.unpack(p2.takeBytes(this.#zero), k, count);
    const wrap = await this.#raised(p2, await kernels.sub(msb, zero));
    p2.put(this.out, 'l2', await kernels.sub(wrap, await kernels.cast(y, this.out.k)));
  }

  async send21(p2: Party): Promise<void> {
    const { kernels } = p2;
    const { k, count } = this.#transfers;
    const difference = await kernels.unpack(p2.takeBytes(this.#difference), k, count);
    await sendCorrelated(this.#transfers, p2, await kernels.add(p2.take(this), difference));
  }

  /** a = r0 − 2^k·(c·e + w_c). */
  async recv21(p1: Party): Promise<void> {
    const { kernels } = p1;
    const { k, count } = this.#transfers;
    const own = await kernels.unpack(p1.takeBytes(this), k, count);
    const chosen = await kernels.mul(await this.#choice(p1, k), await recvCorrelated(this.#transfers, p1));
    const r0 = await kernels.cast(await this.#r0(p1), this.out.k);
    p1.put(this.out, 'a', await kernels.sub(r0, await this.#raised(p1, await kernels.add(chosen, own))));
  }

  async #r0(p1: Party): Promise<Vector> {
    return p1.kernels.scale(await selectionMask1(this, p1), -1n);
  }

  /** msb r0 as words of k bits. */
  async #choice(p1: Party, k: number): Promise<Vector> {
    return p1.kernels.shiftRight(await this.#r0(p1), this.#k - 1, k);
  }

  async #raised({ kernels }: Party, words: Vector): Promise<Vector> {
    return kernels.scale(await kernels.cast(words, this.out.k), 1n << BigInt(this.#k));
  }
}
