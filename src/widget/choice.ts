/** Which model, task and device a tag names. */
import { JOBS } from '../app/copy.ts';
import { type TaskKind, modelTask } from '../app/form.ts';
import { TercetError } from '../core/errors.ts';
import { taskNamed } from '../ml/tasks/table.ts';
import type { Deployment, Device, ModelEntry } from '../owner/types/index.ts';
import type { Setup } from './messages.ts';

/** @throws {TercetError} ERR_MODEL_NOT_FOUND: nothing else is put in the place of what a tag names */
export function chosen(
  { model, task }: Pick<Setup, 'model' | 'task'>,
  { entries }: Pick<Deployment, 'entries'>,
): { readonly task: TaskKind; readonly model: ModelEntry } {
  // By any of its names: `ner`, `sentiment-analysis`, `embeddings`.
  const job = JOBS.find((name) => name === taskNamed(task));
  const found = entries.find(
    (entry) =>
      (model === '' || entry.id === model) && (task === '' || (job !== undefined && entry.task === modelTask(job))),
  );
  if (found === undefined)
    throw new TercetError(
      'ERR_MODEL_NOT_FOUND',
      'the deployment serves no such model for this task',
      'name a model and a task of its tercet.json',
    );
  return { task: job ?? found.task, model: found };
}

/** @throws {TercetError} ERR_ARGUMENT */
export function deviceOf({ device }: Setup): 'auto' | Device {
  if (device === '' || device === 'auto') return 'auto';
  if (device === 'webgpu' || device === 'wasm') return device;
  throw new TercetError('ERR_ARGUMENT', 'there is no such device', "use 'auto', 'webgpu' or 'wasm'");
}

/**
 * Whether a tag names the deployment of another server than the frame's own. SECURITY: who names the parties can read
 * the text. test/widget/guards.test.ts, e2e/widget-hostile.spec.ts.
 */
export function isForeign(deployment: string, own: string): boolean {
  return deployment !== own;
}
