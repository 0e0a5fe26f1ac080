/** Several plans in as few runs as asked for: in order, each run padded to its longest text. */
import { inParts } from '../ml/tasks/batch.ts';
import { checkBatchSize } from './batch-size.ts';
import type { ModelContext } from './model-context.ts';
import { type TaskPlan, joinPlans } from './predict-plan.ts';
import { type ShapeContext, checkRoom, roomFor } from './room.ts';
import { type Runner, paddedTokens } from './runner.ts';
import type { RunCost } from './types/index.ts';

export interface Batched<R> {
  readonly results: R[];
  /** Of every run. */
  readonly costs: RunCost[];
}

/**
 * The plans of each run, in order. Sends nothing.
 * @param size plans in one run, or fewer where the parties take no more
 * @throws {TercetError} ERR_ARGUMENT for a size that is none, and for a plan that no run takes; ERR_TOO_MANY_TOKENS
 */
export function intoRuns<R>(context: ShapeContext, plans: readonly TaskPlan<R>[], size: number): TaskPlan<R>[][] {
  return inParts(plans, checkBatchSize(size)).flatMap((part) => {
    const { inputs, decoder } = joinPlans(part);
    const tokens = paddedTokens(context, inputs, decoder?.steps ?? 0);
    const perPlan = Math.max(...part.map((plan) => plan.inputs.length));
    // One sequence is always taken.
    if (perPlan > 1) checkRoom(context, perPlan, tokens);
    return inParts(part, Math.max(1, Math.floor(roomFor(context, tokens) / perPlan)));
  });
}

/** @param size as of this call; else as of the model. Everything is checked before the first run. */
export async function runBatches<R>(
  runner: Runner<ModelContext>,
  plans: readonly TaskPlan<R>[],
  size: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Batched<R>> {
  const results: R[] = [];
  const costs: RunCost[] = [];
  for (const part of intoRuns(runner.context, plans, size ?? runner.context.batchSize)) {
    const { value, cost } = await runner.run(joinPlans(part), { signal });
    results.push(...value);
    costs.push(cost);
  }
  return { results, costs };
}
