/** A compute party's session (P1 or P2): answers one request of the data owner. Knows nothing of Node; the daemon hands in links and weights. */
import type { RingKernels } from '../compute/kernels/types.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { BertConfig } from '../ml/config.ts';
import type { BertPlan } from '../ml/models/bert-secure.ts';
import { PairPrg } from '../mpc/prg/prg.ts';
import { protocolInfo } from '../mpc/protocol/registry.ts';
import { Engine, type Progress } from '../mpc/protocol/semi-honest/engine.ts';
import type { ParameterView } from '../mpc/protocol/semi-honest/party.ts';
import type { Channel, PartyId } from '../net/types.ts';
import { type Request, SESSION_VERSION, circuitFor, configHash, fingerprint, mismatch, offerToJson } from './agreement.ts';
import { type Fields, recvControl, sendControl, sendFailure } from './control.ts';
import { reportOf, reportToJson } from './report.ts';

/** The model that a compute party serves. */
export interface ServedModel {
  readonly config: BertConfig;
  readonly plan: BertPlan;
  /** SHA-256 of the weights, compared between the compute parties. */
  readonly hash: string;
  readonly parameters: ParameterView;
}

export interface ComputeOptions {
  readonly id: 1 | 2;
  readonly owner: Channel;
  /** Opens the link to the other compute party, once the owner has asked for something. */
  readonly connectPeer: () => Promise<Channel>;
  readonly session: Uint8Array;
  readonly model: ServedModel;
  readonly kernels: RingKernels;
  readonly peakMemory: () => number;
  readonly signal?: AbortSignal;
  onProgress?(progress: Progress): void;
}

/** Serves one session from the request to the report. Any failure ends it for all parties; a failure before the online phase is told to P0 first. */
export async function serveSession(options: ComputeOptions): Promise<void> {
  const { owner } = options;
  const channels = new Map<PartyId, Channel>([[0, owner]]);
  // The name of the next control message that P0 waits for: where a failure can be told.
  let expected: string | undefined = 'offer';
  let prg: PairPrg | undefined;
  try {
    const fields = await recvControl(owner, 'request');
    const request = readRequest(fields, options.model);
    const key = fields.hex('key', 32);
    const { model, id } = options;
    // Only now: an owner that reached this party alone must not keep it waiting for the other one.
    channels.set(id === 1 ? 2 : 1, await options.connectPeer());
    await sendControl(owner, 'offer', offerToJson({ model: model.hash, config: configHash(model.config), plan: model.plan, device: options.kernels.name }));
    expected = 'ready';
    const circuit = circuitFor(model.config, model.plan, request);
    const start = await recvControl(owner, 'start');
    if (start.string('circuit') !== fingerprint(circuit)) throw mismatch('the data owner built another circuit');
    prg = new PairPrg(key, { session: options.session, attempt: 0, step: 0, branch: 0 });
    key.fill(0);
    const engine = new Engine({
      id,
      circuit,
      kernels: options.kernels,
      parameters: model.parameters,
      channels,
      ...(id === 1 ? { k01: prg } : { k02: prg }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onProgress: (progress) => options.onProgress?.(progress),
    });
    await engine.deal();
    await sendControl(owner, 'ready', {});
    expected = undefined;
    await engine.input();
    await engine.online();
    await engine.output();
    await sendControl(owner, 'report', reportToJson(reportOf(channels, options.peakMemory(), options.kernels.name)));
    await Promise.all([...channels.values()].map((channel) => channel.close()));
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
    prg?.wipe();
  }
}

function readRequest(fields: Fields, model: ServedModel): Request {
  const version = fields.integer('version', 1000);
  if (version !== SESSION_VERSION) throw mismatch(`the data owner speaks session version ${version}, this party ${SESSION_VERSION}`);
  const { id: protocol } = protocolInfo(fields.string('protocol'));
  const weights = fields.oneOf('weights', ['open', 'secret']);
  if (weights !== model.parameters.weights) {
    throw new TercetError('ERR_PEER_MISMATCH', `this party serves ${model.parameters.weights} weights`, `ask for --weights ${model.parameters.weights}`);
  }
  const tokens = fields.integer('tokens', model.config.maxPositions);
  const masks = fields.integer('masks', tokens);
  const fillMask = model.config.architecture === 'BertForMaskedLM';
  if (tokens < 2 || fillMask !== masks > 0) throw mismatch('the request does not fit the model');
  return { protocol, weights, tokens, masks };
}
