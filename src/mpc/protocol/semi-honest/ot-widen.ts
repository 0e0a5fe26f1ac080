/**
 * Widening without a word of P0 (PROTOCOL §5.2): the wrap [msb a' = 0 ∧ msb λ2 = 1] by one correlated oblivious
 * transfer an element (`ot.ts`). P2 chooses with msb λ2, which it knows ahead; D_0 = 0 and D_1 = [msb a' = 0] are
 * P1's.
 *
 *   P2 → P1, ahead   d: 4 bytes
 *   P1 → P2          e = D_1 − D_0 + w_0 − w_1
 *   P2               y = c·e + w_c = wrap + w_0, so P1's r0 is −w_0
 *
 * Views: P1 sees d, uniform because it lacks a leaf of every tree, and w_0, w_1, which say nothing of c. P2 sees e,
 * uniform by w_(1−c), which it cannot tell from random (correlation robustness of the hash). P0 sees neither: it
 * knows all words, so e would tell it P1's bit.
 */
import { BLOCK_BYTES } from '../../../compute/kernels/key-stream.ts';
import { type Vector, wireLength } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import type { Wire } from '../../share/wire.ts';
import { AdditiveRelation, refuseAdditive } from './additive.ts';
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
import { partOfP1, partOfP2, positive } from './widen.ts';

export class OtWidenGate extends AdditiveRelation {
  readonly relation = 'widen' as const;
  /** One block of the hash an element. */
  readonly longestDraw: number;
  readonly #x: Wire;
  readonly #transfers: Transfers;
  /** What P1 keeps of w_0 − w_1, beside −r0 = w_0 under the gate itself. */
  readonly #difference = {};

  constructor(base: OtBaseGate, position: Position, x: Wire, out: Wire, half12: number) {
    invariant(out.kind === 'additive', `${position.path}: nobody sends P2's part of a widening`);
    refuseAdditive(position.path, [x]);
    const k = out.k - x.k;
    super(position, out, {
      inputs: [x],
      half12,
      traits: ['wrap by ot', base.number, k],
      cost: { ...transferCost(base, x.count), p1ToP2: wireLength(k, x.count) },
    });
    this.#x = x;
    this.#transfers = { gate: this, base, k, count: x.count };
    this.longestDraw = BLOCK_BYTES * x.count;
  }

  async dealP1(p1: Party): Promise<void> {
    const { kernels } = p1;
    const { zero, one } = await sendAhead(this.#transfers, p1);
    p1.keep(this.#difference, await kernels.pack(await kernels.sub(zero, one)));
    p1.keep(this, await kernels.pack(zero));
  }

  async dealP2(p2: Party): Promise<void> {
    p2.keep(this, await p2.kernels.pack(await receiveAhead(this.#transfers, p2, await this.#choice(p2, 1))));
  }

  /** a = a' + r0·2^k − 2^(k−2), once the words are on their way. */
  async send12(p1: Party): Promise<void> {
    const { kernels } = p1;
    const { k, count } = this.#transfers;
    const msb = await kernels.shiftRight(await positive(p1, this.#x), this.#x.k - 1, k);
    const one = await kernels.offset(await kernels.scale(msb, -1n), 1n);
    const difference = await kernels.unpack(p1.takeBytes(this.#difference), k, count);
    await sendCorrelated(this.#transfers, p1, await kernels.add(one, difference));
    const minusR0 = await kernels.unpack(p1.takeBytes(this), k, count);
    p1.put(this.out, 'a', await partOfP1(p1, this.#x, this.out.k, minusR0));
  }

  /** l2 = λ2 − (wrap − r0)·2^k. */
  async recv12(p2: Party): Promise<void> {
    const { kernels } = p2;
    const { k, count } = this.#transfers;
    const own = await kernels.unpack(p2.takeBytes(this), k, count);
    const chosen = await kernels.mul(await this.#choice(p2, k), await recvCorrelated(this.#transfers, p2));
    p2.put(this.out, 'l2', await partOfP2(p2, this.#x, this.out.k, await kernels.add(chosen, own)));
  }

  /** msb λ2 as words of k bits. */
  async #choice(p2: Party, k: number): Promise<Vector> {
    return p2.kernels.shiftRight(await p2.value(this.#x, 'l2'), this.#x.k - 1, k);
  }
}
