/** A loaded model: the one object that runs texts. */
import type { Device, PartyHealth, Task } from './deployment.ts';
import type {
  AnswerOptions,
  BatchOptions,
  ClassifyOptions,
  EmbedOptions,
  EntityOptions,
  GenerateOptions,
  PredictOptions,
  PrepareOptions,
} from './options.ts';
import type {
  AnswerResult,
  BatchResult,
  ClassifyResult,
  EmbedResult,
  EntitiesResult,
  GenerateStream,
  PredictResult,
  TextCheck,
} from './results.ts';

/** What a task works on: a text, or a question with the context that answers it. */
export type TaskText = string | { readonly question: string; readonly context: string };

export interface Model {
  readonly id: string;
  readonly task: Task;
  readonly device: Device;
  readonly layers: number;
  readonly maxTokens: number;
  /** Bytes downloaded to get here: deployment, config, tokenizer. */
  readonly downloadedBytes: number;
  /** Names of a classifier's classes, or of entities' tags. */
  readonly labels: readonly string[];
  /** Tokenizes here. Cheap; for every key stroke. */
  check(text: TaskText): Promise<TextCheck>;
  /**
   * Deals the correlations of one run for texts of up to `length` tokens (rounded up to a bucket), and keeps them
   * for 5 minutes. A second call for another bucket replaces the first.
   */
  prepare(length: number, options?: PrepareOptions): Promise<void>;
  /**
   * Lets go of what `prepare` made or makes, here and at both parties, so that they have room for others. For a
   * page that is hidden or left alone. Nothing, if nothing is prepared. A 'released' event tells when it goes
   * without this call.
   */
  release(): Promise<void>;
  predict(text: string, options?: PredictOptions): Promise<PredictResult>;
  classify(text: string, options?: ClassifyOptions): Promise<ClassifyResult>;
  classifyBatch(texts: readonly string[], options?: BatchOptions): Promise<BatchResult>;
  answerQuestion(
    input: { readonly question: string; readonly context: string },
    options?: AnswerOptions,
  ): Promise<AnswerResult>;
  extractEntities(text: string, options?: EntityOptions): Promise<EntitiesResult>;
  generate(prompt: string, options?: GenerateOptions): GenerateStream;
  embed(texts: string | readonly string[], options?: EmbedOptions): Promise<EmbedResult>;
  health(): Promise<readonly [PartyHealth, PartyHealth]>;
  /** Ends what runs, drops what was prepared, stops workers. */
  dispose(): Promise<void>;
}
