/** A compute party as a process: listens, loads its models once, and serves sessions until it is told to stop. */
import { abortedError, unlessAborted } from '../core/abort.ts';
import { toHex } from '../core/bytes.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { Progress } from '../mpc/protocol/frame/engine.ts';
import type { Trace } from '../mpc/protocol/trace.ts';
import type { ProtocolId } from '../mpc/protocol/types.ts';
import { type Credentials, isPinned } from '../net/tls/credentials.ts';
import { within } from '../net/wire/deadline.ts';
import { DEFAULT_HANDSHAKE_MS, partyHandshakeOn } from '../net/handshake/handshake.ts';
import type { PartyIdentity } from '../net/identity/identity.ts';
import { identitiesOf } from '../net/identity/pin.ts';
import { shaped } from '../net/simulated/profiles.ts';
import { NO_SIGNALLING } from '../net/handshake/messages.ts';
import { type TlsListener, listenTls } from '../net/tls/listener.ts';
import { asEnd } from '../net/wire/as-end.ts';
import type { Channel } from '../net/wire/types.ts';
import type { Patience } from '../session/place.ts';
import type { Proving } from '../session/proving.ts';
import { recvPairKey } from '../session/direct-key.ts';
import { AuditLog } from '../audit/log-node.ts';
import { type BudgetLimits, Budgets } from './budgets.ts';
import { openSpans } from '../operate/telemetry.ts';
import { serveWatch } from '../operate/watch.ts';
import { OpenParameters } from '../session/open-parameters.ts';
import { keepExchanging } from './audit-exchange.ts';
import { type CertificateUse, type Shown, watchCertificates } from './certificate-watch.ts';
import { serviceMetrics } from './service-metrics.ts';
import { SessionAudit } from './session-audit.ts';
import { DealerDesk } from './dealer-desk.ts';
import { credentialCheck } from '../node/enrolment.ts';
import { collectNow } from '../core/collect-node.ts';
import { watchModels } from './model-watch.ts';
import { type ModelSource, type OpenedModels, loadServedModels } from './served-model.ts';
import type { ServedModel } from '../session/model.ts';
import type { Device } from '../node/devices.ts';
import { nodeKernels, nodeProving } from '../node/kernels.ts';
import { linkTls } from '../node/native-tls.ts';
import { type Asked, enrolments, sameRequest } from './owner-terms.ts';
import { OtherParty } from './other-party.ts';
import { type OwnerLink, Sessions } from './sessions.ts';
import type { WebAddress, WebOptions } from './web.ts';

export interface DaemonOptions {
  readonly id: 1 | 2;
  readonly host: string;
  readonly port: number;
  /** Address of P1, for P2. */
  readonly peer?: { readonly host: string; readonly port: number } | undefined;
  readonly credentials: Credentials;
  /** What this party proves to data owners; needed with `--web`, and where the credentials are pinned ones. */
  readonly identity?: PartyIdentity | undefined;
  /** Open models, and folders with this party's part of secret ones. */
  readonly models: readonly ModelSource[];
  readonly device: Device;
  readonly threads: number;
  readonly profile?: string | undefined;
  /** Longest wait for one message. */
  readonly recvTimeoutMs: number;
  /** Sessions at a time, prepared ones included. */
  readonly maxSessions: number;
  /** Of party 1: runs that compute at a time (default 2). */
  readonly maxRunning?: number | undefined;
  /** Memory and traffic that sessions may take. */
  readonly budgets: BudgetLimits;
  /** Sessions of one address (default: half of all). */
  readonly maxPerAddress?: number | undefined;
  readonly patience?: Patience | undefined;
  /** Serve one session and return. */
  readonly once: boolean;
  /** Where browsers reach this party; absent: nowhere. */
  readonly web?: WebOptions | undefined;
  /** Folder of this party's audit log; absent: none is kept. Needs an identity, which signs it. */
  readonly audit?: string | undefined;
  /** When heads of audit logs are exchanged; for tests. */
  readonly auditTimes?: { readonly everyMs: number; readonly pauseMs: number } | undefined;
  /** How often files of models are looked at (default: every minute); for tests. */
  readonly lookEveryMs?: number | undefined;
  readonly signal: AbortSignal;
  /** Told to stop: no new sessions, and those at work have so many milliseconds. `signal` stops at once. */
  readonly drain?: { readonly signal: AbortSignal; readonly ms: number } | undefined;
  /** Where `/metrics`, `/livez` and `/readyz` are; absent: nowhere. */
  readonly watch?: { readonly host: string; readonly port: number } | undefined;
  /** Reads certificates again, for `onReloadable`. */
  renew?(): Promise<Renewed>;
  /** Renews the certificate of links in its file, where the authority's key is at hand. */
  readonly renewCertificate?: (() => Promise<void>) | undefined;
  /** A certificate ends soon. */
  onCertificate?(use: CertificateUse, until: Date): void;
  /** What owners may ask for (default: everything that there is). */
  readonly protocols?: readonly ProtocolId[] | undefined;
  /** What proves messages; `nodeProving` but in tests. */
  readonly proving?: Proving | undefined;
  /** Opens the device; `nodeKernels` when absent. */
  readonly openKernels?: typeof nodeKernels;
  /** Those of `models` that were opened ahead. */
  readonly opened?: OpenedModels;
  onListening?(port: number): void;
  onWeb?(web: WebAddress): void;
  /** The device that computes, and why it is not a graphics device if it might have been. */
  onDevice?(summary: string, fallback: string | undefined): void;
  /** Bytes of a model's file that came from a hub, of all. */
  onDownload?(file: string, loaded: number, total: number): void;
  onWatch?(url: string): void;
  onReady?(): void;
  /**
   * It is ready, and can load its models and read its certificates again. Sessions under way keep what they began with.
   * What cannot be loaded changes nothing.
   */
  onReloadable?(reload: () => Promise<void>): void;
  /** Files of models changed, and they were loaded again. */
  onModels?(): void;
  onProgress?(progress: Progress): void;
  /** Steps of this party in every session. Its operator's own choice: nobody can ask for it over a link. */
  readonly trace?: Trace | undefined;
  /** A session (with its name in the log), or a connection that never became one, that failed; the daemon goes on. */
  onFailure?(error: TercetError, session?: string): void;
}

/** Certificates that may have changed. */
export interface Renewed {
  readonly credentials: Credentials;
  readonly webTls: WebOptions['tls'];
  /** What this party proves from now on; it changes when the key that follows takes its place. */
  readonly identity: PartyIdentity | undefined;
}

/** How a party ended by itself. */
export interface DaemonEnd {
  /** Its own device failed: this process can serve nobody any more, another one can. */
  readonly deviceFault: TercetError | undefined;
}

/**
 * Serves until `signal`, until one session is over with `once`, or until the device fails. What becomes of the
 * process is decided by the device's own fault object alone: a session that fails, with whatever error, ends by
 * itself.
 * @throws {TercetError} what listening, opening the device and loading models throw; with `once` why the session
 * failed, unless the device did.
 */
export async function runDaemon(options: DaemonOptions): Promise<DaemonEnd> {
  const { id, signal, credentials, recvTimeoutMs, maxSessions } = options;
  const links = linkTls(options.device);
  const native = links.tls;
  const listener = await listenTls({
    self: id,
    host: options.host,
    port: options.port,
    credentials,
    recvTimeoutMs,
    native,
    timeoutMs: 60_000,
  }).catch(async (error: unknown) => {
    await links.close();
    throw error;
  });
  const audit = await openAudit(options).catch(async (error: unknown) => {
    await listener.close();
    await links.close();
    throw error;
  });
  try {
    options.onListening?.(listener.port);
    const opened = await (options.openKernels ?? nodeKernels)(options.device, options.threads);
    const { kernels } = opened;
    try {
      const load = () =>
        loadServedModels(id, options.models, kernels, {
          opened: options.opened,
          onDownload: (file, loaded, total) => options.onDownload?.(file, loaded, total),
          onProblem: (error) => options.onFailure?.(error),
        });
      const { protocols = ['3pc_semi_honest', '3pc_malicious'] } = options;
      const [models, proving, spans] = await Promise.all([
        load(),
        // While kernel threads take the models, this one has little to do.
        protocols.some((one) => one !== '3pc_semi_honest')
          ? (options.proving ?? nodeProving(kernels.name === 'native' ? 'native' : options.device))
          : undefined,
        openSpans(),
      ]);
      const metrics = options.watch === undefined ? undefined : await serviceMetrics(models, kernels, protocols);
      collectNow();
      // A device that failed once fails every session of this process, also those that only wait; and it may fail
      // while nobody uses it.
      const broken = new AbortController();
      const unwatch = kernels.fault.watch((error) => broken.abort(error));
      const ended = AbortSignal.any([signal, broken.signal]);
      let current = credentials;
      let { identity } = options;
      let shownWeb = options.web?.tls;
      let watched: Promise<void> | undefined;
      let modelsWatched: Promise<void> | undefined;
      let reloading: Promise<unknown> = Promise.resolve();
      let letGo: Promise<unknown> = Promise.resolve();
      const other = new OtherParty({ ...options, native }, listener, () => current);
      // Over TLS with certificates there is no handshake in which a dealer could prove its identity.
      const reachable = !options.once && (isPinned(credentials) || options.web !== undefined);
      const desk = reachable ? new DealerDesk(partiesKnown(options)) : undefined;
      const records = audit === undefined ? undefined : new SessionAudit(audit, Date.now);
      const hashes = () => models.map(({ hash }) => hash);
      await records?.configured(hashes(), identity);
      const sessions = new Sessions({
        id,
        models,
        kernels,
        signal: ended,
        maxSessions,
        maxRunning: options.maxRunning,
        budgets: new Budgets(id, options.budgets),
        maxPerAddress: options.maxPerAddress,
        patience: options.patience,
        desk,
        audit: records,
        protocols,
        proving,
        connectPeer: (session) => other.connect(session),
        onProgress: (progress) => options.onProgress?.(progress),
        trace: options.trace,
        spans,
        metrics,
        onEnd: (ms, error) => {
          metrics?.session(ms, error);
          if (error?.code === 'ERR_SECURITY_VIOLATION') other.renew();
        },
        // Of the only session the error itself is told.
        onFailure: options.once ? undefined : (error, name) => options.onFailure?.(error, name),
      });
      const onRefused = (error: TercetError) => {
        metrics?.failed(error.code);
        options.onFailure?.(error);
      };
      metrics?.watch(() => ({ places: sessions.counts, ...(id === 1 ? sessions.turns : {}) }));
      const web =
        options.web === undefined
          ? undefined
          : await (await import('./web.ts')).serveBrowsers(id, options.web, {
              models,
              kernels,
              sessions,
              protocols,
              desk,
              recvTimeoutMs,
              onRefused,
            });
      const closing = new AbortController();
      const exchanged =
        audit === undefined || options.once
          ? undefined
          : keepExchanging({
              ...{ id, log: audit, ...options.auditTimes },
              signal: AbortSignal.any([ended, closing.signal]),
              open: (name, until) => other.open(name, until, Number.POSITIVE_INFINITY),
              accepts: (key) => other.mayBe(key),
              onFailure: (error) => options.onFailure?.(error),
            });
      const peerIsThere = () => other.standing > 0 || sessions.counts.taken > 0;
      const ready = async () => {
        const there = peerIsThere();
        metrics?.reached([{ party: id === 1 ? 2 : 1, ok: there }]);
        return !kernels.fault.failed && options.drain?.signal.aborted !== true && there;
      };
      const watch =
        options.watch === undefined || metrics === undefined
          ? undefined
          : await serveWatch({ ...options.watch, metrics, ready });
      try {
        if (web !== undefined) options.onWeb?.(web.address);
        if (watch !== undefined) options.onWatch?.(watch.url);
        const proves = proving === undefined || opened.proves === undefined ? '' : `; ${opened.proves}`;
        const tls = links.summary === undefined ? '' : `; ${links.summary}`;
        options.onDevice?.(`${opened.summary}${proves}${tls}`, opened.fallback);
        options.onReady?.();
        const show = ({ credentials: fresh, webTls }: Shown) => {
          listener.renew(fresh);
          current = fresh;
          if (webTls !== undefined) web?.renew(webTls);
          shownWeb = webTls;
        };
        if (options.once !== true && options.renew !== undefined) {
          const read = options.renew;
          const { renewCertificate } = options;
          watched = watchCertificates({
            shown: () => ({ credentials: current, webTls: shownWeb }),
            // An identity and what it signs change at SIGHUP, together.
            read: async () => {
              const fresh = await read();
              return isPinned(current) ? { ...fresh, credentials: current } : fresh;
            },
            show,
            now: Date.now,
            signal: AbortSignal.any([ended, closing.signal]),
            renew: renewCertificate,
            onEnds: (use, until) => metrics?.certificate(use, until),
            onSoon: (use, until) => options.onCertificate?.(use, until),
            onFailure: (error) => options.onFailure?.(error),
          });
        }
        const takeModels = async (fresh: ServedModel[]) => {
          const old = models.splice(0, models.length, ...fresh);
          await records?.configured(hashes(), identity);
          return old;
        };
        /** One after the other: what was read later stays. Old models go when nobody computes on them any more. */
        const reload = (read: () => Promise<ServedModel[]>): Promise<void> => {
          const taken = reloading.then(async () => {
            if (closing.signal.aborted) throw abortedError();
            return read();
          });
          reloading = taken.catch(() => undefined);
          const done = taken.then(async (old) => {
            await sessions.idle();
            for (const { parameters } of old) if (parameters instanceof OpenParameters) await parameters.free(kernels);
          });
          letGo = Promise.all([letGo, done.catch(() => undefined)]);
          return done;
        };
        const checked = async () => {
          const fresh = await load();
          enrolments(fresh);
          return fresh;
        };
        if (options.once !== true)
          modelsWatched = watchModels({
            sources: options.models,
            reload: () => reload(async () => takeModels(await checked())),
            everyMs: options.lookEveryMs,
            signal: AbortSignal.any([ended, closing.signal]),
            onReloaded: () => options.onModels?.(),
            onFailure: (error) => options.onFailure?.(error),
          });
        options.onReloadable?.(() =>
          reload(async () => {
            const renewed = await options.renew?.();
            const fresh = await checked();
            if (renewed !== undefined) {
              show(renewed);
              identity = renewed.identity ?? identity;
              if (renewed.identity !== undefined) web?.identify(renewed.identity);
            }
            return takeModels(fresh);
          }),
        );
        const stopping = AbortSignal.any([ended, ...(options.drain === undefined ? [] : [options.drain.signal])]);
        await acceptOwners(
          { ...options, signal: stopping },
          listener,
          { sessions, models, desk, identity: () => identity },
          onRefused,
        ).catch((error: unknown) => {
          if (!stopping.aborted) throw error;
        });
        if (options.drain?.signal.aborted === true) await atMost(sessions.drain(), options.drain.ms, ended);
        broken.abort();
        return { deviceFault: kernels.fault.error };
      } finally {
        unwatch();
        closing.abort();
        await Promise.all([exchanged, watched]);
        // Who reads files at this moment shows what it read here, and frees models on the device.
        await reloading;
        await watch?.close();
        await web?.close();
        await sessions.idle();
        await Promise.all([modelsWatched, letGo]);
        await other.close();
      }
    } finally {
      await opened.close();
    }
  } finally {
    await listener.close();
    await links.close();
    await audit?.close();
  }
}

/** Identities that no dealer may have. */
function partiesKnown({ identity, credentials }: DaemonOptions): string[] {
  const pinned = isPinned(credentials) ? Object.values(credentials.pins).flatMap(identitiesOf) : [];
  return [...(identity === undefined ? [] : [identity.publicKey]), ...pinned];
}

/** Waits for `work`, but no longer than `ms`, or until the signal. */
async function atMost(work: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ms);
  await unlessAborted(AbortSignal.any([signal, late.signal]), work).catch(() => undefined);
  clearTimeout(timer);
}

async function openAudit({ audit: folder, identity }: DaemonOptions): Promise<AuditLog | undefined> {
  if (folder === undefined) return undefined;
  if (identity === undefined)
    throw new TercetError('ERR_STATE', 'an audit log is signed, and this party has no identity', 'start it with one');
  return AuditLog.open({ folder, identity, now: Date.now });
}

interface Serving {
  readonly sessions: Sessions;
  readonly models: readonly ServedModel[];
  readonly desk: DealerDesk | undefined;
  /** What is proved now. */
  identity(): PartyIdentity | undefined;
}

/** Owners in Node, and dealers, over TLS. */
async function acceptOwners(
  options: DaemonOptions,
  listener: TlsListener,
  serving: Serving,
  onRefused: (error: TercetError) => void,
): Promise<void> {
  const { signal, once } = options;
  const { sessions } = serving;
  while (!signal.aborted) {
    const channel = await listener.acceptAny({ peer: 0, signal, timeoutMs: Number.POSITIVE_INFINITY });
    const link = shaped(channel, options.profile);
    const { session, remote: address } = channel;
    let served: Promise<unknown>;
    if (isPinned(options.credentials)) {
      const coming = pinnedOwner(options, link, session, address, serving);
      coming.catch((error: unknown) => onRefused(asTercetError(error)));
      served = coming.then((owner) => {
        channel.proved();
        return owner === undefined ? undefined : sessions.serve(owner);
      });
    } else {
      const checkRequest = credentialCheck({ party: options.id, session, binding: () => channel.binding() });
      served = sessions.serve({
        channel: link,
        session,
        address,
        known: true,
        pairKey: () => recvPairKey(channel),
        checkRequest,
      });
    }
    if (once) {
      await served;
      return;
    }
    served.catch(() => undefined);
  }
}

/**
 * An owner who is anonymous here and knows this party by its identity: keys are agreed as with a browser, and not
 * sent. In its time, and before it takes a session's place: anybody can come this far. A dealer goes to where it is
 * expected.
 */
async function pinnedOwner(
  { id, signal }: DaemonOptions,
  channel: Channel,
  session: Uint8Array,
  address: string,
  { sessions, models, desk, ...serving }: Serving,
): Promise<OwnerLink | undefined> {
  const identity = serving.identity();
  if (identity === undefined)
    throw new TercetError('ERR_STATE', 'this party has no identity to prove', 'start it with one');
  const admit = ({ modelHash, requestCode }: Asked) => sessions.admit(toHex(modelHash), toHex(requestCode), address);
  const late = () =>
    new TercetError('ERR_PEER_TIMEOUT', 'the data owner did not finish the handshake in time', 'nothing to do here', {
      party: 0,
    });
  const undo = () => channel.abort(late());
  const agreeing = partyHandshakeOn(channel, {
    party: id,
    identity,
    session,
    signallingHash: NO_SIGNALLING,
    admit,
    enrolment: enrolments(models),
    dealerOf: desk === undefined ? undefined : (asked) => desk.dealerOf(session, asked),
  });
  try {
    const { pairKey, ...agreed } = await within(agreeing, { ms: DEFAULT_HANDSHAKE_MS, signal, late, undo });
    if (agreed.dealer) {
      pairKey.fill(0);
      desk?.arrive(session, asEnd(channel, { peer: 3 }));
      return undefined;
    }
    const checkRequest = sameRequest(agreed);
    return { channel, session, address, known: false, pairKey: async () => pairKey, checkRequest };
  } catch (error) {
    // A refusal that was just sent gets there first.
    await channel.close().catch(() => undefined);
    throw error;
  }
}
