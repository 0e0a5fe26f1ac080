/** What a model can do, by its head. */
import { TercetError } from '../core/errors.ts';
import type { Head } from '../ml/config.ts';
import type { Model, Task } from './types/index.ts';

const TASK_OF: Readonly<Record<Head, Task>> = {
  'masked-lm': 'fill-mask',
  'sequence-classification': 'text-classification',
  'question-answering': 'question-answering',
  'token-classification': 'token-classification',
  'causal-lm': 'text-generation',
  none: 'feature-extraction',
};

/** Methods of a model that run it. */
export type Method = keyof Pick<
  Model,
  'predict' | 'classify' | 'classifyBatch' | 'answerQuestion' | 'extractEntities' | 'generate' | 'embed'
>;

const METHODS: Readonly<Record<Task, readonly Method[]>> = {
  'fill-mask': ['predict', 'classify', 'classifyBatch'],
  'text-classification': ['classify', 'classifyBatch'],
  'question-answering': ['answerQuestion'],
  'token-classification': ['extractEntities'],
  'text-generation': ['generate'],
  'feature-extraction': ['embed'],
};

export const TASKS = Object.keys(METHODS) as readonly Task[];

export function taskOf(head: Head): Task {
  return TASK_OF[head];
}

/** The head that a task needs. */
export function headOf(task: Task): Head {
  return (Object.keys(TASK_OF) as Head[]).find((head) => TASK_OF[head] === task) as Head;
}

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
