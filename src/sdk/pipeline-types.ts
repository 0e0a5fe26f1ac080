/**
 * What `pipeline` returns for each task: options and results have the names and shapes of transformers.js;
 * docs/TASKS.md lists where they differ.
 */
import type { Tensor } from './tensor.ts';
import type { Task as TableTask, TaskAlias } from '../ml/tasks/table.ts';
import type { Answer, Model, SpecialTokens } from '../owner/types/index.ts';

export type { NestedNumbers, Tensor } from './tensor.ts';

/** Tasks of a pipeline: those that models are made for, and one that two kinds of them can do. */
export type PipelineTask = TableTask;
/**
 * Other names that transformers.js has.
 *
 * @example
 * const names = await pipeline('ner', 'wnut-roberta', { deployment: '/tercet.json' });
 * console.log(names.task); // 'token-classification'
 */
export type Alias = TaskAlias;
/** The task that a name or another name stands for. */
export type { TaskNamed } from '../ml/tasks/table.ts';

/** What several tasks take. */
export interface PipelineRunOptions {
  /** Answers to return: default 5 for fill-mask, else 1. */
  readonly top_k?: number;
  /** The same, as version 2 of transformers.js calls it. */
  readonly topk?: number;
  readonly signal?: AbortSignal;
  readonly specialTokens?: SpecialTokens;
}

/** Options of a `fill-mask` pipeline. */
export interface FillMaskOptions extends PipelineRunOptions {
  /** Only these words compete; each must be one piece of the vocabulary. */
  readonly targets?: readonly string[];
}

/** Options of a `zero-shot-classification` pipeline. */
export interface ZeroShotOptions {
  /** Entailment models. Default `This example is {}.` */
  readonly hypothesis_template?: string;
  /** Entailment models: every label for itself. */
  readonly multi_label?: boolean;
  readonly specialTokens?: SpecialTokens;
  /** Fill-mask models: the sentence with `{text}` and `{mask}`, and words that stand for labels. */
  readonly template?: string;
  readonly verbalizers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Options of a `question-answering` pipeline. */
export interface QuestionOptions extends PipelineRunOptions {
  /** In pieces (default 15). */
  readonly max_answer_len?: number;
  /** Whether "there is no answer" may win; its text is empty. */
  readonly handle_impossible_answer?: boolean;
}

/** Options of a `token-classification` pipeline. */
export interface TokenOptions {
  /** Default 'none': every piece by itself. */
  readonly aggregation_strategy?: 'none' | 'simple' | 'first' | 'average' | 'max';
  readonly specialTokens?: SpecialTokens;
  /** Labels that are left out. Default `['O']`. */
  readonly ignore_labels?: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * Options of a `text-generation` pipeline, with the names of transformers.js. `GenerateOptions` says what each means;
 * what is left out is as the model's files say.
 */
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
  /**
   * Whether pieces are drawn. Default: when one of temperature, top_k, top_p, seed is given, else as the model's
   * files say; they are not used when it is false.
   */
  readonly do_sample?: boolean;
  readonly seed?: number;
  readonly stop?: readonly string[];
  /** Default true: the prompt is part of the text. */
  readonly return_full_text?: boolean;
  /** Is called with every piece of text as it comes. */
  readonly callback_function?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** Options of a `feature-extraction` pipeline. */
export interface FeatureOptions {
  /** Default 'none'. */
  readonly pooling?: 'none' | 'mean' | 'cls';
  /** Default false. */
  readonly normalize?: boolean;
  readonly specialTokens?: SpecialTokens;
  readonly batch_size?: number;
  readonly signal?: AbortSignal;
}

/** Options of a `text-classification` pipeline. */
export interface ClassificationOptions extends Omit<PipelineRunOptions, 'top_k' | 'topk'> {
  /** Classes to return, default 1; null for all of them. */
  readonly top_k?: number | null;
  readonly topk?: number | null;
  readonly batch_size?: number;
}

/** A word that fits the blank. */
export interface FillMaskSingle {
  /** 0 to 1. */
  score: number;
  /** Index in the vocabulary. */
  token: number;
  token_str: string;
  /** The text with the blank filled in. */
  sequence: string;
}

/** Best first; with several blanks one list for each. */
export type FillMaskOutput = FillMaskSingle[] | FillMaskSingle[][];

/** A class of a text; the score is 0 to 1. */
export interface ClassificationSingle {
  label: string;
  score: number;
}

/** Best first. */
export type ClassificationOutput = ClassificationSingle[];

/** Labels of a text with their scores, 0 to 1. */
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
  | {
      /** With its position tag, like `B-PER`. */
      entity: string;
      /** Place among the pieces of the text, special ones counted. */
      index: number;
    }
  | { /** Of several pieces. */ entity_group: string }
);

/** One text, with or without its prompt. */
export type GenerationOutput = { generated_text: string }[];

/** A function of one text, or of a list of them, which run one after the other. */
interface OneOrMany<Options, Result> {
  (text: string, options?: Options): Promise<Result>;
  (texts: readonly string[], options?: Options): Promise<Result[]>;
}

/**
 * What the pipeline of each task is called with, and returns. Every one rejects with the `TercetError`s of the `Model`
 * method that it calls; lists are checked whole before the first text is sent.
 */
export interface PipelineCalls {
  /** The words that fit the blanks of each text. */
  'fill-mask': OneOrMany<FillMaskOptions, FillMaskOutput>;
  /**
   * A list of texts goes through the parties in batches: the best class of each, or a list for each where `top_k`
   * is not 1.
   */
  'text-classification': {
    (text: string, options?: ClassificationOptions): Promise<ClassificationOutput>;
    (
      texts: readonly string[],
      options?: ClassificationOptions & { readonly top_k?: 1; readonly topk?: 1 },
    ): Promise<ClassificationOutput>;
    (texts: readonly string[], options?: ClassificationOptions): Promise<ClassificationOutput | ClassificationOutput[]>;
  };
  /** Which of the labels, a list or one string with commas, each text is about. */
  'zero-shot-classification': {
    (text: string, labels: string | readonly string[], options?: ZeroShotOptions): Promise<ZeroShotOutput>;
    (
      texts: readonly string[],
      labels: string | readonly string[],
      options?: ZeroShotOptions,
    ): Promise<ZeroShotOutput[]>;
  };
  /**
   * A list of answers where `top_k` is above 1; lists of questions and contexts, of one length, give a list of
   * either.
   */
  'question-answering': {
    (question: string, context: string, options?: QuestionOptions): Promise<QuestionOutput | QuestionOutput[]>;
    (
      questions: readonly string[],
      contexts: readonly string[],
      options?: QuestionOptions,
    ): Promise<(QuestionOutput | QuestionOutput[])[]>;
  };
  /** The tagged pieces or names of each text. */
  'token-classification': OneOrMany<TokenOptions, TokenOutput[]>;
  /** Goes on with each prompt. */
  'text-generation': OneOrMany<TextGenerationOptions, GenerationOutput>;
  /**
   * A list of texts goes through the parties in batches, and comes back as one tensor: (texts, width) with pooling,
   * else (texts, tokens, width), zeros behind shorter texts.
   */
  'feature-extraction': (texts: string | readonly string[], options?: FeatureOptions) => Promise<Tensor>;
}

/**
 * A function for texts of one task, with the model that it runs on.
 *
 * @example
 * const classify = await pipeline('sentiment-analysis', 'sst2-bert');
 * const [{ label, score }] = await classify('A warm and funny film.');
 * await classify.dispose();
 */
export type Pipeline<T extends PipelineTask> = PipelineCalls[T] & {
  /** Its task; of another name the task that it stands for. */
  readonly task: T;
  /** The model, for what a pipeline has no word for: `prepare`, `check`, `health`. */
  readonly model: Model;
  /**
   * `Model.dispose`.
   *
   * @example
   * const fill = await pipeline('fill-mask', 'capitals-bert');
   * await fill.dispose();
   *
   * @throws {TercetError} never for a party that is gone.
   */
  dispose(): Promise<void>;
};
