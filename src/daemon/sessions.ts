/** The sessions that a compute party serves, each in a place of its own (places.ts). A failed one ends alone. */
import type { RingKernels } from '../compute/kernels/types.ts';
import { toHex } from '../core/bytes.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { Progress } from '../mpc/protocol/frame/engine.ts';
import type { ProtocolId } from '../mpc/protocol/types.ts';
import type { Trace } from '../mpc/protocol/trace.ts';
import { ANY_MODEL } from '../net/handshake/messages.ts';
import type { Channel, PeerChannel } from '../net/wire/types.ts';
import { mismatch } from '../session/agreement.ts';
import { priceOfRequest } from '../session/proved-price.ts';
import { type Request, misfit, requestOfCode } from '../session/request.ts';
import { Circuits } from '../session/circuits.ts';
import type { CheckRequest } from '../session/admission.ts';
import { type SessionEnd, serveSession } from '../session/compute.ts';
import type { ServedModel } from '../session/model.ts';
import { sendFailure } from '../session/control.ts';
import type { ComingDealer } from '../session/party-dealer.ts';
import { type Proving, protocolNamed } from '../session/proving.ts';
import { PATIENCE, type Patience, inTime } from '../session/place.ts';
import type { ServiceMetrics } from '../operate/metrics.ts';
import type { SessionSizes, SessionSpan, Spans } from '../operate/spans.ts';
import { SessionTraffic } from '../operate/traffic.ts';
import type { Budgets } from './budgets.ts';
import { peakMemory } from '../node/kernels.ts';
import type { DealerDesk } from './dealer-desk.ts';
import type { SessionAudit } from './session-audit.ts';
import { type Held, type Load, type PlaceCounts, Places } from './places.ts';
import { MAX_RUNNING, RunTurns } from './turns.ts';

/** An owner that reached this party, whatever the transport. */
export interface OwnerLink {
  readonly channel: Channel;
  readonly session: Uint8Array;
  /** Where it comes from, or the proxy before it: places and budgets for each. */
  readonly address: string;
  /** Whether it proved who it is. What only the operator should know of the process is not told to others. */
  readonly known: boolean;
  /** Once it is there. */
  pairKey(): Promise<Uint8Array>;
  /**
   * Throws unless the request is what this party signed for the session, and its owner may make it; asked after
   * `pairKey`. Every kind of link has to say how it knows.
   */
  readonly checkRequest: CheckRequest;
}

export interface SessionsOptions {
  readonly id: 1 | 2;
  readonly models: readonly ServedModel[];
  readonly kernels: RingKernels;
  readonly signal: AbortSignal;
  readonly maxSessions: number;
  /** Of party 1: runs that compute at a time; the others wait for their turn (default: `MAX_RUNNING`). */
  readonly maxRunning?: number | undefined;
  readonly budgets: Budgets;
  /** Of one address (default: half of all). */
  readonly maxPerAddress?: number | undefined;
  readonly patience?: Patience | undefined;
  /** Where dealers are expected; absent: none can come. */
  readonly desk?: DealerDesk | undefined;
  /** Keeps a record of every session; one that cannot be kept is not begun. */
  readonly audit?: SessionAudit | undefined;
  /** Opens the link to the other compute party for a session. */
  connectPeer(session: Uint8Array): Promise<PeerChannel>;
  /** What proves messages; absent: `3pc_malicious` is refused. */
  readonly proving?: Proving | undefined;
  /** The only protocols that owners may ask for (default: all that this party has). */
  readonly protocols?: readonly ProtocolId[] | undefined;
  onProgress?(progress: Progress): void;
  /** Where spans go, if anywhere. */
  readonly spans?: Spans | undefined;
  /** Steps of this party in every session. */
  readonly trace?: Trace | undefined;
  /** Where bytes and rounds are counted, if anywhere. */
  readonly metrics?: Pick<ServiceMetrics, 'carried' | 'rounds'> | undefined;
  /** A session is over. @param error why, if it failed */
  onEnd?(ms: number, error: TercetError | undefined): void;
  /** A session failed. @param name drawn for the operator's log; says nothing of the session itself. */
  readonly onFailure?: ((error: TercetError, name: string) => void) | undefined;
}

/** How long an owner that finds no place may take to hear so. */
const REFUSE_MS = 5_000;

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #places: Places;
  readonly #running = new Set<Promise<unknown>>();
  readonly #circuits = new Circuits();
  readonly #turns: RunTurns;

  constructor(options: SessionsOptions) {
    this.#options = options;
    const { maxSessions: max, maxPerAddress = Math.ceil(max / 2) } = options;
    const now = () => performance.now();
    this.#places = new Places({ max, perAddress: maxPerAddress, now });
    this.#turns = new RunTurns({ slots: options.maxRunning ?? MAX_RUNNING, now });
  }

  get load(): Load {
    return this.#places.load;
  }

  get counts(): PlaceCounts {
    return this.#places.counts;
  }

  /** Runs that compute, and those that wait for their turn; of party 1. */
  get turns(): { readonly running: number; readonly waiting: number } {
    return this.#turns.counts;
  }

  /** Serves one owner to the end. @throws {TercetError} why the session failed; by then its links are gone. */
  async serve(owner: OwnerLink): Promise<SessionEnd> {
    const name = toHex(crypto.getRandomValues(new Uint8Array(4)));
    const run = this.#audited(owner, name);
    this.#running.add(run);
    const start = performance.now();
    try {
      const end = await run;
      this.#options.onEnd?.(performance.now() - start, undefined);
      return end;
    } catch (error) {
      this.#options.onEnd?.(performance.now() - start, asTercetError(error));
      this.#options.onFailure?.(asTercetError(error), name);
      throw error;
    } finally {
      this.#running.delete(run);
    }
  }

  /** Resolves when nothing of what runs now runs any more. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  /** Takes no more owners, lets those go that only wait, and resolves when the others are served. */
  async drain(): Promise<void> {
    this.#places.drain();
    while (this.#running.size > 0) await this.idle();
  }

  /**
   * Whether an owner may come, by the first message of its handshake: the model, and the code of its request. Costs
   * microseconds and takes nothing yet.
   * @throws {TercetError} ERR_MODEL_HASH, ERR_PEER_MISMATCH, ERR_TOO_LARGE, ERR_PEER_BUSY, ERR_PROTOCOL_UNAVAILABLE
   */
  admit(modelHash: string, code: string, address: string): void {
    const { id, models, budgets } = this.#options;
    this.#places.open();
    const named = modelHash === toHex(ANY_MODEL) ? models : models.filter(({ hash }) => hash === modelHash);
    if (named.length === 0)
      throw new TercetError(
        'ERR_MODEL_HASH',
        `party ${id} does not serve the model that was asked for`,
        'choose a model that it lists',
        { party: id },
      );
    const request = requestOfCode(code);
    const model = named.find(({ parameters }) => parameters.weights === request?.weights);
    if (request === undefined || model === undefined)
      throw mismatch('the data owner asks for something that this party does not know');
    this.#allow(request.protocol);
    if (request.protocol !== '3pc_semi_honest') this.#options.proving?.check(request);
    const wrong = misfit(model.config, request);
    if (wrong !== undefined) throw mismatch(`the request does not fit the model: ${wrong}`);
    budgets.check(priceOfRequest(model, request), address);
  }

  /** @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE for what this party does not have, or its operator does not allow */
  #allow(protocol: ProtocolId): void {
    const { id, protocols, proving } = this.#options;
    if (protocols === undefined || protocols.includes(protocol)) protocolNamed(protocol, proving?.protocols);
    else
      throw new TercetError(
        'ERR_PROTOCOL_UNAVAILABLE',
        `party ${id} does not serve ${protocol}`,
        `use ${protocols.join(' or ')}`,
        { party: id },
      );
  }

  async #audited(owner: OwnerLink, name: string): Promise<SessionEnd> {
    const { audit } = this.#options;
    let begun = false;
    try {
      const end = await this.#serve(owner, async (request, model) => {
        await audit?.begun(name, model.hash, request);
        begun = true;
      });
      await audit?.ended(name, end);
      return end;
    } catch (thrown) {
      const error = asTercetError(thrown);
      await (begun ? audit?.ended(name, error) : audit?.refused(error));
      throw error;
    }
  }

  /** @param begin asked when the request is known and allowed, before anything is computed */
  async #serve(
    { channel, session, address, known, pairKey, checkRequest }: OwnerLink,
    begin: (request: Request, model: ServedModel) => Promise<void>,
  ): Promise<SessionEnd> {
    const { id, models, kernels, signal, budgets, desk, metrics, patience = PATIENCE } = this.#options;
    const traffic = new SessionTraffic((carried) => metrics?.carried(carried));
    traffic.watch(channel);
    let place: Held | undefined;
    let traceparent: string | undefined;
    let span: SessionSpan | undefined;
    const bytes = () => ({ sentBytes: channel.stats.sentWireBytes, receivedBytes: channel.stats.receivedWireBytes });
    let giveBack = () => undefined as void;
    try {
      place = await this.#places.take(address).catch(async (error: unknown) => {
        await refuse(channel, asTercetError(error));
        throw error;
      });
      const end = await serveSession({
        id,
        owner: channel,
        pairKey: await inTime(pairKey(), patience.requestMs, 'send its key'),
        checkRequest: async (request, model, presented) => {
          this.#allow(request.protocol);
          await checkRequest(request, model, presented);
          giveBack = budgets.take(priceOfRequest(model, request), address);
          await begin(request, model);
          // Behind all that refuses: who is refused leaves no span.
          span = this.#options.spans?.session({ ...sizesOf(request), party: id, model: model.name }, traceparent);
        },
        onTraceContext: (context) => {
          traceparent = context;
        },
        expect: desk === undefined ? undefined : (request) => watched(desk.expect(session, request), traffic),
        connectPeer: async () => traffic.watch(await this.#options.connectPeer(session)),
        session,
        models,
        kernels,
        circuits: this.#circuits,
        proving: this.#options.proving,
        now: () => performance.now(),
        peakMemory: known ? peakMemory : () => 0,
        signal,
        place,
        patience,
        turns: this.#turns.of(address),
        trace: this.#options.trace,
        onProgress: (progress) => {
          span?.phase(progress.phase);
          this.#options.onProgress?.(progress);
        },
        onRounds: (rounds, proofs) => {
          metrics?.rounds(rounds, proofs);
          traffic.told();
        },
      });
      span?.end(end, bytes());
      return end;
    } catch (error) {
      span?.end(asTercetError(error), bytes());
      channel.abort(asTercetError(error));
      throw error;
    } finally {
      traffic.told();
      giveBack();
      place?.end();
    }
  }
}

/** The same dealer, whose link is counted when it comes. */
function watched(coming: ComingDealer, traffic: SessionTraffic): ComingDealer {
  return { ...coming, channel: coming.channel.then((channel) => traffic.watch(channel)) };
}

function sizesOf({ protocol, weights, sequences, tokens, steps }: Request): Omit<SessionSizes, 'party' | 'model'> {
  return { protocol, weights, sequences, tokens, steps };
}

async function refuse(channel: Channel, error: TercetError): Promise<void> {
  await inTime(
    sendFailure(channel, 'offer', error).then(() => channel.close()),
    REFUSE_MS,
    'take a refusal',
  ).catch(() => undefined);
}
