/** The circuit of a model, by its architecture. */
import type { Gates } from '../../mpc/secure/gates.ts';
import { buildEncoder } from './encoder-secure.ts';
import { buildPrompt, buildStep } from './gpt2-secure.ts';
import type { BuildParts, ModelRun } from './run.ts';

/**
 * Step 0: the whole text. Steps 1 … run.steps: one more token each, for a causal language model. In parts: the same
 * circuit, whoever pauses between them.
 */
export function modelParts(gates: Gates, run: ModelRun, step: number): BuildParts {
  if (run.config.modelType !== 'gpt2') return buildEncoder(gates, run);
  return step === 0 ? buildPrompt(gates, run) : buildStep(gates, run, step);
}

/** All parts at once. */
export function buildModel(gates: Gates, run: ModelRun, step: number): void {
  const parts = modelParts(gates, run, step);
  while (parts.next().done !== true);
}
