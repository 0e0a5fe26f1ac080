/**
 * One attempt of the data owner: two links, one circuit, one set of masks. Prepared ahead of a text or inside a run, used at most once, thrown away otherwise.
 */
import { pointKeyBytes } from '../compute/kernels/dpf-key.ts';
import type { RingKernels } from '../compute/kernels/types.ts';
import { abortedError } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import type { BertConfig } from '../ml/config.ts';
import type { ParameterView } from '../mpc/protocol/semi-honest/party.ts';
import type { PartyId } from '../net/types.ts';
import { type Request, requestHash } from '../session/agreement.ts';
import { withBoth } from '../session/blame.ts';
import type { OwnerInput } from '../session/inputs.ts';
import { type OwnerResult, OwnerSession } from '../session/owner.ts';
import type { Status } from '../session/status.ts';
import type { Environment, OpenedLink } from './environment.ts';
import type { Deployment, FallbackEvent, Links, ProgressEvent, SentSample, Transport } from './types.ts';
import { WatchedChannel, linkBytes } from './watched.ts';

export interface AttemptOptions {
  readonly environment: Environment;
  readonly deployment: Deployment;
  readonly config: BertConfig;
  readonly request: Request & { readonly model: string };
  readonly kernels: RingKernels;
  readonly parameters: ParameterView;
  readonly transport: 'auto' | Transport;
  readonly transportTimeoutMs: number;
  readonly associations: number;
  /** Whether it is made before there is a run. */
  readonly ahead: boolean;
  onProgress(event: ProgressEvent): void;
  onFallback(event: FallbackEvent): void;
}

/** Progress of the deal is told at most this often. */
const DEAL_PROGRESS_MS = 60;

export class Attempt {
  readonly options: AttemptOptions;
  readonly channels: readonly [WatchedChannel, WatchedChannel];
  /** Milliseconds from the first connection until both compute parties had their correlations. */
  readonly prepareMs: number;
  readonly #session: OwnerSession;
  readonly #control: AbortController;
  readonly #relay: StatusRelay;
  #closed: Promise<void> = Promise.resolve();

  private constructor(
    options: AttemptOptions,
    channels: Attempt['channels'],
    session: OwnerSession,
    control: AbortController,
    relay: StatusRelay,
    prepareMs: number,
  ) {
    this.options = options;
    this.channels = channels;
    this.prepareMs = prepareMs;
    this.#session = session;
    this.#control = control;
    this.#relay = relay;
  }

  /** Connects, agrees and deals. @param signal ends the attempt here and at both compute parties, now or later. */
  static async prepare(options: AttemptOptions, signal: AbortSignal): Promise<Attempt> {
    const { environment, request, config, kernels, parameters } = options;
    const start = environment.now();
    const control = new AbortController();
    const abort = () => control.abort();
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    const links: OpenedLink[] = [];
    try {
      const id = environment.random(16);
      const opened = await withBoth(async (party) => {
        const link = await openLink(options, party, id, control.signal);
        links.push(link);
        return link;
      });
      const keyLength = pointKeyBytes(Math.ceil(Math.log2(config.vocabSize)));
      const channels = [new WatchedChannel(opened[0].channel, keyLength), new WatchedChannel(opened[1].channel, keyLength)] as const;
      const relay = new StatusRelay(options, channels);
      const session = await OwnerSession.open({
        config,
        request,
        channels: new Map<PartyId, WatchedChannel>([
          [1, channels[0]],
          [2, channels[1]],
        ]),
        session: id,
        keys: [opened[0].key, opened[1].key],
        kernels,
        parameters,
        now: () => environment.now(),
        peakMemory: () => environment.peakMemory(),
        signal: control.signal,
        onProgress: ({ done, total }) => relay.dealt(done / total),
        onStatus: (status, section) => relay.status(status, section),
      });
      relay.totalRounds = session.rounds;
      await session.prepare();
      relay.prepared();
      return new Attempt(options, channels, session, control, relay, environment.now() - start);
    } catch (error) {
      // One link may stand while the other one failed.
      control.abort();
      for (const { channel, key } of links) {
        channel.abort(abortedError());
        key.fill(0);
      }
      throw signal.aborted ? abortedError() : error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Whether anything that depends on a text has left: from then on the attempt is spent. */
  get spent(): boolean {
    return this.#session.spent;
  }

  /** Resolves when one of its links is gone. */
  get ended(): Promise<unknown> {
    return this.#session.ended;
  }

  get links(): Links {
    return this.#relay.links();
  }

  /** Sends the text's shares and opens the answer. @param signal stops all three parties. */
  async run(input: OwnerInput, signal: AbortSignal | undefined): Promise<OwnerResult> {
    const abort = () => this.#control.abort();
    signal?.addEventListener('abort', abort);
    if (signal?.aborted === true) abort();
    try {
      const result = await this.#session.run(input);
      this.#relay.opened();
      return result;
    } finally {
      signal?.removeEventListener('abort', abort);
      // Saying goodbye takes a round trip, which an answer does not wait for.
      this.#closed = Promise.all(this.channels.map((channel) => channel.close())).then(() => undefined);
    }
  }

  /** Resolves when nothing of it is under way any more, once it has run. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Ends a prepared attempt that no text came for. */
  discard(): Promise<void> {
    return this.#session.discard();
  }
}

async function openLink(options: AttemptOptions, party: 1 | 2, session: Uint8Array, signal: AbortSignal): Promise<OpenedLink> {
  const { environment, deployment, request } = options;
  const link = await environment.openLink({
    party,
    address: deployment.parties[party - 1],
    otherIdentity: deployment.parties[2 - party].identity,
    session,
    modelHash: request.model,
    parametersHash: requestHash(request),
    transport: options.transport,
    timeoutMs: options.transportTimeoutMs,
    iceServers: deployment.iceServers ?? [],
    associations: options.associations,
    signal,
    onFallback: options.onFallback,
  });
  options.onProgress({ status: 'connect', party, transport: link.transport });
  options.onProgress({ status: 'handshake', party, milliseconds: link.handshakeMs });
  return link;
}

/** Turns what the session tells into the events of the SDK. */
class StatusRelay {
  readonly #options: AttemptOptions;
  readonly #channels: readonly [WatchedChannel, WatchedChannel];
  totalRounds = 0;
  #between = 0;
  #rounds = 0;
  #lastDeal = Number.NEGATIVE_INFINITY;
  #inputTold = false;

  constructor(options: AttemptOptions, channels: readonly [WatchedChannel, WatchedChannel]) {
    this.#options = options;
    this.#channels = channels;
  }

  links(): Links {
    const [p1, p2] = this.#channels;
    return { p1: linkBytes(p1.stats), p2: linkBytes(p2.stats), between: { bytes: this.#between, rounds: this.#rounds, totalRounds: this.totalRounds } };
  }

  #sample(): SentSample {
    return [this.#channels[0].sample, this.#channels[1].sample];
  }

  dealt(progress: number): void {
    const now = this.#options.environment.now();
    if (now - this.#lastDeal < DEAL_PROGRESS_MS) return;
    this.#lastDeal = now;
    this.#preprocess(progress, false);
  }

  prepared(): void {
    this.#preprocess(1, true);
  }

  #preprocess(progress: number, done: boolean): void {
    const { request, ahead, onProgress } = this.#options;
    onProgress({ status: 'preprocess', length: request.tokens, progress, links: this.links(), done, ahead, sample: this.#sample() });
  }

  status({ done, total, between, last }: Status, section: string): void {
    const { onProgress, config } = this.#options;
    this.#between = between;
    this.#rounds = Math.floor(done / 2);
    if (!this.#inputTold) {
      this.#inputTold = true;
      onProgress({ status: 'input', links: this.links(), sample: this.#sample() });
    }
    const place = last ? { layer: config.layers + 1, section: '' } : placeOf(section, config.layers);
    onProgress({ status: 'layer', ...place, layers: config.layers, progress: done / Math.max(1, total), links: this.links(), sample: this.#sample() });
  }

  opened(): void {
    this.#options.onProgress({ status: 'reconstruct', links: this.links(), sample: this.#sample() });
  }
}

/** `layer 3/12/attention/scores` → 3, `attention/scores`. */
function placeOf(section: string, layers: number): { layer: number; section: string } {
  const match = /^layer (\d+)\/\d+\/?(.*)$/.exec(section);
  if (match !== null) return { layer: Number(match[1]), section: match[2] };
  return { layer: section.startsWith('embeddings') ? 0 : layers + 1, section };
}

/** An attempt that is being made or is ready, with what it is for. */
export interface Prepared {
  readonly length: number;
  readonly blanks: number;
  readonly attempt: Promise<Attempt>;
  /** Whether it failed, or a link of it broke while it waited. */
  readonly broken: boolean;
  /** Throws it away, whatever its state. */
  drop(): Promise<void>;
}

export function prepareAttempt(options: AttemptOptions): Prepared {
  const control = new AbortController();
  const attempt = Attempt.prepare(options, control.signal);
  let broken = false;
  const spoil = () => {
    broken = true;
  };
  // Its error is reported to whoever waits for it.
  attempt.then((ready) => ready.ended.then(spoil), spoil);
  return {
    length: options.request.tokens,
    blanks: options.request.masks,
    attempt,
    get broken() {
      return broken;
    },
    async drop() {
      control.abort();
      await attempt.then(
        (ready) => ready.discard(),
        (error: unknown) => {
          if (!(error instanceof TercetError)) throw error;
        },
      );
    },
  };
}
