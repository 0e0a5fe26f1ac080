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
const ALIASES: Readonly<Record<string, Task>> = { 'sentiment-analysis': 'text-classification' };

function isTask(task: string): task is Task {
  return task === 'fill-mask' || task === 'text-classification';
}

/** Makes `pipeline` from a way to load models. */
export function pipelineWith(load: (id: string, options: PretrainedOptions) => Promise<Model>) {
  return async function pipeline<T extends Task>(
    task: T | (keyof typeof ALIASES & string),
    model: string,
    options: PretrainedOptions = {},
  ): Promise<Pipeline<T>> {
    const named = ALIASES[task] ?? task;
    if (!isTask(named)) throw new TercetError('ERR_ARGUMENT', 'there is no pipeline for that task', "use 'fill-mask' or 'text-classification'");
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
    return Object.assign(run, { task: named, model: loaded, dispose: () => loaded.dispose() }) as unknown as Pipeline<T>;
  };
}
