/**
 * A selection that is widened at once (PROTOCOL §5.2): in place of the message that would re-share it, P2 sends one
 * short word an element, and both parties have a part of the result in the ring that was asked for.
 *
 *   ahead            P2 has random z and t of k2 − k bits, P1 has z − c·t with c = msb r0
 *   P1 → P2          the table, as of any selection: P2 has y = f − r0
 *   P2 → P1          e = (1 − msb y) + t
 *   P1               c·e + z − c·t = c·(1 − msb y) + z
 *
 * For 0 ≤ f < 2^(k−1), and f = −1, y + r0 = f + 2^k·(msb y ∨ msb r0) over the integers (docs/checks/ot.py). The bracket
 * is msb y + c·(1 − msb y), so the parts are r0 − 2^k·(c·(1 − msb y) + z) at P1 and y − 2^k·(msb y − z) at P2. Where f
 * may be as low as `least`, all this is of f − least.
 *
 * Where z, t and P1's word come from is a choice of the circuit: the dealer (`dealt-select.ts`) or oblivious transfer
 * (`ot-select.ts`). Views: P1 sees e, uniform by t, of which its other word tells nothing because of z. P2 must not
 * see c: y and msb r0 tell f.
 */
import { type Vector, wireLength } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import type { Component, Wire } from '../../share/wire.ts';
import type { Cost, Selected } from '../types.ts';
import { notDerived } from './additive.ts';
import { tagOf } from '../frame/gate.ts';
import type { Party } from '../frame/party.ts';
import type { Position } from '../frame/relation.ts';
import { type Selection, chooseFromTables, selectionZero } from '../frame/dealing.ts';
import { SelectionGate } from './select.ts';
import type { Trait } from '../frame/traits.ts';

/** What a selection is made of, and how its result is rounded and read. */
export interface Wide extends Pick<Required<Selected>, 'drop' | 'least'> {
  readonly inputs: readonly Wire[];
  readonly terms: readonly Selection[];
}

/** Where the words of the wrap come from: what that adds to a gate's traits and cost. */
export interface WrapSource {
  readonly traits: readonly Trait[];
  readonly cost: Partial<Cost>;
  /** Bytes of a key stream that an element takes. */
  readonly stream: number;
}

/** Bits of the wrap that matter: those of the result's ring above the selection's. */
export function wrapBits(out: Wire, { terms: [{ k }], drop }: Pick<Wide, 'terms' | 'drop'>): number {
  return out.k - k + drop;
}

export abstract class WideSelectGate extends SelectionGate {
  readonly relation = 'select' as const;
  /** Ring of y, and of the words of the wrap. */
  readonly #k: number;
  protected readonly words: { readonly k: number; readonly count: number };
  readonly #least: bigint;

  constructor(position: Position, out: Wire, half12: number, wide: Wide, source: WrapSource) {
    const { inputs, terms, drop, least } = wide;
    const [{ k, count }] = terms;
    const words = wrapBits(out, wide);
    invariant(out.kind === 'additive' && words > 0, `${position.path}: not widened by P2`);
    super(position, inputs, out, half12, terms, drop, {
      half21: half12 + 1,
      traits: [...source.traits, words, least],
      cost: { ...source.cost, p2ToP1: wireLength(words, count) },
      longestDraw: source.stream * count,
    });
    this.#k = k - drop;
    this.words = { k: words, count };
    this.#least = least;
  }

  override async component(_party: Party, component: Component): Promise<Vector> {
    return notDerived(this, component);
  }

  /** P1 keeps z − c·t in wire form, under the gate itself. */
  abstract dealP1(p1: Party): Promise<void>;

  /** z at P2. */
  protected abstract zero(p2: Party): Promise<Vector>;

  /** P2 → P1: these words + t. */
  protected abstract sendUnder(p2: Party, words: Vector): Promise<void>;

  /** l2 = 2^k·(msb y − z) − y − least, with y of f − least; keeps 1 − msb y. */
  async recv12(p2: Party): Promise<void> {
    const { kernels } = p2;
    const y = await kernels.offset(await chooseFromTables(this, p2), -this.#least);
    const msb = await kernels.shiftRight(y, this.#k - 1, this.words.k);
    p2.keep(this, await kernels.offset(await kernels.scale(msb, -1n), 1n));
    const wrap = await this.#raised(p2, await kernels.sub(msb, await this.zero(p2)));
    const part = await kernels.sub(wrap, await kernels.cast(y, this.out.k));
    p2.put(this.out, 'l2', await kernels.offset(part, -this.#least));
  }

  async send21(p2: Party): Promise<void> {
    await this.sendUnder(p2, p2.take(this));
  }

  /** a = r0 − 2^k·(c·e + z − c·t). */
  async recv21(p1: Party): Promise<void> {
    const { kernels } = p1;
    const { k, count } = this.words;
    const own = await kernels.unpack(p1.takeBytes(this), k, count, 'given');
    const message = await p1.link(2).recv(tagOf(this, '21'), k, count);
    const r0 = await selectionZero(this, p1);
    const chosen = await kernels.mul(await this.choice(p1, r0, k), message);
    const wrap = await this.#raised(p1, await kernels.add(chosen, own));
    p1.put(this.out, 'a', await kernels.sub(await kernels.cast(r0, this.out.k), wrap));
  }

  /** c = msb r0 as words of k bits, at P1 and P0. */
  protected choice({ kernels }: Party, r0: Vector, k: number): Promise<Vector> {
    return kernels.shiftRight(r0, this.#k - 1, k);
  }

  async #raised({ kernels }: Party, words: Vector): Promise<Vector> {
    return kernels.scale(await kernels.cast(words, this.out.k), 1n << BigInt(this.#k));
  }
}
