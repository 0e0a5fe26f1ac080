/** What the compute parties hold of a model's weights where messages are proved. */
import { wordsFrom } from '../../src/compute/ring.ts';
import { parameterEncoder } from '../../src/ml/models/folding.ts';
import { listParameters } from '../../src/ml/models/parameters.ts';
import type { WeightSource } from '../../src/ml/models/weights.ts';
import type { ParameterView } from '../../src/mpc/protocol/frame/party.ts';
import type { Parameter } from '../../src/mpc/protocol/types.ts';
import { OpenParameters } from '../../src/session/open-parameters.ts';
import { SharedParameters, maskParameter, ownerSeeds } from '../../src/session/secret-parameters.ts';
import { wasm } from '../support/proved.ts';
import { seeded } from '../support/simulate.ts';

interface HeldWeights {
  /** Of party 1 and party 2. */
  readonly views: readonly [ParameterView, ParameterView];
  /** The owner's, of secret weights. */
  readonly seeds: Uint8Array | undefined;
}

export async function heldWeights(source: WeightSource, weights: 'open' | 'secret'): Promise<HeldWeights> {
  const { config } = source;
  const encode = parameterEncoder(source);
  if (weights === 'open') {
    const view = await OpenParameters.load(source, wasm, encode, undefined, encode);
    return { views: [view, view], seeds: undefined };
  }
  const seeds = [seeded(32, 5, 51), seeded(32, 5, 52)] as const;
  const masked = new Map<string, BigUint64Array>();
  for (const [number, parameter] of listParameters(config).entries()) {
    const words = wordsFrom(Array.from(await encode(parameter), BigInt), 64);
    masked.set(parameter.name, (await maskParameter(wasm, seeds, number, words)).data as BigUint64Array);
  }
  const read = async ({ name }: Parameter) => (masked.get(name) as BigUint64Array).slice();
  const view = (id: 1 | 2) => SharedParameters.load(id, config, seeds[id - 1], read, wasm, true);
  return { views: [await view(1), await view(2)], seeds: ownerSeeds(seeds) };
}
