/**
 * What each gate and gadget costs, in bytes and rounds: the terms of a price (`price.ts`). Arithmetic on counts; the
 * numbers are those that gates declare, and the tests of prices hold them against circuits.
 */
import { pointKeyBytes } from '../compute/kernels/point-key.ts';
import { cosineExponents } from '../compute/kernels/cosine-sum.ts';
import type { CosineSum } from '../compute/kernels/types.ts';
import { OT_BASE, OT_SIBLINGS } from '../compute/kernels/ot-base.ts';
import { wireLength } from '../compute/ring.ts';
import type { Activation } from '../ml/model-types.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import { OUTPUT_FORM } from '../ml/models/run.ts';
import { noCost } from '../mpc/protocol/cost.ts';
import { CLASS_BITS, GELU_RING, type GeluRange, geluArgumentBits, geluSum } from '../mpc/secure/activation.ts';
import { IDENTITY_SUM } from '../mpc/secure/cosines.ts';
import { maximumLevels } from '../mpc/secure/maximum.ts';
import { hasQuickLevels, quickLevels } from '../mpc/secure/quick-maximum.ts';
import { CONTEXT_BITS, reciprocalOf, valueRing, weightForm } from '../mpc/secure/attention-form.ts';
import { KEY_BITS, scoreRing } from '../mpc/secure/attention.ts';
import { LAW_ENTRY, type PowerLaw, lawSelections } from '../mpc/secure/power-law.ts';
import {
  centredRing,
  centredRootOf,
  entryRing,
  isCentred,
  levelsOf,
  normaliseShift,
  restOfMeanBits,
  rootOf,
} from '../mpc/secure/normalise.ts';
import { SEMI_HONEST } from '../mpc/protocol/registry.ts';
import { WIDENING } from '../mpc/protocol/semi-honest/circuit.ts';
import type { Cost, Widening } from '../mpc/protocol/types.ts';
import type { Wire } from '../mpc/share/wire.ts';
import type { WeightMode } from './request.ts';

/** Prices are those of the protocol whose gates are counted here. */
const ROUNDING = SEMI_HONEST.truncation;

/** Bytes as gadgets add them up. */
export class Tally {
  readonly cost = noCost();
  readonly secret: boolean;
  /** Interactive gates. */
  gates = 0;
  readonly #weights: WeightMode;
  /** Bytes that P1 and P2 keep of what they made ahead, beyond the bytes that came: less, where fewer are kept. */
  readonly kept: [p1: number, p2: number] = [0, 0];
  readonly #mean: boolean;
  /** Whether widenings are by oblivious transfer. */
  readonly transfers: boolean;
  readonly #bases = new Set<'p0ToP1Ahead' | 'p0ToP2Ahead'>();

  /**
   * @param mean whether counts are those of a mean: the last byte of packed words may be begun at any of the places
   * that it stands for.
   * @param widening how the circuit's widenings get the wrap
   */
  constructor(weights: WeightMode, mean = false, widening: Widening = WIDENING) {
    this.#weights = weights;
    this.secret = weights === 'secret';
    this.#mean = mean;
    this.transfers = widening === 'ot';
  }

  #wire(k: number, count: number): number {
    return wireLength(k, count) + (this.#mean && k % 8 !== 0 ? 1 : 0);
  }

  input(k: number, count: number): void {
    this.gates++;
    this.cost.p0ToP1Input += this.#wire(k, count);
  }

  lookup(count: number, rows: number, cols: number): void {
    const keys = count * pointKeyBytes(Math.ceil(Math.log2(rows)));
    this.gates++;
    this.cost.p0ToP1Input += keys;
    this.cost.p0ToP2Input += keys + (this.secret ? 8 * count * cols : 0);
  }

  /** An affine map of `count` results: free with open weights, a word of P0 with secret ones. */
  affine(count: number): void {
    if (!this.secret) return;
    this.gates++;
    this.cost.p0ToP2Ahead += 8 * count;
  }

  /** Masks of an additive wire that are asked for where it is read. */
  reshare(k: number, count: number): void {
    this.gates++;
    this.cost.p2ToP1 += this.#wire(k, count);
  }

  /** The same of an affine map of a masked wire: with open weights P2 knows its part before the input. */
  reshareMapped(k: number, count: number): void {
    if (this.secret) {
      this.reshare(k, count);
      return;
    }
    this.gates++;
    this.cost.p2ToP1Ahead += this.#wire(k, count);
  }

  /** An operand of affine maps that nothing else has lifted: free with open weights. */
  operand(count: number, of: Wire['kind'] = 'additive'): void {
    if (!this.secret) return;
    if (of === 'additive') this.liftAdditive(64, count);
    else this.lift(64, count);
  }

  /** The same of what was widened from so many bits. */
  widenedOperand(from: number, count: number): void {
    if (this.secret) this.liftWidened(from, 64, count);
  }

  /** A lift of an additive wire, and the masks that go with it. */
  liftAdditive(k: number, count: number): void {
    this.reshare(k, count);
    this.lift(k, count);
  }

  /** The same of a widening: with secret weights the bits that were there already do not travel again. */
  liftWidened(from: number, to: number, count: number): void {
    this.reshare(this.secret ? to - from : to, count);
    this.lift(to, count);
  }

  lift(k: number, count: number): void {
    this.gates++;
    this.cost.p1ToP2 += this.#wire(k, count);
  }

  /** A product whose result, rounded or not, is over Z_2^k. */
  product(k: number, count: number): void {
    this.gates++;
    this.cost.p0ToP2Ahead += this.#wire(k, count);
    this.cost.p2ToP1 += this.#wire(k, count);
  }

  /** A sum of so many values over Z_2^k, each let through by so many bits. */
  gatedSum(values: number, bits: number, k: number, count: number): void {
    this.gates++;
    this.cost.p0ToP2Ahead += this.#wire(k, values * 2 * (2 ** bits - 1) * count);
    this.cost.p2ToP1 += this.#wire(k, count);
  }

  /** A selection of n entries of P words over Z_2^k, whose result loses `drop` bits. */
  select(n: number, P: number, k: number, count: number, drop = 0): void {
    this.gates++;
    this.cost.p0ToP2Ahead += this.#wire(k - drop, count);
    this.cost.p1ToP2 += this.#wire(k, n * P * count);
    this.cost.p2ToP1 += this.#wire(k - drop, count);
  }

  /** A sum of selections of so many bits an element, with a result over Z_2^k. */
  selectSum(bits: readonly number[], k: number, count: number): void {
    this.gates++;
    this.cost.p0ToP2Ahead += this.#wire(k, count);
    this.cost.p1ToP2 += bits.reduce((bytes, table) => bytes + this.#wire(table, count), 0);
    this.cost.p2ToP1 += this.#wire(k, count);
  }

  widen(from: number, to: number, count: number): void {
    if (this.transfers) this.#transfer(to - from, count);
    else this.#dealt(to - from, count);
  }

  /** A widening's wrap of k bits by a word of P0. */
  #dealt(k: number, count: number): void {
    this.gates++;
    this.cost.p0ToP2Ahead += this.#wire(k, count);
    this.cost.p1ToP2 += this.#wire(k, count);
  }

  /** A sum of selections as `selectSum`, whose result over Z_2^k is widened at once. */
  selectWide(bits: readonly number[], k: number, to: number, count: number): void {
    this.gates++;
    const words = to - k;
    this.cost.p0ToP2Ahead += this.#wire(k, count);
    this.cost.p1ToP2 += bits.reduce((bytes, table) => bytes + this.#wire(table, count), 0);
    this.cost.p2ToP1 += this.#wire(words, count);
    if (this.transfers) this.cost.p1ToP2Ahead += this.#ots('p0ToP2Ahead', words, count);
    else this.cost.p0ToP1Ahead += this.#wire(words, count);
  }

  /** A widening's wrap of k bits by oblivious transfer. */
  #transfer(k: number, count: number): void {
    this.gates++;
    this.cost.p1ToP2 += this.#wire(k, count);
    this.cost.p2ToP1Ahead += this.#ots('p0ToP1Ahead', k, count);
  }

  /** Bytes of the receiver's message of OTs. The first ones of a direction bring their base, from P0 to the sender. */
  #ots(base: 'p0ToP1Ahead' | 'p0ToP2Ahead', k: number, count: number): number {
    if (!this.#bases.has(base)) {
      this.#bases.add(base);
      this.gates++;
      this.cost[base] += OT_SIBLINGS;
      for (const party of [0, 1]) this.kept[party] += OT_BASE;
    }
    const [message, words] = [wireLength(32, count), this.#wire(k, count)];
    const sender = base === 'p0ToP1Ahead' ? 0 : 1;
    // The sender has the two words of each and no more of the message; the receiver has one.
    this.kept[sender] += 2 * words - message;
    this.kept[1 - sender] += words;
    return message;
  }

  /** Of a masked wire. */
  truncate(k: number, s: number, count: number): void {
    this.widen(k - s, 64, count);
  }

  /** Of an additive one. */
  truncateAdditive(k: number, s: number, count: number): void {
    this.reshare(k - s, count);
    this.truncate(k, s, count);
  }

  output(count: number): void {
    const { k } = OUTPUT_FORM[this.secret ? 'secret' : 'open'];
    this.gates++;
    this.reshare(k, count);
    this.cost.p1ToP0 += this.#wire(k, count);
  }

  /** Rounds that follow everything before. */
  rounds(count: number): void {
    this.cost.rounds += count;
  }

  /** An empty one of the same kind. */
  like(): Tally {
    return new Tally(this.#weights, this.#mean, this.transfers ? 'ot' : 'dealer');
  }

  /** Adds another tally so many times. */
  add({ cost, gates, kept }: Tally, times: number): void {
    for (const key of Object.keys(cost) as (keyof Cost)[]) this.cost[key] += times * cost[key];
    for (const party of [0, 1]) this.kept[party] += times * kept[party];
    this.gates += times * gates;
  }
}

// ── gadgets, as in mpc/secure ────────────────────────────────────────────────

function powerLaw(t: Tally, count: number, law: PowerLaw): void {
  const { polynomials, tables, choice } = lawSelections(law);
  const { entries, words } = LAW_ENTRY;
  for (const { each, k, drop } of polynomials) t.select(entries, words, k, each * count, drop);
  for (const { each, bits } of tables) t.select(2 ** bits, 1, 1, each * count);
  t.selectSum(choice, law.k, count);
}

/** @param of which kind the rows are: what the model adds up is additive, what P0 chose of it is masked */
export function normalise(
  t: Tally,
  rows: number,
  d: number,
  range: ModelPlan['head'],
  of: Wire['kind'] = 'additive',
): void {
  const e = normaliseShift(d, range);
  if (of === 'additive') t.truncateAdditive(64, e, rows * d);
  else t.truncate(64, e, rows * d);
  t.liftWidened(64 - e, 64, rows * d);
  t.product(64, rows);
  powerLaw(t, rows, rootOf(d, ROUNDING));
  scaledRows(t, rows, d);
  t.rounds(4);
}

function scaledRows(t: Tally, rows: number, d: number): void {
  const k = entryRing(d);
  t.product(k, rows * d);
  t.widen(k, 64, rows * d);
}

/** The same of rows whose mean is zero. */
export function normaliseCentred(
  t: Tally,
  rows: number,
  d: number,
  range: ModelPlan['head'],
  of: Wire['kind'] = 'additive',
): void {
  if (!isCentred(range)) {
    normalise(t, rows, d, range, of);
    return;
  }
  const k = centredRing(range);
  const rest = restOfMeanBits(range);
  if (of === 'additive') {
    t.liftAdditive(k, rows * d);
    t.reshare(rest, rows);
  } else t.lift(k, rows * d);
  t.widen(rest, k, rows);
  t.liftWidened(rest, k, rows);
  for (const scale of new Set(levelsOf(d, range).map((level) => level.scale))) t.product(32 + scale, rows);
  powerLaw(t, rows, centredRootOf(d, range, ROUNDING));
  scaledRows(t, rows, d);
  t.rounds(3);
}

export function relu(t: Tally, count: number): void {
  t.reshare(48, count);
  for (let leaf = 0; leaf < 5; leaf++) t.select(256, 1, 1, count);
  t.select(64, 1, 1, count);
  t.selectWide([2 * 2 * 48], 48, 64, count);
  t.rounds(3);
}

/** Ring of tanh before it is widened. */
export const TANH_BITS = 32 - 8;

export function tanh(t: Tally, count: number): void {
  t.reshare(22, count);
  t.select(128, 4, 32, count);
  t.select(128, 1, 1, count);
  t.select(2, 2, 32, count, 8);
  t.select(128, 1, TANH_BITS, count);
  t.widen(TANH_BITS, 64, count);
  t.rounds(3);
}

export function activate(t: Tally, count: number, activation: Activation, range: GeluRange): void {
  if (activation === 'relu') {
    relu(t, count);
    return;
  }
  const { sum, drop } = geluSum(range, activation);
  const k = GELU_RING[range];
  t.reshare(geluArgumentBits(range, sum), count);
  const entry = (of: CosineSum) => cosineExponents(of).reduce((bits, v) => bits + k - v, 0);
  if (range === 'narrow') t.selectWide([entry(sum)], k - drop, 64, count);
  else {
    for (let bit = 0; bit < 2; bit++) t.select(2 ** (CLASS_BITS[range] - 1), 1, 1, count);
    t.selectWide([2 * entry(IDENTITY_SUM), 2 * entry(sum)], k - drop, 64, count);
    t.rounds(1);
  }
  t.rounds(1);
}

export interface Attention {
  readonly heads: number;
  /** Queries of a head, keys of a head, and of them those that are new. */
  readonly queries: number;
  readonly keys: number;
  readonly fresh: number;
  readonly width: number;
  readonly treeBits: 8 | 9;
  readonly mask: 'none' | 'causal' | 'real';
  /** Whether keys are kept for later steps, and whether scores are checked: then in the ring that serves all. */
  readonly kept?: boolean;
  readonly checked: boolean;
  /** Whether queries are of rows that P0 chose: masked ones. */
  readonly chosen?: boolean;
  /** Widths of rows whose maxima are taken, in equal parts: those of the steps that a mean stands for. */
  readonly widths: readonly number[];
}

/** The maximum of rows of `width` columns, level by level. */
function maximum(t: Tally, rows: number, width: number, bits: 8 | 9): void {
  for (const { radix, columns } of maximumLevels(width, bits)) {
    if (radix === 2) {
      t.select(2 ** bits, 1, bits, rows * columns);
      t.rounds(1);
      continue;
    }
    t.select(2 ** (bits - 1), 1, 1, ((radix * (radix - 1)) / 2) * rows * columns);
    t.select((radix - 1) * 2 ** (radix - 1), 2, bits, rows * columns);
    t.rounds(2);
  }
}

/** Signs of short words, lifted for products. */
function liftedSigns(t: Tally, ring: number, count: number): void {
  t.select(2 ** (ring - 1), 1, 1, count);
  t.lift(1, count);
}

/** The same with secret weights, where rows are no wider than it takes. */
function quickMaximum(t: Tally, rows: number, width: number, bits: 8 | 9): void {
  for (const { radix, columns, rounds } of quickLevels(width, bits)) {
    const count = rows * columns;
    const [pairs, others] = [(radix * (radix - 1)) / 2, radix - 1];
    if (rounds === 1) liftedSigns(t, bits, pairs * count);
    else {
      t.select(2 ** (bits - 1), 1, 1, pairs * count);
      t.select(2 ** others, 1, 1, others * count);
    }
    for (let k = 0; k < others; k++) t.lift(bits, count);
    t.gatedSum(others, rounds === 1 ? others : 1, bits, count);
    t.rounds(rounds);
  }
}

/** Whether a key counts. */
function gate(t: Tally, count: number, treeBits: 8 | 9, mask: Attention['mask']): void {
  t.select(2 ** (treeBits - 2 + (mask === 'real' ? 1 : -1)), 1, 1, count);
}

/** The same by both columns of the last level. */
function gateOfEither(t: Tally, count: number, treeBits: 8 | 9, mask: Attention['mask']): void {
  for (let column = 0; column < 2; column++) {
    if (mask === 'real') gate(t, count, treeBits, mask);
    else liftedSigns(t, treeBits - 2, count);
  }
  t.product(1, count);
}

/** Ring of a context before it is widened, of rows of such widths. */
export function contextBits(widths: readonly number[]): number {
  return reciprocalOf(ROUNDING, Math.max(...widths)).bits;
}

export function attend(
  t: Tally,
  { heads, queries, keys, fresh, width, treeBits, mask, widths, chosen, checked, kept = false }: Attention,
): void {
  const rows = heads * queries;
  const scores = rows * keys;
  const ring = checked ? KEY_BITS : scoreRing(treeBits);
  if (chosen) t.reshareMapped(ring, rows * width);
  else t.reshare(ring, rows * width);
  t.lift(ring, rows * width);
  t.liftAdditive(kept ? KEY_BITS : ring, heads * fresh * width);
  t.reshare(44, heads * fresh * width);
  const values = valueRing(ROUNDING);
  t.widen(44, values, heads * fresh * width);
  const { ring: exponentials, drop, sums } = weightForm(ROUNDING, Math.max(keys, ...widths));
  if (kept) t.liftWidened(44, values, heads * fresh * width);
  else t.liftAdditive(sums, heads * fresh * width);
  t.product(ring - 24, scores);
  const shown = mask === 'causal' ? (heads * keys * (keys + 1)) / 2 : scores;
  if (mask === 'real') t.select(2, 2, treeBits, scores);
  for (const columns of widths) {
    const one = t.like();
    if (t.secret && hasQuickLevels(columns)) {
      quickMaximum(one, rows, columns, treeBits);
      gateOfEither(one, shown, treeBits, mask);
    } else {
      maximum(one, rows, columns, treeBits);
      gate(one, shown, treeBits, mask);
      one.rounds(1);
    }
    t.add(one, 1 / widths.length);
  }
  t.selectWide([8 * exponentials], exponentials - drop, sums, shown);
  t.liftAdditive(sums, shown);
  t.product(sums - 11, rows * width);
  t.widen(sums - 11, CONTEXT_BITS, rows * width);
  const { law, bits } = reciprocalOf(ROUNDING, Math.max(...widths));
  powerLaw(t, rows, law);
  t.liftWidened(sums - 11, CONTEXT_BITS, rows * width);
  t.product(bits, rows * width);
  t.widen(bits, 64, rows * width);
  t.rounds(5 + (mask === 'real' ? 1 : 0));
}
