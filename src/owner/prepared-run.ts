/**
 * One run of the data owner: two links, one circuit, one set of masks. Prepared ahead of a text or inside a
 * run, used at most once, thrown away otherwise.
 */
import { pointKeyBytes } from '../compute/kernels/point-key.ts';
import type { RingKernels } from '../compute/kernels/types.ts';
import { abortedError } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import type { ModelConfig } from '../ml/config.ts';
import type { ParameterView } from '../mpc/protocol/semi-honest/party.ts';
import type { OwnerCredential } from '../net/enrolment/credential.ts';
import type { PartyId } from '../net/wire/types.ts';
import { withBoth } from '../session/fault-attribution.ts';
import type { Circuits } from '../session/circuits.ts';
import type { OwnerInput, StepInput } from '../session/inputs.ts';
import { type OwnerResult, OwnerSession } from '../session/owner.ts';
import { type Request, type RequestShape, requestCode } from '../session/request.ts';
import type { Environment, OpenedLink } from './environment.ts';
import { ProgressReporter } from './progress-reporter.ts';
import type { Deployment, FallbackEvent, Links, ProgressEvent, Transport } from './types/index.ts';
import { CountingChannel } from './counting-channel.ts';

export interface PreparedRunOptions {
  readonly environment: Environment;
  readonly deployment: Deployment;
  readonly config: ModelConfig;
  readonly request: Request & { readonly model: string };
  readonly kernels: RingKernels;
  /** Shared by all prepared runs of a model. */
  readonly circuits: Circuits;
  readonly parameters: ParameterView;
  /** For secret weights. */
  readonly credential: OwnerCredential | undefined;
  readonly transport: 'auto' | Transport;
  readonly transportTimeoutMs: number;
  readonly associations: number;
  /** Whether it is made before there is a run. */
  readonly ahead: boolean;
  onProgress(event: ProgressEvent): void;
  onFallback(event: FallbackEvent): void;
  /** It is over, and nothing of it was used: a party that is in use asked for its place. */
  onLetGo?(): void;
}

export class PreparedRun {
  readonly options: PreparedRunOptions;
  readonly channels: readonly [CountingChannel, CountingChannel];
  /** Milliseconds from the first connection until both compute parties had their correlations. */
  readonly prepareMs: number;
  readonly #session: OwnerSession;
  readonly #control: AbortController;
  readonly #relay: ProgressReporter;
  #closed: Promise<void> = Promise.resolve();

  private constructor(
    options: PreparedRunOptions,
    channels: PreparedRun['channels'],
    session: OwnerSession,
    control: AbortController,
    relay: ProgressReporter,
    prepareMs: number,
  ) {
    this.options = options;
    this.channels = channels;
    this.prepareMs = prepareMs;
    this.#session = session;
    this.#control = control;
    this.#relay = relay;
  }

  /** Connects, agrees and deals. @param signal ends the prepared run here and at both compute parties, now or later. */
  static async prepare(options: PreparedRunOptions, signal: AbortSignal): Promise<PreparedRun> {
    const { environment, request, config, kernels, circuits, parameters } = options;
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
      const channels = [
        new CountingChannel(opened[0].channel, keyLength),
        new CountingChannel(opened[1].channel, keyLength),
      ] as const;
      const relay = new ProgressReporter(
        {
          layers: config.layers,
          length: request.tokens,
          ahead: options.ahead,
          now: () => environment.now(),
          onProgress: options.onProgress,
        },
        channels,
      );
      const session = await OwnerSession.open({
        config,
        request,
        channels: new Map<PartyId, CountingChannel>([
          [1, channels[0]],
          [2, channels[1]],
        ]),
        session: id,
        keys: [opened[0].key, opened[1].key],
        kernels,
        circuits,
        parameters,
        now: () => environment.now(),
        peakMemory: () => environment.peakMemory(),
        signal: control.signal,
        onProgress: ({ done, total }) => relay.dealt(done / total),
        onStatus: (status, section) => relay.status(status, section),
        onHeard: (party) => relay.heard(party),
        onLetGo: () => options.onLetGo?.(),
      });
      await session.prepare();
      relay.prepared(session.rounds);
      return new PreparedRun(options, channels, session, control, relay, environment.now() - start);
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

  /** Whether anything that depends on a text has left: from then on the prepared run is spent. */
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

  /** What it was dealt for: at least what the run needs. */
  get shape(): RequestShape {
    return this.options.request;
  }

  /** Whether a token may follow what was run. */
  get more(): boolean {
    return this.#session.more;
  }

  /**
   * Sends the text's shares and opens the answer. Call `finish` when no further token is wanted. @param signal
   * stops all three parties.
   */
  run(input: OwnerInput, signal: AbortSignal): Promise<OwnerResult> {
    return this.#step(() => this.#session.run(input), signal);
  }

  /** One more token behind a prompt. */
  next(input: StepInput, signal: AbortSignal): Promise<OwnerResult> {
    return this.#step(async () => {
      // A step that is dealt knows its rounds.
      await this.#session.prepare();
      this.#relay.begin(this.#session.rounds);
      return this.#session.next(input);
    }, signal);
  }

  async #step(work: () => Promise<OwnerResult>, signal: AbortSignal): Promise<OwnerResult> {
    const abort = () => this.#control.abort();
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    try {
      const result = await work();
      this.#relay.opened();
      return result;
    } catch (error) {
      throw signal.aborted ? abortedError() : error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Tells of a piece of generated text. */
  token(index: number, text: string): void {
    this.#relay.token(index, text);
  }

  /**
   * Says goodbye to both parties, also in the middle of a text. An answer does not wait for it, which takes a round
   * trip: `closed` does.
   */
  finish(): void {
    const goodbye = this.more ? this.#session.discard() : Promise.all(this.channels.map((channel) => channel.close()));
    this.#closed = goodbye.then(() => undefined);
  }

  /** Resolves when nothing of it is under way any more, once it is finished. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Ends a prepared run that no text came for. */
  discard(): Promise<void> {
    return this.#session.discard();
  }
}

async function openLink(
  options: PreparedRunOptions,
  party: 1 | 2,
  session: Uint8Array,
  signal: AbortSignal,
): Promise<OpenedLink> {
  const { environment, deployment, request } = options;
  const link = await environment.openLink({
    party,
    address: deployment.parties[party - 1],
    otherIdentity: deployment.parties[2 - party].identity,
    session,
    modelHash: request.model,
    requestCode: requestCode(request),
    credential: options.credential,
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

/** A prepared run that is being made or is ready, with what it is for. */
export interface Preparation {
  readonly shape: RequestShape;
  readonly run: Promise<PreparedRun>;
  /** Whether it failed, or a link of it broke while it waited. */
  readonly broken: boolean;
  /** Throws it away, whatever its state. */
  drop(): Promise<void>;
}

export function startPreparing(options: PreparedRunOptions): Preparation {
  const control = new AbortController();
  const run = PreparedRun.prepare(options, control.signal);
  let broken = false;
  const spoil = () => {
    broken = true;
  };
  // Its error is reported to whoever waits for it.
  run.then((ready) => ready.ended.then(spoil), spoil);
  return {
    shape: options.request,
    run,
    get broken() {
      return broken;
    },
    async drop() {
      control.abort();
      await run.then(
        (ready) => ready.discard(),
        (error: unknown) => {
          if (!(error instanceof TercetError)) throw error;
        },
      );
    },
  };
}
