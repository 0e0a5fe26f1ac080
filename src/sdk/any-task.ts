/** One call for whatever a model was made for. */
import type {
  AnswerResult,
  ClassifyResult,
  EmbedResult,
  EntitiesResult,
  GenerateResult,
  Model,
  PredictResult,
  TaskText,
} from '../owner/types/index.ts';
import { TercetError } from '../core/errors.ts';

/** What a run of a model returns, with the task that tells what is in it. */
export type TaskResult =
  | ({ readonly task: 'fill-mask' } & PredictResult)
  | ({ readonly task: 'text-classification' } & ClassifyResult)
  | ({ readonly task: 'question-answering' } & AnswerResult)
  | ({ readonly task: 'token-classification' } & EntitiesResult)
  | ({ readonly task: 'text-generation' } & GenerateResult)
  | ({ readonly task: 'feature-extraction' } & EmbedResult);

/** What every task takes beside its text. */
export interface TaskRunOptions {
  /** Stops all three parties. Rejects with ERR_ABORTED; nothing was opened. */
  readonly signal?: AbortSignal;
}

/** Runs a text through the method that the model's task has. */
export async function runTask(model: Model, text: TaskText, options: TaskRunOptions = {}): Promise<TaskResult> {
  const { task } = model;
  if (task === 'question-answering') {
    if (typeof text === 'string')
      throw new TercetError('ERR_ARGUMENT', `${model.id} answers questions`, 'give { question, context }');
    return { task, ...(await model.answerQuestion(text, options)) };
  }
  if (typeof text !== 'string')
    throw new TercetError('ERR_ARGUMENT', `${model.id} answers no questions`, 'give a text, or another model');
  switch (task) {
    case 'fill-mask':
      return { task, ...(await model.predict(text, options)) };
    case 'text-classification':
      return { task, ...(await model.classify(text, options)) };
    case 'token-classification':
      return { task, ...(await model.extractEntities(text, options)) };
    case 'text-generation':
      return { task, ...(await model.generate(text, options)) };
    case 'feature-extraction':
      return { task, ...(await model.embed(text, options)) };
  }
}
