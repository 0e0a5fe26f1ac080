/**
 * A model of the SDK whose answers come from the float reference: the plans and readings of the data owner are the real
 * ones, and no party is asked. For tests of what stands around a run.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { loadModelConfig } from '../../src/ml/config.ts';
import { folderFiles } from '../../src/ml/files-node.ts';
import { type WeightSource, loadWeights } from '../../src/ml/models/weights.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import type { TaskInput } from '../../src/ml/tasks/common.ts';
import { taskOf } from '../../src/ml/tasks/table.ts';
import { generated } from '../../src/owner/generated.ts';
import { type TaskPlan, planPredict } from '../../src/owner/predict-plan.ts';
import { planAnswer, planClassify, planEmbed, planEntities, planGenerate } from '../../src/owner/task-plans.ts';
import { loadTextContext } from '../../src/owner/text-context.ts';
import type {
  AnswerOptions,
  BatchOptions,
  ClassifyOptions,
  EmbedOptions,
  EntityOptions,
  GenerateOptions,
  Model,
  PredictOptions,
} from '../../src/owner/types/index.ts';

export interface Checkpoint {
  readonly folder: string;
  readonly source: WeightSource;
  readonly model: Model;
}

/** @param change of its `config.json`: another head on the same weights */
export async function clearModel(folder: string, change: object = {}): Promise<Checkpoint> {
  const onDisk = await folderFiles(folder);
  const json = JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')) as object;
  const bytes = new TextEncoder().encode(JSON.stringify({ ...json, ...change }));
  const files: typeof onDisk = {
    ...onDisk,
    read: async (name) => (name === 'config.json' ? bytes : onDisk.read(name)),
  };
  const config = await loadModelConfig(files);
  const source = await loadWeights(files, config);
  const known = await loadTextContext(files, config);

  async function outputOf({ inputIds, typeIds, rows, pooling = 'none' }: TaskInput): Promise<Float32Array> {
    const positions = config.head === 'masked-lm' ? rows : undefined;
    const { logits } = await runFloat(source, inputIds, { tokenTypeIds: typeIds, positions });
    if (config.head !== 'none' || pooling === 'none') return logits;
    const { hiddenSize: C } = config;
    // The parties make the mean, or take the first vector.
    const [count, sums] = [pooling === 'cls' ? 1 : inputIds.length, new Float32Array(C)];
    for (let i = 0; i < count * C; i++) sums[i % C] += logits[i] / count;
    return sums;
  }
  async function answer<R>(plan: TaskPlan<R>): Promise<R> {
    return plan.finish(await Promise.all(plan.inputs.map(outputOf)));
  }

  const model = {
    id: basename(folder),
    task: taskOf(config.head),
    check: async () => ({}),
    dispose: async () => undefined,
    predict: (text: string, options: PredictOptions) => answer(planPredict(known, text, options)),
    classify: (text: string, options: ClassifyOptions) => answer(planClassify(known, text, options)),
    classifyBatch: async (texts: readonly string[], { batchSize: _, ...options }: BatchOptions) => ({
      results: await Promise.all(texts.map((text) => answer(planClassify(known, text, options)))),
    }),
    answerQuestion: (asked: { readonly question: string; readonly context: string }, options: AnswerOptions) =>
      answer(planAnswer(known, asked, options)),
    extractEntities: (text: string, options: EntityOptions) => answer(planEntities(known, text, options)),
    embed: async (texts: string | readonly string[], { batchSize: _, ...options }: EmbedOptions) => ({
      vectors: await Promise.all([texts].flat().map((text) => answer(planEmbed(known, text, options)))),
    }),
    generate: (prompt: string, options: GenerateOptions) =>
      generated(async (push) => {
        const plan = planGenerate(known, prompt, options);
        const ids = [...plan.inputs[0].inputIds];
        for (;;) {
          const { logits } = await runFloat(source, ids, { positions: [ids.length - 1] });
          const step = plan.decoder.step(logits);
          push(step.text);
          if (step.reason !== undefined) break;
          ids.push(plan.decoder.lastId as number);
        }
        return { ...plan.finish([]), pieceMs: [] } as never;
      }),
  };
  return { folder, source, model: model as unknown as Model };
}
