/** What both compute parties of this process serve of a model, and the seeds that its owner has of secret weights. */
import type { RingKernels } from '../../compute/kernels/types.ts';
import { wordsFrom } from '../../compute/ring.ts';
import { parameterEncoder } from '../../ml/models/folding.ts';
import { listParameters } from '../../ml/models/parameters.ts';
import type { ModelPlan } from '../../ml/models/plan.ts';
import type { WeightSource } from '../../ml/models/weights.ts';
import type { ParameterView } from '../../mpc/protocol/frame/party.ts';
import type { Parameter } from '../../mpc/protocol/types.ts';
import type { ServedModel } from '../../session/model.ts';
import { OpenParameters } from '../../session/open-parameters.ts';
import type { WeightMode } from '../../session/request.ts';
import { SharedParameters, maskParameter, ownerSeeds } from '../../session/secret-parameters.ts';

/** Of every model: who asks names the one that is served. */
export const HASH = '7a'.repeat(32);
/** The same in every run, like the weights: what differs is what the parties draw. */
const SHARING = [new Uint8Array(32).fill(51), new Uint8Array(32).fill(52)] as const;

/** The owner's, undefined of open weights. */
export function seedsOf(weights: WeightMode): Uint8Array | undefined {
  return weights === 'secret' ? ownerSeeds(SHARING) : undefined;
}

/** Of P1 and P2. @param plan of the protocol that they are asked by */
export async function servedBoth(
  source: WeightSource,
  weights: WeightMode,
  plan: ModelPlan,
  kernels: RingKernels,
): Promise<readonly [ServedModel, ServedModel]> {
  const { config } = source;
  const encode = parameterEncoder(source);
  const served = (parameters: ParameterView): ServedModel => ({
    ...{ name: source.label, config, plan, provedPlan: plan, hash: HASH, parameters },
  });
  if (weights === 'open') {
    const both = served(await OpenParameters.load(source, kernels, encode, undefined, encode));
    return [both, both];
  }
  const masked = new Map<string, BigUint64Array>();
  for (const [number, parameter] of listParameters(config).entries()) {
    const words = wordsFrom(Array.from(await encode(parameter), BigInt), 64);
    const { data } = await maskParameter(kernels, SHARING, number, words);
    masked.set(parameter.name, data as BigUint64Array);
  }
  const read = async ({ name }: Parameter) => (masked.get(name) as BigUint64Array).slice();
  const of = async (id: 1 | 2) => served(await SharedParameters.load(id, config, SHARING[id - 1], read, kernels, true));
  return [await of(1), await of(2)];
}
