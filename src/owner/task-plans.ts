/** The plans of all tasks but filling blanks (predict-plan.ts), loaded when a model has one. */
import { TercetError } from '../core/errors.ts';
import { checkTopK } from '../ml/tasks/common.ts';
import { poolingFor } from '../ml/declared-pooling.ts';
import { finishFeatures, prepareFeatures } from '../ml/tasks/feature-extraction.ts';
import {
  DEFAULT_AGGREGATION,
  DEFAULT_IGNORED,
  checkAggregation,
  checkIgnored,
  finishEntities,
  prepareEntities,
} from '../ml/tasks/named-entities.ts';
import { finishQuestion, prepareQuestion } from '../ml/tasks/question-answering.ts';
import { finishTextClassification, prepareTextClassification } from '../ml/tasks/text-classification.ts';
import { finishCloze, prepareCloze } from '../ml/tasks/zero-shot-cloze.ts';
import { finishNli, prepareNli } from '../ml/tasks/zero-shot-nli.ts';
import type { ZeroShotResult } from '../ml/tasks/zero-shot.ts';
import type { Answered, TaskContext, TaskPlan } from './predict-plan.ts';
import type { ModelContext } from './model-context.ts';
import type {
  Answer,
  AnswerOptions,
  AnswerResult,
  ClassifyOptions,
  ClassifyResult,
  EmbedOptions,
  EmbedResult,
  EntitiesResult,
  EntityOptions,
} from './types/index.ts';

/**
 * A classifier's own classes, or labels of the caller's: by a masked language model, or by a classifier of
 * entailment, which gets one sequence for each label.
 * @throws {TercetError} what the tasks throw; ERR_ARGUMENT for options that mean nothing to this model.
 */
export function planClassify(
  known: TaskContext,
  text: string,
  options: ClassifyOptions,
): TaskPlan<Answered<ClassifyResult>> {
  const { tokenizer, config } = known;
  const { topK, labels, template, verbalizers, hypothesisTemplate, multiLabel } = options;
  if (topK !== undefined) checkTopK(topK);
  const nli = hypothesisTemplate !== undefined || multiLabel !== undefined;
  const cloze = template !== undefined || verbalizers !== undefined;
  if (config.head === 'masked-lm') {
    if (nli)
      throw meansNothing('hypothesisTemplate and multiLabel', 'a fill-mask model', 'give template or verbalizers');
    if (labels === undefined)
      throw new TercetError(
        'ERR_ARGUMENT',
        'there are no labels to choose from',
        "give labels: ['good', 'bad'], or call predict",
      );
    const input = prepareCloze(text, labels, tokenizer, config, { template, verbalizers });
    return { inputs: [input], finish: ([logits]) => ranking(finishCloze(logits, input, tokenizer), topK) };
  }
  if (cloze)
    throw meansNothing(
      'template and verbalizers',
      'a classifier',
      'give hypothesisTemplate to one that was trained on entailment',
    );
  if (nli || isForeign(labels, config.id2label)) {
    const input = prepareNli(text, labels, tokenizer, config, { hypothesisTemplate, multiLabel });
    return { inputs: input.inputs, finish: (outputs) => ranking(finishNli(joined(outputs), input), topK) };
  }
  const input = prepareTextClassification(text, tokenizer, config, { labels });
  return {
    inputs: [input],
    finish: ([logits]) => {
      const classes = finishTextClassification(logits, input, topK);
      return { ...classes[0], labels: classes };
    },
  };
}

/** Labels that are none of an entailment model's own are what it is asked about. */
function isForeign(labels: ClassifyOptions['labels'], known: readonly string[]): boolean {
  if (!Array.isArray(labels) || !known.some((label) => /^entail/i.test(label))) return false;
  const own = new Set(known.map((label) => label.toLowerCase()));
  return !labels.every((label) => typeof label === 'string' && own.has(label.toLowerCase()));
}

function ranking({ labels, scores }: ZeroShotResult, topK: number | undefined): Answered<ClassifyResult> {
  const all = labels.map((label, i) => ({ label, score: scores[i] })).slice(0, topK);
  return { ...all[0], labels: all };
}

function meansNothing(what: string, model: string, hint: string): TercetError {
  return new TercetError('ERR_ARGUMENT', `${what} mean nothing to ${model}`, hint);
}

function joined(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/** @throws {TercetError} what `prepareQuestion` throws; ERR_ARGUMENT for options. */
export function planAnswer(
  { tokenizer, config }: TaskContext,
  { question, context }: { readonly question: string; readonly context: string },
  { topK = 1, maxAnswerLength = 15, handleImpossible = false }: AnswerOptions,
): TaskPlan<Answered<AnswerResult>> {
  checkTopK(topK);
  if (!Number.isSafeInteger(maxAnswerLength) || maxAnswerLength < 1)
    throw new TercetError('ERR_ARGUMENT', 'maxAnswerLength is not a positive integer', 'give for example 15');
  const input = prepareQuestion(question, context, tokenizer, config);
  return {
    inputs: [input],
    finish: ([logits]) => {
      const found = finishQuestion(logits, input, { topK, maxAnswerLength, handleImpossible });
      const answers: Answer[] = found.map((answer) => ({ text: answer.answer, ...answer }));
      return { ...(answers[0] ?? { text: '', answer: '', score: 0, start: 0, end: 0 }), answers };
    },
  };
}

/** @throws {TercetError} what `prepareEntities` throws; ERR_ARGUMENT for options. */
export function planEntities(
  { tokenizer, config }: TaskContext,
  text: string,
  { aggregation = DEFAULT_AGGREGATION, ignoreLabels = DEFAULT_IGNORED }: EntityOptions,
): TaskPlan<Answered<EntitiesResult>> {
  const strategy = checkAggregation(aggregation);
  const ignored = checkIgnored(ignoreLabels);
  const input = prepareEntities(text, tokenizer, config);
  return { inputs: [input], finish: ([logits]) => ({ entities: finishEntities(logits, input, strategy, ignored) }) };
}

/** @throws {TercetError} what `prepareFeatures` throws. */
export function planEmbed(
  { tokenizer, config, pooling: declared }: TaskContext & Pick<ModelContext, 'pooling'>,
  text: string,
  { pooling, normalize }: EmbedOptions,
): TaskPlan<EmbedResult['vectors'][number]> {
  if (normalize !== undefined && typeof normalize !== 'boolean')
    throw new TercetError('ERR_ARGUMENT', 'normalize is neither true nor false', 'leave it out for true');
  const input = prepareFeatures(text, tokenizer, config, poolingFor(declared, { pooling, normalize }));
  return { inputs: [input], finish: ([states]) => finishFeatures(states, input) };
}
