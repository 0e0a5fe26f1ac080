/** A model of this machine, or of a hub, whose runs go to parties over mutual TLS: the SDK's model in a service. */
import type { RingKernels } from '../compute/kernels/types.ts';
import { protocolWithProofs } from '../mpc/protocol/registry.ts';
import { MAX_ATTENTION } from '../mpc/secure/attention-form.ts';
import { TercetError } from '../core/errors.ts';
import { taskOf } from '../ml/tasks/table.ts';
import type { RunEnvironment } from '../owner/environment.ts';
import { DEFAULT_BATCH } from '../owner/batch-size.ts';
import { bucketsOf } from '../owner/buckets.ts';
import { RUN_MEMORY } from '../owner/model-context.ts';
import { OwnerModel } from '../owner/owner-model.ts';
import type { ModelContext } from '../owner/model-context.ts';
import type { RunContext } from '../owner/run-context.ts';
import { Stock, type StockOptions } from '../owner/stock.ts';
import { loadTextContext } from '../owner/text-context.ts';
import type { ProgressEvent } from '../owner/types/index.ts';
import { type Proving, checkLevel } from '../session/proving.ts';
import type { SecurityLevel } from '../session/request.ts';
import { WIDENINGS, type RunPlan } from '../session/run-plan.ts';
import { deviceOf, nodeProving } from './kernels.ts';
import { type ModelLocation, openModel } from './model.ts';
import { type TlsParties, tlsEnvironment, tlsHealth, tlsRunContext } from './tls-owner.ts';

export interface TlsModelOptions {
  /** Shared by all models of the process; whoever opened them closes them. */
  readonly kernels: RingKernels;
  /** Default 'lan'. */
  readonly plan?: RunPlan | undefined;
  /** Default '3pc_semi_honest'. */
  readonly protocol?: string | undefined;
  /** Default 128. */
  readonly securityLevel?: SecurityLevel | undefined;
  /** Longest text (default 10,000). */
  readonly maxCharacters?: number | undefined;
  /** Texts of a list in one run (default 8). */
  readonly batchSize?: number | undefined;
  /** What proves, where the protocol does (default: proofs of its own). */
  readonly proving?: (() => Promise<Proving>) | undefined;
  /** Runs that are made ahead (default: those that a caller asks for). */
  readonly stock?: StockOptions | undefined;
  /** Whether the parties serve other models too: then this one is asked for by its hash, which needs its weights. */
  readonly named: boolean;
  /** The identity of the dealer that deals, at the address that `parties` has; undefined: this process deals. */
  readonly dealer?: string | undefined;
  /** Spans of its runs, where a service is watched. */
  readonly span?: RunEnvironment['span'];
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/**
 * Texts are padded to the SDK's lengths.
 * @throws {TercetError} what a model's files can be wrong in
 */
export async function openTlsModel(
  location: ModelLocation,
  parties: TlsParties,
  options: TlsModelOptions,
): Promise<OwnerModel> {
  const [model] = await openTlsModels(location, parties, [options]);
  return model;
}

/**
 * The same model several times, as each of the options says; its files are read once.
 * @throws {TercetError} what a model's files can be wrong in
 */
export async function openTlsModels(
  location: ModelLocation,
  parties: TlsParties,
  [first, ...others]: readonly [TlsModelOptions, ...TlsModelOptions[]],
): Promise<[OwnerModel, ...OwnerModel[]]> {
  const { named, maxCharacters } = first;
  const terms = [first, ...others].map(({ protocol = '3pc_semi_honest', securityLevel }) => {
    const known = protocolWithProofs(protocol);
    return { protocol: known, securityLevel: checkLevel(known, securityLevel) };
  });
  const model = await openModel(location, { weights: named });
  const { config, files, name } = model;
  if (files === undefined)
    throw new TercetError('ERR_ARGUMENT', 'random weights have no tokenizer', 'name a model folder');
  if (model.sharing !== undefined)
    throw new TercetError('ERR_ARGUMENT', `${name} has secret weights`, 'use tercet infer with a credential');
  const texts = await loadTextContext(files, config, maxCharacters);
  const hash = named ? await model.hash() : undefined;
  const over = async (options: TlsModelOptions, i: number): Promise<OwnerModel> => {
    const { kernels, plan = 'lan', batchSize = DEFAULT_BATCH, stock, dealer, span } = options;
    const { proving = () => nodeProving(deviceOf(kernels)), onProgress = () => undefined } = options;
    const asked = {
      ...terms[i],
      ...{ model: hash, weights: 'open' as const, widening: WIDENINGS[plan], dealer },
    };
    const context: ModelContext = {
      ...texts,
      ...tlsRunContext(parties, {
        ...{ config, terms: asked, credential: undefined, kernels: borrowed(kernels) },
        proving: asked.protocol === '3pc_semi_honest' ? undefined : await proving(),
      }),
      environment: { ...tlsEnvironment(parties), span },
      id: name,
      task: taskOf(config.head),
      buckets: bucketsOf(undefined, Math.min(config.maxPositions, MAX_ATTENTION)),
      batchSize,
      runMemory: RUN_MEMORY,
      device: kernels.name === 'webgpu' ? 'webgpu' : 'wasm',
      downloadedBytes: 0,
      health: () => tlsHealth(parties),
      onProgress,
    };
    return OwnerModel.over(context, stock && ((run: RunContext) => new Stock(run, stock)));
  };
  return [await over(first, 0), ...(await Promise.all(others.map((options, i) => over(options, i + 1))))];
}

/** A model's own view of kernels that several share: closing one closes none. */
export function borrowed(kernels: RingKernels): RingKernels {
  return new Proxy(kernels, {
    get: (target, property) => {
      if (property === 'close') return async () => undefined;
      const value = Reflect.get(target, property, target) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
