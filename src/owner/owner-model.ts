/**
 * A model as the data owner holds it. Runs in a worker of a page and in Node alike; `Environment` is all that differs.
 */
import { prepareEach } from '../ml/tasks/batch.ts';
import { checkText, preparedShape } from './checks.ts';
import type { Environment } from './environment.ts';
import { generated } from './generated.ts';
import { type ModelContext, loadModelContext } from './model-context.ts';
import { OPTIONS, checkOptions, checkPretrained } from './options.ts';
import { rememberingRoutes } from './routes.ts';
import { type Method, type RunMethod, checkMethod } from './methods.ts';
import { type TaskPlan, planPredict } from './predict-plan.ts';
import { type PoolOf, Runner } from './runner.ts';
import { reading } from './text-context.ts';
import { capture } from './transcript.ts';
import type {
  AnswerOptions,
  AnswerResult,
  BatchOptions,
  BatchResult,
  Captured,
  ClassifyOptions,
  ClassifyResult,
  Device,
  EmbedOptions,
  EmbedResult,
  EntitiesResult,
  EntityOptions,
  GenerateOptions,
  GenerateResult,
  GenerateStream,
  Model,
  PredictOptions,
  PredictResult,
  PrepareOptions,
  PretrainedOptions,
  RunCost,
  RunOptions,
  ServersHealth,
  Task,
  TaskText,
  TextCheck,
} from './types/index.ts';

/** What other tasks than filling blanks need. */
const more = () => import('./more-tasks.ts');

export class OwnerModel implements Model {
  readonly id: string;
  readonly task: Task;
  readonly layers: number;
  readonly maxTokens: number;
  readonly downloadedBytes: number;
  readonly labels: readonly string[];
  readonly #runner: Runner<ModelContext>;

  private constructor(runner: Runner<ModelContext>) {
    const { id, task, config, buckets, downloadedBytes } = runner.context;
    this.#runner = runner;
    this.id = id;
    this.task = task;
    this.layers = config.layers;
    this.maxTokens = buckets.at(-1) ?? config.maxPositions;
    this.downloadedBytes = downloadedBytes;
    this.labels = config.id2label;
  }

  get device(): Device {
    return this.#runner.context.device;
  }

  /** @throws {TercetError} what `loadModel` throws */
  static async load(
    id: string,
    options: PretrainedOptions,
    environment: Environment,
    poolOf?: PoolOf,
  ): Promise<OwnerModel> {
    const context = await loadModelContext(id, checkPretrained(options), rememberingRoutes(environment));
    return OwnerModel.over(context, poolOf);
  }

  /** A model that is at hand already, whatever its links are. */
  static over(context: ModelContext, poolOf?: PoolOf): OwnerModel {
    return new OwnerModel(new Runner(context, poolOf));
  }

  async check(text: TaskText): Promise<TextCheck> {
    return checkText(this.#runner.context, text);
  }

  async prepare(length: number, given: PrepareOptions = {}): Promise<void> {
    this.#runner.alive();
    const { signal, ...options } = checkOptions('prepare', given, OPTIONS.prepare);
    await this.#runner.prepare(preparedShape(this.#runner.context, length, options), signal);
  }

  release(): Promise<void> {
    return this.#runner.release();
  }

  predict(text: string, options: PredictOptions = {}): Promise<PredictResult> {
    return this.#one('predict', text, options, () =>
      planPredict(reading(this.#runner.context, options.specialTokens), text, options),
    );
  }

  classify(text: string, options: ClassifyOptions = {}): Promise<ClassifyResult> {
    return this.#one('classify', text, options, async () =>
      (await more()).planClassify(reading(this.#runner.context, options.specialTokens), text, options),
    );
  }

  async classifyBatch(texts: readonly string[], given: BatchOptions = {}): Promise<BatchResult> {
    this.#can('classifyBatch');
    const { batchSize, ...options } = checkOptions('classifyBatch', given, OPTIONS.classifyBatch);
    const { planClassify, runBatches } = await more();
    const jobs = prepareEach(texts, (text) =>
      planClassify(reading(this.#runner.context, options.specialTokens), text, options),
    );
    return runBatches(this.#runner, jobs, batchSize, options.signal);
  }

  answerQuestion(
    input: { readonly question: string; readonly context: string },
    options: AnswerOptions = {},
  ): Promise<AnswerResult> {
    return this.#one('answerQuestion', input, options, async () => {
      const { planAnswer, questionOf } = await more();
      return planAnswer(reading(this.#runner.context, options.specialTokens), questionOf(input), options);
    });
  }

  extractEntities(text: string, options: EntityOptions = {}): Promise<EntitiesResult> {
    return this.#one('extractEntities', text, options, async () =>
      (await more()).planEntities(reading(this.#runner.context, options.specialTokens), text, options),
    );
  }

  generate(prompt: string, options: GenerateOptions = {}): GenerateStream {
    return generated(async (push, left) => {
      this.#can('generate');
      return this.#generate(prompt, checkOptions('generate', options, OPTIONS.generate), push, left);
    });
  }

  async embed(texts: string | readonly string[], given: EmbedOptions = {}): Promise<EmbedResult> {
    this.#can('embed');
    const { batchSize, ...options } = checkOptions('embed', given, OPTIONS.embed);
    const loaded = reading(this.#runner.context, options.specialTokens);
    const { planEmbed, runBatches } = await more();
    // An error of a single text needs no number.
    const jobs =
      typeof texts === 'string'
        ? [planEmbed(loaded, texts, options)]
        : prepareEach(texts, (text) => planEmbed(loaded, text, options));
    const { results, costs } = await runBatches(this.#runner, jobs, batchSize, options.signal);
    return { vectors: results, costs };
  }

  health(): Promise<ServersHealth> {
    return this.#runner.context.health();
  }

  dispose(): Promise<void> {
    return this.#runner.dispose();
  }

  #can(method: Method): void {
    this.#runner.alive();
    checkMethod(this.id, this.task, method);
  }

  async #generate(
    prompt: string,
    { signal: own, specialTokens, ...options }: GenerateOptions,
    push: (text: string) => void,
    left: AbortSignal,
  ): Promise<GenerateResult> {
    const { environment } = this.#runner.context;
    const start = environment.now();
    const { planGenerate } = await more();
    const plan = planGenerate(reading(this.#runner.context, specialTokens), prompt, options);
    const pieceMs: number[] = [];
    let before = start;
    const signal = own === undefined ? left : AbortSignal.any([own, left]);
    const onStep = (text: string) => {
      // An end-of-text piece is none of the text.
      if (plan.decoder.ids.length > pieceMs.length) {
        const now = environment.now();
        pieceMs.push(now - before);
        before = now;
      }
      push(text);
    };
    const { value, cost, channels } = await this.#runner.run(plan, { start, signal, onStep });
    const shown = { text: prompt, inputIds: plan.inputs[0].inputIds, allowMask: false };
    return { ...value, cost, pieceMs, captured: await capture(shown, this.#runner.context, channels) };
  }

  /** One text, one run. */
  async #one<R>(
    method: Exclude<RunMethod, 'classifyBatch' | 'embed'>,
    text: TaskText,
    options: RunOptions | EntityOptions,
    make: () => TaskPlan<R> | Promise<TaskPlan<R>>,
  ): Promise<R & { readonly cost: RunCost; readonly captured: Captured }> {
    this.#can(method);
    const { signal } = checkOptions(method, options, OPTIONS[method]);
    const start = this.#runner.context.environment.now();
    const plan = await make();
    const { value, cost, channels } = await this.#runner.run(plan, { start, signal });
    const shown = { text, inputIds: plan.inputs[0].inputIds, allowMask: method === 'predict' };
    return { ...value, cost, captured: await capture(shown, this.#runner.context, channels) };
  }
}
