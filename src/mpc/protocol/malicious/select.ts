/**
 * Selections, and sums of them (PROTOCOL §14.6). P1's table is a public function of m − λ1, and P2's choice of λ2:
 *
 *   P1 → P2          e_j,p = D_j,p(m − λ1) + w_j,p                 pads w ← k01
 *   P0 → P2, ahead   B = ⌈(−Σ w_c,p φ_p − ρ2) / 2^d⌉ − r0          c and φ from λ2; r0 ← k01, both over Z_2^(k−d)
 *   P2 → P1          m' = Σ e_c,p φ_p + 2^d·B + λ2'                λ1' = −2^d·r0
 *
 * ρ2 = λ2' mod 2^d is what the local shift behind the gate adds of λ2'; λ1' is a whole number of 2^d. So that shift
 * gives ⌊(f + ρ)/2^d⌋ with one coin ρ = (Σ w_c,p φ_p + ρ2) mod 2^d, and a zero stays zero (PROTOCOL §14.7). Only P0's
 * word is short. P2's message is linear in what it received, and its mask is of the full ring: a sparse λ2' under a full
 * message would leave its low bits open to P1, who knows e.
 */
import { tableBytes } from '../../../compute/kernels/table-layout.ts';
import { type Vector, laneBytes, wireLength } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import { Masked } from '../../share/masked.ts';
import type { Component, Wire } from '../../share/wire.ts';
import {
  type Selection,
  type Summed,
  chooseWhole,
  dealSelection,
  keepDealt,
  selectionCost,
  selectionMask1,
  sendTable,
} from '../frame/dealing.ts';
import { type Halves, type Proved, drawId, tagOf } from '../frame/gate.ts';
import { type Party, prgOf } from '../frame/party.ts';
import { type Position, Relation } from '../frame/relation.ts';
import { outputMask } from '../frame/reshare.ts';
import { raised } from '../frame/rounding.ts';
import { coinOf, mask2 } from './complete.ts';
import { selectionRelations } from './relations.ts';
import { selectionHalves } from './witness/selection.ts';

/** P0's word B of a selection. */
export interface OwnerWord {
  /** Whether P0 is a prover. */
  readonly proved: boolean;
  /** Whether it goes with the table and not ahead: where λ2 of an operand follows from the input (PROTOCOL §17). */
  readonly online: boolean;
}

export class CompleteSelectGate extends Relation implements Summed {
  readonly relation: 'select' | 'widen';
  readonly relations: readonly Proved[];
  readonly halves: readonly Halves[];
  readonly terms: readonly Selection[];
  readonly drop: number;
  readonly longestDraw: number;
  readonly #online: boolean;

  constructor(
    relation: 'select' | 'widen',
    position: Position,
    inputs: readonly Wire[],
    out: Wire,
    half12: number,
    terms: readonly Selection[],
    drop: number,
    { proved, online }: OwnerWord,
  ) {
    const [{ k, count }] = terms;
    invariant(
      terms.every((term) => term.k === k && term.count === count) && out.k === k,
      'a sum of selections over different rings, or of different lengths',
    );
    const { p0ToP2Ahead: word, p1ToP2 } = selectionCost({ terms, drop });
    super(position, out, {
      inputs,
      half12,
      half21: half12 + 1,
      traits: [...terms.flatMap(({ n, widths, traits }) => [n, k, widths, ...traits]), 'short', drop],
      owner: online ? { half: half12, p0ToP2: word } : undefined,
      cost: { p1ToP2, p2ToP1: wireLength(k, count), ...(online ? {} : { p0ToP2Ahead: word }) },
    });
    this.#online = online;
    this.relation = relation;
    this.relations = selectionRelations(relation, terms, proved);
    this.terms = terms;
    this.drop = drop;
    this.halves = selectionHalves(this, proved);
    this.longestDraw = Math.max(laneBytes(k) * count, ...terms.map((term) => tableBytes(term, term.count)));
  }

  async component(party: Party, component: Component): Promise<Vector> {
    if (component !== 'l1') return outputMask(this, party, component);
    return raised(party.kernels, await selectionMask1(this, party), this.drop, this.out.k);
  }

  async dealP0(p0: Party): Promise<void> {
    if (!this.#online) await this.#deal(p0);
  }

  async dealP2(p2: Party): Promise<void> {
    if (!this.#online) await keepDealt(this, p2);
  }

  async send02(p0: Party): Promise<void> {
    if (this.#online) await this.#deal(p0);
  }

  async recv02(p2: Party): Promise<void> {
    if (this.#online) await keepDealt(this, p2);
  }

  async #deal(p0: Party): Promise<void> {
    const coin = this.drop === 0 ? undefined : await coinOf(p0, await p0.value(this.out, 'l2'), this.drop);
    await dealSelection(this, p0, coin);
  }

  async send12(p1: Party): Promise<void> {
    for (const [t, term] of this.terms.entries()) await sendTable(this, term, t, p1);
  }

  async recv12(p2: Party): Promise<void> {
    p2.put(this.out, 'm', await p2.kernels.add(await chooseWhole(this, p2), await mask2(this, p2)));
  }

  async send21(p2: Party): Promise<void> {
    const fresh = prgOf(p2, 2).takeMask(drawId(this, 'mask2'), this, 'λ2');
    await p2.link(1).send(tagOf(this, '21'), Masked.under(fresh, await p2.value(this.out, 'm')));
  }

  async recv21(p1: Party): Promise<void> {
    p1.put(this.out, 'm', await p1.link(2).recv(tagOf(this, '21'), this.out.k, this.out.count));
  }
}
