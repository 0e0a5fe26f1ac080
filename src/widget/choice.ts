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

/** Options of the SDK that a tag does not have; `top-k` and `topK` are the same name to a reader. */
const ELSEWHERE =
  /^(?:protocol|security\w*|differentialprivacy\w*|privacy\w*|weights|credential|dealer|plan|transport\w*|hub|buckets|topk|topp|temperature|labels|targets|template|hypothesistemplate|multilabel|pooling|normalize|maxnewtokens|maxlength|maxanswerlength|seed|stop)$/;

/**
 * The device that a tag asks for. A tag that asks for more than a tag can have, above all for more security, gets
 * nothing rather than less.
 * @throws {TercetError} ERR_ARGUMENT
 */
export function deviceOf({ device, attributes }: Pick<Setup, 'device' | 'attributes'>): 'auto' | Device {
  const asked = attributes.find((name) => ELSEWHERE.test(name.replaceAll(/[_-]/g, '').toLowerCase()));
  if (asked !== undefined)
    throw new TercetError(
      'ERR_ARGUMENT',
      `<tercet-infer> has no attribute ${asked}, and drops none that asks for something`,
      'leave it out, or use the SDK in a page of your own',
    );
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
