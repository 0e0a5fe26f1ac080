/** `pipeline(task, model, options)`, as in transformers.js: a function of texts, with results in its shapes. */
import { TercetError } from '../core/errors.ts';
import type { Model, Prediction, PretrainedOptions, RunOptions, Task } from './types.ts';

export interface PipelineRunOptions {
  /** transformers.js: `top_k`. */
  readonly top_k?: number;
  readonly signal?: AbortSignal;
}

export interface PipelineResults {
  'fill-mask': Prediction[] | Prediction[][];
  'text-classification': { label: string; score: number }[];
}

export interface Pipeline<T extends Task> {
  (text: string, options?: PipelineRunOptions): Promise<PipelineResults[T]>;
  readonly task: T;
  readonly model: Model;
  dispose(): Promise<void>;
}

/** Aliases that transformers.js has. */
const ALIASES = { 'sentiment-analysis': 'text-classification' } as const satisfies Readonly<Record<string, Task>>;
type Alias = keyof typeof ALIASES;
/** The task that a name means. */
export type TaskNamed<N extends Task | Alias> = N extends Alias ? (typeof ALIASES)[N] : N extends Task ? N : never;

function taskNamed(name: string): Task {
  if (name === 'fill-mask' || name === 'text-classification') return name;
  if (Object.hasOwn(ALIASES, name)) return ALIASES[name as Alias];
  throw new TercetError('ERR_ARGUMENT', 'there is no pipeline for that task', "use 'fill-mask' or 'text-classification'");
}

/** Makes `pipeline` from a way to load models. */
export function pipelineWith(load: (id: string, options: PretrainedOptions) => Promise<Model>) {
  return async function pipeline<N extends Task | Alias>(task: N, model: string, options: PretrainedOptions = {}): Promise<Pipeline<TaskNamed<N>>> {
    const named = taskNamed(task);
    const loaded = await load(model, options);
    if (loaded.task !== named) {
      await loaded.dispose();
      throw new TercetError('ERR_MODEL_UNSUPPORTED', `${model} is a model for ${loaded.task}`, `use pipeline('${loaded.task}', '${model}')`);
    }
    const run = async (text: string, { top_k, signal }: PipelineRunOptions = {}) => {
      const runOptions: RunOptions = { ...(top_k === undefined ? {} : { topK: top_k }), ...(signal === undefined ? {} : { signal }) };
      if (named === 'text-classification') return [...(await loaded.classify(text, { topK: 1, ...runOptions })).labels];
      const { blanks } = await loaded.predict(text, runOptions);
      return blanks.length === 1 ? [...blanks[0]] : blanks.map((list) => [...list]);
    };
    return Object.assign(run, { task: named, model: loaded, dispose: () => loaded.dispose() }) as unknown as Pipeline<TaskNamed<N>>;
  };
}
