/** What a model can be asked, by its task. */
import { TercetError } from '../core/errors.ts';
import type { Model, Task } from './types/index.ts';

/** Methods of a model that run it: the one list, which the compiler holds the options and the worker's port to. */
export type Method = keyof Pick<
  Model,
  'predict' | 'classify' | 'classifyBatch' | 'answerQuestion' | 'extractEntities' | 'generate' | 'embed'
>;
/** Those that resolve to a result at once, not in pieces. */
export type RunMethod = Exclude<Method, 'generate'>;

const METHODS: Readonly<Record<Task, readonly Method[]>> = {
  'fill-mask': ['predict', 'classify', 'classifyBatch'],
  'text-classification': ['classify', 'classifyBatch'],
  'question-answering': ['answerQuestion'],
  'token-classification': ['extractEntities'],
  'text-generation': ['generate'],
  'feature-extraction': ['embed'],
};

/** @throws {TercetError} ERR_MODEL_UNSUPPORTED, naming what the model can do. */
export function checkMethod(id: string, task: Task, method: Method): void {
  const methods = METHODS[task];
  if (methods.includes(method)) return;
  throw new TercetError(
    'ERR_MODEL_UNSUPPORTED',
    `${id} is a model for ${task}, which has no ${method}`,
    `call ${methods.join(' or ')}, or choose another model`,
  );
}
