/**
 * Whole protocol runs on Dawn: a small BERT among three parties, every message on every link the same as with the
 * kernels that are compared with the reference.
 */
import { SEMI_HONEST } from '../../src/mpc/protocol/registry.ts';
import { afterAll, describe, expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { createWebGpuKernels } from '../../src/compute/kernels/webgpu/kernels.ts';
import { type Words, wordsFrom } from '../../src/compute/ring.ts';
import { modelPlan } from '../../src/ml/measured-ranges.ts';
import { parameterEncoder } from '../../src/ml/models/folding.ts';
import { listParameters } from '../../src/ml/models/parameters.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import { LOGITS, ROWS, TOKENS } from '../../src/ml/models/run.ts';
import { buildModel } from '../../src/ml/models/secure-at-once.ts';
import type { WeightSource } from '../../src/ml/models/weights.ts';
import { secureGelu } from '../../src/mpc/secure/activation.ts';
import { isNegative, select } from '../../src/mpc/secure/compare.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import type { PartyId } from '../../src/net/wire/types.ts';
import { OpenParameters } from '../../src/session/open-parameters.ts';
import { OwnerSeeds, SharedParameters, maskParameter } from '../../src/session/secret-parameters.ts';
import { Random, same } from '../compute/kernels.suite.ts';
import { TINY } from '../ml/tiny-bert.ts';
import { type Message, type SimulationOptions, noParameters, record, seeded } from '../support/simulate.ts';
import { openTestDevice } from './swiftshader.ts';

const webgpu = await createWebGpuKernels(await openTestDevice());
afterAll(() => webgpu.close());
const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });

/** Random weights, twelve times as large as usual so that rows of 8 have some variance. */
const source: WeightSource = randomWeights(TINY, 3);
const lively: WeightSource = {
  ...source,
  tensor: async (name) => (await source.tensor(name)).map((v) => (name.includes('Gamma') ? v : 12 * v)),
};
const SEEDS = [seeded(32, 5, 51), seeded(32, 5, 52)] as const;

type Views = NonNullable<SimulationOptions['parameters']>;

async function openViews(kernels: RingKernels): Promise<Views> {
  const view = await OpenParameters.load(lively, kernels);
  return (id) => (id === 0 ? noParameters : view);
}

async function secretViews(kernels: RingKernels): Promise<Views> {
  const encode = parameterEncoder(lively);
  const names = listParameters(TINY).map(({ name }) => name);
  const read = async (parameter: Parameters<typeof encode>[0]): Promise<BigUint64Array> =>
    (await maskParameter(wasm, SEEDS, names.indexOf(parameter.name), wordsFrom(await encode(parameter), 64)))
      .data as BigUint64Array;
  const [one, two] = [
    await SharedParameters.load(1, TINY, SEEDS[0], read, kernels),
    await SharedParameters.load(2, TINY, SEEDS[1], read, kernels),
  ];
  return (id) => (id === 0 ? new OwnerSeeds(TINY, Uint8Array.from([...SEEDS[0], ...SEEDS[1]])) : id === 1 ? one : two);
}

/** Messages link by link: parties run side by side, so only the order on each link is determined. */
function byLink(messages: readonly Message[]): Map<string, Message[]> {
  const links = new Map<string, Message[]>();
  for (const message of messages) {
    const key = `${message.from} → ${message.to}`;
    links.set(key, [...(links.get(key) ?? []), message]);
  }
  return links;
}

type Run = Awaited<ReturnType<typeof record>>;

function sameRun(got: Run, want: Run): void {
  for (const [name, words] of want.simulation.outputs) same(got.simulation.outputs.get(name) as Words, words);
  const [links, expected] = [byLink(got.messages), byLink(want.messages)];
  expect([...links.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [link, messages] of expected) {
    expect(links.get(link)?.map(({ tag }) => tag)).toEqual(messages.map(({ tag }) => tag));
    for (const [i, { bytes }] of (links.get(link) ?? []).entries()) same(bytes, messages[i].bytes);
  }
}

describe('three parties on WebGPU kernels', () => {
  const ids = [2, 9, 4, 17, 3];
  const inputs: Inputs = { tensors: { [ROWS]: wordsFrom([0, 0, 1, 0, 0], 64) }, indices: { [TOKENS]: ids } };

  it.each(['open', 'secret'] as const)(
    'a small BERT with %s weights: all messages and logits as with wasm, and no vector left',
    async (weights) => {
      const views = weights === 'open' ? openViews : secretViews;
      const plan = await modelPlan(lively, SEMI_HONEST.truncation);
      const build = (g: Gates) =>
        buildModel(
          g,
          { config: TINY, plan, sequences: 1, tokens: ids.length, rows: 1, padded: false, pair: false, steps: 0 },
          0,
        );
      const before = webgpu.describe();
      const got = await record(build, inputs, {
        weights,
        kernels: () => webgpu,
        parameters: await views(webgpu),
        seed: 9,
      });
      const after = webgpu.describe();
      sameRun(
        got,
        await record(build, inputs, { weights, kernels: () => wasm, parameters: await views(wasm), seed: 9 }),
      );
      expect(got.simulation.outputs.get(LOGITS)?.data.length).toBe(TINY.vocabSize);
      for (const { kernels } of got.simulation.engines) expect((kernels as typeof webgpu).describe().vectors).toBe(0);
      // Read-backs are shared: fewer than there are messages.
      expect(after.readbacks - before.readbacks).toBeLessThan(got.messages.length);
    },
  );

  it('mixed backends understand each other, whoever has which', async () => {
    const random = new Random(8);
    const build = (g: Gates): void => {
      const x = g.input('x', [6], 64, 20);
      const y = g.truncate(g.mul(x, x), 20, 64);
      g.output('gelu', secureGelu(g, g.scale(x, 4096n), 'narrow'));
      g.output('out', select(g, isNegative(g, g.reduce(x, 25)), x, y));
      g.output('mean', g.mul(g.means(g.reshape(x, [2, 3]), 24), g.reshape(y, [2, 3])));
    };
    const given: Inputs = {
      tensors: {
        x: wordsFrom(
          Array.from({ length: 6 }, () => random.word(22) - 2n ** 21n),
          64,
        ),
      },
      indices: {},
    };
    const want = await record(build, given, { seed: 4, kernels: () => new ReferenceKernels() });
    for (const kinds of [
      [webgpu, webgpu, webgpu],
      [wasm, webgpu, wasm],
      [webgpu, wasm, new ReferenceKernels()],
    ] as RingKernels[][]) {
      sameRun(await record(build, given, { seed: 4, kernels: (id: PartyId) => kinds[id] }), want);
    }
  });
});
