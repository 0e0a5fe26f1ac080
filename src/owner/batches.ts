/** Several plans in as few runs as asked for: in order, each run padded to its longest text. */
import { inParts } from '../ml/tasks/batch.ts';
import { checkBatchSize } from './batch-size.ts';
import { type TaskPlan, joinPlans } from './predict-plan.ts';
import { checkRoom, roomFor } from './room.ts';
import { type Runner, paddedTokens } from './runner.ts';
import type { RunCost } from './types/index.ts';

export interface Batched<R> {
  readonly results: R[];
  /** Of every run. */
  readonly costs: RunCost[];
}

/** @param size plans in one run, or fewer where the parties take no more. Everything is checked before the first run. */
export async function runBatches<R>(
  runner: Runner,
  plans: readonly TaskPlan<R>[],
  size: number,
  signal: AbortSignal | undefined,
): Promise<Batched<R>> {
  const { context } = runner;
  const parts = inParts(plans, checkBatchSize(size)).flatMap((part) => {
    const { inputs } = joinPlans(part);
    const tokens = paddedTokens(context, inputs, 0);
    const perPlan = Math.max(...part.map((plan) => plan.inputs.length));
    checkRoom(context, perPlan, tokens);
    return inParts(part, Math.floor(roomFor(context, tokens) / perPlan));
  });
  const results: R[] = [];
  const costs: RunCost[] = [];
  for (const part of parts) {
    const { value, cost } = await runner.run(joinPlans(part), { signal });
    results.push(...value);
    costs.push(cost);
  }
  return { results, costs };
}
