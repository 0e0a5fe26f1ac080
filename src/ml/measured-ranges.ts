/**
 * Ranges measured on sample texts, for checkpoints whose weights alone do not bound them.
 *
 * Norm bounds are worst cases over all inputs, and deep trained models exceed them by far more than any text does (a bilinear form of attention is bounded by
 * √C·√C times its norm, which no two rows reach). So where the proof fails, the float model runs on sample inputs, and what it shows is widened by a
 * margin. This is a calibration, not a proof: a text that goes beyond the margin would be answered wrongly and nobody would notice. It breaks no privacy. The plan says
 * which of the two it is (`basis`), and so does everything that shows it.
 */
import { TercetError } from '../core/errors.ts';
import { MAX_ATTENTION } from '../mpc/secure/attention.ts';
import type { ModelPlan } from './models/plan.ts';
import type { WeightSource } from './models/weights.ts';
import { type ModelRanges, planFromRanges, provedRanges } from './ranges.ts';
import type { ActivationKind } from './reference/options.ts';
import type { Matmul } from './reference/math.ts';
import { runFloat } from './reference/float.ts';

/** How much further than the samples a text may go; its square for variances. */
export const RANGE_MARGIN = 3;
/** Lengths of the sample inputs. */
const SAMPLE_TOKENS = [16, 64, 128] as const;
const SAMPLES_EACH = 2;
/** What was only measured gets a gadget that saturates: bounds below this would take the narrow one, which wraps (design notes §14.5). */
const SATURATING = 8;
/** Smallest margin that is left when a domain is full. */
const LEAST_MARGIN = 1.5;

/** Token indices of sample s, spread over the whole vocabulary: rare pieces among them, whose rows are the unusual ones. */
function sampleIds(vocabSize: number, length: number, s: number): number[] {
  const golden = (Math.sqrt(5) - 1) / 2;
  return Array.from({ length }, (_, i) => Math.floor((((s * 1009 + i) * golden) % 1) * vocabSize));
}

/**
 * Measures ranges on sample inputs, times `margin`.
 * @param texts token indices of real texts, where there is a tokenizer
 */
export async function measuredRanges(source: WeightSource, margin: number, texts: readonly (readonly number[])[] = [], matmul?: Matmul): Promise<ModelRanges> {
  const { config } = source;
  const layers = config.layers;
  const largest = new Map<string, number>();
  const norms = new Map<number, number>();
  const note = (key: string, value: number) => largest.set(key, Math.max(largest.get(key) ?? 0, value));
  const longest = Math.min(config.maxPositions, MAX_ATTENTION);
  const lengths = [...new Set(SAMPLE_TOKENS.map((length) => Math.min(length, longest)))];
  const samples = lengths.flatMap((length) => Array.from({ length: SAMPLES_EACH }, (_, s) => sampleIds(config.vocabSize, length, s)));
  for (const ids of [...samples, ...texts.map((text) => text.slice(0, longest))]) {
    norms.clear();
    await runFloat(source, ids, {
      ...(config.head === 'masked-lm' || config.head === 'causal-lm' ? { positions: [ids.length - 1] } : {}),
      ...(matmul === undefined ? {} : { matmul }),
      onActivation: (kind, layer, max) => {
        if (kind !== 'variance') return note(`${kind} ${layer}`, max);
        const seen = norms.get(layer) ?? 0;
        norms.set(layer, seen + 1);
        note(`variance ${layer} ${seen}`, max);
      },
    });
  }
  const at = (kind: ActivationKind, layer: number) => (largest.get(`${kind} ${layer}`) ?? 0) * margin;
  const variance = (layer: number, which = 0) => (largest.get(`variance ${layer} ${which}`) ?? 0) * margin ** 2;
  const each = (kind: ActivationKind) => Array.from({ length: layers }, (_, i) => at(kind, i));
  return {
    basis: 'measured',
    activation: each('gelu').map((bound) => Math.max(bound, SATURATING)),
    headActivation: Math.max(at('gelu', layers), at('tanh', layers), config.head === 'masked-lm' ? SATURATING : 0),
    spread: each('score-spread'),
    value: each('value'),
    variance: Array.from({ length: 2 * layers }, (_, i) => variance(i >> 1, i & 1)),
    embeddingVariance: config.modelType === 'gpt2' ? 0 : variance(-1),
    headVariance: variance(layers),
    logit: at('logit', layers),
  };
}

/** What the plan of a model is measured with. */
export interface Samples {
  /** Token indices of real texts, where there is a tokenizer. */
  readonly texts?: readonly (readonly number[])[];
  /** Must give every party the same sums. */
  readonly matmul?: Matmul;
}

/** The plan that the weights alone prove, for every text; undefined where they prove too little. */
export async function provedPlan(source: WeightSource): Promise<ModelPlan | undefined> {
  return fitting(async () => planFromRanges(source.config, await provedRanges(source)));
}

/**
 * The plan by measured ranges.
 * @throws {TercetError} ERR_RANGE when what was measured does not fit even with the least margin.
 */
export async function measuredPlan(source: WeightSource, { texts = [], matmul }: Samples = {}): Promise<ModelPlan> {
  const plan = async (margin: number) => planFromRanges(source.config, await measuredRanges(source, margin, texts, matmul));
  return (await fitting(() => plan(RANGE_MARGIN))) ?? plan(LEAST_MARGIN);
}

/** The public plan of a model: proved where its weights allow it, else measured. @throws as measuredPlan */
export async function modelPlan(source: WeightSource, samples?: Samples): Promise<ModelPlan> {
  return (await provedPlan(source)) ?? measuredPlan(source, samples);
}

async function fitting(plan: () => Promise<ModelPlan>): Promise<ModelPlan | undefined> {
  try {
    return await plan();
  } catch (error) {
    if (error instanceof TercetError && error.code === 'ERR_RANGE') return undefined;
    throw error;
  }
}
