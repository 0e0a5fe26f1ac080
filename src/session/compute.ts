/** A compute party's session (P1 or P2): answers one request of the data owner. Knows nothing of Node; the daemon hands in links and weights. */
import type { RingKernels } from '../compute/kernels/types.ts';
import { sleep } from '../core/abort.ts';
import { asTercetError, TercetError } from '../core/errors.ts';
import type { ModelConfig } from '../ml/config.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import { PairPrg } from '../mpc/prg/prg.ts';
import { protocolInfo } from '../mpc/protocol/registry.ts';
import { Engine, type Progress } from '../mpc/protocol/semi-honest/engine.ts';
import type { Kept, ParameterView } from '../mpc/protocol/semi-honest/party.ts';
import type { Channel, PartyId } from '../net/types.ts';
import { configHash, mismatch, offerToJson } from './agreement.ts';
import { Circuits } from './circuits.ts';
import { type Fields, recvControl, sendControl, sendFailure } from './control.ts';
import { waitForInput } from './hold.ts';
import { reportOf, reportToJson } from './report.ts';
import { type Request, SESSION_VERSION, type WeightMode, misfit } from './request.ts';
import { StatusSender } from './status.ts';

/** The model that a compute party serves. */
export interface ServedModel {
  /** What operators call it. */
  readonly name: string;
  readonly config: ModelConfig;
  readonly plan: ModelPlan;
  /** SHA-256 of the weights, compared between the compute parties. */
  readonly hash: string;
  readonly parameters: ParameterView;
}

export interface ComputeOptions {
  readonly id: 1 | 2;
  readonly owner: Channel;
  /** The pairwise key with the owner, 32 bytes. Wiped here. */
  readonly key: Uint8Array;
  /** Throws unless the request is the one that this party signed, where it signed one, and is within its budgets. Asked before anything is built. */
  readonly checkRequest?: (request: Request, model: ServedModel) => void;
  /** Opens the link to the other compute party, once the owner has asked for something. */
  readonly connectPeer: () => Promise<Channel>;
  readonly session: Uint8Array;
  readonly models: readonly ServedModel[];
  readonly kernels: RingKernels;
  /** Shared by the sessions of a party; own ones without it. */
  readonly circuits?: Circuits;
  readonly now: () => number;
  readonly peakMemory: () => number;
  readonly signal?: AbortSignal;
  onProgress?(progress: Progress): void;
}

const MAX_WORD = 2 ** 32 - 1;

/** How a session ended well: with an answer, or before there was a text. */
export type SessionEnd = 'answered' | 'discarded';

/** Serves one session from the request to the report. Any failure ends it for all parties, and is told to P0 where P0 listens. */
export async function serveSession(options: ComputeOptions): Promise<SessionEnd> {
  const { owner, id, kernels, circuits = new Circuits() } = options;
  const channels = new Map<PartyId, Channel>([[0, owner]]);
  // The name of the next control message that P0 waits for: where a failure can be told.
  let expected: string | undefined = 'offer';
  const abort = (error: unknown) => {
    for (const channel of channels.values()) channel.abort(asTercetError(error));
  };
  const stop = () => abort(new TercetError('ERR_ABORTED', 'this party is shutting down', 'run again when it is back'));
  let prg: PairPrg | undefined;
  let engine: Engine | undefined;
  let status: StatusSender | undefined;
  try {
    prg = PairPrg.of(options.key, { session: options.session, attempt: 0, step: 0, branch: 0 });
    const fields = await recvControl(owner, 'request');
    const { request, model } = readRequest(fields, options.models);
    options.checkRequest?.(request, model);
    // Only now: an owner that reached this party alone must not keep it waiting for the other one.
    const peer = await options.connectPeer();
    channels.set(id === 1 ? 2 : 1, peer);
    options.signal?.addEventListener('abort', stop);
    await sendControl(owner, 'offer', offerToJson({ model: model.hash, config: configHash(model.config), plan: model.plan, device: kernels.name }));
    expected = 'ready';
    let kept: Kept = new Map();
    for (let step = 0; ; step++) {
      const { circuit, hash } = await circuits.get(model.config, model.plan, request, step);
      const draws: PairPrg = prg;
      const reports = new StatusSender(owner, peer, options.now, abort);
      status = reports;
      const prepared = await stepBegins(step, owner, async () => {
        const start = await recvControl(owner, step === 0 ? 'start' : 'step');
        if (start.string('circuit') !== hash) throw mismatch('the data owner built another circuit');
        engine = new Engine({
          id,
          circuit,
          kernels,
          parameters: model.parameters,
          channels,
          ...(id === 1 ? { k01: draws } : { k02: draws }),
          kept,
          ...(options.signal === undefined ? {} : { signal: options.signal }),
          onProgress: (progress) => {
            if (progress.phase === 'online') reports.progress(progress);
            options.onProgress?.(progress);
          },
        });
        await engine.deal();
        await sendControl(owner, 'ready', {});
        expected = 'status';
        return waitForInput(owner, peer);
      });
      if (!prepared || engine === undefined) {
        await Promise.all([...channels.values()].map((channel) => channel.close()));
        return step === 0 ? 'discarded' : 'answered';
      }
      reports.begin(2 * circuit.cost.rounds);
      await engine.input();
      await engine.online();
      await reports.finish(2 * circuit.cost.rounds);
      expected = undefined;
      await engine.output();
      await sendControl(owner, 'report', reportToJson(reportOf(channels, options.peakMemory(), kernels.name)));
      if (step === request.steps) break;
      kept = engine.kept;
      prg = draws.next();
      draws.wipe();
      expected = 'ready';
    }
    await Promise.all([...channels.values()].map((channel) => channel.close()));
    return 'answered';
  } catch (error) {
    const failure = asTercetError(error);
    if (expected !== undefined) await sendFailure(owner, expected, failure).catch(() => undefined);
    for (const [peer, channel] of channels) {
      // P0 gets the failure that was just queued before the link goes; the other compute party is cut off at once.
      if (peer === 0 && expected !== undefined) await channel.close().catch(() => undefined);
      else channel.abort(failure);
    }
    throw failure;
  } finally {
    options.signal?.removeEventListener('abort', stop);
    options.key.fill(0);
    status?.stop();
    prg?.wipe();
    engine?.clear();
  }
}

/** How long the owner's leaving may be behind that of the other compute party. */
const LEFT_MS = 1_000;

/**
 * Whether a step's input follows. An owner that has seen enough of a generated text leaves in the middle of what it deals ahead, which is no failure: it had its
 * answer.
 */
async function stepBegins(step: number, owner: Channel, prepare: () => Promise<boolean>): Promise<boolean> {
  try {
    return await prepare();
  } catch (error) {
    const broken = error instanceof TercetError && error.code === 'ERR_PEER_CLOSED';
    if (step === 0 || !broken) throw error;
    const left = await Promise.race([owner.ended.then(() => true), sleep(LEFT_MS).then(() => false)]);
    if (!left) throw error;
    return false;
  }
}

function readRequest(fields: Fields, models: readonly ServedModel[]): { request: Request; model: ServedModel } {
  const version = fields.integer('version', 1000);
  if (version !== SESSION_VERSION) throw mismatch(`the data owner speaks session version ${version}, this party ${SESSION_VERSION}`);
  const { id: protocol } = protocolInfo(fields.string('protocol'));
  const weights = fields.oneOf('weights', ['open', 'secret']);
  const hash = fields.stringOrNull('model');
  const model = findModel(models, hash, weights);
  const shape = {
    // 32-bit words, as in its code; `misfit` holds them to what the model takes.
    sequences: fields.integer('sequences', MAX_WORD),
    tokens: fields.integer('tokens', MAX_WORD),
    rows: fields.integer('rows', MAX_WORD),
    padded: fields.boolean('padded'),
    pair: fields.boolean('pair'),
    steps: fields.integer('steps', MAX_WORD),
  };
  const wrong = misfit(model.config, shape);
  if (wrong !== undefined) throw mismatch(`the request does not fit the model: ${wrong}`);
  return { request: { model: hash, protocol, weights, ...shape }, model };
}

/** The model with that hash, or the only one that is served when none is named. */
function findModel(models: readonly ServedModel[], hash: string | undefined, weights: WeightMode): ServedModel {
  const named = hash === undefined ? models : models.filter((model) => model.hash === hash);
  if (named.length === 0) throw new TercetError('ERR_MODEL_HASH', 'this party does not serve the model that was asked for', 'choose a model that it lists');
  const fitting = named.filter((model) => model.parameters.weights === weights);
  if (fitting.length === 1) return fitting[0];
  if (fitting.length > 1) throw mismatch('this party serves several models and the request names none');
  const served = named[0].parameters.weights;
  throw new TercetError('ERR_PEER_MISMATCH', `this party serves ${served} weights`, `ask for --weights ${served}`);
}
