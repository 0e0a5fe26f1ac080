/** From what stands in the form to a call of the SDK: what is checked, what is prepared for, what is asked. */
import type { Model, PrepareOptions, TaskText, TextCheck } from '../owner/types/index.ts';
import type { TaskResult } from './results.ts';
import { type State, entryOf } from './state.ts';
import { type TaskKind, type Form, blankOf, generationOf, labelsOf, taskTextOf } from './form.ts';

/** The best answer to a question, and two more to compare it with. */
const ANSWERS = 3;

export function checkedText(state: State): TaskText {
  return taskTextOf(state.task, state.subject, blankOf(entryOf(state)));
}

/** For what keys are made: two equal ones can use the same keys. */
export interface Need {
  readonly length: number;
  readonly blanks: number;
  readonly maxNewTokens: number;
}

/** Undefined for a text that fits no bucket. */
export function needOf({ task, subject }: State, { paddedTokens: length, blanks }: TextCheck): Need | undefined {
  if (length === undefined) return undefined;
  return { length, blanks, maxNewTokens: task === 'text-generation' ? generationOf(subject).maxNewTokens : 0 };
}

export function sameNeed(a: Need, b: Need): boolean {
  return a.length === b.length && a.blanks === b.blanks && a.maxNewTokens === b.maxNewTokens;
}

/** Only what the task knows: a classifier has no blanks, and nothing but a text has pieces to come. */
export function prepareOptions({ blanks, maxNewTokens }: Need): PrepareOptions {
  return { ...(blanks > 0 ? { blanks } : {}), ...(maxNewTokens > 0 ? { maxNewTokens } : {}) };
}

export async function ask(model: Model, task: TaskKind, subject: Form, signal: AbortSignal): Promise<TaskResult> {
  const { text } = subject;
  switch (task) {
    case 'fill-mask':
      return { task, result: await model.predict(text, { signal }) };
    case 'text-classification':
      return { task, result: await model.classify(text, { signal }) };
    case 'zero-shot-classification':
      return {
        task,
        result: await model.classify(text, { signal, labels: labelsOf(subject), template: subject.template }),
      };
    case 'question-answering':
      return {
        task,
        result: await model.answerQuestion({ question: subject.question, context: text }, { signal, topK: ANSWERS }),
      };
    case 'token-classification':
      return { task, result: await model.extractEntities(text, { signal }) };
    case 'text-generation':
      // Its pieces come as progress, with the bytes that they took.
      return { task, result: await model.generate(text, { ...generationOf(subject), signal }) };
    case 'feature-extraction':
      return { task, result: await model.embed(text, { signal }) };
  }
}
