/**
 * What the engines of both compute parties hold at the worst moment of a session, by the vectors that their kernels
 * are told to keep: exact, whatever the collector does.
 */
import type { RunShape } from '../../src/ml/models/run.ts';
import type { Live, RingKernels } from '../../src/compute/kernels/types.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import type { ModelConfig } from '../../src/ml/config.ts';
import { parameterEncoder } from '../../src/ml/models/folding.ts';
import { listParameters } from '../../src/ml/models/parameters.ts';
import type { ModelPlan } from '../../src/ml/models/plan.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import type { ParameterView } from '../../src/mpc/protocol/frame/party.ts';
import type { Parameter } from '../../src/mpc/protocol/types.ts';
import { OpenParameters } from '../../src/session/open-parameters.ts';
import type { WeightMode } from '../../src/session/request.ts';
import { SharedParameters, maskParameter } from '../../src/session/secret-parameters.ts';
import { seeded } from '../support/simulate.ts';
import { prepared } from './harness.ts';

/** Kernels that note the most bytes that were live at a sweep. */
function watched(kernels: RingKernels, note: (bytes: number) => void): RingKernels {
  return new Proxy(kernels, {
    get(target, name) {
      if (name === 'scope') return () => watched(target.scope(), note);
      if (name === 'sweep') return (live?: Live) => note(bytesOf(typeof live === 'function' ? live() : []));
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function bytesOf(live: Iterable<unknown>): number {
  const buffers = new Map<ArrayBufferLike, number>();
  for (const item of live) {
    const view = ArrayBuffer.isView(item) ? item : (item as { readonly data?: ArrayBufferView } | undefined)?.data;
    if (view !== undefined) buffers.set(view.buffer, view.buffer.byteLength);
  }
  return [...buffers.values()].reduce((sum, bytes) => sum + bytes, 0);
}

const SEEDS = [seeded(32, 5, 51), seeded(32, 5, 52)] as const;

async function parametersOf(
  config: ModelConfig,
  weights: WeightMode,
  kernels: RingKernels,
): Promise<(id: 1 | 2) => ParameterView> {
  const source = randomWeights(config, 3);
  if (weights === 'open') {
    const open = await OpenParameters.load(source, kernels);
    return () => open;
  }
  const encode = parameterEncoder(source);
  const numbers = listParameters(config).map(({ name }) => name);
  const read = async (parameter: Parameter) =>
    (await maskParameter(kernels, SEEDS, numbers.indexOf(parameter.name), wordsFrom(await encode(parameter), 64)))
      .data as BigUint64Array;
  const views = [
    await SharedParameters.load(1, config, SEEDS[0], read, kernels),
    await SharedParameters.load(2, config, SEEDS[1], read, kernels),
  ];
  return (id) => views[id - 1];
}

/** Runs a whole session of random weights and zero texts. */
export async function heldBytes(
  on: RingKernels,
  config: ModelConfig,
  plan: ModelPlan,
  weights: WeightMode,
  shape: RunShape,
): Promise<readonly [number, number]> {
  const parameters = await parametersOf(config, weights, on);
  const most: [number, number] = [0, 0];
  const model = { name: 'random', config, plan, hash: 'ab'.repeat(32), parameters: parameters(1) };
  const { session, ends } = await prepared({
    on,
    model,
    request: { model: model.hash, protocol: '3pc_semi_honest', weights, ...shape },
    ...(weights === 'secret' ? { seeds: Uint8Array.from([...SEEDS[0], ...SEEDS[1]]) } : {}),
    compute: (id) => ({
      models: [{ ...model, parameters: parameters(id) }],
      kernels: watched(on, (bytes) => {
        most[id - 1] = Math.max(most[id - 1], bytes);
      }),
    }),
  });
  const sequence = { inputIds: new Array<number>(shape.tokens).fill(1), rows: new Array<number>(shape.rows).fill(0) };
  await session.run(new Array<typeof sequence>(shape.sequences).fill(sequence));
  for (let step = 0; step < shape.steps; step++) await session.next({ tokenId: 1, position: shape.tokens + step });
  await Promise.all(ends);
  return most;
}
