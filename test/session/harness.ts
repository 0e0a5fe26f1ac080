/** Sessions of all three parties in one process, on links in memory. */
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { type Words, wordsFrom } from '../../src/compute/ring.ts';
import { type TercetError, asTercetError } from '../../src/core/errors.ts';
import type { ModelConfig } from '../../src/ml/config.ts';
import { parameterEncoder } from '../../src/ml/models/folding.ts';
import { listParameters } from '../../src/ml/models/parameters.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import type { WeightSource } from '../../src/ml/models/weights.ts';
import { planFromRanges, provedRanges } from '../../src/ml/ranges.ts';
import { COMPLETE_ROUNDING } from '../../src/mpc/protocol/malicious/rounding.ts';
import type { Reading } from '../../src/mpc/secure/measure.ts';
import { SEMI_HONEST } from '../../src/mpc/protocol/registry.ts';
import type { ParameterView } from '../../src/mpc/protocol/frame/party.ts';
import { type MemoryOptions, memoryPair } from '../../src/net/simulated/memory-link.ts';
import type { Channel, EndId, PartyId, PeerChannel } from '../../src/net/wire/types.ts';
import { Circuits } from '../../src/session/circuits.ts';
import { type ComputeOptions, type SessionEnd, serveSession } from '../../src/session/compute.ts';
import type { ServedModel } from '../../src/session/model.ts';
import { SharedParameters, maskParameter, ownerSeeds } from '../../src/session/secret-parameters.ts';
import { OpenParameters } from '../../src/session/open-parameters.ts';
import { ownerParameters } from '../../src/session/owner-parameters.ts';
import { OwnerSession } from '../../src/session/owner.ts';
import type { Proving } from '../../src/session/proving.ts';
import type { Request } from '../../src/session/request.ts';
import type { Status } from '../../src/session/status.ts';
import { TINY } from '../ml/tiny-bert.ts';
import { seeded } from '../support/simulate.ts';

/** Of all three parties, in this thread. `test/compute` compares them exactly with the readable ones, which take longer. */
export const kernels: RingKernels = await createWasmKernels({
  party: PartyOperations,
  module: await loadNodeModule(),
  threads: 0,
});
/** A circuit is public and the same at every party, so the sessions of a test file build each shape once. */
export const circuits = new Circuits();
export const source = randomWeights(TINY, 5);

async function plansOf(weights: WeightSource): Promise<Pick<ServedModel, 'plan' | 'provedPlan'>> {
  const ranges = await provedRanges(weights);
  const planned = (reading: Reading) => planFromRanges(weights.config, ranges, reading);
  return { plan: planned(SEMI_HONEST.truncation), provedPlan: planned(COMPLETE_ROUNDING) };
}

/** What both compute parties serve of a source, with open weights. */
export async function servedModel(weights: WeightSource, on: RingKernels = kernels): Promise<ServedModel> {
  const encode = parameterEncoder(weights);
  return {
    name: weights.label,
    config: weights.config,
    ...(await plansOf(weights)),
    hash: 'ab'.repeat(32),
    parameters: await OpenParameters.load(weights, on, encode, undefined, encode),
  };
}

/**
 * The same with secret weights: what each of the two serves, the owner's seeds, and the masked words of every
 * parameter.
 */
export async function servedSecret(
  weights: WeightSource,
  on: RingKernels = kernels,
): Promise<{
  readonly parties: readonly [ServedModel, ServedModel];
  readonly seeds: Uint8Array;
  readonly masked: readonly Words[];
}> {
  const { config } = weights;
  const seeds = [seeded(32, 5, 51), seeded(32, 5, 52)] as const;
  const encode = parameterEncoder(weights);
  const parameters = listParameters(config);
  const masked: Words[] = [];
  for (const [number, parameter] of parameters.entries())
    masked.push(await maskParameter(on, seeds, number, wordsFrom(Array.from(await encode(parameter), BigInt), 64)));
  const plan = planFromRanges(config, await provedRanges(weights), SEMI_HONEST.truncation);
  const read = async ({ name }: { readonly name: string }) =>
    masked[parameters.findIndex((parameter) => parameter.name === name)].data as BigUint64Array;
  const party = async (id: 1 | 2): Promise<ServedModel> => ({
    name: weights.label,
    config,
    plan,
    hash: 'cd'.repeat(32),
    parameters: await SharedParameters.load(id, config, seeds[id - 1], read, on),
  });
  return { parties: [await party(1), await party(2)], seeds: ownerSeeds(seeds), masked };
}

export const MODEL = await servedModel(source);
export const SHAPE = { sequences: 1, tokens: 8, rows: 1, padded: true, pair: false, steps: 0 } as const;
export const REQUEST: Request = { model: MODEL.hash, protocol: '3pc_semi_honest', weights: 'open', ...SHAPE };
export const INPUT = [{ inputIds: [2, 9, 4, 17, 3], rows: [2] }];

export interface Started {
  readonly owner: Promise<OwnerSession>;
  readonly ends: readonly Promise<SessionEnd | TercetError>[];
  readonly channels: readonly [Channel, Channel];
  readonly statuses: Status[];
  readonly sent: { readonly from: EndId; readonly tag: string }[];
  /** Breaks every link of a compute party, as its death would. */
  kill(party: 1 | 2): void;
}

export interface StartOptions {
  readonly request?: Request;
  /** What the parties serve, and the kernels of all three. */
  readonly model?: ServedModel;
  /** The owner's seeds of secret weights. */
  readonly seeds?: Uint8Array | undefined;
  readonly on?: RingKernels;
  /** Of all three parties: those of this file without it. */
  readonly circuits?: Circuits;
  readonly compute?: (id: 1 | 2) => Partial<ComputeOptions>;
  readonly signal?: AbortSignal;
  readonly onStatus?: (status: Status) => void;
  readonly tap?: MemoryOptions['tap'];
  /** Latency and rate of the links, by direction. */
  readonly profile?: MemoryOptions['profile'];
  /** What proves the messages of all three. */
  readonly proving?: Proving;
  /** The owner's view of the model, where it is not that of `seeds`. */
  readonly parameters?: ParameterView;
  /** An end of a link, of a party that may not follow the protocol. */
  readonly corrupt?: (self: PartyId, channel: Channel) => Channel;
  readonly timeoutMs?: number;
}

export function start({
  request = REQUEST,
  model = MODEL,
  on = kernels,
  circuits: built = circuits,
  seeds,
  compute,
  signal,
  onStatus,
  tap,
  profile,
  proving,
  parameters,
  corrupt = (_self, channel) => channel,
  timeoutMs = 20_000,
}: StartOptions = {}): Started {
  const config: ModelConfig = model.config;
  const sent: Started['sent'] = [];
  const watch: MemoryOptions = {
    timeoutMs,
    profile,
    tap: (direction, tag, bytes) => {
      sent.push({ from: direction.from, tag });
      return tap?.(direction, tag, bytes);
    },
  };
  const [own1, one0] = memoryPair(0, 1, watch);
  const [own2, two0] = memoryPair(0, 2, watch);
  const [one2, two1] = memoryPair(1, 2, watch);
  const session = seeded(16, 1, 1);
  // What their handshake gave P1 and P2.
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const serve = (id: 1 | 2, owner: Channel, peer: Channel): Promise<SessionEnd | TercetError> =>
    serveSession({
      id,
      owner: corrupt(id, owner),
      pairKey: seeded(32, 7, id),
      connectPeer: async () => {
        const link: PeerChannel = corrupt(id, peer);
        return Object.assign(link, { secret: link.secret ?? (() => secret.slice()) });
      },
      proving,
      session,
      models: [model],
      kernels: on,
      circuits: built,
      now: () => performance.now(),
      peakMemory: () => 1,
      ...compute?.(id),
    }).catch(asTercetError);
  const statuses: Status[] = [];
  const ends = [serve(1, one0, one2), serve(2, two0, two1)];
  const owner = OwnerSession.open({
    config,
    request,
    channels: new Map<PartyId, Channel>([
      [1, corrupt(0, own1)],
      [2, corrupt(0, own2)],
    ]),
    session,
    proving,
    pairKeys: [seeded(32, 7, 1), seeded(32, 7, 2)],
    kernels: on,
    circuits: built,
    parameters: parameters ?? ownerParameters(config, seeds),
    now: () => performance.now(),
    peakMemory: () => 1,
    signal,
    onStatus: (status) => {
      statuses.push(status);
      onStatus?.(status);
    },
  });
  owner.catch(() => undefined);
  const kill = (party: 1 | 2) => {
    for (const channel of party === 1 ? [one0, one2] : [two0, two1]) channel.abort(new Error('killed'));
  };
  return { owner, ends, channels: [own1, own2], statuses, sent, kill };
}

export async function prepared(options?: StartOptions): Promise<Started & { session: OwnerSession }> {
  const started = start(options);
  const session = await started.owner;
  await session.prepare();
  return { ...started, session };
}
