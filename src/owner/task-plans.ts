/** The plans of all tasks but filling blanks (predict-plan.ts): a page loads them when its model has one. */
import { TercetError } from '../core/errors.ts';
import { prepareEach } from '../ml/tasks/batch.ts';
import { checkTopK } from '../ml/tasks/common.ts';
import { poolingFor } from '../ml/declared-pooling.ts';
import { finishFeatures, prepareFeatures } from '../ml/tasks/feature-extraction.ts';
import {
  Generation,
  type GenerationOptions,
  type GenerationResult,
  type PromptInput,
  prepareGeneration,
} from '../ml/tasks/generate.ts';
import {
  DEFAULT_AGGREGATION,
  DEFAULT_IGNORED,
  checkAggregation,
  checkIgnored,
  finishEntities,
  prepareEntities,
} from '../ml/tasks/named-entities.ts';
import { finishQuestion, prepareQuestion } from '../ml/tasks/question-answering.ts';
import type { Task } from '../ml/tasks/table.ts';
import { finishTextClassification, prepareTextClassification } from '../ml/tasks/text-classification.ts';
import { finishCloze, prepareCloze } from '../ml/tasks/zero-shot-cloze.ts';
import { finishNli, prepareNli } from '../ml/tasks/zero-shot-nli.ts';
import type { ZeroShotResult } from '../ml/tasks/zero-shot.ts';
import { questionOf } from './inputs.ts';
import { type Answered, type Given, type TaskContext, type TaskPlan, joinPlans, planPredict } from './predict-plan.ts';
import type { TextContext } from './text-context.ts';
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
  PredictResult,
  TaskText,
} from './types/index.ts';

/**
 * A classifier's own classes, or labels of the caller's.
 * @throws {TercetError} what the tasks throw; ERR_ARGUMENT for options that mean nothing to this model.
 */
export function planClassify(
  known: TaskContext,
  text: string,
  options: Given<ClassifyOptions>,
): TaskPlan<Answered<ClassifyResult>> {
  const { head, id2label } = known.config;
  const { template, verbalizers, hypothesisTemplate, multiLabel, labels } = options;
  const inWords = [template, verbalizers, hypothesisTemplate, multiLabel].some((option) => option !== undefined);
  if (head === 'masked-lm' || inWords || isForeign(labels, id2label)) return planZeroShot(known, text, options);
  return planOwnClasses(known, text, options);
}

/** The classes of a classifier. */
function planOwnClasses(
  { tokenizer, config }: TaskContext,
  text: string,
  { topK, labels }: Given<Pick<ClassifyOptions, 'topK' | 'labels'>>,
): TaskPlan<Answered<ClassifyResult>> {
  if (topK !== undefined) checkTopK(topK);
  const input = prepareTextClassification(text, tokenizer, config, { labels });
  return {
    inputs: [input],
    finish: ([logits]) => {
      const classes = finishTextClassification(logits, input, topK);
      return { ...classes[0], labels: classes };
    },
  };
}

/**
 * Labels of the caller's: by a masked language model, or by a classifier of entailment, which gets one sequence for
 * each label.
 */
function planZeroShot(
  { tokenizer, config }: TaskContext,
  text: string,
  { topK, labels, template, verbalizers, hypothesisTemplate, multiLabel }: Given<ClassifyOptions>,
): TaskPlan<Answered<ClassifyResult>> {
  if (topK !== undefined) checkTopK(topK);
  if (config.head === 'masked-lm') {
    if (hypothesisTemplate !== undefined || multiLabel !== undefined)
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
  if (template !== undefined || verbalizers !== undefined)
    throw meansNothing(
      'template and verbalizers',
      'a classifier',
      'give hypothesisTemplate to one that was trained on entailment',
    );
  const input = prepareNli(text, labels, tokenizer, config, { hypothesisTemplate, multiLabel });
  return { inputs: input.inputs, finish: (outputs) => ranking(finishNli(joined(outputs), input), topK) };
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
  { topK = 1, maxAnswerLength = 15, handleImpossible = false }: Given<AnswerOptions>,
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
  { aggregation = DEFAULT_AGGREGATION, ignoreLabels = DEFAULT_IGNORED }: Given<EntityOptions>,
): TaskPlan<Answered<EntitiesResult>> {
  const strategy = checkAggregation(aggregation);
  const ignored = checkIgnored(ignoreLabels);
  const input = prepareEntities(text, tokenizer, config);
  return { inputs: [input], finish: ([logits]) => ({ entities: finishEntities(logits, input, strategy, ignored) }) };
}

/** @throws {TercetError} what `prepareFeatures` throws. */
export function planEmbed(
  { tokenizer, config, pooling: declared }: TaskContext & Pick<TextContext, 'pooling'>,
  text: string,
  { pooling, normalize }: Given<EmbedOptions>,
): TaskPlan<EmbedResult['vectors'][number]> {
  if (normalize !== undefined && typeof normalize !== 'boolean')
    throw new TercetError('ERR_ARGUMENT', 'normalize is neither true nor false', 'leave it out for true');
  const input = prepareFeatures(text, tokenizer, config, poolingFor(declared, { pooling, normalize }));
  return { inputs: [input], finish: ([states]) => finishFeatures(states, input) };
}

/** @throws {TercetError} what `prepareGeneration` throws. */
export function planGenerate(
  { tokenizer, config, generation: settings }: TaskContext & Pick<TextContext, 'generation'>,
  prompt: string,
  { maxNewTokens, maxLength, ...rest }: GenerationOptions,
): TaskPlan<GenerationResult> & { readonly decoder: Generation } {
  const make = (lengths: Pick<GenerationOptions, 'maxNewTokens' | 'maxLength'>) =>
    prepareGeneration(prompt, tokenizer, config, { ...rest, ...lengths }, settings);
  const input = shorter(make, maxNewTokens, maxLength);
  const decoder = new Generation(input, tokenizer);
  return { inputs: [input], decoder, finish: () => decoder.result() };
}

/** The smaller of two lengths counts, where both were given. */
function shorter(
  make: (lengths: Pick<GenerationOptions, 'maxNewTokens' | 'maxLength'>) => PromptInput,
  maxNewTokens: number | undefined,
  maxLength: number | undefined,
): PromptInput {
  if (maxNewTokens === undefined || maxLength === undefined) return make({ maxNewTokens, maxLength });
  for (const [name, value] of Object.entries({ maxNewTokens, maxLength })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new TercetError(
        'ERR_ARGUMENT',
        `${name} is not a positive integer`,
        'give for example 20 for maxNewTokens, 100 for maxLength',
      );
  }
  const { inputIds } = make({});
  return inputIds.length + maxNewTokens < maxLength ? make({ maxNewTokens }) : make({ maxLength });
}

/** What may be asked of any task; each reads its own. */
export interface TaskOptions {
  readonly topK?: number | undefined;
  readonly labels?: readonly string[] | undefined;
  /** Zero-shot classification: the sentence that a label completes, in the form that the model takes. */
  readonly template?: string | undefined;
  readonly verbalizers?: Readonly<Record<string, string>> | undefined;
  readonly multiLabel?: boolean | undefined;
  readonly pooling?: EmbedOptions['pooling'] | undefined;
  readonly normalize?: boolean | undefined;
  readonly generation?: GenerationOptions | undefined;
}

/** What is said of one text: the members of its task. */
export interface TaskAnswer {
  readonly blanks?: PredictResult['blanks'];
  readonly labels?: ClassifyResult['labels'];
  readonly answers?: AnswerResult['answers'];
  readonly entities?: EntitiesResult['entities'];
  readonly generated?: GenerationResult;
  readonly vector?: EmbedResult['vectors'][number];
}

type Planner = (known: TextContext, text: TaskText, options: TaskOptions) => TaskPlan<TaskAnswer>;

/** A task that reads one text. */
function ofText(plan: (known: TextContext, text: string, options: TaskOptions) => TaskPlan<TaskAnswer>): Planner {
  // What is no string is refused where texts are read.
  return (known, text, options) => plan(known, text as string, options);
}

/** Every task by its name. */
const PLANNERS: Readonly<Record<Task, Planner>> = {
  'fill-mask': ofText((known, text, { topK }) => planPredict(known, text, { topK })),
  'text-classification': ofText(planOwnClasses),
  'zero-shot-classification': ofText((known, text, { topK, labels, template, verbalizers, multiLabel }) => {
    const words = known.config.head === 'masked-lm' ? { template } : { hypothesisTemplate: template };
    return planZeroShot(known, text, { topK, labels, verbalizers, multiLabel, ...words });
  }),
  'question-answering': (known, text, { topK }) => planAnswer(known, questionOf(text), { topK }),
  'token-classification': ofText((known, text) => planEntities(known, text, {})),
  'text-generation': ofText((known, text, { generation = {} }) =>
    mapped(planGenerate(known, text, generation), (generated) => ({ generated })),
  ),
  'feature-extraction': ofText((known, text, { pooling, normalize }) =>
    mapped(planEmbed(known, text, { pooling, normalize }), (vector) => ({ vector })),
  ),
};

function mapped<A, B>(plan: TaskPlan<A>, map: (value: A) => B): TaskPlan<B> {
  return { ...plan, finish: (outputs) => map(plan.finish(outputs)) };
}

/**
 * A plan for each text of a task, in order.
 * @throws {TercetError} what the task says of a text, led by its number where there are several; ERR_ARGUMENT for
 * no text, and for several that go on
 */
export function planTexts(
  task: Task,
  known: TextContext,
  texts: readonly TaskText[],
  options: TaskOptions,
): TaskPlan<TaskAnswer>[] {
  const plan = (text: TaskText) => PLANNERS[task](known, text, options);
  // An error of a single text needs no number.
  if (texts.length === 1) return [plan(texts[0])];
  if (task === 'text-generation')
    throw new TercetError('ERR_ARGUMENT', 'text generation takes one prompt a run', 'give one text');
  return prepareEach(texts, plan);
}

/** The same as one run. */
export function planTask(...given: Parameters<typeof planTexts>): TaskPlan<TaskAnswer[]> {
  return joinPlans(planTexts(...given));
}
