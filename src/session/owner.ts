/**
 * The data owner's session (P0): connects the pieces below without Node or a browser in sight. The composition root hands in channels, keys, kernels and
 * a clock.
 *
 * One session runs one attempt. After a failure of any kind the session is over: nothing is retried under the same masks.
 */
import type { RingKernels } from '../compute/kernels/types.ts';
import { abortedError, sleep } from '../core/abort.ts';
import { TercetError, asTercetError, invariant } from '../core/errors.ts';
import type { BertConfig } from '../ml/config.ts';
import { PairPrg } from '../mpc/prg/prg.ts';
import type { Circuit } from '../mpc/protocol/semi-honest/circuit.ts';
import { Engine, type Progress } from '../mpc/protocol/semi-honest/engine.ts';
import type { ParameterView } from '../mpc/protocol/semi-honest/party.ts';
import type { Channel, PartyId } from '../net/types.ts';
import { type Request, SESSION_VERSION, checkOffers, circuitFor, fingerprint, offerFromJson } from './agreement.ts';
import { withBoth } from './blame.ts';
import { recvControl, sendControl } from './control.ts';
import { hold, release } from './hold.ts';
import { type OwnerInput, ownerInputs } from './inputs.ts';
import { type PartyReport, reportFromJson, reportOf } from './report.ts';
import { revealLogits } from './reveal.ts';
import { type Status, followStatus } from './status.ts';

export interface OwnerOptions {
  readonly config: BertConfig;
  readonly request: Request;
  readonly channels: ReadonlyMap<PartyId, Channel>;
  readonly session: Uint8Array;
  /** The pairwise keys with party 1 and 2, 32 bytes each. Wiped here. */
  readonly keys: readonly [Uint8Array, Uint8Array];
  readonly kernels: RingKernels;
  readonly parameters: ParameterView;
  readonly now: () => number;
  readonly peakMemory: () => number;
  /** Ends the session at any time: both links break, so both compute parties stop. */
  readonly signal?: AbortSignal;
  onProgress?(progress: Progress): void;
  /** How far the compute parties are, as party 1 reports it. */
  onStatus?(status: Status, section: string): void;
}

export interface OwnerResult {
  /** (rows, V) or (L), float. */
  readonly logits: Float32Array;
  readonly rounds: number;
  /** 1: one message out and one in. */
  readonly onlineRounds: number;
  /** `onlineMs` is the sum of the three after it. */
  readonly timing: {
    readonly agreeMs: number;
    readonly preprocessMs: number;
    readonly onlineMs: number;
    readonly inputMs: number;
    readonly computeMs: number;
    readonly outputMs: number;
  };
  readonly reports: readonly [PartyReport, PartyReport, PartyReport];
}

/** How long a party whose link broke may take to say why. */
const REASON_MS = 400;

/** An attempt that has dealt its correlations and waits for the text. */
export class OwnerSession {
  readonly #options: OwnerOptions;
  readonly #circuit: Circuit;
  readonly #engine: Engine;
  readonly #prgs: readonly PairPrg[];
  readonly #agreeMs: number;
  readonly #onAbort: () => void;
  #preprocessMs = 0;
  #endHold: () => void = () => undefined;
  #spent = false;
  #over = false;

  private constructor(options: OwnerOptions, circuit: Circuit, agreeMs: number) {
    const { channels, session, keys } = options;
    this.#options = options;
    this.#circuit = circuit;
    this.#agreeMs = agreeMs;
    const attempt = { session, attempt: 0, step: 0, branch: 0 };
    const [k01, k02] = [new PairPrg(keys[0], attempt), new PairPrg(keys[1], attempt)];
    this.#prgs = [k01, k02];
    this.#engine = new Engine({
      id: 0,
      circuit,
      kernels: options.kernels,
      parameters: options.parameters,
      channels,
      k01,
      k02,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onProgress: (progress) => options.onProgress?.(progress),
    });
    this.#onAbort = () => this.#abort(abortedError());
    options.signal?.addEventListener('abort', this.#onAbort);
  }

  /** Agrees with both compute parties on model, plan and circuit. */
  static async open(options: OwnerOptions): Promise<OwnerSession> {
    const { channels, request, config, keys } = options;
    const start = options.now();
    const stop = () => abortAll(channels, abortedError());
    options.signal?.addEventListener('abort', stop);
    try {
      if (options.signal?.aborted === true) throw abortedError();
      const offers = await withBoth(async (peer) => {
        const channel = channelTo(channels, peer);
        await sendControl(channel, 'request', { version: SESSION_VERSION, ...request, model: request.model ?? null });
        const malformed = () => new TercetError('ERR_FRAME_FORMAT', `party ${peer} sent a malformed offer`, 'check its version', { party: peer });
        return offerFromJson(await recvControl(channel, 'offer'), config, malformed);
      });
      const plan = checkOffers(offers, config, request.model);
      const circuit = circuitFor(config, plan, request);
      const hash = fingerprint(circuit);
      await withBoth((peer) => sendControl(channelTo(channels, peer), 'start', { circuit: hash }));
      return new OwnerSession(options, circuit, options.now() - start);
    } catch (thrown) {
      throw abortAll(channels, options.signal?.aborted === true ? abortedError() : thrown);
    } finally {
      options.signal?.removeEventListener('abort', stop);
      // The generators have keys of their own by now, derived for this attempt.
      for (const key of keys) key.fill(0);
    }
  }

  /** Whether a message that depends on the input may have left. Nothing may be sent under the same masks any more. */
  get spent(): boolean {
    return this.#spent;
  }

  /** Resolves when a link of this attempt is gone, for whatever reason. */
  get ended(): Promise<unknown> {
    return Promise.race([...this.#options.channels.values()].map((channel) => channel.ended));
  }

  /** Rounds between the compute parties that a run takes. */
  get rounds(): number {
    return this.#circuit.cost.rounds;
  }

  /** Deals every correlation ahead of the input and waits until both compute parties have theirs. They then wait for `run` or `discard`. */
  async prepare(): Promise<void> {
    const start = this.#options.now();
    await this.#guarded(async () => {
      // A compute party that fails while it is dealt to says why in place of "ready".
      const ready = withBoth((peer) => recvControl(channelTo(this.#options.channels, peer), 'ready'));
      ready.catch(() => undefined);
      await this.#engine.deal().catch(async (error: unknown) => {
        await Promise.race([ready, sleep(REASON_MS)]);
        throw error;
      });
      await ready;
    });
    this.#endHold = hold([...this.#options.channels.values()]);
    this.#preprocessMs = this.#options.now() - start;
  }

  /** One message out, one message in. The attempt is spent afterwards, whatever happens. */
  async run(input: OwnerInput): Promise<OwnerResult> {
    const { now, channels, request, kernels } = this.#options;
    if (this.#over) throw new TercetError('ERR_STATE', 'this attempt is over', 'start a new attempt; correlations are used once');
    this.#endHold();
    const start = now();
    const inputs = ownerInputs(input, request);
    try {
      return await this.#guarded(async () => {
        await withBoth((peer) => release(channelTo(channels, peer)));
        this.#spent = true;
        await this.#engine.input(inputs);
        const sent = now();
        let computed = sent;
        let logits: Float32Array = new Float32Array();
        const reports = await withBoth(async (peer) => {
          const channel = channelTo(channels, peer);
          await followStatus(channel, (status) => this.#status(peer, status));
          if (peer === 1) {
            computed = now();
            await this.#engine.online();
            logits = revealLogits(await this.#engine.output());
          }
          return reportFromJson(await recvControl(channel, 'report'));
        });
        const end = now();
        return {
          logits,
          rounds: this.rounds,
          onlineRounds: 1,
          timing: {
            agreeMs: this.#agreeMs,
            preprocessMs: this.#preprocessMs,
            onlineMs: end - start,
            inputMs: sent - start,
            computeMs: computed - sent,
            outputMs: end - computed,
          },
          reports: [reportOf(channels, this.#options.peakMemory(), kernels.name), reports[0], reports[1]] as const,
        };
      });
    } finally {
      this.#end();
    }
  }

  /** Lets go of a prepared attempt that no text came for. Nothing of it was used, and nothing of it will be. */
  async discard(): Promise<void> {
    this.#end();
    await Promise.all([...this.#options.channels.values()].map((channel) => channel.close()));
  }

  #status(peer: 1 | 2, status: Status): void {
    if (peer === 1) this.#options.onStatus?.(status, this.#circuit.sections[status.gate] ?? '');
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
    this.#engine.clear();
  }
}

function abortAll(channels: ReadonlyMap<PartyId, Channel>, thrown: unknown): TercetError {
  const failure = asTercetError(thrown);
  for (const channel of channels.values()) channel.abort(failure);
  return failure;
}

function channelTo(channels: ReadonlyMap<PartyId, Channel>, peer: PartyId): Channel {
  const channel = channels.get(peer);
  invariant(channel !== undefined, `there is no channel to party ${peer}`);
  return channel;
}
