/**
 * What the compiler tells users of the SDK: the overloads of each pipeline, and what each method returns. Checked by
 * `tsc`, never run.
 */
import { expectTypeOf } from 'vitest';
import type {
  AnswerResult,
  BatchResult,
  ClassificationOutput,
  ClassifyResult,
  EmbedResult,
  EntitiesResult,
  FillMaskOutput,
  GenerateResult,
  GenerationOutput,
  Model,
  PredictResult,
  QuestionOutput,
  Tensor,
  TextCheck,
  TokenOutput,
  ZeroShotOutput,
} from '../../src/sdk/index.ts';
import * as page from '../../src/sdk/index.ts';
import * as node from '../../src/sdk/node.ts';

export async function results(model: Model): Promise<void> {
  expectTypeOf(await model.check('')).toEqualTypeOf<TextCheck>();
  expectTypeOf(await model.prepare(16)).toEqualTypeOf<void>();
  expectTypeOf(await model.predict('')).toEqualTypeOf<PredictResult>();
  expectTypeOf(await model.classify('')).toEqualTypeOf<ClassifyResult>();
  expectTypeOf(await model.classifyBatch([''])).toEqualTypeOf<BatchResult>();
  expectTypeOf(await model.answerQuestion({ question: '', context: '' })).toEqualTypeOf<AnswerResult>();
  expectTypeOf(await model.extractEntities('')).toEqualTypeOf<EntitiesResult>();
  expectTypeOf(await model.embed('')).toEqualTypeOf<EmbedResult>();
  expectTypeOf(await model.generate('')).toEqualTypeOf<GenerateResult>();
  for await (const piece of model.generate('')) expectTypeOf(piece).toEqualTypeOf<string>();
}

export async function refusals(model: Model): Promise<void> {
  // @ts-expect-error a text is a string
  await model.predict(1);
  // @ts-expect-error there is no such option
  await model.predict('', { top: 3 });
  // @ts-expect-error a question needs its context
  await model.answerQuestion('');
  // @ts-expect-error results are not for changing
  (await model.classify('')).label = '';
  // @ts-expect-error no task has this name
  await page.pipeline('translation', 'm');
  // @ts-expect-error Node has no page to be relative to: options are needed
  await node.SecureTransformer.fromPretrained('m');
  const zero = await page.pipeline('zero-shot-classification', 'm');
  // @ts-expect-error labels are needed
  await zero('');
}

export async function pipelines(): Promise<void> {
  const fill = await page.pipeline('fill-mask', 'm');
  expectTypeOf(await fill('')).toEqualTypeOf<FillMaskOutput>();
  expectTypeOf(await fill(['', ''], { top_k: 2 })).toEqualTypeOf<FillMaskOutput[]>();
  expectTypeOf(fill.task).toEqualTypeOf<'fill-mask'>();
  expectTypeOf(fill.model).toEqualTypeOf<Model>();

  // Another name is the task that it stands for.
  const classify = await page.pipeline('sentiment-analysis', 'm');
  expectTypeOf(classify.task).toEqualTypeOf<'text-classification'>();
  expectTypeOf(await classify('')).toEqualTypeOf<ClassificationOutput>();
  expectTypeOf(await classify([''])).toEqualTypeOf<ClassificationOutput>();
  expectTypeOf(await classify([''], { top_k: null })).toEqualTypeOf<ClassificationOutput | ClassificationOutput[]>();

  const zero = await page.pipeline('zero-shot-classification', 'm');
  expectTypeOf(await zero('', ['a', 'b'])).toEqualTypeOf<ZeroShotOutput>();
  expectTypeOf(await zero([''], 'a, b')).toEqualTypeOf<ZeroShotOutput[]>();

  const ask = await page.pipeline('question-answering', 'm');
  expectTypeOf(await ask('', '')).toEqualTypeOf<QuestionOutput | QuestionOutput[]>();
  expectTypeOf(await ask([''], [''])).toEqualTypeOf<(QuestionOutput | QuestionOutput[])[]>();

  const name = await page.pipeline('ner', 'm');
  expectTypeOf(await name('')).toEqualTypeOf<TokenOutput[]>();

  const write = await page.pipeline('text-generation', 'm');
  expectTypeOf(await write('')).toEqualTypeOf<GenerationOutput>();
  expectTypeOf(await write([''])).toEqualTypeOf<GenerationOutput[]>();

  const embed = await page.pipeline('embeddings', 'm');
  expectTypeOf(await embed(['', ''])).toEqualTypeOf<Tensor>();
}

export function bothEntries(): void {
  expectTypeOf(node.pipeline).toEqualTypeOf(page.pipeline);
  expectTypeOf(node.capabilities).toEqualTypeOf(page.capabilities);
  expectTypeOf<node.Model>().toEqualTypeOf<page.Model>();
}
