/**
 * The data owner's session (P0): connects the pieces below without Node or a browser in sight. The composition root hands in channels, kernels,
 * randomness and a clock.
 *
 * One session runs one attempt. After a failure of any kind the session is over: nothing is retried under the same masks.
 */
import type { RingKernels } from '../compute/kernels/types.ts';
import { wordsFrom } from '../compute/ring.ts';
import { toHex } from '../core/bytes.ts';
import { TercetError, asTercetError, invariant } from '../core/errors.ts';
import type { BertConfig } from '../ml/config.ts';
import { MASK_ROWS, TOKENS } from '../ml/models/bert-secure.ts';
import { PairPrg } from '../mpc/prg/prg.ts';
import { Engine, type Progress } from '../mpc/protocol/semi-honest/engine.ts';
import type { ParameterView } from '../mpc/protocol/semi-honest/party.ts';
import type { Inputs } from '../mpc/protocol/types.ts';
import type { Channel, PartyId } from '../net/types.ts';
import { type Offer, type Request, SESSION_VERSION, checkOffers, circuitFor, fingerprint, offerFromJson } from './agreement.ts';
import { recvControl, sendControl } from './control.ts';
import { type PartyReport, reportFromJson, reportOf } from './report.ts';
import { revealLogits } from './reveal.ts';

export interface OwnerOptions {
  readonly config: BertConfig;
  readonly request: Request;
  readonly channels: ReadonlyMap<PartyId, Channel>;
  readonly session: Uint8Array;
  readonly kernels: RingKernels;
  readonly parameters: ParameterView;
  /** Fresh random bytes for the pairwise keys. */
  readonly random: (length: number) => Uint8Array;
  readonly now: () => number;
  readonly peakMemory: () => number;
  readonly signal?: AbortSignal;
  onProgress?(progress: Progress): void;
}

export interface OwnerResult {
  /** (rows, V) or (L), float. */
  readonly logits: Float32Array;
  readonly rounds: number;
  /** 1: one message out and one in. */
  readonly onlineRounds: number;
  readonly timing: { readonly agreeMs: number; readonly preprocessMs: number; readonly onlineMs: number };
  readonly reports: readonly [PartyReport, PartyReport, PartyReport];
}

/** What the owner's text became: indices for the look-up, and for fill-mask the masked positions. */
export interface OwnerInput {
  readonly inputIds: readonly number[];
  readonly maskPositions: readonly number[];
}

/** An attempt that has dealt its correlations and waits for the text. */
export class OwnerSession {
  readonly #options: OwnerOptions;
  readonly #engine: Engine;
  readonly #prgs: readonly PairPrg[];
  readonly #rounds: number;
  readonly #agreeMs: number;
  #preprocessMs = 0;

  private constructor(options: OwnerOptions, engine: Engine, prgs: readonly PairPrg[], rounds: number, agreeMs: number) {
    this.#options = options;
    this.#engine = engine;
    this.#prgs = prgs;
    this.#rounds = rounds;
    this.#agreeMs = agreeMs;
  }

  /** Agrees with both compute parties on model, plan and circuit, and gives each its pairwise key. */
  static async open(options: OwnerOptions): Promise<OwnerSession> {
    const { channels, request, config, session, random } = options;
    const start = options.now();
    const keys: Record<1 | 2, Uint8Array> = { 1: random(32), 2: random(32) };
    for (const peer of [1, 2] as const) {
      await sendControl(channelTo(channels, peer), 'request', { version: SESSION_VERSION, ...request, key: toHex(keys[peer]) });
    }
    const offer = async (peer: 1 | 2): Promise<Offer> => {
      const channel = channelTo(channels, peer);
      return offerFromJson(
        await recvControl(channel, 'offer'),
        config,
        () => new TercetError('ERR_FRAME_FORMAT', `party ${peer} sent a malformed offer`, 'check its version'),
      );
    };
    const plan = checkOffers([await offer(1), await offer(2)], config);
    const circuit = circuitFor(config, plan, request);
    const hash = fingerprint(circuit);
    for (const peer of [1, 2] as const) await sendControl(channelTo(channels, peer), 'start', { circuit: hash });
    const attempt = { session, attempt: 0, step: 0, branch: 0 };
    const prgs = [new PairPrg(keys[1], attempt), new PairPrg(keys[2], attempt)] as const;
    const engine = new Engine({
      id: 0,
      circuit,
      kernels: options.kernels,
      parameters: options.parameters,
      channels,
      k01: prgs[0],
      k02: prgs[1],
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onProgress: (progress) => options.onProgress?.(progress),
    });
    for (const key of Object.values(keys)) key.fill(0);
    return new OwnerSession(options, engine, prgs, circuit.cost.rounds, options.now() - start);
  }

  /** Deals every correlation ahead of the input and waits until both compute parties have theirs. */
  async prepare(): Promise<void> {
    const start = this.#options.now();
    await this.#engine.deal();
    await Promise.all(([1, 2] as const).map((peer) => recvControl(channelTo(this.#options.channels, peer), 'ready')));
    this.#preprocessMs = this.#options.now() - start;
  }

  /** One message out, one message in. The attempt is spent afterwards, whatever happens. */
  async run(input: OwnerInput): Promise<OwnerResult> {
    const { now, channels, request, kernels } = this.#options;
    const start = now();
    try {
      await this.#engine.input(inputsFor(input, request));
      await this.#engine.online();
      const logits = revealLogits(await this.#engine.output());
      const onlineMs = now() - start;
      const reports = await Promise.all(([1, 2] as const).map(async (peer) => reportFromJson(await recvControl(channelTo(channels, peer), 'report'))));
      const own = reportOf(channels, this.#options.peakMemory(), kernels.name);
      return {
        logits,
        rounds: this.#rounds,
        onlineRounds: 1,
        timing: { agreeMs: this.#agreeMs, preprocessMs: this.#preprocessMs, onlineMs },
        reports: [own, reports[0], reports[1]],
      };
    } catch (error) {
      const failure = asTercetError(error);
      for (const channel of channels.values()) channel.abort(failure);
      throw failure;
    } finally {
      for (const prg of this.#prgs) prg.wipe();
    }
  }
}

function channelTo(channels: ReadonlyMap<PartyId, Channel>, peer: PartyId): Channel {
  const channel = channels.get(peer);
  invariant(channel !== undefined, `there is no channel to party ${peer}`);
  return channel;
}

/** One-hot rows for the masked positions, and the token indices. */
function inputsFor(input: OwnerInput, request: Request): Inputs {
  const rows = input.maskPositions.flatMap((position) => input.inputIds.map((_, t) => (t === position ? 1 : 0)));
  invariant(input.inputIds.length === request.tokens && input.maskPositions.length === request.masks, 'the input does not fit the prepared shapes');
  return { tensors: { [MASK_ROWS]: wordsFrom(rows, 64) }, indices: { [TOKENS]: input.inputIds } };
}
