/** A compute party as a process: listens, loads its model once, and serves sessions one after the other. */
import { TercetError, asTercetError } from '../core/errors.ts';
import type { Progress } from '../mpc/protocol/semi-honest/engine.ts';
import type { Credentials } from '../net/certificates.ts';
import { withProfile } from '../net/paced.ts';
import { linkProfile } from '../net/profiles.ts';
import { connectTls, listenTls } from '../net/tls.ts';
import type { Channel } from '../net/types.ts';
import { serveSession } from '../session/compute.ts';
import { recvKey } from '../session/direct-key.ts';
import { loadServedModel } from './served-model.ts';
import type { ModelLocation } from './model.ts';
import { type Device, nodeKernels, peakMemory } from './node-kernels.ts';

export interface DaemonOptions {
  readonly id: 1 | 2;
  readonly host: string;
  readonly port: number;
  /** Address of P1, for P2. */
  readonly peer?: { readonly host: string; readonly port: number };
  readonly credentials: Credentials;
  readonly model: ModelLocation;
  /** Folder with this party's part of secret weights, instead of open ones. */
  readonly shares?: string;
  readonly device: Device;
  readonly threads: number;
  readonly profile?: string;
  /** Longest wait for one message. */
  readonly recvTimeoutMs: number;
  /** Serve one session and return. */
  readonly once: boolean;
  readonly signal: AbortSignal;
  onListening?(port: number): void;
  onReady?(): void;
  onProgress?(progress: Progress): void;
  /** A session that failed; the daemon goes on. */
  onFailure?(error: TercetError): void;
}

/** Longest wait for the other compute party after the owner's request. */
const PEER_TIMEOUT_MS = 15_000;

export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { id, signal, credentials, recvTimeoutMs } = options;
  const listener = await listenTls({ self: id, host: options.host, port: options.port, credentials, recvTimeoutMs, timeoutMs: 60_000 });
  try {
    options.onListening?.(listener.port);
    const kernels = await nodeKernels(options.device, options.threads);
    try {
      const model = await loadServedModel(options, kernels);
      options.onReady?.();
      while (!signal.aborted) {
        const owner = await listener.acceptAny({ peer: 0, signal, timeoutMs: Number.POSITIVE_INFINITY });
        try {
          const connectPeer = async () => {
            const other =
              id === 1 ? listener.accept({ peer: 2, session: owner.session, signal, timeoutMs: PEER_TIMEOUT_MS }) : connectToPeer(options, owner.session);
            return shaped(await other, options.profile);
          };
          await serveSession({
            id,
            owner: shaped(owner, options.profile),
            connectPeer,
            session: owner.session,
            key: await recvKey(owner),
            models: [model],
            now: () => performance.now(),
            kernels,
            peakMemory,
            signal,
            onProgress: (progress) => options.onProgress?.(progress),
          });
        } catch (error) {
          owner.abort(asTercetError(error));
          if (options.once) throw error;
          options.onFailure?.(asTercetError(error));
        }
        if (options.once) return;
      }
    } finally {
      await kernels.close();
    }
  } finally {
    await listener.close();
  }
}

/** The link as a named network would carry it; unchanged without a profile. */
export function shaped(channel: Channel, profile: string | undefined): Channel {
  const model = profile === undefined ? undefined : linkProfile(profile, channel.self, channel.peer);
  return model === undefined ? channel : withProfile(channel, model);
}

async function connectToPeer(options: DaemonOptions, session: Uint8Array): Promise<Channel> {
  if (options.peer === undefined) throw new TercetError('ERR_ARGUMENT', 'party 2 needs the address of party 1', 'give --peers 1=HOST:PORT');
  const { host, port } = options.peer;
  return connectTls({
    self: 2,
    peer: 1,
    host,
    port,
    credentials: options.credentials,
    session,
    signal: options.signal,
    recvTimeoutMs: options.recvTimeoutMs,
    timeoutMs: PEER_TIMEOUT_MS,
  });
}
