/**
 * Widening Z_2^k → Z_2^k2 of x = a − λ2 with |x| < 2^(k−2) (design notes §14.1), and with a local shift before it the truncation of §13.
 *
 * With a' = a + 2^(k−2) and canonical residues, x + 2^(k−2) = a' − λ2 + 2^k·wrap, and wrap = [msb a' = 0 ∧ msb λ2 = 1]: a selection of two entries on
 * words mod 2^(k2−k). P2 sends its additive part under a fresh λ2'. Exact inside the domain; outside it the result is off by 2^k.
 */
import { type Words, wireLength, wordsFrom } from '../../../compute/ring.ts';
import { Sealed } from '../../share/sealed.ts';
import type { Component, Wire } from '../../share/wire.ts';
import type { Cost } from '../types.ts';
import { type Gate, drawId, tagOf } from './gate.ts';
import { type Party, prgOf } from './party.ts';
import { type Selection, chooseFromTable, dealSelection, keepDealt, selectionCost, selectionMask1, sendTable } from './select.ts';

/** Row = msb of a', entry = msb of λ2: one exactly for (0, 1). */
const WRAP = [0, 1, 0, 0];

export class WidenGate implements Gate {
  readonly relation = 'widen' as const;
  readonly number: number;
  readonly path: string;
  readonly inputs: readonly Wire[];
  readonly out: Wire;
  readonly half12: number;
  readonly half21: number;
  readonly cost: Partial<Cost>;
  readonly #x: Wire;
  readonly #selection: Selection;

  constructor(number: number, path: string, x: Wire, out: Wire, half12: number) {
    this.number = number;
    this.path = path;
    this.inputs = [x];
    this.out = out;
    this.half12 = half12;
    this.half21 = half12 + 1;
    this.#x = x;
    // The wrap bit is scaled by 2^k, so k2 − k bits matter; links carry whole bytes.
    const k = 8 * Math.ceil((out.k - x.k) / 8);
    this.#selection = {
      n: 2,
      P: 1,
      k,
      count: x.count,
      table: async (p1) => ({ kind: 'rows', table: wordsFrom(WRAP, k), n: 2, stride: 2, row: await p1.kernels.shiftRight(await this.#offset(p1), x.k - 1, 1) }),
      choice: async (party) => ({ index: await party.kernels.shiftRight(await party.value(x, 'l2'), x.k - 1, 1) }),
    };
    this.cost = { ...selectionCost(this.#selection), p2ToP1: wireLength(out.k, out.count) };
  }

  /** a' = a + 2^(k−2). */
  async #offset(p1: Party): Promise<Words> {
    return p1.kernels.offset(await p1.value(this.#x, 'a'), 1n << BigInt(this.#x.k - 2));
  }

  async component(party: Party, _component: Component): Promise<Words> {
    return party.kernels.draw(prgOf(party, 2).claim(drawId(this, 'mask2'), this), this.out.k, this.out.count);
  }

  dealP0(p0: Party): Promise<void> {
    return dealSelection(this, this.#selection, p0);
  }

  dealP2(p2: Party): Promise<void> {
    return keepDealt(this, this.#selection, p2);
  }

  send12(p1: Party): Promise<void> {
    return sendTable(this, this.#selection, p1);
  }

  /** Keeps P2's additive part of the result, (wrap − r0)·2^k − λ2. */
  async recv12(p2: Party): Promise<void> {
    const wrap = await this.#raised(p2, await chooseFromTable(this, this.#selection, p2));
    p2.keep(this, await p2.kernels.sub(wrap, await p2.kernels.cast(await p2.value(this.#x, 'l2'), this.out.k)));
  }

  async send21(p2: Party): Promise<void> {
    const fresh = prgOf(p2, 2).spend(drawId(this, 'mask2'), this);
    const mask = await p2.kernels.draw(fresh.stream, this.out.k, this.out.count);
    await p2.link(1).send(tagOf(this, '21'), Sealed.under(fresh, await p2.kernels.add(p2.take(this) as Words, mask)));
  }

  async recv21(p1: Party): Promise<void> {
    const message = await p1.link(2).recv(tagOf(this, '21'), this.out.k, this.out.count);
    p1.put(this.out, 'a', await p1.kernels.add(await this.partOfP1(p1), message));
  }

  /** P1's additive part of the result, a' + r0·2^k − 2^(k−2). Unmasked: it leaves P1 only under a fresh λ1 (`LiftGate`). */
  async partOfP1(p1: Party): Promise<Words> {
    const { kernels } = p1;
    const minusR0 = await this.#raised(p1, await selectionMask1(this, this.#selection, p1));
    const own = await kernels.sub(await kernels.cast(await this.#offset(p1), this.out.k), minusR0);
    return kernels.offset(own, -(1n << BigInt(this.#x.k - 2)));
  }

  async #raised(party: Party, words: Words): Promise<Words> {
    return party.kernels.scale(await party.kernels.cast(words, this.out.k), 1n << BigInt(this.#x.k));
  }
}
