/**
 * The public plan of a model in Node: with its tokenizer and the sample texts, where its weights alone prove no
 * ranges.
 */
import { MAX_ATTENTION } from '../mpc/secure/attention.ts';
import { measuredPlan, provedPlan } from '../ml/measured-ranges.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import type { WeightSource } from '../ml/models/weights.ts';
import { sampleTexts } from '../ml/sample-texts.ts';
import { loadTokenizer } from '../ml/tokenizers/tokenizer.ts';
import { defaultThreads } from './defaults.ts';
import type { OpenedModel } from './model.ts';
import { wasmKernels } from './kernels.ts';

/**
 * Which gadgets a plan takes where its weights alone prove too little: the cheapest that hold the samples with room
 * to spare, or the widest that there are.
 */
export const RANGES = ['auto', 'wide'] as const;
export type Ranges = (typeof RANGES)[number];

/**
 * @param ranges `wide` refuses fewer texts and costs more; a plan that is proved has nothing to widen
 * @throws {TercetError} ERR_RANGE when no gadget is wide enough for the model.
 */
export async function planOf(
  { files, config }: Pick<OpenedModel, 'files' | 'config'>,
  source: WeightSource,
  ranges: Ranges = 'auto',
): Promise<ModelPlan> {
  const proved = await provedPlan(source);
  if (proved !== undefined) return proved;
  const tokenizer = files === undefined ? undefined : await loadTokenizer(files);
  const longest = Math.min(config.maxPositions, MAX_ATTENTION);
  const texts =
    tokenizer === undefined ? [] : sampleTexts((text) => tokenizer.encode(text, { allowMask: false }).ids, longest);
  // Whatever a party computes on, it measures with the same kernels as the other one.
  const kernels = await wasmKernels(defaultThreads());
  try {
    return await measuredPlan(source, {
      texts,
      matmul: (a, b, m, k, n) => kernels.matmulF32(a, b, m, k, n),
      wide: ranges === 'wide',
    });
  } finally {
    await kernels.close();
  }
}
