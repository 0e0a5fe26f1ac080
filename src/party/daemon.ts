/** A compute party as a process: listens, loads its models once, and serves sessions until it is told to stop. */
import { toHex } from '../core/bytes.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { Progress } from '../mpc/protocol/semi-honest/engine.ts';
import { type Credentials, isPinned } from '../net/credentials.ts';
import { within } from '../net/deadline.ts';
import { DEFAULT_HANDSHAKE_MS, partyHandshakeOn } from '../net/handshake.ts';
import type { PartyIdentity } from '../net/identity.ts';
import { withProfile } from '../net/paced.ts';
import { linkProfile } from '../net/profiles.ts';
import { type TlsListener, connectTls, listenTls } from '../net/tls.ts';
import { isIdentityFailure } from '../net/tls-errors.ts';
import type { Channel } from '../net/types.ts';
import { recvKey } from '../session/direct-key.ts';
import { type BudgetLimits, Budgets } from './budgets.ts';
import { type ModelSource, loadServedModels } from './served-model.ts';
import { type Device, nodeKernels } from './node-kernels.ts';
import { type Asked, sameRequest } from './owner-terms.ts';
import { type OwnerLink, Sessions } from './sessions.ts';
import { type WebAddress, type WebOptions, serveBrowsers } from './web.ts';

export interface DaemonOptions {
  readonly id: 1 | 2;
  readonly host: string;
  readonly port: number;
  /** Address of P1, for P2. */
  readonly peer?: { readonly host: string; readonly port: number };
  readonly credentials: Credentials;
  /** What this party proves to data owners; needed with `--web`, and where the credentials are pinned ones. */
  readonly identity?: PartyIdentity;
  /** Open models, and folders with this party's part of secret ones. */
  readonly models: readonly ModelSource[];
  readonly device: Device;
  readonly threads: number;
  readonly profile?: string;
  /** Longest wait for one message. */
  readonly recvTimeoutMs: number;
  /** Sessions at a time, prepared ones included. */
  readonly maxSessions: number;
  /** Memory and traffic that sessions may take. */
  readonly budgets: BudgetLimits;
  /** Serve one session and return. */
  readonly once: boolean;
  /** Where browsers reach this party; absent: nowhere. */
  readonly web?: WebOptions;
  readonly signal: AbortSignal;
  onListening?(port: number): void;
  onWeb?(web: WebAddress): void;
  /** The device that computes, and why it is not a graphics device if it might have been. */
  onDevice?(summary: string, fallback: string | undefined): void;
  /** Bytes of a model's file that came from a hub, of all. */
  onDownload?(file: string, loaded: number, total: number): void;
  onReady?(): void;
  onProgress?(progress: Progress): void;
  /** A session that failed; the daemon goes on. */
  onFailure?(error: TercetError): void;
}

/** Owners over TLS whose address is not told share the budget of one address: those with the certificate of P0, and those without one. */
const CERTIFIED = 'certificate of party 0';
const PINNING = 'owners over TLS';

const NO_SIGNALLING = new Uint8Array(32);
/** Longest wait for the other compute party after the owner's request. */
const PEER_TIMEOUT_MS = 15_000;

export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { id, signal, credentials, recvTimeoutMs, maxSessions } = options;
  const listener = await listenTls({ self: id, host: options.host, port: options.port, credentials, recvTimeoutMs, timeoutMs: 60_000 });
  try {
    options.onListening?.(listener.port);
    const opened = await nodeKernels(options.device, options.threads);
    const { kernels } = opened;
    try {
      const models = await loadServedModels(id, options.models, kernels, (file, loaded, total) => options.onDownload?.(file, loaded, total));
      const sessions = new Sessions({
        id,
        models,
        kernels,
        signal,
        maxSessions,
        budgets: new Budgets(id, options.budgets),
        connectPeer: (session) => connectPeer(options, listener, session),
        onProgress: (progress) => options.onProgress?.(progress),
      });
      // A device that failed once fails every later session of this process.
      const broken = new AbortController();
      const onFailure = (thrown: unknown) => {
        const error = asTercetError(thrown);
        options.onFailure?.(error);
        if (error.kind === 'device') broken.abort(error);
      };
      const web = options.web === undefined ? undefined : await serveBrowsers(id, options.web, { models, kernels, sessions, recvTimeoutMs, onFailure });
      try {
        if (web !== undefined) options.onWeb?.(web.address);
        options.onDevice?.(opened.summary, opened.fallback);
        options.onReady?.();
        await acceptOwners({ ...options, signal: AbortSignal.any([signal, broken.signal]) }, listener, sessions, onFailure);
        if (broken.signal.aborted) throw broken.signal.reason;
      } finally {
        await web?.close();
        await sessions.idle();
      }
    } finally {
      await opened.close();
    }
  } finally {
    await listener.close();
  }
}

/** Owners in Node, over TLS. */
async function acceptOwners(options: DaemonOptions, listener: TlsListener, sessions: Sessions, onFailure: (error: unknown) => void): Promise<void> {
  const { signal, once } = options;
  while (!signal.aborted) {
    const channel = await listener.acceptAny({ peer: 0, signal, timeoutMs: Number.POSITIVE_INFINITY });
    const link = shaped(channel, options.profile);
    const served = isPinned(options.credentials)
      ? pinnedOwner(options, link, channel.session, sessions).then((owner) => sessions.serve(owner))
      : sessions.serve({ channel: link, session: channel.session, address: CERTIFIED, key: () => recvKey(channel) });
    if (once) {
      await served;
      return;
    }
    served.catch(onFailure);
  }
}

/**
 * An owner who is anonymous here and knows this party by its identity: keys are agreed as with a browser, and not sent. In its time, and before it takes a session's
 * place: anybody can come this far.
 */
async function pinnedOwner({ id, identity, signal }: DaemonOptions, channel: Channel, session: Uint8Array, sessions: Sessions): Promise<OwnerLink> {
  if (identity === undefined) throw new TercetError('ERR_STATE', 'this party has no identity to prove', 'start it with one');
  const admit = ({ modelHash, parametersHash }: Asked) => sessions.admit(toHex(modelHash), toHex(parametersHash), PINNING);
  const late = () => new TercetError('ERR_PEER_TIMEOUT', 'the data owner did not finish the handshake in time', 'nothing to do here', { party: 0 });
  const undo = () => channel.abort(late());
  const agreeing = partyHandshakeOn(channel, { party: id, identity, session, signallingHash: NO_SIGNALLING, admit });
  try {
    const { key, ...agreed } = await within(agreeing, { ms: DEFAULT_HANDSHAKE_MS, signal, late, undo });
    return { channel, session, address: PINNING, key: async () => key, checkRequest: sameRequest(agreed) };
  } catch (error) {
    // A refusal that was just sent gets there first.
    await channel.close().catch(() => undefined);
    throw error;
  }
}

/** The link as a named network would carry it; unchanged without a profile. */
export function shaped(channel: Channel, profile: string | undefined): Channel {
  const model = profile === undefined ? undefined : linkProfile(profile, channel.self, channel.peer);
  return model === undefined ? channel : withProfile(channel, model);
}

/** The link to the other compute party. @throws {TercetError} ERR_IDENTITY_PEERS if one of the two did not prove itself to the other; `party` is the one that did not */
async function connectPeer(options: DaemonOptions, listener: TlsListener, session: Uint8Array): Promise<Channel> {
  try {
    return await openPeer(options, listener, session);
  } catch (thrown) {
    const error = asTercetError(thrown);
    if (!isIdentityFailure(error.code)) throw error;
    const other = options.id === 1 ? 2 : 1;
    throw new TercetError('ERR_IDENTITY_PEERS', `the compute parties do not accept each other: ${error.message}`, error.hint, {
      cause: error,
      party: error.party ?? other,
    });
  }
}

async function openPeer(options: DaemonOptions, listener: TlsListener, session: Uint8Array): Promise<Channel> {
  const { id, signal, credentials, recvTimeoutMs } = options;
  if (id === 1) return shaped(await listener.accept({ peer: 2, session, signal, timeoutMs: PEER_TIMEOUT_MS }), options.profile);
  if (options.peer === undefined) throw new TercetError('ERR_ARGUMENT', 'party 2 needs the address of party 1', 'give --peers 1=HOST:PORT');
  const { host, port } = options.peer;
  return shaped(await connectTls({ self: 2, peer: 1, host, port, credentials, session, signal, recvTimeoutMs, timeoutMs: PEER_TIMEOUT_MS }), options.profile);
}
