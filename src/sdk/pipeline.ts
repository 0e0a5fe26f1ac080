/** `pipeline(task, model, options)`, as in transformers.js: a function of texts, with results in its shapes. */
import { TercetError } from '../core/errors.ts';
import { TASKS, modelTasksFor, taskNamed } from '../ml/tasks/table.ts';
import { checkNames } from '../ml/tasks/words.ts';
import { type OptionNames, checkOptions } from '../owner/options.ts';
import type {
  Alias,
  ClassificationOptions,
  FeatureOptions,
  FillMaskOptions,
  FillMaskSingle,
  Pipeline,
  PipelineCalls,
  PipelineTask,
  QuestionOptions,
  QuestionOutput,
  TaskNamed,
  TextGenerationOptions,
  TokenOptions,
  TokenOutput,
  ZeroShotOptions,
} from './pipeline-types.ts';
import { Tensor } from './tensor.ts';
import type {
  Entity,
  EmbedResult,
  GenerateOptions,
  Model,
  Prediction,
  PretrainedOptions,
  TaskText,
} from '../owner/types/index.ts';

export type * from './pipeline-types.ts';

const RUN = { top_k: true, topk: true, specialTokens: true, signal: true } as const;

/** What each task's function knows of options; the compiler holds the names equal to the types. */
const OPTIONS = {
  'fill-mask': { ...RUN, targets: true } satisfies OptionNames<FillMaskOptions>,
  'text-classification': { ...RUN, batch_size: true } satisfies OptionNames<ClassificationOptions>,
  'zero-shot-classification': {
    hypothesis_template: true,
    multi_label: true,
    template: true,
    verbalizers: true,
    specialTokens: true,
    signal: true,
  } satisfies OptionNames<ZeroShotOptions>,
  'question-answering': {
    ...RUN,
    max_answer_len: true,
    handle_impossible_answer: true,
  } satisfies OptionNames<QuestionOptions>,
  'token-classification': {
    aggregation_strategy: true,
    ignore_labels: true,
    specialTokens: true,
    signal: true,
  } satisfies OptionNames<TokenOptions>,
  'text-generation': {
    max_new_tokens: true,
    max_length: true,
    temperature: true,
    top_k: true,
    top_p: true,
    repetition_penalty: true,
    no_repeat_ngram_size: true,
    min_new_tokens: true,
    min_length: true,
    eos_token_id: true,
    suppress_tokens: true,
    begin_suppress_tokens: true,
    bad_words_ids: true,
    forced_bos_token_id: true,
    forced_eos_token_id: true,
    specialTokens: true,
    do_sample: true,
    seed: true,
    stop: true,
    return_full_text: true,
    callback_function: true,
    signal: true,
  } satisfies OptionNames<TextGenerationOptions>,
  'feature-extraction': {
    pooling: true,
    normalize: true,
    batch_size: true,
    specialTokens: true,
    signal: true,
  } satisfies OptionNames<FeatureOptions>,
} as const;

function checkedTask(name: string): PipelineTask {
  const task = taskNamed(name);
  if (task !== undefined) return task;
  throw new TercetError('ERR_ARGUMENT', 'there is no pipeline for that task', `use one of ${TASKS.join(', ')}`);
}

/** The members of an object that are there: options that are left out keep their defaults. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/**
 * One text, or each of a list, one run after the other. Every text of a list is looked at before the first one is sent.
 * @throws {TercetError} ERR_ARGUMENT for an empty list; what `Model.check` finds, naming the text.
 */
async function oneOrMany<R>(
  model: Model,
  texts: string | readonly string[],
  run: (text: string) => Promise<R>,
): Promise<R | R[]> {
  if (typeof texts === 'string') return run(texts);
  await checkEach(model, texts);
  const results: R[] = [];
  for (const text of texts) results.push(await run(text));
  return results;
}

async function checkEach(model: Model, texts: readonly TaskText[]): Promise<void> {
  if (!Array.isArray(texts) || texts.length === 0)
    throw new TercetError('ERR_ARGUMENT', 'there is no text', 'give a text, or a list of one or more');
  for (const [i, text] of texts.entries()) {
    const { problem } = await model.check(text);
    if (problem === undefined) continue;
    throw new TercetError(problem.code, `text ${i + 1} of ${texts.length}: ${problem.message}`, problem.hint, {
      cause: problem.cause,
    });
  }
}

function tokenOf({ label, score, index, word, start, end }: Entity, grouped: boolean): TokenOutput {
  if (grouped || index === undefined) return { entity_group: label, score, word, start, end };
  return { entity: label, score, index, word, start, end };
}

function filledOf({ score, token_id: token, token_str, sequence }: Prediction): FillMaskSingle {
  return { score, token, token_str, sequence };
}

/** How many answers, under either name. @throws {TercetError} ERR_ARGUMENT when the two differ */
function topOf<N extends number | null>({
  top_k: top,
  topk = top,
}: {
  readonly top_k?: N;
  readonly topk?: N;
}): N | undefined {
  if (top !== undefined && top !== topk)
    throw new TercetError('ERR_ARGUMENT', 'top_k and topk are one option and differ', 'give one of them');
  return topk;
}

/** Pairs of questions and contexts. @throws {TercetError} ERR_ARGUMENT unless both are lists of one length */
function pairsOf(questions: readonly string[], contexts: readonly string[]): { question: string; context: string }[] {
  if (!Array.isArray(contexts) || contexts.length !== questions.length)
    throw new TercetError('ERR_ARGUMENT', 'there is not one context for each question', 'give two lists of one length');
  return questions.map((question, i) => ({ question, context: contexts[i] as string }));
}

function tensorOf(vectors: EmbedResult['vectors'], pooled: boolean): Tensor {
  const rows = Math.max(...vectors.map(({ dims }) => dims[0]));
  const width = vectors[0].dims[1];
  const data = new Float32Array(vectors.length * rows * width);
  for (const [i, vector] of vectors.entries()) data.set(vector.data, i * rows * width);
  return new Tensor(data, pooled ? [vectors.length, width] : [vectors.length, rows, width]);
}

/** The functions of all tasks on a model. */
function callsOf(model: Model): PipelineCalls {
  const calls: { readonly [T in PipelineTask]: (...given: never[]) => Promise<unknown> } = {
    'fill-mask': (texts: string | readonly string[], { targets, specialTokens, signal, ...top }: FillMaskOptions) =>
      oneOrMany(model, texts, async (text) => {
        const { blanks } = await model.predict(text, given({ topK: topOf(top), targets, specialTokens, signal }));
        return blanks.length === 1 ? blanks[0].map(filledOf) : blanks.map((list) => list.map(filledOf));
      }),
    'text-classification': async (
      texts: string | readonly string[],
      { batch_size: batchSize, specialTokens, signal, ...top }: ClassificationOptions,
    ) => {
      const count = topOf(top);
      // All classes are what a model gives when it is asked for no number.
      const topK = count === null ? undefined : (count ?? 1);
      if (typeof texts === 'string')
        return [...(await model.classify(texts, given({ topK, specialTokens, signal }))).labels];
      const { results } = await model.classifyBatch(texts, given({ topK, batchSize, specialTokens, signal }));
      return topK === 1 ? results.map(({ labels }) => labels[0]) : results.map(({ labels }) => [...labels]);
    },
    'zero-shot-classification': async (
      texts: string | readonly string[],
      names: string | readonly string[],
      options: ZeroShotOptions,
    ) => {
      const {
        hypothesis_template: hypothesisTemplate,
        multi_label: multiLabel,
        template,
        verbalizers,
        specialTokens,
        signal,
      } = options;
      const labels = checkNames(
        typeof names === 'string' ? names.split(',').map((name) => name.trim()) : names,
        'label',
      );
      // A classifier would take labels of its own for a choice among them; here they are always in words.
      const asked = model.task === 'text-classification' ? { multiLabel: multiLabel ?? false } : { multiLabel };
      const how = given({ ...asked, labels, hypothesisTemplate, template, verbalizers, specialTokens, signal });
      const shown = (sequence: string, ranking: readonly { readonly label: string; readonly score: number }[]) => ({
        sequence,
        labels: ranking.map(({ label }) => label),
        scores: ranking.map(({ score }) => score),
      });
      if (typeof texts === 'string') return shown(texts, (await model.classify(texts, how)).labels);
      return (await model.classifyBatch(texts, how)).results.map((result, i) => shown(texts[i], result.labels));
    },
    'question-answering': async (
      questions: string | readonly string[],
      contexts: string | readonly string[],
      {
        max_answer_len: maxAnswerLength,
        handle_impossible_answer: handleImpossible,
        specialTokens,
        signal,
        ...top
      }: QuestionOptions,
    ) => {
      const topK = topOf(top);
      const ask = async (pair: { question: string; context: string }): Promise<QuestionOutput | QuestionOutput[]> => {
        const { answers, answer, score, start, end } = await model.answerQuestion(
          pair,
          given({ topK, maxAnswerLength, handleImpossible, specialTokens, signal }),
        );
        return (topK ?? 1) === 1 ? { answer, score, start, end } : answers.map(({ text: _, ...rest }) => rest);
      };
      if (!Array.isArray(questions)) return ask({ question: questions as string, context: contexts as string });
      const pairs = pairsOf(questions, contexts as readonly string[]);
      await checkEach(model, pairs);
      const results: (QuestionOutput | QuestionOutput[])[] = [];
      for (const pair of pairs) results.push(await ask(pair));
      return results;
    },
    'token-classification': (
      texts: string | readonly string[],
      { aggregation_strategy: aggregation = 'none', ignore_labels: ignoreLabels, specialTokens, signal }: TokenOptions,
    ) =>
      oneOrMany(model, texts, async (text) => {
        const { entities } = await model.extractEntities(
          text,
          given({ aggregation, ignoreLabels, specialTokens, signal }),
        );
        return entities.map((entity) => tokenOf(entity, aggregation !== 'none'));
      }),
    'text-generation': (texts: string | readonly string[], options: TextGenerationOptions) =>
      oneOrMany(model, texts, async (text) => {
        const stream = model.generate(text, generationOptions(options));
        const { callback_function: tell, return_full_text: full = true } = options;
        if (tell !== undefined) for await (const piece of stream) tell(piece);
        const { generated_text, text: added } = await stream;
        return [{ generated_text: full ? generated_text : added }];
      }),
    'feature-extraction': async (texts: string | readonly string[], options: FeatureOptions) => {
      const { pooling = 'none', normalize = false, batch_size: batchSize, specialTokens, signal } = options;
      return tensorOf(
        (await model.embed(texts, given({ pooling, normalize, batchSize, specialTokens, signal }))).vectors,
        pooling !== 'none',
      );
    },
  };
  return calls as unknown as PipelineCalls;
}

/** Where a task's function has its options: behind the text, or the text and what goes with it. */
const OPTIONS_AT: Readonly<Partial<Record<PipelineTask, number>>> = {
  'zero-shot-classification': 2,
  'question-answering': 2,
};

/** A task's function that refuses options that it does not know. */
function refusing(
  task: PipelineTask,
  run: (...given: unknown[]) => Promise<unknown>,
): (...given: unknown[]) => Promise<unknown> {
  const at = OPTIONS_AT[task] ?? 1;
  return async (...given) => {
    if (given.length > at + 1)
      throw new TercetError(
        'ERR_ARGUMENT',
        `a ${task} pipeline takes ${at + 1} arguments`,
        'give options in one object',
      );
    return run(
      ...Array.from({ length: at }, (_, i) => given[i]),
      checkOptions(`a ${task} pipeline`, given[at] ?? {}, OPTIONS[task]),
    );
  };
}

function generationOptions(options: TextGenerationOptions): GenerateOptions {
  const { max_new_tokens, max_length, temperature, top_k, top_p, repetition_penalty, do_sample, seed, stop, signal } =
    options;
  const rules = {
    maxNewTokens: max_new_tokens,
    maxLength: max_length,
    minNewTokens: options.min_new_tokens,
    minLength: options.min_length,
    repetitionPenalty: repetition_penalty,
    noRepeatNgramSize: options.no_repeat_ngram_size,
    eosTokenId: options.eos_token_id,
    suppressTokens: options.suppress_tokens,
    beginSuppressTokens: options.begin_suppress_tokens,
    badWordsIds: options.bad_words_ids,
    forcedBosTokenId: options.forced_bos_token_id,
    forcedEosTokenId: options.forced_eos_token_id,
    doSample: do_sample,
    specialTokens: options.specialTokens,
    stop,
    signal,
  };
  if (do_sample === false) return given(rules);
  if (do_sample === true && temperature === 0)
    throw new TercetError('ERR_ARGUMENT', 'temperature is 0 with do_sample', 'give one above 0, or do_sample: false');
  return given({ ...rules, temperature, topK: top_k, topP: top_p, seed });
}

/** Makes `pipeline` from a way to load models. */
export function pipelineWith(load: (id: string, options: PretrainedOptions) => Promise<Model>) {
  return async function pipeline<N extends PipelineTask | Alias>(
    task: N,
    model: string,
    options: PretrainedOptions = {},
  ): Promise<Pipeline<TaskNamed<N>>> {
    const named = checkedTask(task) as TaskNamed<N>;
    const loaded = await load(model, options);
    if (!modelTasksFor(named).includes(loaded.task)) {
      await loaded.dispose();
      throw new TercetError(
        'ERR_MODEL_UNSUPPORTED',
        `${model} is a model for ${loaded.task}`,
        `use pipeline('${loaded.task}', '${model}')`,
      );
    }
    const run = refusing(named, callsOf(loaded)[named] as unknown as (...given: unknown[]) => Promise<unknown>);
    return Object.assign(run, { task: named, model: loaded, dispose: () => loaded.dispose() }) as unknown as Pipeline<
      TaskNamed<N>
    >;
  };
}
