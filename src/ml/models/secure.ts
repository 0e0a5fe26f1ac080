/** The circuit of a model, by its architecture. */
import type { Gates } from '../../mpc/secure/gates.ts';
import { buildEncoder } from './encoder-secure.ts';
import type { BuildParts, ModelRun } from './run.ts';

/**
 * Step 0: the whole text. Steps 1 … run.steps: one more token each, for a causal language model. In parts: the same
 * circuit, whoever pauses between them. A page loads the causal architecture when a model has it.
 */
export async function modelParts(gates: Gates, run: ModelRun, step: number): Promise<BuildParts> {
  if (run.config.modelType !== 'gpt2') return buildEncoder(gates, run);
  const { buildPrompt, buildStep } = await import('./gpt2-secure.ts');
  return step === 0 ? buildPrompt(gates, run) : buildStep(gates, run, step);
}
