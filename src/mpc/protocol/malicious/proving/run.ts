/**
 * A run of one party whose messages are proved (PROTOCOL §16): the engine's phases, with the proofs in between, and one
 * way out. Outputs open behind all verdicts. Whatever a peer does that does not fit ends the run with
 * `SecurityViolationError`: nothing is opened, keys are overwritten, and there is no second try.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import type { ProofKernels } from '../../../../compute/kernels/proof-types.ts';
import type { RingKernels } from '../../../../compute/kernels/types.ts';
import type { Words } from '../../../../compute/ring.ts';
import { concatBytes, equalBytes } from '../../../../core/bytes.ts';
import { nextTurn } from '../../../../core/event-loop.ts';
import {
  SecurityViolationError,
  TercetError,
  type ViolationPhase,
  asTercetError,
  invariant,
} from '../../../../core/errors.ts';
import type { Channel, PartyId } from '../../../../net/wire/types.ts';
import { firstStep } from '../../../prg/gate-id.ts';
import { PairPrg } from '../../../prg/prg.ts';
import type { ProofParameters } from '../../../proof/soundness.ts';
import type { Inputs } from '../../types.ts';
import { Engine, type EngineOptions } from '../../frame/engine.ts';
import { tagOf } from '../../frame/gate.ts';
import type { Kept } from '../../frame/kept.ts';
import { type ProofReport, Proofs } from './proofs.ts';
import { Transcript } from './transcript.ts';

/** Longest time without a turn of the event loop, while P0 takes in what it dealt. */
const TURN_MS = 10;
/** Bytes of a session that masks are drawn for. */
const SESSION_BYTES = 16;

export interface ProvedOptions extends Omit<EngineOptions, 'k01' | 'k02' | 'k12' | 'observer'> {
  /** `provedSession` of this run: masks and proofs are both of it. */
  readonly session: Uint8Array;
  /** What this party shares with each of the others, 32 bytes; wiped with the run. */
  readonly keys: ReadonlyMap<PartyId, Uint8Array>;
  readonly proofKernels: ProofKernels;
  /** As of `ProofOptions`. */
  readonly tables?: (() => Promise<RingKernels>) | undefined;
  readonly proofParameters: ProofParameters;
  /** Bytes that a prover keeps for a segment. */
  readonly segmentBytes: number;
  /** As of `ProofOptions`. */
  readonly aheadBytes?: number | undefined;
  readonly collect?: (() => void) | undefined;
  /** `agreementHash`, as this party computes it. */
  readonly agreement: Uint8Array;
  /**
   * Tag of a peer's last word, which may come in place of its anchor. Links outlive a failure of the dealing then:
   * their session looks for that word, and ends them.
   */
  readonly lastWord?: string | undefined;
  /** The run of the step before, whose kept words this one takes up. */
  readonly after?: Pick<ProvedRun, 'passed'> | undefined;
}

export class ProvedRun {
  readonly #options: ProvedOptions;
  readonly #transcript = new Transcript();
  readonly #engine: Engine;
  readonly #proofs: Proofs;
  readonly #prgs: PairPrg[] = [];
  /** Until its text goes. */
  #after: ProvedOptions['after'];
  /** P0 takes in what it dealt, while it waits for its text, and reads what it proves first, while others compute. */
  #takingIn: Promise<void> = Promise.resolve();
  #hasText = false;
  #ended = false;
  #passed = false;

  constructor(options: ProvedOptions) {
    invariant(options.circuit.sharing === 'complete', 'proofs are about complete sharing');
    // No run holds those of all steps before it.
    this.#options = { ...options, after: undefined };
    this.#after = options.after;
    const { id, keys, circuit, session } = options;
    const prg = (one: PartyId, other: PartyId): PairPrg | undefined => {
      const key = id === one ? keys.get(other) : id === other ? keys.get(one) : undefined;
      if (key === undefined) return undefined;
      const made = PairPrg.of(key, firstStep(session.slice(0, SESSION_BYTES)));
      this.#prgs.push(made);
      return made;
    };
    this.#proofs = new Proofs({
      ...{ id, circuit, session, keys, channels: options.channels, transcript: this.#transcript },
      kernels: options.proofKernels,
      tables: options.tables ?? (async () => options.kernels),
      parameters: options.proofParameters,
      limit: options.segmentBytes,
      aheadBytes: options.aheadBytes,
      collect: options.collect,
      forget: () => this.#engine.forget(),
    });
    const recorded = new Map<PartyId, Channel>();
    for (const [peer, channel] of options.channels) recorded.set(peer, this.#transcript.over(channel));
    this.#engine = new Engine({
      ...this.#options,
      channels: recorded,
      k01: prg(0, 1),
      k02: prg(0, 2),
      // SECURITY: P0 has no such key.
      k12: circuit.owner === undefined ? undefined : prg(1, 2),
      observer: this.#proofs,
    });
  }

  /**
   * All phases. P0 gives its inputs and gets the outputs.
   * @throws {SecurityViolationError} for whatever a peer did or left out
   */
  async run(inputs?: Inputs): Promise<ReadonlyMap<string, Words>> {
    await this.deal();
    await this.input(inputs);
    await this.online();
    return this.output();
  }

  /**
   * Anchors, and what is dealt. No message of it follows from an input. Behind another step, whose run has passed, the
   * session says what a link that ends means, and ends the others. What P0 dealt it takes in for its proofs from here
   * on.
   */
  async deal(): Promise<void> {
    const first = this.#after === undefined;
    const { lastWord } = this.#options;
    const ends = first && lastWord === undefined;
    // SECURITY: behind a step nobody leaves so, and what comes in place of an anchor is a violation.
    await this.#guarded('messages', () => this.#proofs.begin(first ? lastWord : undefined), ends);
    await this.#guarded('messages', () => this.#engine.deal(), ends);
    this.#takingIn = this.#takeIn(() => this.#hasText);
    // Its error is reported with the input.
    this.#takingIn.catch(() => undefined);
  }

  /** Until there is nothing left, or something else has to be done. */
  async #takeIn(until: () => boolean): Promise<void> {
    let turn = performance.now();
    while (!until() && !this.#ended && (await this.#proofs.takeIn())) {
      if (performance.now() - turn < TURN_MS) continue;
      // Promises that are settled leave the event loop no turn.
      await new Promise<void>(nextTurn);
      turn = performance.now();
    }
  }

  /** Refused: nothing would prove what another one deals. @throws {TercetError} ERR_INTERNAL */
  leaveDealing(): Promise<void> {
    return this.#engine.leaveDealing();
  }

  /** What is proved of it. */
  get proofs(): ProofReport {
    return this.#proofs.report;
  }

  /**
   * What the next step takes up, of a run that passed. P0 keeps masks alone: it has them before a text, unless they
   * follow from one.
   */
  get kept(): Kept {
    const { id, circuit } = this.#options;
    invariant(id === 0 || this.#passed, 'nothing is kept of a run that did not pass');
    return this.#passed || circuit.owner === undefined ? this.#engine.kept : new Map();
  }

  /**
   * The input, what P1 and P2 agree on, and P0's statements.
   * @throws {TercetError} ERR_STATE behind a step that did not pass
   */
  async input(inputs?: Inputs): Promise<void> {
    await this.#guarded('messages', async () => this.#follows());
    this.#hasText = true;
    // One thing at a time: between two gates kernels use memory again that nobody holds.
    await this.#guarded('messages', () => this.#takingIn);
    await this.#guarded('messages', () => this.#engine.input(inputs));
    await this.#guarded('agreement', () => this.#agree());
    await this.#guarded('messages', () => this.#takeIn(() => false));
    await this.#guarded('messages', () => this.#proofs.state());
    this.#takingIn = this.#takeIn(() => false);
    // Its error is reported with the outputs.
    this.#takingIn.catch(() => undefined);
  }

  /** The half-rounds, with the proofs of the segments that end in them. */
  async online(): Promise<void> {
    await this.#guarded('messages', () => this.#engine.online());
  }

  /** All verdicts, then the outputs. */
  async output(): Promise<ReadonlyMap<string, Words>> {
    await this.#guarded('proof', () => this.#takingIn);
    await this.#guarded('proof', () => this.#proofs.finish());
    const outputs = await this.#guarded('output', () => this.#engine.output());
    this.#passed = true;
    this.clear();
    return outputs;
  }

  /** SECURITY: nothing that depends on a text follows on words that nobody proved. test/session/proved-steps.test.ts. */
  #follows(): void {
    if (this.#after?.passed === false)
      throw new TercetError('ERR_STATE', 'the step before did not pass', 'start a new run');
    this.#after = undefined;
  }

  /** The end, in whatever phase: nothing is kept, and keys are overwritten. Safe to call twice. */
  clear(): void {
    this.#ended = true;
    this.#engine.clear();
    this.#proofs.wipe();
    for (const prg of this.#prgs) prg.wipe();
    for (const key of this.#options.keys.values()) key.fill(0);
  }

  /** P1 and P2 compare what the run is about, and what the owner sent to both. */
  async #agree(): Promise<void> {
    const { id, circuit, channels, agreement } = this.#options;
    if (id === 0) return;
    const inputs = circuit.gates.flatMap((gate) => {
      const common = gate.cost.p0ToP1Input ?? 0;
      // Behind what both have, P2 may get a word of its own.
      return common === 0 ? [] : [this.#transcript.message(0, id, tagOf(gate, 'input')).subarray(0, common)];
    });
    const own = sha256(concatBytes([agreement, ...inputs]));
    const channel = channels.get(id === 1 ? 2 : 1);
    invariant(channel !== undefined, 'the compute parties have a link');
    await channel.send('agreement', own);
    if (!equalBytes(own, await channel.recv('agreement', own.length))) throw new SecurityViolationError('agreement');
  }

  /** Runs a phase. SECURITY: one error and one way for whatever came, or did not come, from a peer. */
  async #guarded<T>(phase: ViolationPhase, body: () => Promise<T>, ends = true): Promise<T> {
    try {
      return await body();
    } catch (thrown) {
      const error = asTercetError(thrown);
      const theirs = error.kind === 'peer' || error.kind === 'io';
      const violation =
        error.code !== 'ERR_SECURITY_VIOLATION' && theirs ? new SecurityViolationError(phase, undefined, error) : error;
      this.clear();
      if (ends) for (const channel of this.#options.channels.values()) channel.abort(violation);
      throw violation;
    }
  }

  /** Whether all proofs that this party had a part in were accepted, and its outputs went, or opened. */
  get passed(): boolean {
    return this.#passed;
  }

  /** Whether keys were overwritten: behind the outputs, or a failure. */
  get ended(): boolean {
    return this.#ended;
  }
}
