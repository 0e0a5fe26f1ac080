/** A compute party's session (P1 or P2): answers one request of the data owner. Knows nothing of Node; the daemon hands in links and weights. */
import type { RingKernels } from '../compute/kernels/types.ts';
import { asTercetError, TercetError } from '../core/errors.ts';
import type { BertConfig } from '../ml/config.ts';
import type { BertPlan } from '../ml/models/bert-secure.ts';
import { PairPrg } from '../mpc/prg/prg.ts';
import { protocolInfo } from '../mpc/protocol/registry.ts';
import { Engine, type Progress } from '../mpc/protocol/semi-honest/engine.ts';
import type { ParameterView } from '../mpc/protocol/semi-honest/party.ts';
import type { Channel, PartyId } from '../net/types.ts';
import { type Request, SESSION_VERSION, type WeightMode, circuitFor, configHash, fingerprint, mismatch, offerToJson } from './agreement.ts';
import { type Fields, recvControl, sendControl, sendFailure } from './control.ts';
import { waitForInput } from './hold.ts';
import { reportOf, reportToJson } from './report.ts';
import { StatusSender } from './status.ts';

/** The model that a compute party serves. */
export interface ServedModel {
  /** What operators call it. */
  readonly name: string;
  readonly config: BertConfig;
  readonly plan: BertPlan;
  /** SHA-256 of the weights, compared between the compute parties. */
  readonly hash: string;
  readonly parameters: ParameterView;
}

export interface ComputeOptions {
  readonly id: 1 | 2;
  readonly owner: Channel;
  /** The pairwise key with the owner, 32 bytes. Wiped here. */
  readonly key: Uint8Array;
  /** Throws unless the request is the one that this party signed, where it signed one. */
  readonly checkRequest?: (request: Request) => void;
  /** Opens the link to the other compute party, once the owner has asked for something. */
  readonly connectPeer: () => Promise<Channel>;
  readonly session: Uint8Array;
  readonly models: readonly ServedModel[];
  readonly kernels: RingKernels;
  readonly now: () => number;
  readonly peakMemory: () => number;
  readonly signal?: AbortSignal;
  onProgress?(progress: Progress): void;
}

/** How a session ended well: with an answer, or before there was a text. */
export type SessionEnd = 'answered' | 'discarded';

/** Serves one session from the request to the report. Any failure ends it for all parties, and is told to P0 where P0 listens. */
export async function serveSession(options: ComputeOptions): Promise<SessionEnd> {
  const { owner, id, kernels } = options;
  const channels = new Map<PartyId, Channel>([[0, owner]]);
  // The name of the next control message that P0 waits for: where a failure can be told.
  let expected: string | undefined = 'offer';
  const abort = (error: unknown) => {
    for (const channel of channels.values()) channel.abort(asTercetError(error));
  };
  const stop = () => abort(new TercetError('ERR_ABORTED', 'this party is shutting down', 'run again when it is back'));
  let prg: PairPrg | undefined;
  let engine: Engine | undefined;
  try {
    prg = new PairPrg(options.key, { session: options.session, attempt: 0, step: 0, branch: 0 });
    const fields = await recvControl(owner, 'request');
    const { request, model } = readRequest(fields, options.models);
    options.checkRequest?.(request);
    // Only now: an owner that reached this party alone must not keep it waiting for the other one.
    const peer = await options.connectPeer();
    channels.set(id === 1 ? 2 : 1, peer);
    options.signal?.addEventListener('abort', stop);
    await sendControl(owner, 'offer', offerToJson({ model: model.hash, config: configHash(model.config), plan: model.plan, device: kernels.name }));
    expected = 'ready';
    const circuit = circuitFor(model.config, model.plan, request);
    const start = await recvControl(owner, 'start');
    if (start.string('circuit') !== fingerprint(circuit)) throw mismatch('the data owner built another circuit');
    const status = new StatusSender(owner, peer, options.now, abort);
    engine = new Engine({
      id,
      circuit,
      kernels,
      parameters: model.parameters,
      channels,
      ...(id === 1 ? { k01: prg } : { k02: prg }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onProgress: (progress) => {
        if (progress.phase === 'online') status.progress(progress);
        options.onProgress?.(progress);
      },
    });
    await engine.deal();
    await sendControl(owner, 'ready', {});
    expected = 'status';
    if (!(await waitForInput(owner, peer))) {
      await Promise.all([...channels.values()].map((channel) => channel.close()));
      return 'discarded';
    }
    await engine.input();
    await engine.online();
    await status.finish(2 * circuit.cost.rounds);
    expected = undefined;
    await engine.output();
    await sendControl(owner, 'report', reportToJson(reportOf(channels, options.peakMemory(), kernels.name)));
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
    prg?.wipe();
    engine?.clear();
  }
}

function readRequest(fields: Fields, models: readonly ServedModel[]): { request: Request; model: ServedModel } {
  const version = fields.integer('version', 1000);
  if (version !== SESSION_VERSION) throw mismatch(`the data owner speaks session version ${version}, this party ${SESSION_VERSION}`);
  const { id: protocol } = protocolInfo(fields.string('protocol'));
  const weights = fields.oneOf('weights', ['open', 'secret']);
  const hash = fields.stringOrNull('model');
  const model = findModel(models, hash, weights);
  const tokens = fields.integer('tokens', model.config.maxPositions);
  const masks = fields.integer('masks', tokens);
  const padded = fields.boolean('padded');
  const fillMask = model.config.architecture === 'BertForMaskedLM';
  if (tokens < 2 || fillMask !== masks > 0) throw mismatch('the request does not fit the model');
  return { request: { model: hash, protocol, weights, tokens, masks, padded }, model };
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
