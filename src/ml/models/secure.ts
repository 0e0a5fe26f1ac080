/** The circuit of a model, by its architecture. */
import type { Gates } from '../../mpc/secure/gates.ts';
import { buildEncoder } from './encoder-secure.ts';
import { buildPrompt, buildStep } from './gpt2-secure.ts';
import type { ModelRun } from './run.ts';

/** Step 0: the whole text. Steps 1 … run.steps: one more token each, for a causal language model. */
export function buildModel(gates: Gates, run: ModelRun, step: number): void {
  if (run.config.modelType !== 'gpt2') buildEncoder(gates, run);
  else if (step === 0) buildPrompt(gates, run);
  else buildStep(gates, run, step);
}
