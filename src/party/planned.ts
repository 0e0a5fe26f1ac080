/** The public plan of a model in Node: with its tokenizer and the sample texts, where its weights alone prove no ranges. */
import { measuredPlan, provedPlan } from '../ml/measured-ranges.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import type { WeightSource } from '../ml/models/weights.ts';
import { SAMPLE_TEXTS } from '../ml/sample-texts.ts';
import { loadTokenizer } from '../ml/tokenizers/tokenizer.ts';
import { defaultThreads } from './defaults.ts';
import type { OpenedModel } from './model.ts';
import { wasmKernels } from './node-kernels.ts';

/** @throws {TercetError} ERR_RANGE when no gadget is wide enough for the model. */
export async function planOf({ files }: OpenedModel, source: WeightSource): Promise<ModelPlan> {
  const proved = await provedPlan(source);
  if (proved !== undefined) return proved;
  const tokenizer = files === undefined ? undefined : await loadTokenizer(files);
  const texts = tokenizer === undefined ? [] : SAMPLE_TEXTS.map((text) => tokenizer.encode(text, { allowMask: false }).ids);
  // Whatever a party computes on, it measures with the same kernels as the other one.
  const kernels = await wasmKernels(defaultThreads());
  try {
    return await measuredPlan(source, { texts, matmul: (a, b, m, k, n) => kernels.matmulF32(a, b, m, k, n) });
  } finally {
    await kernels.close();
  }
}
