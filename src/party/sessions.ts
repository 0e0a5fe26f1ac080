/** The sessions that a compute party serves, at most so many at a time. A failed one ends alone. */
import type { RingKernels } from '../compute/kernels/types.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { Progress } from '../mpc/protocol/semi-honest/engine.ts';
import type { Channel } from '../net/types.ts';
import { type CheckRequest, type ServedModel, type SessionEnd, serveSession } from '../session/compute.ts';
import { sendFailure } from '../session/control.ts';
import { peakMemory } from './node-kernels.ts';

/** An owner that reached this party, whatever the transport. */
export interface OwnerLink {
  readonly channel: Channel;
  readonly session: Uint8Array;
  /** The pairwise key, once it is there. */
  key(): Promise<Uint8Array>;
  /** Throws unless the request is what this party signed for the session, and its owner may make it; asked after `key`. Every kind of link has to say how it knows. */
  readonly checkRequest: CheckRequest;
}

export interface SessionsOptions {
  readonly id: 1 | 2;
  readonly models: readonly ServedModel[];
  readonly kernels: RingKernels;
  readonly signal: AbortSignal;
  readonly maxSessions: number;
  /** Opens the link to the other compute party for a session. */
  connectPeer(session: Uint8Array): Promise<Channel>;
  onProgress?(progress: Progress): void;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Whether another session would be refused. */
  get full(): boolean {
    return this.#running.size >= this.#options.maxSessions;
  }

  /** Serves one owner to the end. @throws {TercetError} why the session failed; by then its links are gone. */
  async serve(owner: OwnerLink): Promise<SessionEnd> {
    const run = this.#serve(owner);
    this.#running.add(run);
    try {
      return await run;
    } finally {
      this.#running.delete(run);
    }
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async #serve({ channel, session, key, checkRequest }: OwnerLink): Promise<SessionEnd> {
    const { id, models, kernels, signal, maxSessions } = this.#options;
    try {
      if (this.#running.size >= maxSessions) throw await refuse(channel, maxSessions);
      return await serveSession({
        id,
        owner: channel,
        key: await key(),
        checkRequest,
        connectPeer: () => this.#options.connectPeer(session),
        session,
        models,
        kernels,
        now: () => performance.now(),
        peakMemory,
        signal,
        onProgress: (progress) => this.#options.onProgress?.(progress),
      });
    } catch (error) {
      channel.abort(asTercetError(error));
      throw error;
    }
  }
}

async function refuse(channel: Channel, maxSessions: number): Promise<TercetError> {
  const error = new TercetError('ERR_PEER_BUSY', `this party serves ${maxSessions} sessions already`, 'try again in a minute');
  await sendFailure(channel, 'offer', error).catch(() => undefined);
  await channel.close();
  return error;
}
