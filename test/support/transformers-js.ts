/**
 * Pipelines of @xenova/transformers (development only) on a checkpoint of ours, in the clear. Its tokenizers, model
 * classes, generation and reading of answers are the library's own, run unchanged. In the place of its ONNX session
 * stands the float reference: no checkpoint of ours is exported to ONNX.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as library from '@xenova/transformers';
import type { WeightSource } from '../../src/ml/models/weights.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import type { PipelineTask } from '../../src/sdk/pipeline-types.ts';

library.env.allowRemoteModels = false;

/** What a session is given and gives. */
interface Values {
  readonly dims: readonly number[];
  readonly data: ArrayLike<bigint | number>;
}
type Feeds = Readonly<Record<'input_ids' | 'attention_mask', Values>> & { readonly token_type_ids?: Values };

const rowsOf = ({ dims: [rows, width], data }: Values): number[][] =>
  Array.from({ length: rows }, (_, row) => Array.from({ length: width }, (_, i) => Number(data[row * width + i])));

/** One output of a session, of rows that may be shorter than the longest. */
function padded(rows: readonly Float32Array[], dims: readonly number[]): unknown {
  const data = new Float32Array(dims.reduce((product, n) => product * n, rows.length));
  for (const [i, row] of rows.entries()) data.set(row, (i * data.length) / rows.length);
  return new library.Tensor('float32', data, [rows.length, ...dims]);
}

/** What ONNX Runtime's session has of which the library makes use. */
class Session {
  readonly inputNames: readonly string[];
  readonly #source: WeightSource;
  /** The library gives a decoder new tokens alone, and what is before them as keys and values: here they are kept. */
  #before: readonly number[] = [];

  constructor(source: WeightSource) {
    const { modelType, layers } = source.config;
    const cache = Array.from({ length: layers }, (_, i) =>
      ['key', 'value'].map((name) => `past_key_values.${i}.${name}`),
    );
    this.inputNames = [
      ...['input_ids', 'attention_mask'],
      ...(modelType === 'bert' ? ['token_type_ids'] : modelType === 'gpt2' ? cache.flat() : []),
    ];
    this.#source = source;
  }

  async run(feeds: Feeds): Promise<Record<string, unknown>> {
    const [ids, mask] = [rowsOf(feeds.input_ids), rowsOf(feeds.attention_mask)];
    const types = feeds.token_type_ids === undefined ? undefined : rowsOf(feeds.token_type_ids);
    const { config } = this.#source;
    const [rows, longest]: [Float32Array[], number] = [[], ids[0].length];
    for (const [i, row] of ids.entries()) {
      const whole = mask[i].length > row.length ? [...this.#before, ...row] : row.filter((_, at) => mask[i][at] === 1);
      this.#before = whole;
      const tokenTypeIds = types?.[i].slice(0, whole.length);
      rows.push((await runFloat(this.#source, whole, { tokenTypeIds })).logits);
    }
    switch (config.head) {
      case 'question-answering': {
        const column = (of: number) => rows.map((row) => row.filter((_, i) => i % 2 === of));
        return { start_logits: padded(column(0), [longest]), end_logits: padded(column(1), [longest]) };
      }
      case 'causal-lm': {
        const all = this.#before.length;
        const last = rows.map((row) => row.slice((row.length / all) * (all - longest)));
        const kept = this.inputNames.filter((name) => name.startsWith('past'));
        const cache = kept.map((name) => [name.replace('past_key_values', 'present'), padded([], [0])]);
        return { ...Object.fromEntries(cache), logits: padded(last, [longest, rows[0].length / all]) };
      }
      case 'sequence-classification':
        return { logits: padded(rows, [rows[0].length]) };
      default: {
        const length = mask[0].reduce((sum, one) => sum + one, 0);
        return {
          [config.head === 'none' ? 'last_hidden_state' : 'logits']: padded(rows, [longest, rows[0].length / length]),
        };
      }
    }
  }
}

/** The library's classes by task, and by architecture. */
const MODELS: Readonly<Record<string, keyof typeof library>> = {
  'bert fill-mask': 'BertForMaskedLM',
  'bert text-classification': 'BertForSequenceClassification',
  'bert zero-shot-classification': 'BertForSequenceClassification',
  'bert feature-extraction': 'BertModel',
  'distilbert question-answering': 'DistilBertForQuestionAnswering',
  'roberta token-classification': 'RobertaForTokenClassification',
  'gpt2 text-generation': 'GPT2LMHeadModel',
};
const PIPELINES: Readonly<Partial<Record<PipelineTask, keyof typeof library>>> = {
  'fill-mask': 'FillMaskPipeline',
  'text-classification': 'TextClassificationPipeline',
  'zero-shot-classification': 'ZeroShotClassificationPipeline',
  'question-answering': 'QuestionAnsweringPipeline',
  'token-classification': 'TokenClassificationPipeline',
  'text-generation': 'TextGenerationPipeline',
  'feature-extraction': 'FeatureExtractionPipeline',
};
type Made = new (...args: readonly unknown[]) => unknown;
const CLASSES = new Map<string, unknown>(Object.entries(library));
const made = (name: keyof typeof library, ...args: readonly unknown[]) => new (CLASSES.get(name) as Made)(...args);

interface TokenizerJson {
  readonly model: { readonly type: string; readonly merges?: readonly (string | readonly string[])[] };
}

/**
 * The library's tokenizer from a folder's files. Its version 2 reads merges as it wrote them itself, `a b`, and no
 * folder without `tokenizer.json`: one that has a list of pieces alone gets that of another, with its own pieces.
 */
function tokenizerOf(folder: string): unknown {
  const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as TokenizerJson;
  const own = join(folder, 'tokenizer.json');
  const { model, ...rest } = json(existsSync(own) ? own : join(folder, '../sst2-bert/tokenizer.json'));
  const pieces = existsSync(own) ? [] : readFileSync(join(folder, 'vocab.txt'), 'utf8').trimEnd().split('\n');
  const vocab = existsSync(own) ? {} : { vocab: Object.fromEntries(pieces.map((piece, i) => [piece, i])) };
  const merges = model.merges?.map((merge) => (typeof merge === 'string' ? merge : merge.join(' ')));
  const config = json(join(folder, 'tokenizer_config.json'));
  const name = model.type === 'WordPiece' ? 'BertTokenizer' : 'GPT2Tokenizer';
  return made(name, { ...rest, model: { ...model, ...vocab, merges } }, config);
}

/** @param folder of the checkpoint. @param change of its `config.json` */
export function transformersPipeline(
  task: PipelineTask,
  folder: string,
  source: WeightSource,
  change: object = {},
): (...args: readonly unknown[]) => Promise<unknown> {
  const onDisk = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as { readonly model_type: string };
  const config = { ...onDisk, ...change };
  const model = made(MODELS[`${config.model_type} ${task}`], config, new Session(source), {});
  const name = PIPELINES[task];
  if (name === undefined) throw new Error(`the library has no ${task}`);
  return made(name, { task, model, tokenizer: tokenizerOf(folder) }) as (
    ...args: readonly unknown[]
  ) => Promise<unknown>;
}
