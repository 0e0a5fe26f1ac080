/** A whole small BERT among three parties, at its declared cost and near the float model. Called once for each sharing. */
import { describe, expect, it } from 'vitest';
import { decodeFixed } from '../../src/compute/fixed-point.ts';
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { type Words, wordsFrom } from '../../src/compute/ring.ts';
import type { ModelConfig } from '../../src/ml/config.ts';
import { modelPlan } from '../../src/ml/measured-ranges.ts';
import { parameterEncoder } from '../../src/ml/models/folding.ts';
import { listParameters } from '../../src/ml/models/parameters.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import { LOGITS, OUTPUT_FORM, ROWS, TOKENS } from '../../src/ml/models/run.ts';
import { buildModel } from '../../src/ml/models/secure-at-once.ts';
import type { WeightSource } from '../../src/ml/models/weights.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import type { Parameter, TruncationModel } from '../../src/mpc/protocol/types.ts';
import type { Sharing } from '../../src/mpc/share/wire.ts';
import { OpenParameters } from '../../src/session/open-parameters.ts';
import { ownerInputs } from '../../src/session/inputs.ts';
import { OwnerSeeds, SharedParameters, maskParameter } from '../../src/session/secret-parameters.ts';
import { TINY, TINY_CLASSIFIER } from '../ml/tiny-bert.ts';
import { type SimulationOptions, measured, seeded } from '../support/simulate.ts';
import { checkCost } from './conformance.suite.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });

/**
 * Random weights twelve times as large as usual: with standard deviation 0.02, rows of 8 would fall below the
 * variance domain of `normalise`.
 */
function lively(config: ModelConfig): WeightSource {
  const source = randomWeights(config, 3);
  return {
    ...source,
    tensor: async (name) => (await source.tensor(name)).map((v) => (name.includes('Gamma') ? v : 12 * v)),
  };
}

const SEEDS = [seeded(32, 5, 51), seeded(32, 5, 52)] as const;

async function openViews(
  config: ModelConfig,
  kernels: RingKernels,
): Promise<NonNullable<SimulationOptions['parameters']>> {
  const source = lively(config);
  const view = await OpenParameters.load(source, kernels);
  // The data owner has no weights: any question for them is an error.
  const none = {
    weights: 'open' as const,
    matrix: () => Promise.reject(new Error('P0 has none')),
    words: () => Promise.reject(new Error('P0 has none')),
  };
  return (id) => (id === 0 ? none : view);
}

async function secretViews(
  config: ModelConfig,
  kernels: RingKernels,
): Promise<NonNullable<SimulationOptions['parameters']>> {
  const encode = parameterEncoder(lively(config));
  const numbers = listParameters(config).map(({ name }) => name);
  const read = async (parameter: Parameter): Promise<BigUint64Array> => {
    const clear: Words = wordsFrom(await encode(parameter), 64);
    return (await maskParameter(kernels, SEEDS, numbers.indexOf(parameter.name), clear)).data as BigUint64Array;
  };
  const [one, two] = [
    await SharedParameters.load(1, config, SEEDS[0], read, kernels),
    await SharedParameters.load(2, config, SEEDS[1], read, kernels),
  ];
  return (id) =>
    id === 0 ? new OwnerSeeds(config, Uint8Array.from([...SEEDS[0], ...SEEDS[1]])) : id === 1 ? one : two;
}

/** Logits of these models are of size 1; an error of the whole model is the sum of many declared ones. */
const LOGIT_ERROR = 0.005;

export function smallBert(
  sharing: Sharing,
  rounding: TruncationModel,
  error = LOGIT_ERROR,
  more: Pick<SimulationOptions, 'aby3'> = {},
): void {
  /** What the opening adds: with secret weights it rounds to 2^-10, by as many coins as the protocol has. */
  const opening = (weights: 'open' | 'secret') => (weights === 'open' ? 0 : rounding.maxErrorUlp * 2 ** -10);
  describe(`a small BERT among three parties, ${sharing} sharing${more.aby3 === true ? ', symmetric' : ''}`, () => {
    for (const [name, config] of [
      ['fill-mask', TINY],
      ['classification', TINY_CLASSIFIER],
    ] as const) {
      for (const weights of ['open', 'secret'] as const) {
        it(`${name} with ${weights} weights: bytes on every link and rounds as declared, logits within ${error} of float`, async () => {
          const source = lively(config);
          const mlm = config.head === 'masked-lm';
          const ids = [2, 9, 4, 17, 3];
          const shape = { sequences: 1, tokens: ids.length, rows: mlm ? 1 : 0, padded: false, pair: false, steps: 0 };
          const run = { ...shape, config, plan: await modelPlan(source, rounding) };
          const result = await measured(
            (g) => buildModel(g, run, 0),
            { tensors: { [ROWS]: wordsFrom([0, 0, 1, 0, 0], 64) }, indices: { [TOKENS]: ids } },
            {
              ...{ sharing, ...more },
              weights,
              kernels: () => wasm,
              parameters: await (weights === 'open' ? openViews : secretViews)(config, wasm),
              seed: 9,
            },
          );
          checkCost(result, `${name} ${weights}`);
          const want = await runFloat(source, ids, mlm ? { positions: [2] } : {});
          const got = decodeFixed(result.outputs.get(LOGITS) as Words, OUTPUT_FORM[weights].scale);
          expect(got.length).toBe(want.logits.length);
          // What opens of secret weights is a multiple of 2^-10, and what is sent for it has no bits below.
          expect(result.outputs.get(LOGITS)?.k).toBe(OUTPUT_FORM[weights].k);
          expect(
            got.every((v) => Number.isInteger(v * 1024)),
            'multiples of 2^-10',
          ).toBe(weights === 'secret');
          const worst = Math.max(...got.map((v, i) => Math.abs(v - want.logits[i])));
          expect(worst, `largest logit error ${worst}`).toBeLessThan(error + opening(weights));
          // With padding behind it, whose length nobody is told, the same text has the same logits, and the cost is
          // declared as well.
          const long = await measured(
            (g) => buildModel(g, { ...run, tokens: 8, padded: true }, 0),
            ownerInputs([{ inputIds: ids, rows: mlm ? [2] : [] }], { ...shape, tokens: 8, padded: true }, config),
            {
              ...{ sharing, ...more },
              weights,
              kernels: () => wasm,
              parameters: await (weights === 'open' ? openViews : secretViews)(config, wasm),
              seed: 10,
            },
          );
          checkCost(long, `${name} ${weights}, padded`);
          const same = decodeFixed(long.outputs.get(LOGITS) as Words, OUTPUT_FORM[weights].scale);
          expect(Math.max(...same.map((v, i) => Math.abs(v - want.logits[i])))).toBeLessThan(error + opening(weights));
          // Positive control of the tolerance: another text moves the logits further than it.
          const other = await runFloat(source, [2, 5, 4, 1, 3], mlm ? { positions: [2] } : {});
          expect(Math.max(...got.map((v, i) => Math.abs(v - other.logits[i])))).toBeGreaterThan(
            error + opening(weights),
          );
        });
      }
    }
  });
}
