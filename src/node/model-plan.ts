/**
 * The public plan of a model in Node: with its tokenizer and the sample texts, where its weights alone prove no
 * ranges. The proof is computed at every start; what samples show is measured once (`measurements.ts`).
 */
import { createHash } from 'node:crypto';
import type { Fold } from '../compute/fold.ts';
import { TercetError } from '../core/errors.ts';
import { MEASUREMENT, type MeasuredRanges, checkedPlan } from '../ml/checked-plan.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import type { WeightSource } from '../ml/models/weights.ts';
import { type ModelRanges, provedPlan, provedRanges } from '../ml/ranges.ts';
import { tokenizerFiles } from '../ml/tokenizers/source.ts';
import { COMPLETE_ROUNDING } from '../mpc/protocol/malicious/rounding.ts';
import { SEMI_HONEST } from '../mpc/protocol/registry.ts';
import { MAX_ATTENTION } from '../mpc/secure/attention-form.ts';
import type { Reading } from '../mpc/secure/measure.ts';
import { type Ranges, defaultThreads } from './defaults.ts';
import { type Measurements, measurementsIn } from './measurements.ts';
import type { OpenedModel } from './model.ts';
import { wasmFold, wasmKernels } from './kernels.ts';

export interface PlanningOptions {
  /** `wide` refuses fewer texts and costs more; a plan that is proved has nothing to widen. */
  readonly ranges?: Ranges | undefined;
  readonly fold?: Fold | undefined;
  /** How the protocol reads that the plan is for: that of `3pc_semi_honest` when absent. */
  readonly reading?: Reading | undefined;
  /** What the weights prove, where it is known: the same as `provedRanges` of them. */
  readonly reach?: ModelRanges | undefined;
  /** Where measurements are kept; in the cache of this user when absent. */
  readonly measurements?: Measurements | undefined;
}

type Planned = Pick<OpenedModel, 'files' | 'config' | 'hash'>;

/** The plans of a model, by the protocol that computes it. */
export interface Plans {
  readonly plan: ModelPlan;
  /** For `3pc_malicious`, which rounds otherwise; undefined where no gadget is wide enough for it. */
  readonly provedPlan: ModelPlan | undefined;
}

/** @throws {TercetError} ERR_RANGE when no gadget is wide enough for the model. */
export async function planOf(model: Planned, source: WeightSource, options: PlanningOptions = {}): Promise<ModelPlan> {
  const planned = await planner(model, source, options);
  return planned(options.reading ?? SEMI_HONEST.truncation);
}

/** Both plans; samples are measured once. @throws {TercetError} ERR_RANGE as `planOf` */
export async function plansOf(
  model: Planned,
  source: WeightSource,
  options: Omit<PlanningOptions, 'reading'> = {},
): Promise<Plans> {
  const planned = await planner(model, source, options);
  const plan = await planned(SEMI_HONEST.truncation);
  const provedPlan = await planned(COMPLETE_ROUNDING).catch((error: unknown) => {
    if (error instanceof TercetError && error.code === 'ERR_RANGE') return undefined;
    throw error;
  });
  return { plan, provedPlan };
}

/** Plans a model for one protocol after the other. */
async function planner(
  model: Planned,
  source: WeightSource,
  { ranges = 'auto', fold, reach: known, measurements = measurementsIn() }: PlanningOptions,
): Promise<(reading: Reading) => Promise<ModelPlan>> {
  const { config } = model;
  const reach = known ?? (await provedRanges(source, fold ?? (await wasmFold())));
  // Of what one plan was made the next is: a protocol that has none does not measure again at every start.
  let good: MeasuredRanges | undefined;
  return async (reading) => {
    const proved = provedPlan(config, reach, reading);
    if (proved !== undefined) return proved;
    const plan = (measured: MeasuredRanges) =>
      checkedPlan(config, reach, measured, reading, { wide: ranges === 'wide' });
    if (good !== undefined) return plan(good);
    const key = await keyOf(model);
    const before = key === undefined ? undefined : await measurements.read(key, config);
    const kept = before === undefined ? undefined : unlessTooFar(() => plan(before));
    if (kept !== undefined) {
      good = before;
      return kept;
    }
    good = await measure(model, source);
    if (key !== undefined) await measurements.write(key, good);
    return plan(good);
  };
}

/** A measurement that leaves no plan is made again before it refuses a model. */
function unlessTooFar(plan: () => ModelPlan): ModelPlan | undefined {
  try {
    return plan();
  } catch (error) {
    if (error instanceof TercetError && error.code === 'ERR_RANGE') return undefined;
    throw error;
  }
}

/** All that a measurement depends on; undefined for random weights, which are made for one run. */
async function keyOf({ files, hash }: Planned): Promise<string | undefined> {
  if (files === undefined) return undefined;
  const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
  const tokenizer: string[] = [];
  for (const file of await tokenizerFiles(files)) tokenizer.push(file, sha256(await files.read(file)));
  return sha256(JSON.stringify([MEASUREMENT, await hash(), tokenizer]));
}

async function measure({ files, config }: Planned, source: WeightSource): Promise<MeasuredRanges> {
  // Once for each model: a later start loads none of this.
  const [{ measuredRanges }, { sampleTexts }, { loadTokenizer }] = await Promise.all([
    import('../ml/measured-ranges.ts'),
    import('../ml/sample-texts.ts'),
    import('../ml/tokenizers/tokenizer.ts'),
  ]);
  const tokenizer = files === undefined ? undefined : await loadTokenizer(files);
  const longest = Math.min(config.maxPositions, MAX_ATTENTION);
  const texts =
    tokenizer === undefined ? [] : sampleTexts((text) => tokenizer.encode(text, { allowMask: false }).ids, longest);
  // Whatever a party computes on, it measures with the same kernels as the other one.
  const kernels = await wasmKernels(defaultThreads());
  try {
    return await measuredRanges(source, texts, (a, b, m, k, n) => kernels.matmulF32(a, b, m, k, n));
  } finally {
    await kernels.close();
  }
}
