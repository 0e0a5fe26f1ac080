/**
 * One party's walk through a circuit: deal ahead, input, online half-rounds, output.
 *
 * The order of messages follows from the circuit alone, so both ends of a link agree on it. P0 runs `deal`, `input`
 * and `output`; between the last two it neither sends nor receives a byte, unless gates have a step of it (`owner`).
 * Components are computed on demand, kept until their last use and dropped then.
 */
import type { RingKernels } from '../../../compute/kernels/types.ts';
import type { Pattern } from '../../../compute/pattern.ts';
import { type Vector, type Words, lengthOf } from '../../../compute/ring.ts';
import { abortedError } from '../../../core/abort.ts';
import { TercetError, invariant } from '../../../core/errors.ts';
import type { Channel, PartyId } from '../../../net/wire/types.ts';
import type { PairPrg } from '../../prg/prg.ts';
import { HELD, type Component, type Wire } from '../../share/wire.ts';
import type { TraceEvent, Tracing } from '../trace.ts';
import type { Inputs } from '../types.ts';
import { type Circuit, type Step, isGate } from './circuit.ts';
import { Components } from './components.ts';
import { type Gate, lastHalf } from './gate.ts';
import { type Kept, KeptWords, wipeKept } from './kept.ts';
import { LookAhead, ownPart } from './look-ahead.ts';
import { Link, type Origin, type ParameterView, type Party, type Traffic } from './party.ts';
import { type Releases, byHalf, releasePlan } from './schedule.ts';

export interface EngineOptions {
  readonly id: PartyId;
  readonly circuit: Circuit;
  readonly kernels: RingKernels;
  readonly parameters: ParameterView;
  readonly channels: ReadonlyMap<PartyId, Channel>;
  readonly k01?: PairPrg | undefined;
  readonly k02?: PairPrg | undefined;
  readonly k12?: PairPrg | undefined;
  /** This party's own generator, the platform's where none is given; tests give one that they can repeat. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
  /** What the engine of the step before kept. Overwritten with this step. */
  readonly kept?: Kept | undefined;
  readonly signal?: AbortSignal | undefined;
  onProgress?(progress: Progress): void;
  /** Reports every step of this party. Absent: nothing is counted or measured. */
  readonly trace?: Tracing | undefined;
  /** Sees what passes, where it is proved. */
  readonly observer?: Observer | undefined;
}

/** Who looks at a run as it goes. The run waits for it. */
export interface Observer {
  /** Behind the last message of a gate at this party, while its operands and its result are held. */
  gate(party: Party, gate: Gate): Promise<void>;
  /** Behind P0's last message of a gate that it deals ahead. They are held until `release`: it may be looked at later. */
  dealt(party: Party, gate: Gate, release: () => void): Promise<void>;
  /** Behind a half-round. */
  half(party: Party, half: number): Promise<void>;
}

export interface Progress {
  readonly phase: 'deal' | 'online';
  /** Op path of the section that the party works on, like `layer 3/attention`. */
  readonly section: string;
  /** Number of the gate, growing with depth in the model; gates of one half-round may come in any section. */
  readonly gate: number;
  readonly done: number;
  readonly total: number;
}

/**
 * Phases of an execution, in order. Each runs once: the first message that depends on the input burns the
 * execution.
 */
type Phase = 'new' | 'dealt' | 'input' | 'online' | 'done' | 'failed';

export class Engine implements Party {
  readonly id: PartyId;
  readonly kernels: RingKernels;
  readonly parameters: ParameterView;
  readonly k01: PairPrg | undefined;
  readonly k02: PairPrg | undefined;
  readonly k12: PairPrg | undefined;
  readonly #options: EngineOptions;
  readonly #circuit: Circuit;
  readonly #links = new Map<PartyId, Link>();
  readonly #traffic: Traffic = { sent: 0, received: 0 };
  readonly #components: Components;
  readonly #held = new Map<object, Vector | Uint8Array>();
  readonly #before: Kept;
  #after: Kept = new Map();
  #phase: Phase = 'new';
  /** Whether all of it came to its end, and the memory of its vectors was not given away yet. */
  #through = false;

  constructor(options: EngineOptions) {
    // SECURITY: the messages of complete sharing alone protect nobody from a party that deviates. test/mpc/engine.test.ts.
    invariant(options.circuit.sharing === 'one-sided' || options.observer !== undefined, 'a run that nobody proves');
    this.#options = options;
    this.#circuit = options.circuit;
    this.id = options.id;
    this.#before = options.kept ?? new Map();
    this.kernels = options.kernels.scope();
    this.#components = new Components(this, options.circuit);
    this.parameters = options.parameters;
    this.k01 = options.k01;
    this.k02 = options.k02;
    this.k12 = options.k12;
    const traffic = options.trace === undefined ? undefined : this.#traffic;
    for (const [peer, channel] of options.channels) this.#links.set(peer, new Link(channel, this.kernels, traffic));
  }

  // ── phases ───────────────────────────────────────────────────────────────

  /**
   * Correlations: P0 computes and streams them, P2 stores them and sends P1 what can be sent ahead. Data
   * independent.
   */
  async deal(): Promise<void> {
    await this.#enter('new', 'dealt', async () => {
      const plan = releasePlan(this.#circuit, (gate) => gate.number);
      // What an observer of P0 has not seen yet is held.
      const observer = this.id === 0 ? this.#options.observer : undefined;
      for (const gate of this.#circuit.gates) {
        this.#step('deal', gate, gate.number, this.#circuit.gates.length);
        await this.#traced('deal', gate, undefined, () => {
          if (this.id === 0) return gate.dealP0?.(this);
          return this.id === 1 ? gate.dealP1?.(this) : gate.dealP2?.(this);
        });
        const release = () => this.#release(plan, gate.number);
        const later = gate.inputP0 !== undefined || this.#circuit.owner?.online(gate) === true;
        if (observer === undefined || later) release();
        else await observer.dealt(this, gate, release);
      }
      if (this.id === 0 && this.#circuit.owner === undefined) await this.#keepFor();
      if (observer === undefined) this.#components.clear();
      await this.#flush();
    });
  }

  /** P0, whose correlations another one deals: on to the input. Nothing of `deal` is kept for it. */
  async leaveDealing(): Promise<void> {
    invariant(
      this.id === 0 && this.#circuit.sharing === 'one-sided',
      'only the data owner may leave dealing to somebody else, where nobody proves it',
    );
    await this.#enter('new', 'dealt', async () => undefined);
  }

  /** P0 sends its input (one message to each compute party); P1 and P2 receive it. */
  async input(inputs?: Inputs): Promise<void> {
    await this.#enter('dealt', 'input', async () => {
      for (const gate of this.#circuit.gates) {
        await this.#traced('input', gate, undefined, () => {
          if (this.id === 0) return gate.inputP0?.(this, inputs ?? { tensors: {}, indices: {} });
          return this.id === 1 ? gate.inputP1?.(this) : gate.inputP2?.(this);
        });
      }
      await this.#flush();
      for (const gate of this.#circuit.gates)
        if (this.id === 0 && gate.inputP0 !== undefined) await this.#options.observer?.gate(this, gate);
    });
  }

  /** The half-rounds between P1 and P2. P0 has a part in them only where gates say so. */
  async online(): Promise<void> {
    await this.#enter('input', 'online', async () => {
      const { gates, owner, cost } = this.#circuit;
      if (this.id === 0 && owner === undefined) return;
      const last = 2 * cost.rounds;
      const release = releasePlan(this.#circuit, (gate) =>
        Math.max(lastHalf(gate), gate.relation === 'output' ? last : -1),
      );
      const due = byHalf(gates, last);
      // What is proved of inputs has no half-round behind which it is read.
      for (const gate of gates)
        if (lastHalf(gate) < 0 && gate.relations !== undefined && this.id > 0)
          await this.#options.observer?.gate(this, gate);
      const ahead = this.#looksAhead ? new LookAhead(this.id, this.#circuit, due) : undefined;
      for (let half = 0; half < last; half++) {
        const run = async (gate: Gate, step: Step, what?: 'sends' | 'gets') => {
          this.#step('online', gate, half, last);
          await this.#traced('online', gate, half, step, what);
        };
        const message = (gate: Gate) =>
          run(gate, () => {
            if (half % 2 === 0) return this.id === 1 ? gate.send12?.(this) : gate.recv12?.(this);
            return this.id === 2 ? gate.send21?.(this) : gate.recv21?.(this);
          });
        const sends = half % 2 === (this.id === 1 ? 0 : 1);
        const begun = ahead?.worth(half).map((wire) => this.#components.begin(wire, ownPart(this.id))) ?? [];
        await owner?.half(gates, half, this, run);
        if (ahead !== undefined && !sends) await ahead.receive(half, this.#peer, message);
        else
          for (const gate of due[half]) {
            if (owner === undefined && (half % 2 === 0 ? gate.half12 : gate.half21) === half) await message(gate);
            if (half === lastHalf(gate) && (this.id > 0 || owner?.online(gate) === true))
              await this.#options.observer?.gate(this, gate);
          }
        if (owner === undefined && sends) await this.#peer.complete();
        await this.#options.observer?.half(this, half);
        // SECURITY: what is under way reads and writes vectors that nobody holds yet. test/mpc/look-ahead.test.ts.
        await Promise.all(begun);
        this.#release(release, half);
      }
      await this.#keepFor();
      await this.#flush();
    });
  }

  /** P1, and with complete sharing P2, sends the outputs; P0 opens them. */
  async output(): Promise<ReadonlyMap<string, Words>> {
    const opened = new Map<string, Words>();
    await this.#enter('online', 'done', async () => {
      for (const gate of this.#circuit.outputs) {
        await this.#traced('output', gate, undefined, () => {
          if (this.id === 1) return gate.outputP1(this);
          if (this.id === 2) return gate.outputP2?.(this);
          return gate.outputP0(this).then((words) => void opened.set(gate.name, words));
        });
      }
      await this.#flush();
    });
    this.#through = true;
    this.clear();
    return opened;
  }

  /** What the next step takes up: known to P0 once it has dealt, to the others once they are through. */
  get kept(): Kept {
    return this.#after;
  }

  /**
   * Lets go of every value, and overwrites what the step before kept; of a step that came to no end, its own too. In
   * whatever state.
   * @param end what an execution ends with: a dealer's is through once all is dealt
   */
  clear(end: 'dealt' | 'done' = 'done'): void {
    const ended = this.#phase === end;
    wipeKept(this.#before, ended ? this.#after : undefined);
    if (!ended) wipeKept(this.#after);
    this.#components.clear();
    this.#held.clear();
    // Who proves may still be at work, and so may a gate of what came to no end.
    const through = this.#through && this.#circuit.sharing === 'one-sided';
    this.#through = false;
    this.kernels.sweep(through ? 'through' : undefined);
  }

  // ── what gates see ───────────────────────────────────────────────────────

  keptBefore(name: string, component: Component): Words {
    const words = this.#before.get(name)?.[component];
    invariant(words !== undefined, `party ${this.id}: the step before kept no "${component}" of "${name}"`);
    return words;
  }

  origin(wire: Wire): Origin | undefined {
    let [from, pattern]: [Wire, Pattern | undefined] = [wire, undefined];
    for (;;) {
      const source = this.#circuit.sources[from.id];
      if (isGate(source) || source.moves === undefined) break;
      // One pattern is enough: that of one behind another is none of these.
      if (source.moves !== 'all' && pattern !== undefined) break;
      if (source.moves !== 'all') pattern = source.moves;
      [from] = source.inputs;
    }
    return pattern && { wire: from, pattern };
  }

  random(length: number): Uint8Array {
    return this.#options.random?.(length) ?? crypto.getRandomValues(new Uint8Array(length));
  }

  link(peer: PartyId): Link {
    const link = this.#links.get(peer);
    invariant(link !== undefined, `party ${this.id} has no link to party ${peer}`);
    return link;
  }

  value(wire: Wire, component: Component): Promise<Vector> {
    return this.#components.value(wire, component);
  }

  /**
   * P0, between two gates: lets go of every component. They follow from keys and from what was kept, so they are there
   * again for whoever asks.
   */
  forget(): void {
    invariant(this.id === 0 && this.#circuit.owner === undefined, 'components that would not be there again');
    this.#components.clear();
    this.kernels.sweep(() => this.#live());
  }

  bitsRead(wire: Wire): number {
    return this.#circuit.bitsRead[wire.id];
  }

  put(wire: Wire, component: Component, words: Vector): void {
    invariant(lengthOf(words) === wire.count && words.k === wire.k, `wire ${wire.id}: component of the wrong shape`);
    this.#components.put(wire, component, words);
  }

  keep(gate: object, words: Vector | Uint8Array): void {
    this.#held.set(gate, words);
  }

  take(gate: object): Vector {
    const words = this.#held.get(gate);
    invariant(
      words !== undefined && !(words instanceof Uint8Array),
      'a gate asked for words that were not kept for it',
    );
    this.#held.delete(gate);
    return words;
  }

  takeBytes(gate: object): Uint8Array {
    const bytes = this.peekBytes(gate);
    this.#held.delete(gate);
    return bytes;
  }

  peekBytes(gate: object): Uint8Array {
    const bytes = this.#held.get(gate);
    invariant(bytes instanceof Uint8Array, 'a gate asked for bytes that were not kept for it');
    return bytes;
  }

  sweep(also: readonly unknown[]): void {
    this.kernels.sweep(() => [...this.#live(), ...also]);
  }

  // ── inside ───────────────────────────────────────────────────────────────

  /** The link to the other compute party. */
  get #peer(): Link {
    return this.link(this.id === 1 ? 2 : 1);
  }

  /** Whoever looks at single steps, to prove or to measure them, gets one behind the other. */
  get #looksAhead(): boolean {
    const { observer, trace } = this.#options;
    const between = this.id > 0 && this.#circuit.owner === undefined;
    return between && observer === undefined && trace === undefined && this.kernels.atOnce !== undefined;
  }

  /**
   * Copies what this party holds of every kept wire to where it outlives the vectors of this step, if it is not there
   * already.
   */
  async #keepFor(): Promise<void> {
    const components = HELD[this.#circuit.sharing][this.id];
    const kept = new Map<string, Partial<Record<Component, KeptWords>>>();
    for (const [name, wire] of this.#circuit.kept) {
      const parts: Partial<Record<Component, KeptWords>> = {};
      for (const component of components) {
        const vector = await this.value(wire, component);
        if (vector instanceof KeptWords) parts[component] = vector;
        else parts[component] = KeptWords.of('data' in vector ? vector : await this.kernels.read(vector));
      }
      kept.set(name, parts);
    }
    this.#after = kept;
  }

  #release(plan: Releases, position: number): void {
    this.#components.release(plan.at(position));
    this.kernels.sweep(() => this.#live());
  }

  /** Every vector that is still needed: components of wires, and what gates keep between phases. */
  *#live(): Iterable<unknown> {
    yield* this.#components.vectors();
    yield* this.#held.values();
  }

  /** Everything sent so far is on its way. */
  async #flush(): Promise<void> {
    for (const link of this.#links.values()) await link.flush();
  }

  #step(phase: Progress['phase'], gate: Gate, done: number, total: number): void {
    if (this.#options.signal?.aborted === true) throw abortedError();
    this.#options.onProgress?.({ phase, section: this.#circuit.sections[gate.number], gate: gate.number, done, total });
  }

  /** One step of a gate, which has none at this party when `step` returns undefined. */
  async #traced(
    phase: TraceEvent['phase'],
    gate: Gate,
    half: number | undefined,
    step: Step,
    what?: 'sends' | 'gets',
  ): Promise<void> {
    const { trace } = this.#options;
    if (trace === undefined) return step();
    const [start, { sent, received }] = [trace.now(), { ...this.#traffic }];
    const working = step();
    if (working === undefined) return;
    await working;
    const { number, relation, path } = gate;
    trace.report({
      party: this.id,
      step: trace.step,
      phase,
      half,
      gate: number,
      relation,
      path,
      // Of what is sent and got at once, each step has its own.
      sent: what === 'gets' ? 0 : this.#traffic.sent - sent,
      received: what === 'sends' ? 0 : this.#traffic.received - received,
      ms: trace.now() - start,
    });
  }

  async #enter(from: Phase, to: Phase, body: () => Promise<void>): Promise<void> {
    if (this.#phase !== from) {
      throw new TercetError(
        'ERR_STATE',
        `party ${this.id}: the execution is "${this.#phase}", expected "${from}"`,
        'start a new run; correlations are used once',
      );
    }
    this.#phase = 'failed';
    await body();
    this.#phase = to;
  }
}
