/** From what the user gave to what P0 shares, and from outputs to an answer: both at P0 alone, both by task. */
import { TercetError } from '../core/errors.ts';
import type { ModelConfig } from '../ml/config.ts';
import { type DeclaredPooling, declaredPooling, poolingFor } from '../ml/declared-pooling.ts';
import { type GenerationSettings, loadGenerationSettings } from '../ml/generation-config.ts';
import { prepareEach } from '../ml/tasks/batch.ts';
import type { TaskInput } from '../ml/tasks/common.ts';
import {
  type FeatureInput,
  type Features,
  type Pooling,
  finishFeatures,
  prepareFeatures,
} from '../ml/tasks/feature-extraction.ts';
import { type FillMaskInput, type FillMaskPrediction, finishFillMask, prepareFillMask } from '../ml/tasks/fill-mask.ts';
import { Generation, type GenerationOptions, type GenerationResult, prepareGeneration } from '../ml/tasks/generate.ts';
import { type Entity, finishEntities, prepareEntities } from '../ml/tasks/named-entities.ts';
import { type QuestionAnswer, finishQuestion, prepareQuestion } from '../ml/tasks/question-answering.ts';
import {
  type ClassificationPrediction,
  finishTextClassification,
  prepareTextClassification,
} from '../ml/tasks/text-classification.ts';
import { finishCloze, prepareCloze } from '../ml/tasks/zero-shot-cloze.ts';
import { finishNli, prepareNli } from '../ml/tasks/zero-shot-nli.ts';
import { type Tokenizer, loadTokenizer } from '../ml/tokenizers/tokenizer.ts';
import type { OpenedModel } from './model.ts';
import { syntheticTask } from './synthetic.ts';

export const TASKS = [
  'fill-mask',
  'text-classification',
  'zero-shot-classification',
  'question-answering',
  'token-classification',
  'text-generation',
  'feature-extraction',
] as const;

export type Task = (typeof TASKS)[number];

export interface TaskRequest {
  readonly task: Task;
  /** The texts of one run; empty with random weights and a number of tokens. */
  readonly texts: readonly string[];
  /** Question answering: the text is the context. */
  readonly question?: string | undefined;
  /** Classes to choose from. */
  readonly labels?: readonly string[] | undefined;
  /** Zero-shot classification: the sentence that a label completes. */
  readonly template?: string | undefined;
  readonly generation?: GenerationOptions | undefined;
  readonly pooling?: Pooling | undefined;
  readonly normalize?: boolean | undefined;
  /** Whether special tokens that a text spells are read as such. */
  readonly specialTokens?: 'cut' | 'allow' | undefined;
  /** Random weights: positions of every sequence, and how many sequences there are. */
  readonly tokens?: number | undefined;
  readonly sequences?: number | undefined;
}

/** What outputs say of one text. Empty for random weights, whose outputs mean nothing. */
export interface Answer {
  /** One list for each mask, best first. */
  readonly fillMask?: readonly (readonly FillMaskPrediction[])[];
  readonly classes?: readonly ClassificationPrediction[];
  readonly answers?: readonly QuestionAnswer[];
  readonly entities?: readonly Entity[];
  readonly generated?: GenerationResult;
  readonly features?: Features;
}

export interface PreparedTask {
  readonly inputs: readonly TaskInput[];
  /** How far a text may go on, beyond its first new token. */
  readonly steps: number;
  /** Chooses the tokens of a text that goes on. */
  readonly generation?: Generation;
  /** Reads the outputs of every input: one answer for each text. */
  answers(outputs: readonly Float32Array[], topK: number): readonly Answer[];
}

/** Checks and encodes the texts before any process is started: bad input costs nothing. */
export async function prepareTask(request: TaskRequest, model: OpenedModel): Promise<PreparedTask> {
  if (model.files === undefined) return syntheticTask(request, model.config);
  if (request.texts.length === 0) throw new TercetError('ERR_ARGUMENT', 'there is no text', 'give --text "…"');
  const plain = await loadTokenizer(model.files);
  const tokenizer = request.specialTokens === 'allow' ? plain.readingSpecialTokens() : plain;
  const [settings, declared] = await Promise.all([loadGenerationSettings(model.files), declaredPooling(model.files)]);
  return prepare(request, tokenizer, model.config, settings, declared);
}

function prepare(
  request: TaskRequest,
  tokenizer: Tokenizer,
  config: ModelConfig,
  settings: GenerationSettings,
  declared: DeclaredPooling,
): PreparedTask {
  const { texts } = request;
  switch (request.task) {
    case 'fill-mask':
      return each<FillMaskInput>(
        texts,
        (text) => prepareFillMask(text, tokenizer, config),
        (output, input, topK) => ({ fillMask: finishFillMask(output, input, tokenizer, topK) }),
      );
    case 'text-classification':
      return each(
        texts,
        (text) => prepareTextClassification(text, tokenizer, config, { labels: request.labels }),
        (output, input, topK) => ({ classes: finishTextClassification(output, input, topK) }),
      );
    case 'zero-shot-classification':
      return zeroShot(request, tokenizer, config);
    case 'question-answering':
      return each(
        texts,
        (context) => prepareQuestion(request.question, context, tokenizer, config),
        (output, input, topK) => ({ answers: finishQuestion(output, input, { topK }) }),
      );
    case 'token-classification':
      return each(
        texts,
        (text) => prepareEntities(text, tokenizer, config),
        (output, input) => ({ entities: finishEntities(output, input) }),
      );
    case 'text-generation':
      return generation(request, tokenizer, config, settings);
    case 'feature-extraction':
      return each<FeatureInput>(
        texts,
        (text) => prepareFeatures(text, tokenizer, config, poolingFor(declared, request)),
        (output, input) => ({ features: finishFeatures(output, input) }),
      );
  }
}

/** A task that reads every text by itself. */
function each<Input extends TaskInput>(
  texts: readonly string[],
  prepareOne: (text: string) => Input,
  finish: (output: Float32Array, input: Input, topK: number) => Answer,
): PreparedTask {
  // An error of a single text needs no number.
  const inputs = texts.length === 1 ? [prepareOne(texts[0])] : prepareEach(texts, prepareOne);
  return { inputs, steps: 0, answers: (outputs, topK) => outputs.map((output, i) => finish(output, inputs[i], topK)) };
}

/** With an entailment model one text becomes a sequence for each label, so it comes alone. */
function zeroShot({ texts, labels, template }: TaskRequest, tokenizer: Tokenizer, config: ModelConfig): PreparedTask {
  if (labels === undefined)
    throw new TercetError('ERR_ARGUMENT', 'there are no labels to choose from', 'give --labels "sports,politics"');
  const classes = (ranked: { labels: readonly string[]; scores: readonly number[] }, topK: number): Answer => ({
    classes: ranked.labels.map((label, i) => ({ label, score: ranked.scores[i] })).slice(0, topK),
  });
  if (config.head === 'masked-lm') {
    return each(
      texts,
      (text) => prepareCloze(text, labels, tokenizer, config, { template }),
      (output, input, topK) => classes(finishCloze(output, input, tokenizer), topK),
    );
  }
  if (texts.length > 1)
    throw new TercetError(
      'ERR_ARGUMENT',
      'zero-shot classification with an entailment model takes one text a run',
      'give one text',
    );
  const input = prepareNli(texts[0], labels, tokenizer, config, { hypothesisTemplate: template });
  const joined = (outputs: readonly Float32Array[]) => Float32Array.from(outputs.flatMap((output) => [...output]));
  return {
    inputs: input.inputs,
    steps: 0,
    answers: (outputs, topK) => [classes(finishNli(joined(outputs), input), topK)],
  };
}

function generation(
  request: TaskRequest,
  tokenizer: Tokenizer,
  config: ModelConfig,
  settings: GenerationSettings,
): PreparedTask {
  if (request.texts.length > 1)
    throw new TercetError('ERR_ARGUMENT', 'text generation takes one prompt a run', 'give one text');
  const input = prepareGeneration(request.texts[0], tokenizer, config, request.generation ?? {}, settings);
  const run = new Generation(input, tokenizer);
  return {
    inputs: [input],
    steps: input.plan.maxNewTokens - 1,
    generation: run,
    answers: () => [{ generated: run.result() }],
  };
}
