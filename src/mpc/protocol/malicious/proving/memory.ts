/**
 * What the proofs of a circuit hold at each party, at most and at one time: an upper bound from shapes alone. Nothing
 * is dealt, loaded or drawn for it.
 *
 * A prover holds both halves of a relation from its gate's last message until its segment is proved. A segment is
 * proved where it ends, so that is bounded by its limit and by what one half-round adds. Verifiers hold sums, and W
 * the public tables of the segment that it takes in. Messages are held until both sides of a gate were read. P0 deals
 * ahead of what it takes in, and holds masks and messages meanwhile. What it proves it reads when a segment's turn
 * comes, from keys and from messages that are held for that: one segment behind the other.
 */
import { groupSize } from '../../../../compute/index-group.ts';
import { elementBits } from '../../../../compute/kernels/table-layout.ts';
import { laneBytes } from '../../../../compute/ring.ts';
import type { PartyId } from '../../../../net/wire/types.ts';
import { PIECE } from '../../../proof/digit-rounds.ts';
import { type RelationShape, digitsOf, isLookedUp, rowsOf, scalarsOf } from '../../../proof/relations.ts';
import { MOST_SIGMA } from '../../../proof/segment.ts';
import type { ProofParameters } from '../../../proof/soundness.ts';
import type { Circuit } from '../../frame/circuit.ts';
import { type Gate, lastHalf } from '../../frame/gate.ts';
import { aheadOf, maskBytes } from './ahead.ts';
import { type PlannedSegment, VERIFIERS, planProofs } from './plan.ts';

/** Bytes, of P0, P1 and P2. */
type ByParty = readonly [p0: number, p1: number, p2: number];

export interface ProofMemory {
  /** Of all that follows, and the parts that kernels work on: most at one time. */
  readonly peak: ByParty;
  /** Halves of what a party proves. */
  readonly kept: ByParty;
  /** What a proof holds beside the halves: weights of digits, then scalars, of which the last take the halves' place. */
  readonly scalars: ByParty;
  /** Public tables, before and behind a fold. */
  readonly tables: ByParty;
  /** Messages that were not taken in yet. */
  readonly messages: ByParty;
  /** Masks of what P0 has dealt and not taken in. */
  readonly ahead: ByParty;
  /** A half that is taken in, with its challenges and scalars; at P0 what it derives halves from. */
  readonly reading: ByParty;
}

/** Parts of tables, claims and challenges that are worked on at once. */
const WORK = 2 ** 23;

/** @param limit bytes that a prover keeps for a segment, as the run has it */
export function proofMemory(circuit: Circuit, parameters: Pick<ProofParameters, 'primes'>, limit: number): ProofMemory {
  const planned = planProofs(circuit, undefined, limit);
  const all = ([0, 1, 2] as const).map((id) => new Timeline(circuit, id).of(planned, parameters.primes));
  const [p0, p1, p2] = all;
  const of = (part: keyof (typeof all)[number]): ByParty => [p0[part], p1[part], p2[part]];
  return {
    ...{ peak: of('peak'), kept: of('kept'), scalars: of('scalars') },
    ...{ tables: of('tables'), messages: of('messages'), reading: of('reading'), ahead: of('ahead') },
  };
}

/** Both halves of a relation, as its prover has them: what a claim is linear in stays with the verifiers. */
function halfBytes(shape: RelationShape, proof: PartyId): number {
  if (shape.kind === 'matrix') {
    const width = (columns: number, fetched?: true) => (fetched === true ? Math.min(columns, MOST_SIGMA) : columns);
    const cells = shape.terms.map(({ inner, fetched }) => inner * (shape.rows + width(shape.columns, fetched)));
    return laneBytes(shape.k) * sum(cells);
  }
  // Two indices, and two factors a term. P1 does without its table.
  if (shape.kind === 'table') return shape.elements * (8 + 16 * shape.terms.length);
  const { layout, elements } = shape;
  const words = laneBytes(layout.k) * layout.widths.length * elements;
  // P0's words are under pads, which are drawn as they are needed.
  const entries = layout.n === 1 ? words : proof === 0 ? 0 : Math.ceil((elementBits(layout) * elements) / 8);
  return entries + words + 4 * elements;
}

/** What is linear in a relation, at one verifier. */
function linearBytes(shape: RelationShape): number {
  if (shape.kind === 'table') return 0;
  return shape.kind === 'matrix'
    ? laneBytes(shape.k) * shape.rows * shape.columns
    : laneBytes(shape.layout.k) * shape.elements;
}

/** Challenges of a relation that is taken in, its weights and its scalars: they are worked on one prime at a time. */
function workedOn(shape: RelationShape): number {
  const rows = rowsOf(shape);
  // Of a matrix rows are combined by sums.
  return shape.kind === 'matrix' ? 8 * rows + 16 * scalarsOf(shape) : 24 * rows + 16 * scalarsOf(shape);
}

/** Most that a proof holds at one time beyond all halves of its segment. */
function besideHalves({ proof, relations }: PlannedSegment, primes: number): number {
  const shapes = relations.map(({ shape }) => shape);
  const digits = primes * sum(shapes.map(digitBytes));
  // Scalars of a prime are made relation by relation. For the last one a half goes when its scalars are there.
  let [scalars, halves, beyond] = [16 * (primes - 1) * sum(shapes.map(scalarsOf)), 0, 0];
  for (const shape of shapes) {
    scalars += 16 * scalarsOf(shape);
    beyond = Math.max(beyond, scalars - halves);
    halves += halfBytes(shape, proof);
  }
  // What a relation's scalars are before they are in their place, and of its neighbours.
  const made = 16 * Math.max(...shapes.map(scalarsOf));
  return Math.max(digits, beyond) + made;
}

/** Weights of what is looked up or chosen, and indices of short pieces. */
function digitBytes(shape: RelationShape): number {
  if (digitsOf(shape) === 0) return 0;
  if (shape.kind !== 'table') return 8 * scalarsOf(shape);
  const each = shape.elements < PIECE ? 16 : 8;
  return each * shape.elements * shape.terms.filter((_, term) => isLookedUp(shape, term)).length;
}

/** Public tables of a segment: as words, and as the kernels hold them. */
function tablesOf({ relations }: PlannedSegment, primes: number): number {
  const sizes = new Map<string, number>();
  for (const { shape } of relations) {
    if (shape.kind !== 'table') continue;
    const { id, group, functions } = shape.table;
    for (const f of shape.terms) sizes.set(`${id} ${f}`, functions[f].constant === true ? 1 : groupSize(group));
  }
  return 16 * primes * sum([...sizes.values()]);
}

/** What one party holds, half-round by half-round: 0 is behind dealing and input, the last is behind the rounds. */
class Timeline {
  readonly #circuit: Circuit;
  readonly #id: PartyId;
  readonly #length: number;

  constructor(circuit: Circuit, id: PartyId) {
    this.#circuit = circuit;
    this.#id = id;
    this.#length = 2 * circuit.cost.rounds + 2;
  }

  of(planned: readonly PlannedSegment[], primes: number) {
    const [kept, scalars, tables] = [
      this.#kept(planned),
      this.#scalars(planned, primes),
      this.#tables(planned, primes),
    ];
    const [messages, reading] = [this.#messages(), this.#reading(planned, primes)];
    const { masks } = this.#ahead();
    const peak = kept.map(
      (bytes, at) =>
        WORK + bytes + Math.max(scalars[at], reading[at]) + tables[at] + messages[at] + (at === 0 ? masks : 0),
    );
    return {
      ...{ peak: most(peak), kept: most(kept), scalars: most(scalars) },
      ...{ tables: most(tables), messages: most(messages), reading: most(reading), ahead: masks },
    };
  }

  /** When this party has all messages of a gate. */
  #at(gate: Gate): number {
    const { owner } = this.#circuit;
    return this.#id === 0 && owner?.online(gate) !== true ? 0 : lastHalf(gate) + 1;
  }

  /** When a segment is proved. */
  #end({ end }: PlannedSegment): number {
    return end === undefined ? this.#length - 1 : end + 1;
  }

  #kept(planned: readonly PlannedSegment[]): number[] {
    const held = this.#nothing();
    const own = planned.filter(({ proof }) => proof === this.#id);
    if (this.#dealsAhead) {
      const each = own.map(({ proof, relations }) => sum(relations.map(({ shape }) => halfBytes(shape, proof))));
      this.#hold(held, this.#length - 1, this.#length - 1, most(each));
      return added(held);
    }
    for (const segment of own)
      for (const { gate, shape } of segment.relations)
        this.#hold(held, this.#at(gate), this.#end(segment), halfBytes(shape, segment.proof));
    return added(held);
  }

  /** Of one segment behind the other. */
  #scalars(planned: readonly PlannedSegment[], primes: number): number[] {
    const held = this.#nothing();
    for (const segment of planned.filter(({ proof }) => proof === this.#id)) {
      const end = this.#end(segment);
      held[end] = Math.max(held[end], besideHalves(segment, primes));
    }
    return held;
  }

  #tables(planned: readonly PlannedSegment[], primes: number): number[] {
    const held = this.#nothing();
    for (const segment of planned) {
      const bytes = tablesOf(segment, primes);
      const end = this.#end(segment);
      if (segment.proof === this.#id) this.#hold(held, end, end, bytes);
      if (VERIFIERS[segment.proof][1] !== this.#id || this.#dealsAhead) continue;
      const times = segment.relations.map(({ gate }) => this.#at(gate));
      this.#hold(held, Math.min(...times), Math.max(...times), bytes);
    }
    const all = added(held);
    if (this.#dealsAhead) all[0] += this.#tablesAhead(planned, primes);
    return all;
  }

  /** Whether all that this party takes in is there before the rounds, and what it proves is read behind them. */
  get #dealsAhead(): boolean {
    return this.#id === 0 && this.#circuit.owner === undefined;
  }

  /** P0 takes in gate by gate what it dealt, and those with the input behind that. */
  #tablesAhead(planned: readonly PlannedSegment[], primes: number): number {
    const { gates } = this.#circuit;
    const held = new Array<number>(gates.length + 2).fill(0);
    for (const segment of planned) {
      if (VERIFIERS[segment.proof][1] !== this.#id) continue;
      const places = segment.relations.map(({ gate }) => gates.indexOf(gate));
      const input = segment.relations.some(({ gate }) => gate.inputP0 !== undefined);
      this.#hold(held, Math.min(...places), input ? gates.length : Math.max(...places), tablesOf(segment, primes));
    }
    return most(added(held));
  }

  /** Most that P0 holds of gates that it has dealt and not taken in: their masks, and what it sent. */
  #ahead(): { readonly masks: number; readonly messages: number } {
    if (this.#id !== 0) return { masks: 0, messages: 0 };
    const limit = aheadOf(this.#circuit);
    const waiting: { readonly masks: number; readonly messages: number }[] = [];
    const total = { masks: 0, messages: 0 };
    const largest = { masks: 0, messages: 0 };
    for (const gate of this.#circuit.gates) {
      const messages = (gate.cost.p0ToP1Ahead ?? 0) + (gate.cost.p0ToP2Ahead ?? 0);
      const next = { masks: maskBytes(gate), messages };
      waiting.push(next);
      for (const part of ['masks', 'messages'] as const) {
        total[part] += next[part];
        largest[part] = Math.max(largest[part], total[part]);
      }
      while (total.masks > limit) {
        const { masks, messages: sent } = waiting.shift() ?? total;
        total.masks -= masks;
        total.messages -= sent;
      }
    }
    return largest;
  }

  #messages(): number[] {
    const held = this.#nothing();
    for (const gate of this.#circuit.gates) {
      const { cost, owner, relations } = gate;
      const sent = (...names: (keyof typeof cost)[]) => sum(names.map((name) => cost[name] ?? 0));
      const end = relations === undefined ? this.#length - 1 : this.#at(gate);
      const opened = [sent('p1ToP0', 'p2ToP0'), sent('p1ToP0'), sent('p2ToP0')][this.#id];
      this.#hold(held, this.#length - 1, this.#length - 1, opened);
      const between = sent('p2ToP1Ahead', 'p1ToP2Ahead');
      if (this.#id === 0) {
        const early = sent('p0ToP1Ahead', 'p0ToP2Ahead', 'p0ToP1Input', 'p0ToP2Input');
        const input = sent('p0ToP1Input', 'p0ToP2Input') > 0;
        // What is dealt is taken in soon (`#ahead`), and what has a part with the input behind that.
        const again = this.#dealsAhead && gate.halves?.some(({ factorsFrom }) => factorsFrom !== undefined) === true;
        const until = again ? this.#length - 1 : end;
        if (input || relations === undefined || until > 0) this.#hold(held, 0, until, early);
        this.#hold(held, end, end, (owner?.p0ToP1 ?? 0) + (owner?.p0ToP2 ?? 0) + (owner?.p2ToP0 ?? 0));
        continue;
      }
      const mine = this.#id === 1 ? sent('p0ToP1Ahead', 'p0ToP1Input') : sent('p0ToP2Ahead', 'p0ToP2Input');
      this.#hold(held, 0, end, mine + between);
      const halves = [gate.half12, gate.half21, owner?.half].filter((half) => half !== undefined);
      if (halves.length === 0) continue;
      const online = this.#id === 1 ? (owner?.p0ToP1 ?? 0) : (owner?.p0ToP2 ?? 0) + (owner?.p2ToP0 ?? 0);
      this.#hold(held, Math.min(...halves) + 1, end, sent('p1ToP2', 'p2ToP1') + online);
    }
    const all = added(held);
    all[0] += this.#ahead().messages;
    return all;
  }

  /** One relation behind the other. Those of one message of a gate may share a half. */
  #reading(planned: readonly PlannedSegment[], primes: number): number[] {
    const held = this.#nothing();
    for (const { proof, relations } of planned) {
      if (this.#dealsAhead && proof === 0) {
        const masks = [...new Set(relations.map(({ gate }) => gate))].map(maskBytes);
        // It lets go of what it derived behind the gate that is one too many.
        const derived = Math.min(sum(masks), aheadOf(this.#circuit) + most(masks));
        held[this.#length - 1] = Math.max(held[this.#length - 1], derived);
        continue;
      }
      const halves = new Map<string, { readonly at: number; bytes: number; most: number }>();
      for (const { gate, shape } of relations) {
        const key = `${gate.number} ${shape.message}`;
        const known = halves.get(key) ?? { at: this.#at(gate), bytes: 0, most: 0 };
        halves.set(key, known);
        // A prover reads both, and they are kept then.
        known.bytes += proof === this.#id ? 2 * linearBytes(shape) : halfBytes(shape, proof) + linearBytes(shape);
        if (proof !== this.#id) known.most = Math.max(known.most, primes * workedOn(shape));
      }
      for (const { at, bytes, most: work } of halves.values()) held[at] = Math.max(held[at], bytes + work);
    }
    return held;
  }

  #nothing(): number[] {
    return new Array<number>(this.#length + 1).fill(0);
  }

  /** From one time to another, and at both. */
  #hold(changes: number[], from: number, to: number, bytes: number): void {
    changes[from] += bytes;
    changes[to + 1] -= bytes;
  }
}

/** What changes add up to. */
function added(changes: readonly number[]): number[] {
  let total = 0;
  return changes.map((change) => {
    total += change;
    return total;
  });
}

function sum(all: readonly number[]): number {
  return all.reduce((total, one) => total + one, 0);
}

function most(all: readonly number[]): number {
  return all.reduce((largest, one) => Math.max(largest, one), 0);
}
