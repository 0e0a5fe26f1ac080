/** A compute party as a process: listens, loads its models once, and serves sessions until it is told to stop. */
import { TercetError, asTercetError } from '../core/errors.ts';
import type { Progress } from '../mpc/protocol/semi-honest/engine.ts';
import type { Credentials } from '../net/certificates.ts';
import { withProfile } from '../net/paced.ts';
import { linkProfile } from '../net/profiles.ts';
import { type TlsListener, connectTls, listenTls } from '../net/tls.ts';
import type { Channel } from '../net/types.ts';
import { recvKey } from '../session/direct-key.ts';
import { credentialCheck } from './enrolment.ts';
import { type ModelSource, loadServedModels } from './served-model.ts';
import { type Device, nodeKernels } from './node-kernels.ts';
import { Sessions } from './sessions.ts';
import { type WebAddress, type WebOptions, serveBrowsers } from './web.ts';

export interface DaemonOptions {
  readonly id: 1 | 2;
  readonly host: string;
  readonly port: number;
  /** Address of P1, for P2. */
  readonly peer?: { readonly host: string; readonly port: number };
  readonly credentials: Credentials;
  /** Open models, and folders with this party's part of secret ones. */
  readonly models: readonly ModelSource[];
  readonly device: Device;
  readonly threads: number;
  readonly profile?: string;
  /** Longest wait for one message. */
  readonly recvTimeoutMs: number;
  /** Sessions at a time, prepared ones included. */
  readonly maxSessions: number;
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
      const models = await loadServedModels(id, options.models, kernels, {
        onDownload: (file, loaded, total) => options.onDownload?.(file, loaded, total),
        onProblem: (error) => options.onFailure?.(error),
      });
      const sessions = new Sessions({
        id,
        models,
        kernels,
        signal,
        maxSessions,
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

/** Owners in Node, over mutual TLS. */
async function acceptOwners(options: DaemonOptions, listener: TlsListener, sessions: Sessions, onFailure: (error: unknown) => void): Promise<void> {
  const { signal, once } = options;
  while (!signal.aborted) {
    const channel = await listener.acceptAny({ peer: 0, signal, timeoutMs: Number.POSITIVE_INFINITY });
    const { session } = channel;
    const checkRequest = credentialCheck({ party: options.id, session, binding: () => channel.binding() });
    const served = sessions.serve({ channel: shaped(channel, options.profile), session, key: () => recvKey(channel), checkRequest });
    if (once) {
      await served;
      return;
    }
    served.catch(onFailure);
  }
}

/** The link as a named network would carry it; unchanged without a profile. */
export function shaped(channel: Channel, profile: string | undefined): Channel {
  const model = profile === undefined ? undefined : linkProfile(profile, channel.self, channel.peer);
  return model === undefined ? channel : withProfile(channel, model);
}

async function connectPeer(options: DaemonOptions, listener: TlsListener, session: Uint8Array): Promise<Channel> {
  const { id, signal, credentials, recvTimeoutMs } = options;
  if (id === 1) return shaped(await listener.accept({ peer: 2, session, signal, timeoutMs: PEER_TIMEOUT_MS }), options.profile);
  if (options.peer === undefined) throw new TercetError('ERR_ARGUMENT', 'party 2 needs the address of party 1', 'give --peers 1=HOST:PORT');
  const { host, port } = options.peer;
  return shaped(await connectTls({ self: 2, peer: 1, host, port, credentials, session, signal, recvTimeoutMs, timeoutMs: PEER_TIMEOUT_MS }), options.profile);
}
