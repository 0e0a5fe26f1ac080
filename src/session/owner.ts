/**
 * The data owner's session (P0): connects the pieces below without Node or a browser in sight. The composition root
 * hands in channels, keys, kernels and a clock.
 *
 * One session runs one execution, of one step or, for generated text, of several. After a failure of any kind the
 * session is over: nothing is retried under the same masks.
 */
import { abortedError } from '../core/abort.ts';
import { toHex } from '../core/bytes.ts';
import { SecurityViolationError, TercetError, asTercetError, invariant } from '../core/errors.ts';
import type { TaskInput } from '../ml/tasks/common.ts';
import type { Circuit } from '../mpc/protocol/frame/circuit.ts';
import type { Progress } from '../mpc/protocol/frame/engine.ts';
import type { Inputs } from '../mpc/protocol/types.ts';
import type { BuiltCircuit } from './circuits.ts';
import { isViolationReport, recvControl, sendControl } from './control.ts';
import { withBoth } from './fault-attribution.ts';
import { FirstEnd, isEndOfLink, isLastWord } from './first-end.ts';
import { announceInput } from './input-wait.ts';
import { type StepInput, ownerInputs, stepInputs } from './inputs.ts';
import { type Agreed, withAgreement } from './owner-agreement.ts';
import { type OwnerOptions, abortAll, channelTo, toParties } from './owner-options.ts';
import { type Step, Steps } from './owner-steps.ts';
import { OwnerWait } from './owner-wait.ts';
import { type ProofReport, violated } from './proving.ts';
import { type PartyReport, reportFromJson, reportOf } from './report.ts';
import { rangeExceeded, revealLogits, revealOutside } from './reveal.ts';
import type { Status } from './status.ts';
import { explained, wordOf } from './last-word.ts';

export interface OwnerResult {
  /** What `outputShape` says, row by row. */
  readonly logits: Float32Array;
  /** 0 for the texts, then 1, 2, … for every token behind a prompt. */
  readonly step: number;
  readonly rounds: number;
  /** 1: one message out and one in. Of `aby3` half-rounds in which the owner sends or gets something. */
  readonly onlineRounds: number;
  /** `onlineMs` is the sum of the three after it. */
  readonly timing: {
    readonly agreeMs: number;
    /** Dealing. Behind the first step, only what it took beyond the step before, behind which it is hidden. */
    readonly preprocessMs: number;
    readonly onlineMs: number;
    readonly inputMs: number;
    readonly computeMs: number;
    readonly outputMs: number;
  };
  readonly reports: readonly [PartyReport, PartyReport, PartyReport];
  /** What was proved before the answer opened, of a run that is proved. */
  readonly proofs?: ProofReport | undefined;
}

/**
 * A step that all parties are through with. With a sequence outside its ranges it has no result that anybody may
 * use.
 */
interface Computed {
  readonly outside: readonly number[];
  readonly result: OwnerResult;
}

/** Nothing yet. */
const NOTHING = { done: 0, gate: 0, between: 0, last: false } as const;
/** As often as a compute party says it. */
const TOLD_MS = 100;

/** An execution that has dealt its correlations and waits for the text. */
export class OwnerSession {
  readonly #options: OwnerOptions;
  readonly #agreed: Agreed;
  readonly #steps: Steps;
  readonly #onAbort: () => void;
  readonly #first = new FirstEnd();
  /** Resolves when the correlations of the step are with both compute parties. */
  #ready: Promise<void> | undefined;
  /** Of the step that is prepared, or under way. */
  #wait: OwnerWait | undefined;
  /** Length of the prompt, once it is out. */
  #prompt = 0;
  #preprocessMs = 0;
  /** Of a run that is proved: a text may be on the way, and not all that follows from it is proved yet. */
  #promised = false;
  #toldAt = Number.NEGATIVE_INFINITY;
  #letGo: 1 | 2 | undefined;
  #spent = false;
  #over = false;

  private constructor(options: OwnerOptions, agreed: Agreed) {
    this.#options = options;
    this.#agreed = agreed;
    const onProgress = (progress: Progress): void =>
      progress.phase === 'online' ? this.#works(progress) : options.onProgress?.(progress);
    this.#steps = new Steps({ ...options, onProgress }, agreed);
    this.#onAbort = () => this.#abort(abortedError());
    options.signal?.addEventListener('abort', this.#onAbort);
    for (const channel of options.channels.values()) this.#first.watch(channel);
  }

  /** Agrees with both compute parties on model, plan and circuit. */
  static async open(options: OwnerOptions): Promise<OwnerSession> {
    return withAgreement(options, (agreed) => new OwnerSession(options, agreed));
  }

  /** Whether a message that depends on the input may have left. Nothing may be sent under the same masks any more. */
  get spent(): boolean {
    return this.#spent;
  }

  /** Resolves when a link of this execution is gone, for whatever reason. */
  get ended(): Promise<unknown> {
    const { channels, request } = this.#options;
    // A dealer of one step is through before the text.
    const needed = [...channels].filter(([end]) => end !== 3 || request.steps > 0);
    return Promise.race(needed.map(([, channel]) => channel.ended));
  }

  /** Rounds between the compute parties that the step takes. */
  get rounds(): number {
    return this.#steps.current.circuit.cost.rounds;
  }

  /** What the owner has to do in them, where it has a part. */
  get online(): { readonly rounds: number; readonly sentBytes: number } | undefined {
    const { owner } = this.#steps.current.circuit;
    return owner && { rounds: owner.rounds, sentBytes: owner.p0ToP1 + owner.p0ToP2 };
  }

  /** Whether a token may follow what was run. */
  get more(): boolean {
    return !this.#over;
  }

  /**
   * Deals every correlation of the next step ahead of its input and waits until both compute parties have theirs.
   * They then wait for `run`, `next` or `discard`. After a run the dealing is under way already.
   */
  async prepare(): Promise<void> {
    this.#alive();
    this.#ready ??= this.#guarded(() => this.#deal());
    await this.#ready;
  }

  async #deal(): Promise<void> {
    const start = this.#options.now();
    await this.#awaitReady(() => this.#dealt(this.#steps.current), start);
  }

  /** Deals a step, or has it dealt. */
  async #dealt({ engine, number, hash }: Step): Promise<void> {
    const { dealer } = this.#agreed;
    if (dealer === undefined) return engine.deal();
    // SECURITY: an execution whose keys were handed over is never dealt here as well. test/session/dealer.test.ts.
    await dealer.deal(number, hash);
    await engine.leaveDealing();
    if (number === this.#options.request.steps) await dealer.close();
  }

  /**
   * Waits until both compute parties have what is dealt. One that fails meanwhile says why in place of "ready".
   * @param start from when on dealing is counted.
   */
  async #awaitReady(deal: () => Promise<void>, start: number): Promise<void> {
    const heard = () => withBoth((peer) => recvControl(channelTo(this.#options.channels, peer), 'ready'));
    // Before "ready", a party that proves says on the same links what its challenges hang on.
    const dealing = this.#agreed.proved === undefined ? undefined : deal();
    const ready = dealing === undefined ? heard() : dealing.then(heard, (error: unknown) => this.#saidInstead(error));
    ready.catch(() => undefined);
    const dealt = (dealing ?? deal()).catch((error: unknown) => explained(error, ready));
    // A dealer may be at work for a party that has failed: so not one after the other.
    if (this.#agreed.dealer !== undefined) await Promise.all([dealt, ready]);
    await dealt;
    await ready;
    this.#prepared(start);
  }

  /** What a party said that hung up while a proved run was dealt. Who was caught cheating gets no other word. */
  async #saidInstead(error: unknown): Promise<void> {
    if (isEndOfLink(error) || isLastWord(error))
      await withBoth((peer) => wordOf(channelTo(this.#options.channels, peer), 'ready'));
  }

  #prepared(start: number): void {
    const { circuit } = this.#steps.current;
    this.#wait = new OwnerWait(
      toParties(this.#options.channels),
      (peer, status) => this.#status(circuit, peer, status),
      (peer) => this.#leave(peer),
    );
    // While the text is waited for. Its error shows when the circuit is asked for.
    this.#steps.following().catch(() => undefined);
    this.#preprocessMs = this.#options.now() - start;
  }

  /**
   * The texts: one message out, one message in. The step is spent afterwards, whatever happens.
   * @throws {TercetError} ERR_RANGE_EXCEEDED when a value of a text left the domain that the plan checks: there is
   * no answer, and the session is over.
   */
  async run(texts: readonly TaskInput[]): Promise<OwnerResult> {
    this.#alive();
    const { request, config } = this.#options;
    const inputs = ownerInputs(texts, request, config);
    this.#prompt = texts[0].inputIds.length;
    return this.#run(0, inputs);
  }

  /**
   * One more token behind the prompt. @throws {TercetError} ERR_STATE beyond the steps that were asked for;
   * ERR_RANGE_EXCEEDED as `run`
   */
  async next(input: StepInput): Promise<OwnerResult> {
    this.#alive();
    const { number } = this.#steps.current;
    return this.#run(number, stepInputs(input, this.#options.request, this.#prompt, number));
  }

  async #run(number: number, inputs: Inputs): Promise<OwnerResult> {
    const { number: at } = this.#steps.current;
    if (at !== number || (number === 0 && this.#spent))
      throw new TercetError(
        'ERR_STATE',
        `the execution is at step ${at}`,
        'start a new run; correlations are used once',
      );
    await this.prepare();
    let computed: Computed;
    try {
      computed = await this.#guarded(() => this.#compute(inputs));
    } finally {
      if (number === this.#options.request.steps) this.#end();
    }
    const { outside, result } = computed;
    if (outside.length === 0) return result;
    // The compute parties see a session that ends like any other: no abort tells them that a range was left.
    await this.discard();
    throw rangeExceeded(outside, this.#options.request.sequences, number);
  }

  async #compute(inputs: Inputs): Promise<Computed> {
    const { now, channels, request } = this.#options;
    const { engine, circuit, number, prgs } = this.#steps.current;
    const preprocessMs = this.#preprocessMs;
    // Before anything leaves: from here on the session goes from state to state without waiting for a circuit.
    const following = await this.#steps.following();
    this.#alive();
    const wait = this.#wait;
    invariant(wait !== undefined, 'a step that was not prepared');
    wait.release();
    const start = now();
    await withBoth((peer) => announceInput(channelTo(channels, peer)));
    this.#spent = true;
    this.#promised = true;
    await engine.input(inputs);
    const sent = now();
    const { proved } = this.#agreed;
    // Where the owner proves, or is in the rounds, it does so on the links that it would deal over.
    const behind = proved !== undefined && (request.weights === 'secret' || circuit.owner !== undefined);
    let dealt = following === undefined || behind ? undefined : this.#advance(following);
    let computed = sent;
    let logits: Float32Array = new Float32Array();
    let outside: readonly number[] = [];
    const open = async (): Promise<void> => {
      await engine.online();
      computed = now();
      if (circuit.owner !== undefined) this.#told({ ...NOTHING, done: 2 * circuit.cost.rounds, last: true });
      const opened = await engine.output();
      logits = revealLogits(opened, request.weights);
      outside = revealOutside(opened);
    };
    // Verdicts and outputs of a proved run come from both.
    const both = proved && Promise.all([wait.through(1), wait.through(2)]).then(open);
    const reports = await withBoth(async (peer) => {
      await (both ?? wait.through(peer));
      if (proved === undefined && peer === 1) await open();
      return reportFromJson(await recvControl(channelTo(channels, peer), 'report'));
    });
    const end = now();
    const { proofs } = engine;
    this.#promised = false;
    if (following !== undefined && behind) dealt = this.#advance(following);
    engine.clear();
    for (const prg of prgs) prg.wipe();
    if (dealt !== undefined) {
      const dealing = dealt;
      this.#ready = this.#guarded(() => this.#awaitReady(() => dealing, end));
      // Its error is reported to whoever waits for it.
      this.#ready.catch(() => undefined);
    }
    const result: OwnerResult = {
      logits,
      step: number,
      rounds: circuit.cost.rounds,
      onlineRounds: circuit.owner?.rounds ?? 1,
      timing: {
        agreeMs: this.#agreed.agreeMs,
        preprocessMs,
        onlineMs: end - start,
        inputMs: sent - start,
        computeMs: computed - sent,
        outputMs: end - computed,
      },
      reports: [
        reportOf(channels, this.#options.peakMemory(), this.#options.kernels.name, proofs?.ms),
        reports[0],
        reports[1],
      ] as const,
      proofs,
    };
    return { outside, result };
  }

  /** Moves to the next step and deals it while the compute parties are at work on this one. */
  #advance(built: BuiltCircuit): Promise<void> {
    const { channels } = this.#options;
    const next = this.#steps.advance(built);
    const begins = { circuit: built.hash, session: next.session && toHex(next.session) };
    const dealt = withBoth((peer) => sendControl(channelTo(channels, peer), 'step', begins)).then(() =>
      this.#dealt(next),
    );
    dealt.catch(() => undefined);
    return dealt;
  }

  /** A party needs its place, and no text is on its way. */
  #leave(party: 1 | 2): void {
    if (this.#over) return;
    this.#letGo = party;
    this.#options.onLetGo?.(party);
    this.discard().catch(() => undefined);
  }

  #alive(): void {
    if (this.#letGo !== undefined) {
      const what = `party ${this.#letGo} needed the place of what was prepared`;
      throw new TercetError('ERR_PEER_LET_GO', what, 'prepare again; no text was sent', { party: this.#letGo });
    }
    if (this.#over)
      throw new TercetError('ERR_STATE', 'this execution is over', 'start a new run; correlations are used once');
  }

  /**
   * Lets go of what was prepared and no text, or no further token, came for. Nothing of it was used, and nothing of
   * it will be.
   */
  async discard(): Promise<void> {
    this.#end();
    await Promise.all([...this.#options.channels.values()].map((channel) => channel.close()));
  }

  /** This owner is in the rounds: how far they are it sees itself. */
  #works({ done, total, gate }: Progress): void {
    const { now } = this.#options;
    if (now() - this.#toldAt < TOLD_MS) return;
    this.#toldAt = now();
    this.#told({ ...NOTHING, done, total, gate });
  }

  #told(status: Omit<Status, 'total'> & { readonly total?: number }): void {
    const { circuit } = this.#steps.current;
    const whole = { total: 2 * circuit.cost.rounds, ...status };
    this.#options.onStatus?.(whole, circuit.sections[whole.gate] ?? '');
  }

  #status(circuit: Circuit, peer: 1 | 2, status: Status): void {
    // Parties say that they are done before rounds that their owner is in.
    if (circuit.owner !== undefined && status.last) {
      if (peer === 1) this.#told(NOTHING);
      return;
    }
    if (peer === 1) this.#options.onStatus?.(status, circuit.sections[status.gate] ?? '');
  }

  /** Runs a step; a failure of any kind is the end of the session at all parties. */
  async #guarded<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (thrown) {
      throw this.#abort(this.#options.signal?.aborted === true ? abortedError() : this.#meaning(thrown));
    }
  }

  /** Of a proved run, a link that ends means one thing before the text and another behind it. */
  #meaning(thrown: unknown): unknown {
    if (this.#agreed.proved === undefined) return thrown;
    if (isViolationReport(thrown)) return new SecurityViolationError('agreement', undefined, thrown);
    const error = asTercetError(thrown);
    if (this.#promised) return violated(error);
    // Where the word itself was none that can be read, the party has left all the same.
    return isLastWord(error) ? this.#first.leaves() : this.#first.beforeText(error);
  }

  #abort(thrown: unknown): TercetError {
    const failure = abortAll(this.#options.channels, thrown);
    this.#end();
    return failure;
  }

  #end(): void {
    this.#over = true;
    this.#wait?.stop();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#steps.end();
    this.#agreed.dealer?.wipe();
  }
}
