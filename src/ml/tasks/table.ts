/**
 * The tasks: what each is called, everywhere, and which heads of a model can do it. Options and plans of a task are
 * with the data owner (`owner/task-plans.ts`).
 */
import { TercetError } from '../../core/errors.ts';
import type { Head } from '../model-types.ts';

/**
 * What a model was made for: its head. Zero-shot classification is a call on models for fill-mask, or for
 * classification where they were trained on entailment.
 */
export type ModelTask =
  | 'fill-mask'
  | 'text-classification'
  | 'question-answering'
  | 'token-classification'
  | 'text-generation'
  | 'feature-extraction';

/** The tasks of models, and the one that two kinds of them can do. */
export type Task = ModelTask | 'zero-shot-classification';

interface TaskRow {
  /** Heads that can do it; the first is the best at it. */
  readonly heads: readonly [Head, ...Head[]];
  /** Other names that transformers.js has. */
  readonly aliases: readonly string[];
}

const TABLE = {
  'fill-mask': { heads: ['masked-lm'], aliases: [] },
  'text-classification': { heads: ['sequence-classification'], aliases: ['sentiment-analysis'] },
  'zero-shot-classification': { heads: ['sequence-classification', 'masked-lm'], aliases: [] },
  'question-answering': { heads: ['question-answering'], aliases: [] },
  'token-classification': { heads: ['token-classification'], aliases: ['ner'] },
  'text-generation': { heads: ['causal-lm'], aliases: [] },
  'feature-extraction': { heads: ['none'], aliases: ['embeddings'] },
} as const satisfies Readonly<Record<Task, TaskRow>>;

/** Names of the table that are no task of their own. */
export type TaskAlias = (typeof TABLE)[Task]['aliases'][number];
/**
 * The task that a name means.
 *
 * @example
 * const classify: Pipeline<TaskNamed<'sentiment-analysis'>> = await pipeline('sentiment-analysis', 'sst2-bert');
 */
export type TaskNamed<N extends Task | TaskAlias> = N extends Task
  ? N
  : { [T in Task]: N extends (typeof TABLE)[T]['aliases'][number] ? T : never }[Task];

/** What a model with each head was made for: one task a head, whatever else the head can do. */
const MADE_FOR: Readonly<Record<Head, ModelTask>> = {
  'masked-lm': 'fill-mask',
  'sequence-classification': 'text-classification',
  'question-answering': 'question-answering',
  'token-classification': 'token-classification',
  'causal-lm': 'text-generation',
  none: 'feature-extraction',
};

export const TASKS = Object.keys(TABLE) as readonly Task[];
export const MODEL_TASKS: readonly ModelTask[] = Object.values(MADE_FOR);

/** The heads that can do a task, the best first. */
export function headsFor(task: Task): readonly [Head, ...Head[]] {
  return TABLE[task].heads;
}

/** The head of a model that was made for a task; undefined for the task that two kinds of models can do. */
export function headOf(task: ModelTask): Head;
export function headOf(task: Task): Head | undefined;
export function headOf(task: Task): Head | undefined {
  const [head, ...others] = headsFor(task);
  return others.length === 0 ? head : undefined;
}

/** What a model with this head was made for. */
export function taskOf(head: Head): ModelTask {
  return MADE_FOR[head];
}

/** The tasks that models for `task` were made for: itself, or those that can do it. */
export function modelTasksFor(task: Task): readonly ModelTask[] {
  return headsFor(task).map(taskOf);
}

/** The task of a name or an alias; undefined for any other word. */
export function taskNamed(name: string): Task | undefined {
  return TASKS.find((task) => task === name || (TABLE[task].aliases as readonly string[]).includes(name));
}

/** @throws {TercetError} ERR_MODEL_UNSUPPORTED unless the head can do the task. */
export function checkTask(
  task: Task,
  { head, architecture }: { readonly head: Head; readonly architecture: string },
): void {
  if (headsFor(task).includes(head)) return;
  throw new TercetError(
    'ERR_MODEL_UNSUPPORTED',
    `the configuration is a ${architecture}`,
    'choose the task that it has',
  );
}
