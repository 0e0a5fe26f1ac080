/** What a compute party serves: open weights encoded from a model, or its part of secret weights. */
import type { RingKernels } from '../compute/kernels/types.ts';
import { bertPlan } from '../ml/ranges.ts';
import type { ServedModel } from '../session/compute.ts';
import { OpenParameters } from '../session/open-parameters.ts';
import { type ModelLocation, openModel } from './model.ts';
import { loadShares } from './shares.ts';

export async function loadServedModel(
  options: { readonly id: 1 | 2; readonly model: ModelLocation; readonly shares?: string },
  kernels: RingKernels,
): Promise<ServedModel> {
  const model = await openModel(options.model);
  // With shares, the model folder gives the configuration only; the weights are not read.
  if (options.shares !== undefined) return { config: model.config, ...(await loadShares(options.id, options.shares, model.config, kernels)) };
  const source = await model.weights();
  const plan = await bertPlan(source);
  const parameters = await OpenParameters.load(source, kernels);
  return { config: model.config, plan, hash: await model.hash(), parameters };
}
