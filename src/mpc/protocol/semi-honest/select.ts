/**
 * Dealer-assisted selection (PROTOCOL §4.7, §6): any table, piecewise polynomial or choice for one word of P0.
 * Generalises the three-party oblivious transfer of ABY3 (ePrint 2018/403).
 *
 *   P1 → P2  e_{j,p} = D_{j,p} + w_{j,p}          for every entry j; D from P1's a, pads w from k01
 *   P0 → P2  B = −Σ_p w_{c,p} φ_p − r0            ahead; c and φ from λ2, which P0 knows
 *   P2       y = Σ_p e_{c,p} φ_p + B = f − r0      so P2 holds f + λ1 with λ1 = −r0
 *   P2 → P1  y + λ2'                              a = y + λ2' + r0
 *
 * A short selection (PROTOCOL §5.5) gives ⌊(f + ρ)/2^d⌋ over Z_2^(k−d), ρ uniform in [0, 2^d): P0's word is
 * ⌈(−Σ w φ)/2^d⌉ − r0, P2's sum is rounded down, r0 and λ2' are drawn over Z_2^(k−d).
 *
 * Views (PROTOCOL §11.3): P2 sees uniform e, and B fixes y, uniform by r0. P1 sees y + λ2', uniform by λ2'. P0
 * receives nothing.
 */
import { tableBytes } from '../../../compute/kernels/table-layout.ts';
import { type Vector, laneBytes, wireLength } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import type { Component, Wire } from '../../share/wire.ts';
import {
  type Selection,
  type Summed,
  chooseFromTables,
  dealSelection,
  keepDealt,
  selectionCost,
  selectionMask1,
  selectionZero,
  sendTable,
} from '../frame/dealing.ts';
import type { Gate } from '../frame/gate.ts';
import type { Party } from '../frame/party.ts';
import { MaskedRelation, type Position } from '../frame/relation.ts';
import { outputMask, recvReshared, sendReshared } from '../frame/reshare.ts';
import { refuseAdditive } from './additive.ts';

/** What a kind of selection declares beside deal, table and re-sharing. */
export interface Beside extends Partial<Pick<Gate, 'traits' | 'cost'>> {
  readonly half21?: number;
  readonly longestDraw?: number;
}

/**
 * What gates with a selection share: the deal and the table. What they do with P2's y differs: it is re-shared where
 * the result is a masked wire.
 */
export abstract class SelectionGate extends MaskedRelation implements Summed {
  readonly terms: readonly Selection[];
  readonly drop: number;
  readonly longestDraw: number;

  constructor(
    position: Position,
    inputs: readonly Wire[],
    out: Wire,
    half12: number,
    terms: readonly Selection[],
    drop = 0,
    also: Beside = {},
  ) {
    const [{ k, count }] = terms;
    invariant(
      terms.every((term) => term.k === k && term.count === count),
      'a sum of selections over different rings, or of different lengths',
    );
    refuseAdditive(position.path, inputs);
    const reshared = out.kind === 'masked';
    super(position, out, {
      inputs,
      half12,
      half21: reshared ? half12 + 1 : also.half21,
      traits: [
        ...terms.flatMap(({ n, widths, traits }) => [n, k, widths, ...traits]),
        ...['drop', drop],
        ...(also.traits ?? []),
      ],
      cost: { ...selectionCost({ terms, drop }), p2ToP1: reshared ? wireLength(out.k, out.count) : 0, ...also.cost },
    });
    this.terms = terms;
    this.drop = drop;
    const draws = [laneBytes(k - drop) * count, ...terms.map((term) => tableBytes(term, term.count))];
    this.longestDraw = Math.max(...draws, also.longestDraw ?? 0);
  }

  abstract recv12(p2: Party): Promise<void>;

  async dealP0(p0: Party): Promise<void> {
    await dealSelection(this, p0);
  }

  dealP2(p2: Party): Promise<void> {
    return keepDealt(this, p2);
  }

  async send12(p1: Party): Promise<void> {
    for (const [t, term] of this.terms.entries()) await sendTable(this, term, t, p1);
  }
}

/**
 * A selection whose result is re-shared at once: both `a` and `y` of the output exist, so it enters a product
 * without another message.
 */
export class SelectGate extends SelectionGate {
  readonly relation = 'select' as const;

  override component(party: Party, component: Component): Promise<Vector> {
    return component === 'l1' ? selectionMask1(this, party) : outputMask(this, party, component);
  }

  async recv12(p2: Party): Promise<void> {
    p2.put(this.out, 'y', await chooseFromTables(this, p2));
  }

  async send21(p2: Party): Promise<void> {
    await sendReshared(this, p2, await p2.value(this.out, 'y'));
  }

  async recv21(p1: Party): Promise<void> {
    p1.put(this.out, 'a', await p1.kernels.add(await recvReshared(this, p1), await selectionZero(this, p1)));
  }
}
