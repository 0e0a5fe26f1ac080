/** Several jobs in as few runs as asked for: in order, each run padded to its longest text. */
import { inParts } from '../ml/tasks/batch.ts';
import { checkBatchSize } from './batch-size.ts';
import type { TaskPlan } from './predict-plan.ts';
import { checkRoom, roomFor } from './room.ts';
import { type Runner, paddedTokens } from './runner.ts';
import type { RunCost } from './types/index.ts';

export interface Batched<R> {
  readonly results: R[];
  /** Of every run. */
  readonly costs: RunCost[];
}

/** @param size jobs in one run, or fewer where the parties take no more. Everything is checked before the first run. */
export async function runBatches<R>(
  runner: Runner,
  jobs: readonly TaskPlan<R>[],
  size: number,
  signal: AbortSignal | undefined,
): Promise<Batched<R>> {
  const { loaded } = runner;
  const parts = inParts(jobs, checkBatchSize(size)).flatMap((part) => {
    const inputs = part.flatMap((job) => job.inputs);
    const tokens = paddedTokens(loaded, inputs, 0);
    const perJob = Math.max(...part.map((job) => job.inputs.length));
    checkRoom(loaded, perJob, tokens);
    return inParts(part, Math.floor(roomFor(loaded, tokens) / perJob));
  });
  const results: R[] = [];
  const costs: RunCost[] = [];
  for (const part of parts) {
    const { value, cost } = await runner.run({
      inputs: part.flatMap((job) => job.inputs),
      start: loaded.environment.now(),
      signal,
      finish: (outputs) => answers(part, outputs),
    });
    results.push(...value);
    costs.push(cost);
  }
  return { results, costs };
}

/** Outputs of a run → the answer of every job. */
function answers<R>(jobs: readonly TaskPlan<R>[], outputs: readonly Float32Array[]): R[] {
  let at = 0;
  return jobs.map((job) => {
    const from = at;
    at += job.inputs.length;
    return job.finish(outputs.slice(from, at));
  });
}
