/** The circuit of a model, all parts at once: for costs and tests. Sessions pause between parts (`secure.ts`). */
import type { Gates } from '../../mpc/secure/gates.ts';
import { buildEncoder } from './encoder-secure.ts';
import { buildPrompt, buildStep } from './gpt2-secure.ts';
import type { ModelRun } from './run.ts';

/** @param step as of `modelParts` */
export function buildModel(gates: Gates, run: ModelRun, step: number): void {
  const causal = run.config.modelType === 'gpt2';
  const parts = !causal ? buildEncoder(gates, run) : step === 0 ? buildPrompt(gates, run) : buildStep(gates, run, step);
  while (parts.next().done !== true);
}
