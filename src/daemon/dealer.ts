/**
 * A dealer as a process: deals attempts for owners that name it, at one pair of compute parties (session/dealer.ts).
 *
 * Security: owners are strangers. What one asks for is priced like at a compute party, and a dealer connects to the
 * two parties of its operator's choice and to nobody else. It sees no text and no answer.
 */
import { WebSocket } from 'ws';
import type { RingKernels } from '../compute/kernels/types.ts';
import { fromHex, toHex } from '../core/bytes.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { Trace } from '../mpc/protocol/trace.ts';
import { openOwnerLink } from '../net/gateway/owner-link.ts';
import { startGateway } from '../net/gateway/gateway-node.ts';
import { DEFAULT_HANDSHAKE_MS, partyHandshakeOn } from '../net/handshake/handshake.ts';
import { ANY_MODEL, NO_SIGNALLING } from '../net/handshake/messages.ts';
import type { PartyIdentity } from '../net/identity/identity.ts';
import type { Pin } from '../net/identity/pin.ts';
import { shaped } from '../net/simulated/profiles.ts';
import type { Pinned } from '../net/tls/credentials.ts';
import { listenTls } from '../net/tls/listener.ts';
import { nodeAnswerer, releaseWebRtc } from '../net/webrtc/node.ts';
import type { WebSocketConstructor } from '../net/websocket/link.ts';
import { within } from '../net/wire/deadline.ts';
import type { Channel } from '../net/wire/types.ts';
import { nodeKernels } from '../node/kernels.ts';
import { type Address, openTlsLink } from '../node/tls-owner.ts';
import type { ServiceMetrics } from '../operate/metrics.ts';
import { SessionTraffic } from '../operate/traffic.ts';
import { serveWatch } from '../operate/watch.ts';
import { mismatch } from '../session/agreement.ts';
import { Circuits } from '../session/circuits.ts';
import { sendFailure } from '../session/control.ts';
import { serveDealing } from '../session/dealer.ts';
import { type HandOver, dealerSession } from '../session/dealing.ts';
import { PATIENCE, type Patience, inTime } from '../session/place.ts';
import { priceOf } from '../session/price.ts';
import { checkDealt } from '../session/dealt.ts';
import { requestCode, requestOfCode } from '../session/request.ts';
import { type BudgetLimits, Budgets } from './budgets.ts';
import type { Asked } from './owner-terms.ts';
import type { DaemonEnd } from './daemon.ts';
import { type Held, Places } from './places.ts';
import { serviceMetrics } from './service-metrics.ts';
import type { WebAddress, WebOptions } from './web.ts';
import { VERSION } from './version.ts';

/** How the dealer reaches a compute party: over TLS, or where browsers reach it. */
export type PartyPlace = Address | { readonly url: string };

export interface DealerDaemonOptions {
  readonly host: string;
  readonly port: number;
  readonly identity: PartyIdentity;
  /** What it shows on TLS links to owners. */
  readonly credentials: Pinned;
  /** The two compute parties that it deals for, and what they must prove. */
  readonly parties: readonly [PartyPlace, PartyPlace];
  readonly identities: readonly [Pin, Pin];
  readonly threads: number;
  readonly profile?: string | undefined;
  readonly recvTimeoutMs: number;
  readonly maxSessions: number;
  readonly maxPerAddress?: number | undefined;
  readonly budgets: BudgetLimits;
  readonly patience?: Patience | undefined;
  readonly web?: WebOptions | undefined;
  readonly signal: AbortSignal;
  /** Opens the device; `nodeKernels` but in tests. */
  readonly openKernels?: typeof nodeKernels;
  readonly trace?: Trace | undefined;
  /** Where `/metrics`, `/livez` and `/readyz` are; absent: nowhere. */
  readonly watch?: { readonly host: string; readonly port: number } | undefined;
  onWatch?(url: string): void;
  onListening?(port: number): void;
  onWeb?(web: WebAddress): void;
  onReady?(): void;
  onFailure?(error: TercetError, session?: string): void;
}

/** An owner that has come, by whatever transport. */
interface Arrived {
  readonly channel: Channel;
  readonly session: Uint8Array;
  readonly address: string;
  readonly asked: Asked;
}

const REFUSE_MS = 5_000;

/**
 * Serves until `signal`, or until its device fails: the device's own fault object decides, as at a compute party.
 * @throws {TercetError} what listening and opening kernels throw
 */
export async function runDealer(options: DealerDaemonOptions): Promise<DaemonEnd> {
  const { identity, recvTimeoutMs, web } = options;
  const listener = await listenTls({
    self: 3,
    host: options.host,
    port: options.port,
    credentials: options.credentials,
    recvTimeoutMs,
    timeoutMs: 60_000,
  });
  try {
    options.onListening?.(listener.port);
    const opened = await (options.openKernels ?? nodeKernels)('wasm', options.threads);
    const { kernels } = opened;
    try {
      // A device that failed once fails every dealing of this process, also while nobody uses it.
      const broken = new AbortController();
      const unwatch = kernels.fault.watch((error) => broken.abort(error));
      const signal = AbortSignal.any([options.signal, broken.signal]);
      const metrics = options.watch === undefined ? undefined : await serviceMetrics([], kernels);
      const dealings = new Dealings({ ...options, signal }, kernels, metrics);
      const onRefused = (error: TercetError) => {
        metrics?.failed(error.code);
        options.onFailure?.(error);
      };
      metrics?.watch(() => ({ places: dealings.counts }));
      const gateway =
        web === undefined
          ? undefined
          : await startGateway({
              party: 3,
              identity,
              host: web.host,
              port: web.port,
              tls: web.tls,
              origins: web.origins,
              describe: () => ({ version: VERSION, device: kernels.name, models: [] }),
              health: () => ({ ok: dealings.load !== 'full', status: dealings.load }),
              admit: (asked) => dealings.admit(asked),
              answerer: nodeAnswerer({
                bindAddress: web.bindAddress,
                ports: web.udpPorts,
                iceServers: web.iceServers,
              }),
              recvTimeoutMs,
              onOwner: ({ channel, pairKey, session, remote, modelHash, requestCode: code }) => {
                pairKey.fill(0);
                const asked = { modelHash: fromHex(modelHash), requestCode: fromHex(code) };
                void dealings.serve({ channel, session, address: remote, asked });
              },
              onRefused,
            });
      const watch =
        options.watch === undefined || metrics === undefined
          ? undefined
          : await serveWatch({ ...options.watch, metrics, ready: async () => !signal.aborted });
      try {
        if (watch !== undefined) options.onWatch?.(watch.url);
        if (gateway !== undefined) options.onWeb?.({ url: gateway.url, identity: identity.publicKey });
        options.onReady?.();
        while (!signal.aborted) {
          const channel = await listener.acceptAny({ peer: 0, signal, timeoutMs: Number.POSITIVE_INFINITY });
          const { session, remote: address } = channel;
          const link = shaped(channel, options.profile);
          greet({ identity, signal }, link, session, (asked) => dealings.admit(asked))
            .then((asked) => {
              channel.proved();
              return dealings.serve({ channel: link, session, address, asked });
            })
            .catch((error: unknown) => onRefused(asTercetError(error)));
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        unwatch();
        await watch?.close();
        await gateway?.close();
        if (web !== undefined) await releaseWebRtc();
        await dealings.idle();
      }
      return { deviceFault: kernels.fault.error };
    } finally {
      await opened.close();
    }
  } finally {
    await listener.close();
  }
}

/** The dealer's half of the handshake on a TLS link. */
async function greet(
  { identity, signal }: Pick<DealerDaemonOptions, 'identity' | 'signal'>,
  channel: Channel,
  session: Uint8Array,
  admit: (asked: Asked) => void,
): Promise<Asked> {
  const late = () =>
    new TercetError('ERR_PEER_TIMEOUT', 'the data owner did not finish the handshake in time', 'nothing to do here', {
      party: 0,
    });
  const undo = () => channel.abort(late());
  const agreeing = partyHandshakeOn(channel, {
    party: 3,
    identity,
    session,
    signallingHash: NO_SIGNALLING,
    admit,
  });
  try {
    const {
      pairKey,
      modelHash,
      requestCode: code,
    } = await within(agreeing, {
      ms: DEFAULT_HANDSHAKE_MS,
      signal,
      late,
      undo,
    });
    // Nothing is drawn from it: the masks of a run come from keys that the owner has with the compute parties.
    pairKey.fill(0);
    return { modelHash, requestCode: code };
  } catch (error) {
    await channel.close().catch(() => undefined);
    throw error;
  }
}

class Dealings {
  readonly #options: DealerDaemonOptions;
  readonly #kernels: RingKernels;
  readonly #places: Places;
  readonly #budgets: Budgets;
  readonly #metrics: ServiceMetrics | undefined;
  readonly #circuits = new Circuits();
  readonly #running = new Set<Promise<void>>();

  constructor(options: DealerDaemonOptions, kernels: RingKernels, metrics: ServiceMetrics | undefined) {
    this.#options = options;
    this.#kernels = kernels;
    this.#metrics = metrics;
    const { maxSessions: max, maxPerAddress = Math.ceil(max / 2) } = options;
    this.#places = new Places({ max, perAddress: maxPerAddress, now: () => performance.now() });
    this.#budgets = new Budgets(3, options.budgets);
  }

  get load() {
    return this.#places.load;
  }

  get counts() {
    return this.#places.counts;
  }

  async idle(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  /** By the first message of a handshake. @throws {TercetError} ERR_PEER_MISMATCH, ERR_PROTOCOL_UNAVAILABLE */
  admit({ requestCode: code }: Asked): void {
    const request = requestOfCode(toHex(code));
    if (request === undefined || !request.dealt)
      throw mismatch('the data owner asks a dealer for something else than dealing');
    checkDealt(request);
  }

  /** Never rejects. */
  async serve(owner: Arrived): Promise<void> {
    const start = performance.now();
    const over = (error?: TercetError) => this.#metrics?.session(performance.now() - start, error);
    const run = this.#serve(owner).then(
      () => over(),
      (thrown: unknown) => {
        const error = asTercetError(thrown);
        over(error);
        this.#options.onFailure?.(error, toHex(crypto.getRandomValues(new Uint8Array(4))));
      },
    );
    this.#running.add(run);
    await run;
    this.#running.delete(run);
  }

  async #serve({ channel, session, address, asked }: Arrived): Promise<void> {
    const { identity, signal, patience = PATIENCE, trace } = this.#options;
    const traffic = new SessionTraffic((carried) => this.#metrics?.carried(carried));
    traffic.watch(channel);
    let place: Held | undefined;
    let giveBack = () => undefined as void;
    try {
      place = await this.#places.take(address).catch(async (error: unknown) => {
        await inTime(
          sendFailure(channel, 'dealt', asTercetError(error)).then(() => channel.close()),
          REFUSE_MS,
          'take a refusal',
        ).catch(() => undefined);
        throw error;
      });
      await serveDealing({
        identity: identity.publicKey,
        owner: channel,
        session,
        check: ({ request, config, plan }) => {
          const same = requestCode(request) === toHex(asked.requestCode);
          if (!same || (request.model ?? toHex(ANY_MODEL)) !== toHex(asked.modelHash))
            throw mismatch('the request is not the one of the handshake');
          giveBack = this.#budgets.take(priceOf(config, plan, request.weights, request, request.widening), address);
        },
        connect: async (party, handOver) => traffic.watch(await this.#connect(party, session, handOver)),
        kernels: this.#kernels,
        circuits: this.#circuits,
        now: () => performance.now(),
        place,
        patience,
        signal,
        trace,
      });
    } catch (error) {
      channel.abort(asTercetError(error));
      throw error;
    } finally {
      traffic.told();
      giveBack();
      place?.end();
    }
  }

  async #connect(party: 1 | 2, session: Uint8Array, { request }: HandOver): Promise<Channel> {
    const { parties, identities, identity, profile, signal, recvTimeoutMs } = this.#options;
    const place = parties[party - 1];
    const own = dealerSession(session);
    if ('url' in place) {
      const { channel, pairKey } = await openOwnerLink({
        party,
        address: { url: place.url, ...pinned(identities[party - 1]) },
        otherIdentity: identities[2 - party],
        session: own,
        modelHash: request.model ?? toHex(ANY_MODEL),
        requestCode: requestCode(request),
        dealer: identity,
        transport: 'websocket',
        WebSocket: WebSocket as unknown as WebSocketConstructor,
        signal,
        recvTimeoutMs,
      });
      pairKey.fill(0);
      return shaped(channel, profile);
    }
    const credentials: Pinned = { pins: { 1: identities[0], 2: identities[1] } };
    const link = await openTlsLink(
      { addresses: [place, place], credentials, profile },
      {
        party,
        session: own,
        modelHash: request.model,
        requestCode: requestCode(request),
        credential: undefined,
        signal,
      },
      identity,
    );
    link.pairKey.fill(0);
    return link.channel;
  }
}

const pinned = (pin: Pin): Exclude<Pin, string> => (typeof pin === 'string' ? { identity: pin } : pin);
