/**
 * One party's part in all proofs of a run (PROTOCOL §16.4): it proves what it sent and verifies what the others did.
 *
 *   before dealing   W → prover   anchors
 *   behind the input P0 → V       statements of S1 and S2: P0 waits for nobody
 *   online           V ↔ prover   each segment of S1 and S2 behind its last half-round, side by side where both end in
 *                                 it; where P0 has a part in the rounds, its statement goes there
 *   behind it        V → P0       verdicts of S1 and S2
 *   then             V ↔ P0       S0 with its verdict, where P0 proves
 *
 * Where P0 deals ahead, its halves follow from keys: it keeps none, and reads those of a segment when its turn comes
 * (PROTOCOL §16.4, ADR 91).
 *
 * Messages go over the links of the run, in an order that follows from the circuit. Nothing is sent again or computed
 * again: a run whose link breaks ends.
 */
import type { ProofKernels } from '../../../../compute/kernels/proof-types.ts';
import type { RingKernels } from '../../../../compute/kernels/types.ts';
import { concatBytes } from '../../../../core/bytes.ts';
import { SecurityViolationError, asTercetError, invariant } from '../../../../core/errors.ts';
import type { Vector } from '../../../../compute/ring.ts';
import type { Channel, PartyId } from '../../../../net/wire/types.ts';
import { ProverMemory } from '../../../proof/prover-memory.ts';
import { Prover } from '../../../proof/prover.ts';
import { Segment, keptBytes } from '../../../proof/segment.ts';
import type { ProofParameters } from '../../../proof/soundness.ts';
import { Verifier } from '../../../proof/verifier.ts';
import { Witness } from '../../../proof/witness.ts';
import type { Circuit } from '../../frame/circuit.ts';
import type { Observer } from '../../frame/engine.ts';
import { type Gate, type Halves, type Phase, type Seen, tagOf } from '../../frame/gate.ts';
import type { Party } from '../../frame/party.ts';
import { aheadOf, maskBytes } from './ahead.ts';
import { type PlannedSegment, VERIFIERS, planProofs } from './plan.ts';
import { proofMessages } from './price.ts';
import type { Transcript } from './transcript.ts';

export interface ProofOptions {
  readonly id: PartyId;
  readonly circuit: Circuit;
  readonly session: Uint8Array;
  /** What this party shares with each of the others, 32 bytes. */
  readonly keys: ReadonlyMap<PartyId, Uint8Array>;
  readonly channels: ReadonlyMap<PartyId, Channel>;
  readonly transcript: Transcript;
  readonly kernels: ProofKernels;
  /** What makes words of public tables. */
  readonly tables: () => Promise<RingKernels>;
  readonly parameters: ProofParameters;
  /** Bytes that a prover keeps for a segment. */
  readonly limit: number;
  /** Lets go of the components of wires that this party, P0, would derive again. */
  readonly forget?: (() => void) | undefined;
  /** About how many bytes of masks P0 holds of gates that it has dealt and not taken in yet (default: 64 MiB). */
  readonly aheadBytes?: number | undefined;
  /** Collects garbage of this thread, where that can be asked for. */
  readonly collect?: (() => void) | undefined;
}

/** A segment, and what this party is in it. */
type Part = { readonly planned: PlannedSegment; readonly segment: Segment } & (
  | { readonly role: 'prover'; readonly prover: Prover }
  | { readonly role: 'V'; readonly verifier: Verifier }
  | { readonly role: 'W'; readonly witness: Witness }
);

type PartOf<Role extends Part['role']> = Extract<Part, { role: Role }>;

/** A relation of a gate, where this party has a part in its proof. */
interface Relation {
  readonly part: Part;
  readonly index: number;
  readonly halves: Halves;
}

/** What the proofs of one run are about: public, and the same at all parties but for the time. */
export interface ProofReport {
  readonly provers: readonly {
    readonly prover: PartyId;
    /** Who receives the messages, and who holds what the prover does not tell that one. */
    readonly verifiers: readonly [v: PartyId, w: PartyId];
    /** Messages of the run that are proved. */
    readonly messages: number;
    readonly segments: number;
    /** Payload of all messages of this proof. */
    readonly bytes: number;
  }[];
  /** log2 of what a wrong run is accepted with at most. */
  readonly soundness: number;
  /** Milliseconds that this party spent on proofs, waiting for others included. */
  readonly ms: number;
  /** Round trips of this party with the other compute party, until now: S1 and S2 share theirs, those of S0 are with P0. */
  readonly exchanges: number;
}

const HASH = 32;
/** Bytes of relations that are taken in at once, as they would be kept. */
const AT_ONCE_BYTES = 2 ** 23;
const PHASES: readonly Phase[] = ['deal', 'ahead', 'input', '12', '21', '01', '02', '20', 'output'];

export class Proofs implements Observer {
  readonly #options: ProofOptions;
  /** Of all segments that this party proves. */
  readonly #memory: ProverMemory;
  readonly #parts: readonly Part[];
  #ms = 0;
  #exchanges = 0;
  /** The relations of every gate. */
  readonly #relations = new Map<Gate, Relation[]>();
  /** What P0 has dealt and not taken in yet, in order. */
  readonly #ahead: (readonly [party: Party, gate: Gate, release: () => void])[] = [];
  #aheadBytes = 0;
  /** Gates whose messages have gone at P0, whose halves it reads later. */
  readonly #gone = new Map<Gate, Party>();
  /** What P0 reads next of a segment that it proves, and about what the components take that it derived for that. */
  readonly #unread: (readonly [part: PartOf<'prover'>, gate: Gate])[] = [];
  #derivedBytes = 0;
  /** Verdicts for P0, which has no part in the half-rounds and asks behind them. */
  readonly #verdicts: (readonly [tag: string, seed: Uint8Array])[] = [];

  constructor(options: ProofOptions) {
    this.#options = options;
    this.#memory = new ProverMemory(options.collect);
    const planned = planProofs(options.circuit, options.tables, options.limit);
    this.#parts = planned.map((segment) => this.#part(segment));
    for (const part of this.#parts)
      for (const [index, { gate, halves }] of part.planned.relations.entries()) {
        const known = this.#relations.get(gate) ?? [];
        this.#relations.set(gate, known);
        known.push({ part, index, halves });
      }
  }

  #part(planned: PlannedSegment): Part {
    const { id, session, kernels, parameters, keys } = this.#options;
    const { proof, number, relations } = planned;
    const shapes = relations.map(({ shape }) => shape);
    const segment = new Segment({ session, proof, segment: number }, shapes, parameters);
    const [v, w] = VERIFIERS[proof];
    const key = (peer: PartyId) => {
      const known = keys.get(peer);
      invariant(known !== undefined, `party ${id} shares no key with party ${peer}`);
      return known;
    };
    if (id === proof)
      return {
        planned,
        segment,
        role: 'prover',
        prover: new Prover(segment, kernels, { verifier: key(v), witness: key(w) }, this.#memory),
      };
    if (id === v)
      return {
        planned,
        segment,
        role: 'V',
        verifier: new Verifier(segment, kernels, { witness: key(w), prover: key(proof) }),
      };
    return {
      planned,
      segment,
      role: 'W',
      witness: new Witness(segment, kernels, { verifier: key(v), prover: key(proof) }),
    };
  }

  // ── what passes is taken in ──────────────────────────────────────────────

  gate(party: Party, gate: Gate): Promise<void> {
    return this.#timed(() => this.#absorb(party, gate));
  }

  /**
   * P0 deals ahead of what it takes in: others wait for what it deals, and for its statements only behind the rounds.
   * Where it has a part in the rounds, nothing is left when they begin.
   */
  async dealt(party: Party, gate: Gate, release: () => void): Promise<void> {
    this.#ahead.push([party, gate, release]);
    this.#aheadBytes += maskBytes(gate);
    const most = aheadOf(this.#options.circuit, this.#options.aheadBytes);
    while (this.#aheadBytes > most) await this.takeIn();
  }

  /** Takes in the next gate that was dealt, or reads the next of P0's segment. @returns whether there was one */
  async takeIn(): Promise<boolean> {
    const next = this.#ahead.shift();
    if (next === undefined) return this.#timed(() => this.#readNext());
    const [party, gate, release] = next;
    await this.gate(party, gate);
    this.#aheadBytes -= maskBytes(gate);
    release();
    return true;
  }

  async #absorb(party: Party, gate: Gate): Promise<void> {
    const { transcript } = this.#options;
    const seen = this.#seen(party, gate);
    const relations = this.#relations.get(gate) ?? [];
    const later = this.#readsLater ? relations.filter(({ part }) => part.role === 'prover') : [];
    if (later.length > 0) this.#gone.set(gate, party);
    const sweep = () => party.sweep(seen.holds);
    for (const some of together(relations.filter((relation) => !later.includes(relation)))) {
      if (some.length === 1) await taken(some[0], seen, sweep);
      else await Promise.all(some.map((relation) => taken(relation, seen)));
      this.#memory.left(some.reduce((sum, relation) => sum + bytesOf(relation), 0));
      sweep();
    }
    if (gate.relations === undefined) return;
    const needed = later.flatMap(({ halves }) => halves.factorsFrom ?? []);
    transcript.forget(PHASES.filter((phase) => !needed.includes(phase)).map((phase) => tagOf(gate, phase)));
  }

  #seen(party: Party, gate: Gate): Seen & { readonly holds: Vector[] } {
    const { id, transcript } = this.#options;
    return {
      party,
      holds: [],
      message: async (from, to, phase) => {
        if (from === id) await party.link(to).flush();
        return transcript.message(from, to, tagOf(gate, phase));
      },
    };
  }

  // ── what P0 proves ───────────────────────────────────────────────────────

  /** P0's masks follow from the rounds, or else from keys. */
  get #readsLater(): boolean {
    const { id, circuit } = this.#options;
    return id === 0 && circuit.owner === undefined;
  }

  /** A segment's turn. SECURITY: what is read follows from keys, and from bytes that went: never from a challenge. */
  #turn(part: PartOf<'prover'>): void {
    for (const gate of new Set(part.planned.relations.map(({ gate: of }) => of))) this.#unread.push([part, gate]);
  }

  async #readNext(): Promise<boolean> {
    const next = this.#unread.shift();
    if (next === undefined) return false;
    const [part, gate] = next;
    const party = this.#gone.get(gate);
    invariant(party !== undefined, `${gate.path}: a proof of messages that have not gone`);
    const seen = this.#seen(party, gate);
    for (const relation of this.#relations.get(gate) ?? []) {
      if (relation.part !== part) continue;
      await taken(relation, seen, () => party.sweep(seen.holds));
      this.#memory.left(bytesOf(relation));
    }
    const { circuit, aheadBytes, forget } = this.#options;
    this.#derivedBytes += maskBytes(gate);
    if (this.#unread.length > 0 && this.#derivedBytes <= aheadOf(circuit, aheadBytes)) return true;
    forget?.();
    this.#derivedBytes = 0;
    return true;
  }

  async half(party: Party, half: number): Promise<void> {
    const due = this.#parts.filter(({ planned }) => planned.end === half);
    if (due.length === 0) return;
    for (const peer of this.#options.channels.keys()) await party.link(peer).flush();
    await this.#timed(async () => {
      if (this.#options.id === 0) for (const part of due) if (part.role === 'W') await this.#sendStatement(part);
      const [own, others] = [ofRole(due, 'prover'), ofRole(due, 'V')];
      for (let i = 0; i < Math.max(own.length, others.length); i++) await this.#prove(own.at(i), others.at(i));
    });
  }

  // ── messages of the proofs ───────────────────────────────────────────────

  /** Anchors, before anything else is sent. @param instead as of `Channel.recv`, of what comes */
  async begin(instead?: string): Promise<void> {
    for (const proof of [0, 1, 2] as const) {
      const mine = this.#of(proof);
      const anchors = mine.flatMap((part) => (part.role === 'W' ? [part.witness.anchor()] : []));
      if (anchors.length > 0) await this.#send(proof, `proof-anchor/${proof}`, concatBytes(anchors));
    }
    const own = this.#of(this.#options.id);
    if (own.length === 0) return;
    const [, w] = VERIFIERS[this.#options.id];
    const anchors = await this.#recv(w, `proof-anchor/${this.#options.id}`, HASH * own.length, instead);
    for (const [i, part] of own.entries())
      if (part.role === 'prover') part.prover.anchor(anchors.subarray(HASH * i, HASH * (i + 1)));
  }

  /** P0's statements, when it has sent and got all that there is for it: in the rounds, if it has a part in them. */
  async state(): Promise<void> {
    const { id, circuit } = this.#options;
    if (id !== 0 || circuit.owner !== undefined) return;
    for (const part of this.#parts) if (part.role === 'W') await this.#sendStatement(part);
    const first = ofRole(this.#of(0), 'prover').at(0);
    if (first !== undefined) this.#turn(first);
  }

  /** What is left behind the last half-round: S0, and at P0 the verdicts. Resolves when every proof was accepted. */
  finish(): Promise<void> {
    return this.#timed(() => this.#finish());
  }

  async #finish(): Promise<void> {
    for (const [tag, seed] of this.#verdicts) await this.#send(0, tag, seed);
    if (this.#options.id === 0) {
      for (const part of this.#parts) if (part.role === 'W') await this.#hear(part);
    }
    for (const part of this.#of(0)) {
      if (part.role === 'W') await this.#sendStatement(part);
      if (part.role === 'prover' && !part.prover.complete) this.#turn(part);
      while (await this.#readNext());
      await this.#prove(ofRole([part], 'prover').at(0), ofRole([part], 'V').at(0));
      if (part.role === 'W') await this.#hear(part);
    }
    for (const part of this.#parts) {
      const accepted =
        part.role === 'prover'
          ? part.prover.accepted
          : part.role === 'V'
            ? part.verifier.accepted
            : part.witness.accepted;
      invariant(accepted, 'a proof that nobody refused was not accepted');
    }
  }

  /** What is proved in this run, and how long this party has been at it. */
  get report(): ProofReport {
    const provers = ([0, 1, 2] as const).flatMap((prover) => {
      const parts = this.#of(prover);
      const each = parts.flatMap(({ planned }) => planned.relations);
      const messages = new Set(each.map(({ gate, shape }) => `${gate.number} ${shape.message}`)).size;
      const sent = parts.flatMap(({ segment }) => proofMessages(segment));
      const bytes = sent.reduce((sum, [, , length]) => sum + length, 0);
      return parts.length === 0
        ? []
        : [{ prover, verifiers: VERIFIERS[prover], messages, segments: parts.length, bytes }];
    });
    const soundness = Math.max(...this.#parts.map(({ segment }) => segment.soundness.total));
    return { provers, soundness, ms: this.#ms, exchanges: this.#exchanges };
  }

  async #timed<T>(work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const done = await work();
    this.#ms += performance.now() - start;
    return done;
  }

  /**
   * A segment that this party proves beside one that it verifies, stage by stage, so that both compute parties work on
   * an answer at the same time. The two proofs have no word, key or challenge in common (PROTOCOL §16.4).
   */
  async #prove(own: PartOf<'prover'> | undefined, other: PartOf<'V'> | undefined): Promise<void> {
    const [proved, verified] = [own?.segment.stages ?? 0, other?.segment.stages ?? 0];
    let seed = other === undefined ? undefined : await this.#begun(other);
    for (let stage = 1; stage <= Math.max(proved, verified); stage++) {
      if (other !== undefined && seed !== undefined)
        await this.#send(other.planned.proof, nameOf(other, 'seed', stage), seed);
      if (own !== undefined && stage <= proved) await this.#answered(own, stage);
      if (other !== undefined && seed !== undefined)
        seed = stage < verified ? await this.#checked(other, stage) : await this.#accepted(other, seed);
      if (own?.planned.proof !== 0 && other?.planned.proof !== 0) this.#exchanges++;
    }
  }

  /** A stage at its prover. */
  async #answered(part: PartOf<'prover'>, stage: number): Promise<void> {
    const { prover, segment } = part;
    const [v] = VERIFIERS[part.planned.proof];
    const seed = await this.#recv(v, nameOf(part, 'seed', stage), HASH);
    if (stage < segment.stages) return this.#send(v, nameOf(part, 'answer', stage), await prover.answer(seed));
    prover.verdict(seed);
    prover.wipe();
  }

  /** The first seed of V. */
  async #begun(part: PartOf<'V'>): Promise<Uint8Array> {
    const { verifier, segment } = part;
    const [, w] = VERIFIERS[part.planned.proof];
    const length = 2 * HASH + 16 * segment.parameters.primes;
    await verifier.witness(await this.#recv(w, nameOf(part, 'statement', 0), length));
    return verifier.begin();
  }

  /** A stage at V. @returns the next seed */
  async #checked(part: PartOf<'V'>, stage: number): Promise<Uint8Array> {
    const length = part.segment.messageBytes[stage - 1];
    return part.verifier.answer(await this.#recv(part.planned.proof, nameOf(part, 'answer', stage), length));
  }

  /** The last seed has gone to the prover, and goes to W. */
  async #accepted(part: PartOf<'V'>, seed: Uint8Array): Promise<undefined> {
    const [, w] = VERIFIERS[part.planned.proof];
    if (w === 0) this.#verdicts.push([nameOf(part, 'verdict', 0), seed]);
    else await this.#send(w, nameOf(part, 'verdict', 0), seed);
    return undefined;
  }

  async #sendStatement(part: PartOf<'W'>): Promise<void> {
    const [v] = VERIFIERS[part.planned.proof];
    await this.#send(v, nameOf(part, 'statement', 0), await part.witness.statement());
  }

  async #hear(part: PartOf<'W'>): Promise<void> {
    const [v] = VERIFIERS[part.planned.proof];
    part.witness.verdict(await this.#recv(v, nameOf(part, 'verdict', 0), HASH));
  }

  #of(proof: PartyId): readonly Part[] {
    return this.#parts.filter(({ planned }) => planned.proof === proof);
  }

  #send(peer: PartyId, tag: string, bytes: Uint8Array): Promise<void> {
    return passed(this.#channel(peer).send(tag, bytes));
  }

  #recv(peer: PartyId, tag: string, length: number, instead?: string): Promise<Uint8Array> {
    return passed(this.#channel(peer).recv(tag, length, instead));
  }

  #channel(peer: PartyId): Channel {
    const channel = this.#options.channels.get(peer);
    invariant(channel !== undefined, `party ${this.#options.id} has no link to party ${peer}`);
    return channel;
  }

  /** Lets go of everything, and overwrites the keys. */
  wipe(): void {
    for (const part of this.#parts) {
      if (part.role === 'prover') part.prover.wipe();
      else if (part.role === 'V') part.verifier.wipe();
      else part.witness.wipe();
    }
    this.#memory.wipe();
    this.#ahead.length = 0;
    this.#unread.length = 0;
    this.#gone.clear();
    this.#options.transcript.clear();
  }
}

/**
 * Relations of a gate that are taken in at once: what one waits for, a thread or a device, others have time for. Of
 * long ones there is one at a time, for each holds what it is made of. They go in parts, and wait for little.
 */
function* together(all: readonly Relation[]): Generator<readonly Relation[]> {
  let some: Relation[] = [];
  let sum = 0;
  for (const relation of all) {
    const bytes = bytesOf(relation);
    if (some.length > 0 && sum + bytes > AT_ONCE_BYTES) {
      yield some;
      [some, sum] = [[], 0];
    }
    some.push(relation);
    sum += bytes;
  }
  if (some.length > 0) yield some;
}

/** @param between two halves that a prover reads, where nobody else reads one */
async function taken({ part, index, halves }: Relation, seen: Seen, between?: () => void): Promise<void> {
  if (part.role === 'V') await part.verifier.absorb(index, await halves.v(seen));
  else if (part.role === 'W') await part.witness.absorb(index, await halves.w(seen));
  else {
    const v = await halves.v(seen);
    between?.();
    part.prover.record(index, { v, w: await halves.w(seen) });
  }
}

function bytesOf({ part, index }: Relation): number {
  return keptBytes(part.segment.shapes[index]);
}

function ofRole<Role extends Part['role']>(parts: readonly Part[], role: Role): PartOf<Role>[] {
  return parts.filter((part): part is PartOf<Role> => part.role === role);
}

/** The tag of a message. */
function nameOf({ planned: { proof, number } }: Part, what: string, stage: number): string {
  return `proof-${what}/${proof}.${number}.${stage}`;
}

/** A message of a proof that does not come, or is none, is a proof that was not given. */
async function passed<T>(message: Promise<T>): Promise<T> {
  try {
    return await message;
  } catch (thrown) {
    const error = asTercetError(thrown);
    throw error.kind === 'peer' || error.kind === 'io' ? new SecurityViolationError('proof', undefined, error) : error;
  }
}
