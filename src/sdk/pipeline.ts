/** `pipeline(task, model, options)`, as in transformers.js: a function of texts, with results in its shapes. */
import { TercetError } from '../core/errors.ts';
import { checkNames } from '../ml/tasks/words.ts';
import { ALIASES, type Alias, type Pipeline, type PipelineCalls, type PipelineTask, type TaskNamed, type Tensor, type TokenOutput } from './pipeline-types.ts';
import { TASKS } from './tasks.ts';
import type { Entity, EmbedResult, GenerateOptions, Model, PretrainedOptions, Task, TaskText } from './types.ts';

export type * from './pipeline-types.ts';

/** Models that a pipeline runs on. */
const MODELS_FOR: Readonly<Record<PipelineTask, readonly Task[]>> = {
  ...(Object.fromEntries(TASKS.map((task) => [task, [task]])) as unknown as Readonly<Record<Task, readonly Task[]>>),
  'zero-shot-classification': ['text-classification', 'fill-mask'],
};

function taskNamed(name: string): PipelineTask {
  if (Object.hasOwn(ALIASES, name)) return ALIASES[name as Alias];
  if (Object.hasOwn(MODELS_FOR, name)) return name as PipelineTask;
  throw new TercetError('ERR_ARGUMENT', 'there is no pipeline for that task', `use one of ${Object.keys(MODELS_FOR).join(', ')}`);
}

/** The members of an object that are there: options that are left out keep their defaults. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/**
 * One text, or each of a list, one run after the other. Every text of a list is looked at before the first one is sent.
 * @throws {TercetError} ERR_ARGUMENT for an empty list; what `Model.check` finds, naming the text.
 */
async function oneOrMany<R>(model: Model, texts: string | readonly string[], run: (text: string) => Promise<R>): Promise<R | R[]> {
  if (typeof texts === 'string') return run(texts);
  await checkEach(model, texts);
  const results: R[] = [];
  for (const text of texts) results.push(await run(text));
  return results;
}

async function checkEach(model: Model, texts: readonly TaskText[]): Promise<void> {
  if (!Array.isArray(texts) || texts.length === 0) throw new TercetError('ERR_ARGUMENT', 'there is no text', 'give a text, or a list of one or more');
  for (const [i, text] of texts.entries()) {
    const { problem } = await model.check(text);
    if (problem === undefined) continue;
    throw new TercetError(problem.code, `text ${i + 1} of ${texts.length}: ${problem.message}`, problem.hint, { cause: problem.cause });
  }
}

function tokenOf({ label, score, word, start, end }: Entity, grouped: boolean): TokenOutput {
  const rest = { score, word, start, end };
  return grouped ? { entity_group: label, ...rest } : { entity: label, ...rest };
}

function tensorOf(vectors: EmbedResult['vectors'], pooled: boolean): Tensor {
  const rows = Math.max(...vectors.map(({ dims }) => dims[0]));
  const width = vectors[0].dims[1];
  const data = new Float32Array(vectors.length * rows * width);
  for (const [i, vector] of vectors.entries()) data.set(vector.data, i * rows * width);
  return { type: 'float32', dims: pooled ? [vectors.length, width] : [vectors.length, rows, width], data, size: data.length };
}

/** The functions of all tasks on a model. */
function callsOf(model: Model): PipelineCalls {
  const calls: { readonly [T in PipelineTask]: (...given: never[]) => Promise<unknown> } = {
    'fill-mask': (texts: string | readonly string[], { top_k: topK, targets, specialTokens, signal }: Options<'fill-mask'> = {}) =>
      oneOrMany(model, texts, async (text) => {
        const { blanks } = await model.predict(text, given({ topK, targets, specialTokens, signal }));
        return blanks.length === 1 ? [...blanks[0]] : blanks.map((list) => [...list]);
      }),
    'text-classification': async (
      texts: string | readonly string[],
      { top_k: topK = 1, batch_size: batchSize, specialTokens, signal }: Options<'text-classification'> = {},
    ) => {
      if (typeof texts === 'string') return [...(await model.classify(texts, given({ topK, specialTokens, signal }))).labels];
      return (await model.classifyBatch(texts, given({ topK, batchSize, specialTokens, signal }))).results.map(({ labels }) => [...labels]);
    },
    'zero-shot-classification': async (texts: string | readonly string[], names: string | readonly string[], options: ZeroShot = {}) => {
      const { hypothesis_template: hypothesisTemplate, multi_label: multiLabel, template, verbalizers, specialTokens, signal } = options;
      const labels = checkNames(typeof names === 'string' ? names.split(',').map((name) => name.trim()) : names, 'label');
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
    'question-answering': async (question: string, context: string, options: Options<'question-answering'> = {}) => {
      const { top_k: topK, max_answer_len: maxAnswerLength, handle_impossible_answer: handleImpossible, specialTokens, signal } = options;
      const { answers, answer, score, start, end } = await model.answerQuestion(
        { question, context },
        given({ topK, maxAnswerLength, handleImpossible, specialTokens, signal }),
      );
      if ((topK ?? 1) === 1) return { answer, score, start, end };
      return answers.map(({ text: _, ...rest }) => rest);
    },
    'token-classification': (
      texts: string | readonly string[],
      { aggregation_strategy: aggregation = 'none', specialTokens, signal }: Options<'token-classification'> = {},
    ) =>
      oneOrMany(model, texts, async (text) => {
        const { entities } = await model.extractEntities(text, given({ aggregation, specialTokens, signal }));
        return entities.map((entity) => tokenOf(entity, aggregation !== 'none'));
      }),
    'text-generation': (texts: string | readonly string[], options: Options<'text-generation'> = {}) =>
      oneOrMany(model, texts, async (text) => {
        const stream = model.generate(text, generationOptions(options));
        const { callback_function: tell, return_full_text: full = true } = options;
        if (tell !== undefined) for await (const piece of stream) tell(piece);
        const { generated_text, text: added } = await stream;
        return [{ generated_text: full ? generated_text : added }];
      }),
    'feature-extraction': async (texts: string | readonly string[], options: Options<'feature-extraction'> = {}) => {
      const { pooling = 'none', normalize = false, batch_size: batchSize, specialTokens, signal } = options;
      return tensorOf((await model.embed(texts, given({ pooling, normalize, batchSize, specialTokens, signal }))).vectors, pooling !== 'none');
    },
  };
  return calls as unknown as PipelineCalls;
}

/** The options of a task's function. */
type Options<T extends Exclude<PipelineTask, 'zero-shot-classification'>> = NonNullable<
  T extends 'question-answering' ? Parameters<PipelineCalls['question-answering']>[2] : Parameters<PipelineCalls[Exclude<T, 'question-answering'>]>[1]
>;
type ZeroShot = NonNullable<Parameters<PipelineCalls['zero-shot-classification']>[2]>;

function generationOptions(options: Options<'text-generation'>): GenerateOptions {
  const { max_new_tokens, max_length, temperature, top_k, top_p, repetition_penalty, do_sample, seed, stop, signal } = options;
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
  return async function pipeline<N extends PipelineTask | Alias>(task: N, model: string, options: PretrainedOptions = {}): Promise<Pipeline<TaskNamed<N>>> {
    const named = taskNamed(task);
    const loaded = await load(model, options);
    if (!MODELS_FOR[named].includes(loaded.task)) {
      await loaded.dispose();
      throw new TercetError('ERR_MODEL_UNSUPPORTED', `${model} is a model for ${loaded.task}`, `use pipeline('${loaded.task}', '${model}')`);
    }
    const run = callsOf(loaded)[named];
    return Object.assign(run, { task: named, model: loaded, dispose: () => loaded.dispose() }) as unknown as Pipeline<TaskNamed<N>>;
  };
}
