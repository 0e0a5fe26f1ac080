/**
 * Ranges measured on sample texts, for checkpoints whose weights alone do not bound them.
 *
 * Norm bounds are worst cases over all inputs, and deep trained models exceed them by far more than any text does
 * (a bilinear form of attention is bounded by √C·√C times its norm, which no two rows reach). So where the proof
 * fails, the float model runs on samples, and gadgets are taken that hold what it shows with room to spare. A text
 * that goes further is found by a check, and refused (`checked-plan.ts`).
 */
import { MAX_ATTENTION } from '../mpc/secure/attention-form.ts';
import type { Reading } from '../mpc/secure/measure.ts';
import { type MeasuredRanges, checkedPlan } from './checked-plan.ts';
import { lockstep } from './lockstep.ts';
import type { ModelPlan } from './models/plan.ts';
import type { WeightSource } from './models/weights.ts';
import { provedPlan, provedRanges } from './ranges.ts';
import type { ActivationKind } from './reference/options.ts';
import type { Matmul } from './reference/math.ts';
import { runFloat } from './reference/float.ts';

/** Tokens of the samples of token indices; 0 is the model's full length. */
const SAMPLE_TOKENS = [16, 0] as const;
/**
 * Tokens of the samples that repeat one token, take the first ones of the vocabulary (where control tokens are),
 * and take any.
 */
const OTHER_TOKENS = 64;

/**
 * Token indices spread over the whole vocabulary: rare pieces and control tokens among them, whose rows are the
 * unusual ones.
 */
function spreadIds(vocabSize: number, length: number): number[] {
  const golden = (Math.sqrt(5) - 1) / 2;
  return Array.from({ length }, (_, i) => Math.floor(((i * golden) % 1) * vocabSize));
}

/** Indices in no order: a linear congruence, the same at every party. */
function randomIds(vocabSize: number, length: number): number[] {
  let state = 20261127;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * vocabSize);
  });
}

/** Samples of token indices, for any model: spread over the vocabulary, at random, one token repeated. */
function indexSamples(vocabSize: number, longest: number): number[][] {
  const spread = SAMPLE_TOKENS.map((length) =>
    spreadIds(vocabSize, length === 0 ? longest : Math.min(length, longest)),
  );
  const length = Math.min(OTHER_TOKENS, longest);
  const repeated = new Array<number>(length).fill(Math.floor(vocabSize / 3));
  const first = Array.from({ length }, (_, i) => i % vocabSize);
  return [...spread, randomIds(vocabSize, length), repeated, first];
}

/**
 * Measures ranges on samples.
 * @param texts token indices of real texts, where there is a tokenizer
 */
export async function measuredRanges(
  source: WeightSource,
  texts: readonly (readonly number[])[] = [],
  matmul?: Matmul,
): Promise<MeasuredRanges> {
  const { config } = source;
  const { layers } = config;
  const largest = new Map<string, number>();
  const least = new Map<string, number>();
  const longest = Math.min(config.maxPositions, MAX_ATTENTION);
  const samples = [...indexSamples(config.vocabSize, longest), ...texts.map((text) => text.slice(0, longest))];
  // All samples at once, each weight read for all of them.
  const { source: shared, transpose } = lockstep(source, samples.length);
  const measure = (ids: readonly number[]) => {
    const norms = new Map<string, number>();
    return runFloat(shared, ids, {
      positions: config.head === 'masked-lm' || config.head === 'causal-lm' ? [0, ids.length - 1] : undefined,
      matmul,
      transpose,
      onActivation: (kind, layer, value) => {
        // Two LayerNorms of a layer are told of one after the other.
        const call = kind === 'variance' || kind === 'least-variance' ? (norms.get(`${kind} ${layer}`) ?? 0) : 0;
        norms.set(`${kind} ${layer}`, call + 1);
        const key = `${kind} ${layer} ${call}`;
        if (kind === 'least-variance') least.set(key, Math.min(least.get(key) ?? Number.POSITIVE_INFINITY, value));
        else largest.set(key, Math.max(largest.get(key) ?? 0, value));
      },
    });
  };
  await Promise.all(samples.map(measure));
  const at = (kind: ActivationKind, layer: number, call = 0) => largest.get(`${kind} ${layer} ${call}`) ?? 0;
  const leastAt = (layer: number, call = 0) => least.get(`least-variance ${layer} ${call}`) ?? 0;
  const each = (kind: ActivationKind) => Array.from({ length: layers }, (_, i) => at(kind, i));
  const eachNorm = (of: (layer: number, call: number) => number) =>
    Array.from({ length: 2 * layers }, (_, i) => of(i >> 1, i & 1));
  return {
    activation: each('gelu'),
    headActivation: Math.max(at('gelu', layers), at('tanh', layers)),
    spread: each('score-spread'),
    value: each('value'),
    variance: eachNorm((layer, call) => at('variance', layer, call)),
    leastVariance: eachNorm(leastAt),
    embeddingVariance: at('variance', -1),
    leastEmbeddingVariance: leastAt(-1),
    headVariance: at('variance', layers),
    leastHeadVariance: leastAt(layers),
    logit: at('logit', layers),
    sampled: Math.max(...samples.map(({ length }) => length)),
  };
}

/**
 * The public plan of a model, for those who have no tokenizer at hand: proved where its weights allow it, else
 * measured on token indices. A party takes `node/model-plan.ts`.
 * @param reading of the protocol that the plan is for: `rounding` of its gates
 * @throws {TercetError} ERR_RANGE when what was measured does not fit even with the least margin, or one step could
 * make the ring wrap.
 */
export async function modelPlan(source: WeightSource, reading: Reading): Promise<ModelPlan> {
  const reach = await provedRanges(source);
  const proved = provedPlan(source.config, reach, reading);
  return proved ?? checkedPlan(source.config, reach, await measuredRanges(source), reading);
}
