/**
 * The data owner's session (P0): connects the pieces below without Node or a browser in sight. The composition root
 * hands in channels, keys, kernels and a clock.
 *
 * One session runs one execution, of one step or, for generated text, of several. After a failure of any kind the
 * session is over: nothing is retried under the same masks.
 */
import type { RingKernels } from '../compute/kernels/types.ts';
import { abortedError, sleep } from '../core/abort.ts';
import { equalBytes, toHex } from '../core/bytes.ts';
import { TercetError, asTercetError, invariant } from '../core/errors.ts';
import type { ModelConfig } from '../ml/config.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import type { TaskInput } from '../ml/tasks/common.ts';
import { firstStep } from '../mpc/prg/gate-id.ts';
import { PairPrg } from '../mpc/prg/prg.ts';
import type { Circuit } from '../mpc/protocol/frame/circuit.ts';
import { Engine, type Progress } from '../mpc/protocol/frame/engine.ts';
import type { Kept, ParameterView } from '../mpc/protocol/frame/party.ts';
import type { Trace } from '../mpc/protocol/trace.ts';
import type { Inputs } from '../mpc/protocol/types.ts';
import type { Channel, EndId, PartyId } from '../net/wire/types.ts';
import { checkOffers, offerFromJson } from './agreement.ts';
import { linkName } from './binding.ts';
import { attributedTo, withBoth } from './fault-attribution.ts';
import { type BuiltCircuit, Circuits } from './circuits.ts';
import { recvControl, sendControl } from './control.ts';
import { checkDealt } from './dealt.ts';
import { HandedOver } from './handed-over.ts';
import { keepAlive, announceInput } from './input-wait.ts';
import { type StepInput, ownerInputs, stepInputs } from './inputs.ts';
import { type PartyReport, reportFromJson, reportOf } from './report.ts';
import { type Request, SESSION_VERSION, checkShape } from './request.ts';
import { rangeExceeded, revealLogits, revealOutside } from './reveal.ts';
import { type Status, followStatus } from './status.ts';
import { REASON_MS } from './timing.ts';

export interface OwnerOptions {
  readonly config: ModelConfig;
  readonly request: Request;
  /** For secret weights over links without a handshake: what each party is presented with its request. */
  readonly presented?: readonly [Uint8Array, Uint8Array] | undefined;
  /** To both compute parties and, where the request names one, to the dealer (3). */
  readonly channels: ReadonlyMap<EndId, Channel>;
  readonly session: Uint8Array;
  /** With party 1 and 2, 32 bytes each. Wiped here. */
  readonly pairKeys: readonly [Uint8Array, Uint8Array];
  readonly kernels: RingKernels;
  readonly parameters: ParameterView;
  /** Shared by the executions of one owner; own ones without it. */
  readonly circuits?: Circuits | undefined;
  readonly now: () => number;
  readonly peakMemory: () => number;
  /** Ends the session at any time: both links break, so both compute parties stop. */
  readonly signal?: AbortSignal | undefined;
  onProgress?(progress: Progress): void;
  /** Steps of this party, as it works on them. */
  readonly trace?: Trace | undefined;
  /** How far the compute parties are, as party 1 reports it. */
  onStatus?(status: Status, section: string): void;
  /** A compute party said something while it computes: it is there, whether it moves on or waits for the other one. */
  onHeard?(peer: 1 | 2): void;
  /**
   * What was prepared is let go, because a party needed its place and asked for it. Nothing is lost: no text was
   * sent.
   */
  onLetGo?(party: 1 | 2): void;
}

export interface OwnerResult {
  /** What `outputShape` says, row by row. */
  readonly logits: Float32Array;
  /** 0 for the texts, then 1, 2, … for every token behind a prompt. */
  readonly step: number;
  readonly rounds: number;
  /** 1: one message out and one in. */
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
}

/**
 * A step that all parties are through with. With a sequence outside its ranges it has no result that anybody may
 * use.
 */
interface Computed {
  readonly outside: readonly number[];
  readonly result: OwnerResult;
}

/** The masks and the circuit of one step. */
interface Step {
  readonly number: number;
  readonly circuit: Circuit;
  readonly engine: Engine;
  readonly prgs: readonly [PairPrg, PairPrg];
  readonly hash: string;
}

/** An execution that has dealt its correlations and waits for the text. */
export class OwnerSession {
  readonly #options: OwnerOptions;
  readonly #plan: ModelPlan;
  readonly #circuits: Circuits;
  readonly #agreeMs: number;
  /** Who deals in place of this party, which then never deals itself. */
  readonly #dealer: HandedOver | undefined;
  readonly #onAbort: () => void;
  #step: Step;
  /** Of every step so far. */
  readonly #prgs: PairPrg[] = [];
  /** Resolves when the correlations of the step are with both compute parties. */
  #ready: Promise<void> | undefined;
  /** Length of the prompt, once it is out. */
  #prompt = 0;
  #preprocessMs = 0;
  #endHold: () => void = () => undefined;
  /** What the parties say since they are prepared. */
  #followed: readonly [Promise<void>, Promise<void>] | undefined;
  /** Why one of them said nothing more, while there was no text. */
  #ended: unknown;
  #released = false;
  #letGo: 1 | 2 | undefined;
  #spent = false;
  #over = false;

  private constructor(
    options: OwnerOptions,
    plan: ModelPlan,
    circuits: Circuits,
    built: BuiltCircuit,
    { agreeMs, dealer }: { readonly agreeMs: number; readonly dealer: HandedOver | undefined },
  ) {
    const { session, pairKeys } = options;
    this.#dealer = dealer;
    this.#options = options;
    this.#plan = plan;
    this.#circuits = circuits;
    this.#agreeMs = agreeMs;
    const execution = firstStep(session);
    this.#step = this.#begin(
      0,
      built,
      [PairPrg.of(pairKeys[0], execution), PairPrg.of(pairKeys[1], execution)],
      new Map(),
    );
    this.#onAbort = () => this.#abort(abortedError());
    options.signal?.addEventListener('abort', this.#onAbort);
  }

  #begin(number: number, built: BuiltCircuit, prgs: readonly [PairPrg, PairPrg], kept: Kept): Step {
    const { circuit, hash } = built;
    const { kernels, parameters, channels, signal, trace, now } = this.#options;
    this.#prgs.push(...prgs);
    const engine = new Engine({
      id: 0,
      circuit,
      kernels,
      parameters,
      channels: toParties(channels),
      k01: prgs[0],
      k02: prgs[1],
      kept,
      signal,
      trace: trace === undefined ? undefined : { step: number, now, report: trace },
      onProgress: (progress) => this.#options.onProgress?.(progress),
    });
    return { number, circuit, engine, prgs, hash };
  }

  /** Agrees with both compute parties on model, plan and circuit. */
  static async open(options: OwnerOptions): Promise<OwnerSession> {
    const { channels, request, config, pairKeys, presented } = options;
    checkShape(config, request);
    if (request.dealer !== undefined) {
      checkDealt(request);
      channelTo(channels, 3);
    }
    const start = options.now();
    const stop = () => abortAll(channels, abortedError());
    options.signal?.addEventListener('abort', stop);
    try {
      if (options.signal?.aborted === true) throw abortedError();
      invariant(
        !equalBytes(pairKeys[0], pairKeys[1]),
        'both compute parties have one key: each would know all that the other knows',
      );
      const links = { '1': toHex(linkName(pairKeys[0])), '2': toHex(linkName(pairKeys[1])) };
      const offers = await withBoth(async (peer) => {
        const channel = channelTo(channels, peer);
        const credential = presented === undefined ? {} : { credential: toHex(presented[peer - 1]) };
        const asked = { version: SESSION_VERSION, ...request, model: request.model ?? null, links, ...credential };
        const offered = recvControl(channel, 'offer');
        offered.catch(() => undefined);
        await sendControl(channel, 'request', asked).catch(async (error: unknown) => {
          // A party that has no place says so and hangs up before it is asked.
          await Promise.race([offered, sleep(REASON_MS)]);
          throw error;
        });
        const malformed = () =>
          new TercetError('ERR_FRAME_FORMAT', `party ${peer} sent a malformed offer`, 'check its version', {
            party: peer,
          });
        return offerFromJson(await offered, config, malformed);
      });
      const plan = checkOffers(offers, config, request.model);
      const circuits = options.circuits ?? new Circuits();
      const built = await circuits.get(config, plan, request);
      await withBoth((peer) => sendControl(channelTo(channels, peer), 'start', { circuit: built.hash }));
      const handOver = { request, config, plan, circuit: built.hash };
      const dealer =
        request.dealer === undefined
          ? undefined
          : HandedOver.of(channelTo(channels, 3), handOver, pairKeys, options.session);
      return new OwnerSession(options, plan, circuits, built, { agreeMs: options.now() - start, dealer });
    } catch (thrown) {
      throw abortAll(channels, options.signal?.aborted === true ? abortedError() : thrown);
    } finally {
      options.signal?.removeEventListener('abort', stop);
      // The generators have keys of their own by now, derived for this execution.
      for (const pairKey of pairKeys) pairKey.fill(0);
    }
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
    return this.#step.circuit.cost.rounds;
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
    await this.#awaitReady(() => this.#dealt(this.#step), start);
  }

  /** Deals a step, or has it dealt. */
  async #dealt({ engine, number, hash }: Step): Promise<void> {
    if (this.#dealer === undefined) return engine.deal();
    // SECURITY: an attempt whose keys were handed over is never dealt here as well. test/session/dealer.test.ts.
    await this.#dealer.deal(number, hash);
    await engine.leaveDealing();
    if (number === this.#options.request.steps) await this.#dealer.close();
  }

  /**
   * Waits until both compute parties have what is dealt. One that fails meanwhile says why in place of "ready".
   * @param start from when on dealing is counted.
   */
  async #awaitReady(deal: () => Promise<void>, start: number): Promise<void> {
    const ready = withBoth((peer) => recvControl(channelTo(this.#options.channels, peer), 'ready'));
    ready.catch(() => undefined);
    const dealt = deal().catch(async (error: unknown) => {
      await Promise.race([ready, sleep(REASON_MS)]);
      throw error;
    });
    // A dealer may be at work for a party that has failed: so not one after the other.
    if (this.#dealer !== undefined) await Promise.all([dealt, ready]);
    await dealt;
    await ready;
    this.#prepared(start);
  }

  #prepared(start: number): void {
    const { circuit } = this.#step;
    this.#released = false;
    const follow = (peer: 1 | 2) => {
      const following = followStatus(
        channelTo(this.#options.channels, peer),
        (status) => this.#status(circuit, peer, status),
        () => this.#leave(peer),
      );
      following.catch((error: unknown) => {
        if (!this.#released) this.#ended ??= attributedTo(peer, error);
      });
      return following;
    };
    this.#followed = [follow(1), follow(2)];
    this.#endHold = keepAlive([...toParties(this.#options.channels).values()]);
    // While the text is waited for. Its error shows when the circuit is asked for.
    this.#following().catch(() => undefined);
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
    return this.#run(this.#step.number, stepInputs(input, this.#options.request, this.#prompt, this.#step.number));
  }

  async #run(number: number, inputs: Inputs): Promise<OwnerResult> {
    const { number: at } = this.#step;
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
    const { engine, circuit, number, prgs } = this.#step;
    const preprocessMs = this.#preprocessMs;
    // Before anything leaves: from here on the session goes from state to state without waiting for a circuit.
    const following = await this.#following();
    this.#alive();
    const followed = this.#followed;
    this.#endHold();
    // What ended while it waited has had no text, and gets none.
    if (this.#ended !== undefined) throw this.#ended;
    invariant(followed !== undefined, 'a step that was not prepared');
    this.#released = true;
    const start = now();
    await withBoth((peer) => announceInput(channelTo(channels, peer)));
    this.#spent = true;
    await engine.input(inputs);
    const sent = now();
    const dealt = following === undefined ? undefined : this.#advance(following);
    let computed = sent;
    let logits: Float32Array = new Float32Array();
    let outside: readonly number[] = [];
    const reports = await withBoth(async (peer) => {
      const channel = channelTo(channels, peer);
      await followed[peer - 1];
      if (peer === 1) {
        computed = now();
        await engine.online();
        const opened = await engine.output();
        logits = revealLogits(opened, request.weights);
        outside = revealOutside(opened);
      }
      return reportFromJson(await recvControl(channel, 'report'));
    });
    const end = now();
    engine.clear();
    for (const prg of prgs) prg.wipe();
    if (dealt !== undefined) {
      this.#ready = this.#guarded(() => this.#awaitReady(() => dealt, end));
      // Its error is reported to whoever waits for it.
      this.#ready.catch(() => undefined);
    }
    const result: OwnerResult = {
      logits,
      step: number,
      rounds: circuit.cost.rounds,
      onlineRounds: 1,
      timing: {
        agreeMs: this.#agreeMs,
        preprocessMs,
        onlineMs: end - start,
        inputMs: sent - start,
        computeMs: computed - sent,
        outputMs: end - computed,
      },
      reports: [
        reportOf(channels, this.#options.peakMemory(), this.#options.kernels.name),
        reports[0],
        reports[1],
      ] as const,
    };
    return { outside, result };
  }

  /** The circuit of the step behind the present one, if there is one. */
  async #following(): Promise<BuiltCircuit | undefined> {
    const { config, request } = this.#options;
    const { number } = this.#step;
    return number < request.steps ? this.#circuits.get(config, this.#plan, request, number + 1) : undefined;
  }

  /** Moves to the next step and deals it while the compute parties are at work on this one. */
  #advance(built: BuiltCircuit): Promise<void> {
    const { channels } = this.#options;
    const { prgs, engine, number } = this.#step;
    const next = this.#begin(number + 1, built, [prgs[0].next(), prgs[1].next()], engine.kept);
    this.#step = next;
    const dealt = withBoth((peer) => sendControl(channelTo(channels, peer), 'step', { circuit: built.hash })).then(() =>
      this.#dealt(next),
    );
    dealt.catch(() => undefined);
    return dealt;
  }

  /** A party needs its place. A text that is on its way is not held up by that. */
  #leave(party: 1 | 2): void {
    if (this.#released || this.#over) return;
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

  #status(circuit: Circuit, peer: 1 | 2, status: Status): void {
    this.#options.onHeard?.(peer);
    if (peer === 1) this.#options.onStatus?.(status, circuit.sections[status.gate] ?? '');
  }

  /** Runs a step; a failure of any kind is the end of the session at all parties. */
  async #guarded<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (thrown) {
      throw this.#abort(this.#options.signal?.aborted === true ? abortedError() : thrown);
    }
  }

  #abort(thrown: unknown): TercetError {
    const failure = abortAll(this.#options.channels, thrown);
    this.#end();
    return failure;
  }

  #end(): void {
    this.#over = true;
    this.#endHold();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    for (const prg of this.#prgs) prg.wipe();
    this.#dealer?.wipe();
    this.#step.engine.clear();
  }
}

/** Those of the protocol itself. */
function toParties(channels: ReadonlyMap<EndId, Channel>): ReadonlyMap<PartyId, Channel> {
  return new Map([...channels].filter((entry): entry is [PartyId, Channel] => entry[0] !== 3));
}

function abortAll(channels: ReadonlyMap<EndId, Channel>, thrown: unknown): TercetError {
  const failure = asTercetError(thrown);
  for (const channel of channels.values()) channel.abort(failure);
  return failure;
}

function channelTo(channels: ReadonlyMap<EndId, Channel>, peer: EndId): Channel {
  const channel = channels.get(peer);
  invariant(channel !== undefined, `there is no channel to party ${peer}`);
  return channel;
}
