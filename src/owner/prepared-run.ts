/**
 * One run of the data owner: two links, one circuit, one set of masks. Prepared ahead of a text or inside a
 * run, used at most once, thrown away otherwise.
 */
import { pointKeyBytes } from '../compute/kernels/point-key.ts';
import { abortedError } from '../core/abort.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { RunShape } from '../ml/models/run.ts';
import type { Channel, EndId, ServerId } from '../net/wire/types.ts';
import type { OwnerCredential } from '../net/enrolment/credential.ts';
import type { Circuits } from '../session/circuits.ts';
import { attributedTo, withBoth } from '../session/fault-attribution.ts';
import { OwnerSession } from '../session/owner.ts';
import type { PermittedHandOver } from '../session/owner-options.ts';
import { ownerParameters } from '../session/owner-parameters.ts';
import { provingOf } from '../session/proving.ts';
import { type Request, requestCode } from '../session/request.ts';
import { CountingChannel } from './counting-channel.ts';
import type { OpenedLink, RunSpan } from './environment.ts';
import { ProgressReporter } from './progress-reporter.ts';
import type { RunContext } from './run-context.ts';

/** Both compute parties have their correlations, and wait for the text. */
export interface PreparedRun {
  /** What it was dealt for: at least what the run needs. */
  readonly shape: RunShape;
  readonly session: OwnerSession;
  readonly channels: readonly [CountingChannel, CountingChannel];
  readonly reporter: ProgressReporter;
  readonly span: RunSpan | undefined;
  /** Milliseconds from the first connection until both compute parties had their correlations. */
  readonly prepareMs: number;
  /** Ends it here and at both compute parties, whatever it is at. */
  abort(): void;
}

export interface PrepareRunOptions {
  readonly shape: RunShape;
  /** Shared by all runs of a model. */
  readonly circuits: Circuits;
  /** Whether it is made before there is a text. */
  readonly ahead: boolean;
  /** It is over, and nothing of it was used: a party that is in use asked for its place. */
  readonly onLetGo?: (() => void) | undefined;
}

/** Connects, agrees and deals. @param signal ends it here and at both compute parties. */
async function prepareRun(
  context: RunContext,
  { shape, circuits, ahead, onLetGo }: PrepareRunOptions,
  signal: AbortSignal,
): Promise<PreparedRun> {
  const { environment, config, kernels, terms, credential } = context;
  const start = environment.now();
  const request: Request = { ...terms, ...shape };
  // Before anybody is asked.
  provingOf(request, context.proving);
  const control = new AbortController();
  const abort = () => control.abort();
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  const links: OpenedLink[] = [];
  const span = environment.span?.({ ...shape, ahead });
  try {
    const id = environment.random(16);
    const open = async (party: ServerId) => {
      const link = await environment.openLink({
        party,
        session: id,
        modelHash: request.model,
        requestCode: requestCode(request),
        credential: party === 3 ? undefined : credential,
        signal: control.signal,
      });
      links.push(link);
      return link;
    };
    // At once: a party gives an owner seconds to go on.
    const dealing = request.dealer === undefined ? undefined : openDealer(open);
    dealing?.catch(() => undefined);
    const opened = await withBoth(open);
    const dealer = await dealing;
    const keyLength = pointKeyBytes(Math.ceil(Math.log2(config.vocabSize)));
    const channels = [
      new CountingChannel(opened[0].channel, keyLength, () => reporter.heard(1)),
      new CountingChannel(opened[1].channel, keyLength, () => reporter.heard(2)),
    ] as const;
    const reporter: ProgressReporter = new ProgressReporter(
      {
        layers: config.layers,
        length: shape.tokens,
        ahead,
        now: () => environment.now(),
        onProgress: (event) => context.onProgress(event),
      },
      channels,
      dealer?.channel,
    );
    const [one, two] = opened.map(({ presented }) => presented);
    const session: OwnerSession = await OwnerSession.open({
      config,
      request,
      presented: one === undefined || two === undefined ? undefined : [one, two],
      permitted: permittedHandOver(request, credential),
      channels: new Map<EndId, Channel>([
        [1, channels[0]],
        [2, channels[1]],
        ...(dealer === undefined ? [] : [[3, dealer.channel] as const]),
      ]),
      session: id,
      traceparent: span?.traceparent,
      pairKeys: [opened[0].pairKey, opened[1].pairKey],
      kernels,
      circuits,
      proving: context.proving,
      parameters: ownerParameters(config, credential?.seeds()),
      now: () => environment.now(),
      peakMemory: () => environment.peakMemory(),
      signal: control.signal,
      trace: context.trace,
      onProgress: (progress) => {
        context.onDealt?.(progress);
        reporter.dealt(progress.done / progress.total);
      },
      onStatus: (status, section) => {
        reporter.status(status, section);
        // Rounds that this device is in follow from messages of both.
        if (session.online !== undefined) for (const party of [1, 2] as const) reporter.heard(party);
      },
      onLetGo: () => onLetGo?.(),
    });
    context.onPhase?.('preprocess');
    await session.prepare();
    reporter.prepared(session.rounds, session.online);
    return { shape, session, span, channels, reporter, prepareMs: environment.now() - start, abort };
  } catch (error) {
    // One link may stand while the other one failed.
    control.abort();
    span?.end(asTercetError(error));
    for (const { channel, pairKey } of links) {
      channel.abort(abortedError());
      pairKey.fill(0);
    }
    throw signal.aborted ? abortedError() : error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** @throws {TercetError} ERR_CREDENTIAL_DEALER, as `fromPretrained` and `infer` have before */
function permittedHandOver(
  { dealer }: Request,
  credential: OwnerCredential | undefined,
): PermittedHandOver | undefined {
  if (dealer === undefined || credential === undefined) return undefined;
  return { permit: credential.permitFor(dealer), seeds: credential.seeds() };
}

/** The dealer's link carries no text; its pair key is of no use and is wiped at once. */
async function openDealer(open: (party: ServerId) => Promise<OpenedLink>): Promise<OpenedLink> {
  try {
    const link = await open(3);
    link.pairKey.fill(0);
    return link;
  } catch (error) {
    throw attributedTo(3, error);
  }
}

/** A prepared run that is being made or is ready, with what it is for. */
export interface Preparation {
  readonly shape: RunShape;
  readonly run: Promise<PreparedRun>;
  /** Whether it failed, or a link of it broke while it waited. */
  readonly broken: boolean;
  /** Throws it away, whatever its state. */
  drop(): Promise<void>;
}

export function startPreparing(context: RunContext, options: PrepareRunOptions): Preparation {
  const control = new AbortController();
  const run = prepareRun(context, options, control.signal);
  let broken = false;
  const spoil = () => {
    broken = true;
  };
  // Its error is reported to whoever waits for it.
  run.then(({ session }) => session.ended.then(spoil), spoil);
  return {
    shape: options.shape,
    run,
    get broken() {
      return broken;
    },
    async drop() {
      control.abort();
      await run.then(
        async ({ session, span }) => {
          span?.end();
          await session.discard();
        },
        (error: unknown) => {
          if (!(error instanceof TercetError)) throw error;
        },
      );
    },
  };
}
