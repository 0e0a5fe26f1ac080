/**
 * Dealer-assisted selection (PROTOCOL §4.7): its table, the word of P0 that makes up for the pad of the chosen entry,
 * and the choice. What becomes of P2's y is the protocol's own (`semi-honest/select.ts`).
 */
import type { IndexGroup } from '../../../compute/index-group.ts';
import type { Choice, CosineSum, SelectionTable } from '../../../compute/kernels/types.ts';
import { type TableLayout, elementBits, tableBytes } from '../../../compute/kernels/table-layout.ts';
import { type Vector, wireLength, zeros } from '../../../compute/ring.ts';
import { Masked } from '../../share/masked.ts';
import type { Wire } from '../../share/wire.ts';
import type { Cost } from '../types.ts';
import { type Gate, drawId, tagOf } from './gate.ts';
import { type Party, prgOf } from './party.ts';
import { raised, roundDown, roundUp } from './rounding.ts';
import type { Trait } from './traits.ts';

/**
 * Bytes of one part of a table on the link: large enough to amortise a frame, small enough to overlap building,
 * sending and choosing.
 */
const PART_BYTES = 1 << 20;
/** Parts that are built while one is on its way. */
const PARTS_AHEAD = 3;

/** What P1's table is a function of: wires, of which a proof reads m and λ1 where P1 reads a. */
interface Operands {
  /** What the added part of the index is read from: its low bits, but for `zeros` that are none of a value's. */
  readonly added?: Wire | undefined;
  readonly zeros?: number;
  /** Or the top two bits of `added`, moved by a quarter of its ring: the index of a widening. */
  readonly top?: true;
  /** The bits of the other part. */
  readonly bits?: readonly Wire[];
  /** Values that are factors. */
  readonly values?: readonly Wire[];
  /** A bit that is a factor. */
  readonly gate?: Wire | undefined;
}

/** The functions of a sum of cosines, and of every term of P1's words the function. */
export interface CosineForm {
  readonly kind: 'cosines';
  readonly sum: CosineSum;
  readonly functions: readonly ('angle' | 'argument' | 'constant')[];
  readonly terms: readonly number[];
}

/**
 * A table whose entries are one function: `turning`, of an index that is 2^t less for every entry; or a sum of cosines
 * under a bit. Or a choice, whose words are ones and zeros in every ring.
 */
type PublicForm = { readonly kind: 'turning'; readonly t: number } | { readonly kind: 'choice' } | CosineForm;

/** What one selection is about: how P1 makes the table and how P0 and P2 know their choice. */
export interface Selection extends TableLayout {
  readonly count: number;
  /** Which function it is: part of the circuit's hash. */
  readonly traits: readonly Trait[];
  table(p1: Party): Promise<SelectionTable>;
  choice(party: Party): Promise<Choice>;
  /** The indices of P1's table as a public function: what is masked by addition, and bits. */
  readonly index: IndexGroup;
  readonly operands: Operands;
  /**
   * The function of `index` in every term of P1's table, where that is a sum of products of factors (choices, sums of
   * cosines); one term without factors where absent.
   */
  readonly functions?: readonly number[];
  /** What the functions of `index` have in common, where that is more than an index. */
  readonly form?: PublicForm;
  /** What P2 adds to what it chose: of its own mask, which P0 knows. */
  own?(p2: Party): Promise<Vector>;
}

/** Elements per part: a multiple of 8, so that a part is whole bytes and begins on one. */
function partSize(s: Selection): number {
  return Math.max(8, Math.floor(PART_BYTES / elementBits(s)) * 8);
}

/** A sum of selections: its terms, and the low bits that its result loses. */
export interface Summed {
  /** Over one ring and of one length. Each has pads of its own; P0's word and r0 are one for all. */
  readonly terms: readonly Selection[];
  readonly drop: number;
}

export type SummedGate = Gate & Summed;

/** Ring and number of what is dealt and of what P2 holds. */
function resultOf({ terms: [{ k, count }], drop }: Summed): { readonly k: number; readonly count: number } {
  return { k: k - drop, count };
}

/** Declared bytes of a sum of selections without its resharing message: a table each, and one word of P0. */
export function selectionCost(sum: Summed): Pick<Cost, 'p0ToP2Ahead' | 'p1ToP2'> {
  const { k, count } = resultOf(sum);
  return {
    p0ToP2Ahead: wireLength(k, count),
    p1ToP2: sum.terms.reduce((bytes, term) => bytes + tableBytes(term, term.count), 0),
  };
}

/**
 * P0 → P2: the word B of every element, of all terms together.
 * @param coin of a short word: what the shift behind the gate will add of P2's mask, over the ring of the terms. P0
 * takes it away before it rounds, so that the shift has one coin.
 * @returns r0
 */
export async function dealSelection(gate: SummedGate, p0: Party, coin?: Vector): Promise<Vector> {
  const { kernels } = p0;
  const prg = prgOf(p0, 1);
  const { k, count } = resultOf(gate);
  const zero = prg.takeMask(drawId(gate, 'zero'), gate, 'r0');
  const r0 = await kernels.draw(zero.stream, k, count);
  // A kernel subtracts r0 on its way. A short r0 is subtracted from what was rounded.
  const short = gate.drop > 0;
  let rest = short ? zeros(count, gate.terms[0].k) : r0;
  let word = rest;
  for (const [t, term] of gate.terms.entries()) {
    const pads = prg.claim(drawId(gate, 'pad', t), gate, 'pads');
    word = await kernels.dealSelection(await term.choice(p0), term, pads, rest);
    if (t + 1 < gate.terms.length) rest = await kernels.scale(word, -1n);
  }
  if (coin !== undefined) word = await kernels.sub(word, coin);
  if (short) word = await kernels.sub(await roundUp(kernels, word, gate.drop), r0);
  await p0.link(2).send(tagOf(gate, 'deal'), Masked.under(zero, word));
  return r0;
}

/** P2: keeps the dealt words in wire form until the choice is made. */
export async function keepDealt(gate: SummedGate, p2: Party): Promise<void> {
  const { k, count } = resultOf(gate);
  p2.keep(gate, await p2.link(0).recvBytes(tagOf(gate, 'deal'), wireLength(k, count)));
}

/** P1 → P2: the padded table, built part by part while the previous part is on its way. */
export async function sendTable(gate: Gate, s: Selection, number: number, p1: Party): Promise<void> {
  const pads = prgOf(p1, 1).takeMask(drawId(gate, 'pad', number), gate, 'pads');
  const table = await s.table(p1);
  const size = partSize(s);
  async function* parts(): AsyncIterable<Uint8Array> {
    const ahead: Promise<Uint8Array>[] = [];
    for (let from = 0; from < s.count || ahead.length > 0; from += size) {
      if (from < s.count) {
        const part = p1.kernels.selectionTable(table, s, pads.stream, from, Math.min(from + size, s.count));
        // It may fail while an earlier part is awaited; its error is reported when its turn comes.
        part.catch(() => undefined);
        ahead.push(part);
      }
      if (ahead.length > PARTS_AHEAD || from + size >= s.count) yield await (ahead.shift() as Promise<Uint8Array>);
    }
  }
  for await (const part of Masked.parts(pads, parts())) await p1.link(2).send(tagOf(gate, '12'), part, 'given');
}

/** P2: y = Σ f − r0 of every element, rounded. */
export async function chooseFromTables(gate: SummedGate, p2: Party): Promise<Vector> {
  const { kernels } = p2;
  const { k, count } = resultOf(gate);
  const dealt = await kernels.unpack(p2.takeBytes(gate), k, count, 'given');
  const short = gate.drop > 0;
  let chosen = short ? zeros(count, gate.terms[0].k) : dealt;
  for (const term of gate.terms) chosen = await chooseFromTable(gate, term, chosen, p2, 'given');
  return short ? kernels.add(await roundDown(kernels, chosen, gate.drop), dealt) : chosen;
}

/**
 * P2: the same without rounding, Σ e·φ + 2^drop·B = f + ρ − 2^drop·r0 over the ring of the terms: linear in all that P1
 * sent.
 */
export async function chooseWhole(gate: SummedGate, p2: Party): Promise<Vector> {
  const { kernels } = p2;
  const { k, count } = resultOf(gate);
  const dealt = await kernels.unpack(p2.takeBytes(gate), k, count);
  let chosen = await raised(kernels, dealt, gate.drop, gate.terms[0].k);
  for (const term of gate.terms) {
    chosen = await chooseFromTable(gate, term, chosen, p2);
    if (term.own !== undefined) chosen = await kernels.add(chosen, await term.own(p2));
  }
  return chosen;
}

/** @param given nobody looks at P1's message afterwards, as a proof does: kernels may have its bytes */
async function chooseFromTable(gate: Gate, s: Selection, word: Vector, p2: Party, given?: 'given'): Promise<Vector> {
  const { kernels } = p2;
  const choice = await s.choice(p2);
  const size = partSize(s);
  const parts: Promise<Vector>[] = [];
  for (let from = 0; from < s.count; from += size) {
    const to = Math.min(from + size, s.count);
    const part = await p2.link(1).recvBytes(tagOf(gate, '12'), tableBytes(s, to - from));
    parts.push(kernels.evaluateSelection(choice, s, part, word, from, to, given));
    if (parts.length > 4) await parts[parts.length - 5];
  }
  return kernels.concat(await Promise.all(parts));
}

/** r0 of a selection, at P0 and P1. */
export async function selectionZero(gate: SummedGate, party: Party): Promise<Vector> {
  const { k, count } = resultOf(gate);
  return party.kernels.draw(prgOf(party, 1).claim(drawId(gate, 'zero'), gate, 'r0'), k, count);
}

/** λ1 = −r0 of its result, at P0 and P1. */
export async function selectionMask1(gate: SummedGate, party: Party): Promise<Vector> {
  return party.kernels.scale(await selectionZero(gate, party), -1n);
}
