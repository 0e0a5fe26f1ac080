/** What `pipeline` returns for each task: options and results have the names and shapes of transformers.js. */
import type { Answer, Model, Prediction, SpecialTokens, Task } from './types.ts';

/** Tasks of a pipeline: those that models are made for, and one that two kinds of them can do. */
export type PipelineTask = Task | 'zero-shot-classification';

/** Other names that transformers.js has. */
export const ALIASES = { 'sentiment-analysis': 'text-classification', ner: 'token-classification' } as const satisfies Readonly<Record<string, PipelineTask>>;
export type Alias = keyof typeof ALIASES;
export type TaskNamed<N extends PipelineTask | Alias> = N extends Alias ? (typeof ALIASES)[N] : N extends PipelineTask ? N : never;

export interface PipelineRunOptions {
  /** Answers to return: default 5 for fill-mask, else 1. */
  readonly top_k?: number;
  readonly signal?: AbortSignal;
  readonly specialTokens?: SpecialTokens;
}

export interface FillMaskOptions extends PipelineRunOptions {
  readonly targets?: readonly string[];
}

export interface ZeroShotOptions {
  /** Entailment models. Default `This example is {}.` */
  readonly hypothesis_template?: string;
  readonly multi_label?: boolean;
  readonly specialTokens?: SpecialTokens;
  /** Fill-mask models: the sentence with `{text}` and `{mask}`, and words that stand for labels. */
  readonly template?: string;
  readonly verbalizers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface QuestionOptions extends PipelineRunOptions {
  readonly max_answer_len?: number;
  readonly handle_impossible_answer?: boolean;
}

export interface TokenOptions {
  /** Default 'none': every piece by itself. */
  readonly aggregation_strategy?: 'none' | 'simple' | 'first' | 'average' | 'max';
  readonly specialTokens?: SpecialTokens;
  readonly signal?: AbortSignal;
}

export interface TextGenerationOptions {
  readonly max_new_tokens?: number;
  readonly max_length?: number;
  readonly temperature?: number;
  readonly top_k?: number;
  readonly top_p?: number;
  readonly repetition_penalty?: number;
  readonly no_repeat_ngram_size?: number;
  readonly min_new_tokens?: number;
  readonly min_length?: number;
  readonly eos_token_id?: number | readonly number[];
  readonly suppress_tokens?: readonly number[];
  readonly begin_suppress_tokens?: readonly number[];
  readonly bad_words_ids?: readonly (readonly number[])[];
  readonly forced_bos_token_id?: number;
  readonly forced_eos_token_id?: number | readonly number[];
  readonly specialTokens?: SpecialTokens;
  /** Whether pieces are drawn. Default: when one of temperature, top_k, top_p, seed is given, else as the model's files say; they are not used when it is false. */
  readonly do_sample?: boolean;
  readonly seed?: number;
  readonly stop?: readonly string[];
  /** Default true: the prompt is part of the text. */
  readonly return_full_text?: boolean;
  /** Is called with every piece of text as it comes. */
  readonly callback_function?: (text: string) => void;
  readonly signal?: AbortSignal;
}

export interface FeatureOptions {
  /** Default 'none'. */
  readonly pooling?: 'none' | 'mean' | 'cls';
  /** Default false. */
  readonly normalize?: boolean;
  readonly specialTokens?: SpecialTokens;
  readonly batch_size?: number;
  readonly signal?: AbortSignal;
}

export interface ClassificationOptions extends PipelineRunOptions {
  readonly batch_size?: number;
}

/** Best first; with several blanks one list for each. */
export type FillMaskOutput = Prediction[] | Prediction[][];
export type ClassificationOutput = { label: string; score: number }[];

export interface ZeroShotOutput {
  sequence: string;
  /** Best first. */
  labels: string[];
  scores: number[];
}

/** `start` and `end`: UTF-16 offsets into the context. */
export type QuestionOutput = Omit<Answer, 'text'>;

/** `start` and `end`: UTF-16 offsets into the text. */
export type TokenOutput = { score: number; word: string; start: number; end: number } & (
  | { /** With its position tag, like `B-PER`. */ entity: string }
  | { /** Of several pieces. */ entity_group: string }
);

export type GenerationOutput = { generated_text: string }[];

/** Row-major. dims: (texts, width) with pooling, else (texts, tokens, width), zeros behind shorter texts. */
export interface Tensor {
  readonly type: 'float32';
  readonly dims: readonly number[];
  readonly data: Float32Array;
  readonly size: number;
}

interface OneOrMany<Options, Result> {
  (text: string, options?: Options): Promise<Result>;
  (texts: readonly string[], options?: Options): Promise<Result[]>;
}

export interface PipelineCalls {
  'fill-mask': OneOrMany<FillMaskOptions, FillMaskOutput>;
  /** A list of texts goes through the parties in batches. */
  'text-classification': OneOrMany<ClassificationOptions, ClassificationOutput>;
  'zero-shot-classification': {
    (text: string, labels: string | readonly string[], options?: ZeroShotOptions): Promise<ZeroShotOutput>;
    (texts: readonly string[], labels: string | readonly string[], options?: ZeroShotOptions): Promise<ZeroShotOutput[]>;
  };
  /** A list of answers where `top_k` is above 1. */
  'question-answering': (question: string, context: string, options?: QuestionOptions) => Promise<QuestionOutput | QuestionOutput[]>;
  'token-classification': OneOrMany<TokenOptions, TokenOutput[]>;
  'text-generation': OneOrMany<TextGenerationOptions, GenerationOutput>;
  /** A list of texts goes through the parties in batches, and comes back as one tensor. */
  'feature-extraction': (texts: string | readonly string[], options?: FeatureOptions) => Promise<Tensor>;
}

export type Pipeline<T extends PipelineTask> = PipelineCalls[T] & {
  readonly task: T;
  readonly model: Model;
  dispose(): Promise<void>;
};
