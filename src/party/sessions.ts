/** The sessions that a compute party serves, at most so many at a time. A failed one ends alone. */
import type { RingKernels } from '../compute/kernels/types.ts';
import { toHex } from '../core/bytes.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { Progress } from '../mpc/protocol/semi-honest/engine.ts';
import type { Channel } from '../net/types.ts';
import { mismatch } from '../session/agreement.ts';
import { priceOf } from '../session/price.ts';
import { type Request, misfit, requestOfCode } from '../session/request.ts';
import { Circuits } from '../session/circuits.ts';
import { type ServedModel, type SessionEnd, serveSession } from '../session/compute.ts';
import { sendFailure } from '../session/control.ts';
import type { Budgets } from './budgets.ts';
import { ANY_MODEL } from './owner-terms.ts';
import { peakMemory } from './node-kernels.ts';

/** An owner that reached this party, whatever the transport. */
export interface OwnerLink {
  readonly channel: Channel;
  readonly session: Uint8Array;
  /** The pairwise key, once it is there. */
  key(): Promise<Uint8Array>;
  /** Where it comes from, as far as that is known: one budget for each. */
  readonly address: string;
  /** Throws unless the request is what this party signed for the session. Asked after `key`. */
  checkRequest?(request: Request): void;
}

export interface SessionsOptions {
  readonly id: 1 | 2;
  readonly models: readonly ServedModel[];
  readonly kernels: RingKernels;
  readonly signal: AbortSignal;
  readonly maxSessions: number;
  readonly budgets: Budgets;
  /** Opens the link to the other compute party for a session. */
  connectPeer(session: Uint8Array): Promise<Channel>;
  onProgress?(progress: Progress): void;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #running = new Set<Promise<unknown>>();
  readonly #circuits = new Circuits();

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

  /**
   * Whether an owner may come, by the first message of its handshake: the model, and the code of its request. Costs microseconds and takes nothing yet.
   * @throws {TercetError} ERR_MODEL_HASH, ERR_PEER_MISMATCH, ERR_TOO_LARGE, ERR_PEER_BUSY
   */
  admit(modelHash: string, code: string, address: string): void {
    const { id, models, budgets } = this.#options;
    const named = modelHash === toHex(ANY_MODEL) ? models : models.filter(({ hash }) => hash === modelHash);
    if (named.length === 0)
      throw new TercetError('ERR_MODEL_HASH', `party ${id} does not serve the model that was asked for`, 'choose a model that it lists', { party: id });
    const request = requestOfCode(code);
    const model = named.find(({ parameters }) => parameters.weights === request?.weights);
    if (request === undefined || model === undefined) throw mismatch('the data owner asks for something that this party does not know');
    const wrong = misfit(model.config, request);
    if (wrong !== undefined) throw mismatch(`the request does not fit the model: ${wrong}`);
    budgets.check(priceOf(model.config, model.plan, request.weights, request), address);
  }

  async #serve({ channel, session, address, key, checkRequest }: OwnerLink): Promise<SessionEnd> {
    const { id, models, kernels, signal, maxSessions, budgets } = this.#options;
    let giveBack = () => undefined as void;
    try {
      if (this.#running.size >= maxSessions) throw await refuse(channel, maxSessions);
      return await serveSession({
        id,
        owner: channel,
        key: await key(),
        checkRequest: (request, model) => {
          checkRequest?.(request);
          giveBack = budgets.take(priceOf(model.config, model.plan, request.weights, request), address);
        },
        connectPeer: () => this.#options.connectPeer(session),
        session,
        models,
        kernels,
        circuits: this.#circuits,
        now: () => performance.now(),
        peakMemory,
        signal,
        onProgress: (progress) => this.#options.onProgress?.(progress),
      });
    } catch (error) {
      channel.abort(asTercetError(error));
      throw error;
    } finally {
      giveBack();
    }
  }
}

async function refuse(channel: Channel, maxSessions: number): Promise<TercetError> {
  const error = new TercetError('ERR_PEER_BUSY', `this party serves ${maxSessions} sessions already`, 'try again in a minute');
  await sendFailure(channel, 'offer', error).catch(() => undefined);
  await channel.close();
  return error;
}
