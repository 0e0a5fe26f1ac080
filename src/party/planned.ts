/** The public plan of a model in Node: with its tokenizer and the sample texts, where its weights alone prove no ranges. */
import { SAMPLE_TEXTS } from '../ml/sample-texts.ts';
import { modelPlan } from '../ml/measured-ranges.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import type { WeightSource } from '../ml/models/weights.ts';
import { loadTokenizer } from '../ml/tokenizers/tokenizer.ts';
import type { OpenedModel } from './model.ts';

/** @throws {TercetError} ERR_RANGE when no gadget is wide enough for the model. */
export async function planOf({ files }: OpenedModel, source: WeightSource): Promise<ModelPlan> {
  if (files === undefined) return modelPlan(source);
  const tokenizer = await loadTokenizer(files);
  return modelPlan(source, { texts: SAMPLE_TEXTS.map((text) => tokenizer.encode(text, { allowMask: false }).ids) });
}
