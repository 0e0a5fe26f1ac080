/** What can be asked: for each task its address, what it takes, what it gives, and how it is done with a model. */
import type { z } from 'zod';
import { TercetError } from '../core/errors.ts';
import type { Model, Protocol, RunCost, Task } from '../owner/types/index.ts';
import {
  type COMMON,
  ClassificationAnswer,
  EntitiesAnswer,
  FeatureExtraction,
  FillMask,
  FillMaskAnswer,
  GenerationAnswer,
  QuestionAnswer,
  QuestionAnswering,
  TextClassification,
  TextGeneration,
  TokenClassification,
  VectorAnswer,
  ZeroShot,
  readBody,
} from './schemas.ts';

/** One answer for each text, and what they took. */
interface Done {
  readonly answers: readonly object[];
  readonly costs: readonly RunCost[];
}

/** A request that was read: so many texts, and the way to answer them. */
export interface Call {
  readonly texts: number;
  /** Whether there is a list of answers, or one. */
  readonly many: boolean;
  /** Of generated text: as events, a piece in each. */
  readonly stream: boolean;
  /** What its runs must be of; undefined: what this gateway chooses. */
  readonly protocol?: Protocol | undefined;
  /** The least that its runs may be proved at. */
  readonly securityLevel?: 128 | 256 | undefined;
  run(model: Model, signal: AbortSignal, onPiece: (text: string) => void): Promise<Done>;
}

export interface Operation {
  /** Behind `/api/v1/`. */
  readonly name: string;
  readonly summary: string;
  readonly request: z.ZodObject;
  readonly answer: z.ZodObject;
  /** Models that it can be asked of, the most fitting first. */
  readonly tasks: readonly Task[];
  /** @throws {TercetError} ERR_ARGUMENT; {Problem} */
  read(body: unknown): Call;
}

function operation<T extends z.ZodObject<Pick<typeof COMMON, 'protocol' | 'security_level'>>>(
  about: Omit<Operation, 'read' | 'request'> & { readonly request: T },
  call: (body: z.infer<T>) => Call,
): Operation {
  return {
    ...about,
    read: (body) => {
      const read = readBody(about.request, body);
      return { ...call(read), protocol: read.protocol, securityLevel: read.security_level };
    },
  };
}

/** `text` or `texts`. @throws {TercetError} ERR_ARGUMENT */
function textsOf({ text, texts }: { readonly text?: string | undefined; readonly texts?: string[] | undefined }) {
  if ((text === undefined) === (texts === undefined))
    throw new TercetError('ERR_ARGUMENT', 'the body has not one of text and texts', 'give one of them');
  return { list: texts ?? [text as string], many: texts !== undefined };
}

/** Of several texts one that is refused costs nothing, and the error says which: before the first of them runs. */
async function checkEach(model: Model, list: readonly string[]): Promise<void> {
  if (list.length === 1) return;
  for (const [i, text] of list.entries()) {
    const { problem } = await model.check(text);
    if (problem === undefined) continue;
    const which = `text ${i + 1} of ${list.length}`;
    throw new TercetError(problem.code, `${which}: ${problem.message}`, problem.hint);
  }
}

/** A run for each text of a body, one after the other. */
function textByText<R extends { readonly cost: RunCost }>(
  body: Parameters<typeof textsOf>[0],
  run: (model: Model, text: string, signal: AbortSignal) => Promise<R>,
  answer: (result: R) => object,
): Call {
  const { list, many } = textsOf(body);
  return {
    texts: list.length,
    many,
    stream: false,
    run: async (model, signal) => {
      const answers: object[] = [];
      const costs: RunCost[] = [];
      await checkEach(model, list);
      for (const text of list) {
        const result = await run(model, text, signal);
        answers.push(answer(result));
        costs.push(result.cost);
      }
      return { answers, costs };
    },
  };
}

const classified = ({ label, score, labels }: { label: string; score: number; labels: readonly object[] }) => ({
  label,
  confidence: score,
  labels,
});

/** What is left out is not given: an option that is undefined is none. */
function given<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

export const OPERATIONS: readonly Operation[] = [
  operation(
    {
      name: 'fill-mask',
      summary: 'The words that fit a blank, [MASK] or <mask>.',
      request: FillMask,
      answer: FillMaskAnswer,
      tasks: ['fill-mask'],
    },
    (body) =>
      textByText(
        body,
        (model, text, signal) => model.predict(text, { signal, ...given({ topK: body.top_k, targets: body.targets }) }),
        ({ predictions, blanks }) => ({
          predictions: predictions.map(({ token, score, sequence }) => ({ token, score, sequence })),
          ...(blanks.length > 1
            ? { blanks: blanks.map((words) => words.map(({ token, score }) => ({ token, score }))) }
            : {}),
        }),
      ),
  ),
  operation(
    {
      name: 'text-classification',
      summary: "Which of the model's classes a text is of.",
      request: TextClassification,
      answer: ClassificationAnswer,
      tasks: ['text-classification'],
    },
    (body) => classification(body, given({ topK: body.top_k, labels: body.labels })),
  ),
  operation(
    {
      name: 'zero-shot-classification',
      summary: 'Which of your own labels a text is of.',
      request: ZeroShot,
      answer: ClassificationAnswer,
      tasks: ['fill-mask', 'text-classification'],
    },
    (body) =>
      classification(body, {
        labels: body.labels,
        ...given({ topK: body.top_k, multiLabel: body.multi_label }),
        ...given({ template: body.template }),
      }),
  ),
  operation(
    {
      name: 'question-answering',
      summary: 'The words of a context that answer a question.',
      request: QuestionAnswering,
      answer: QuestionAnswer,
      tasks: ['question-answering'],
    },
    ({ question, context, top_k }) => ({
      texts: 1,
      many: false,
      stream: false,
      run: async (model, signal) => {
        const options = { signal, ...given({ topK: top_k }) };
        const { answer, score, start, end, answers, cost } = await model.answerQuestion({ question, context }, options);
        const all = answers.map((one) => ({ answer: one.answer, score: one.score, start: one.start, end: one.end }));
        return { answers: [{ answer, confidence: score, start, end, answers: all }], costs: [cost] };
      },
    }),
  ),
  operation(
    {
      name: 'token-classification',
      summary: 'The names in a text.',
      request: TokenClassification,
      answer: EntitiesAnswer,
      tasks: ['token-classification'],
    },
    (body) =>
      textByText(
        body,
        (model, text, signal) => model.extractEntities(text, { signal }),
        ({ entities }) => ({
          entities: entities.map(({ text, label, score, start, end }) => ({ text, label, score, start, end })),
        }),
      ),
  ),
  operation(
    {
      name: 'text-generation',
      summary: 'Goes on with a text; with stream, as server-sent events: token, then done or error.',
      request: TextGeneration,
      answer: GenerationAnswer,
      tasks: ['text-generation'],
    },
    (body) => ({
      texts: 1,
      many: false,
      stream: body.stream === true,
      run: async (model, signal, onPiece) => {
        const stream = model.generate(body.text, {
          signal,
          ...given({ maxNewTokens: body.max_new_tokens, maxLength: body.max_length, temperature: body.temperature }),
          ...given({ topK: body.top_k, topP: body.top_p, repetitionPenalty: body.repetition_penalty }),
          ...given({ doSample: body.do_sample, stop: body.stop, seed: body.seed }),
        });
        for await (const piece of stream) onPiece(piece);
        const { text, generated_text, reason, cost } = await stream;
        return { answers: [{ text, generated_text, reason }], costs: [cost] };
      },
    }),
  ),
  operation(
    {
      name: 'feature-extraction',
      summary: 'Vectors of texts.',
      request: FeatureExtraction,
      answer: VectorAnswer,
      tasks: ['feature-extraction'],
    },
    (body) => {
      const { list, many } = textsOf(body);
      // A vector of every piece takes megabytes a text as JSON: half a gigabyte for as many long texts as are taken.
      if (body.pooling === 'none' && list.length > 1)
        throw new TercetError(
          'ERR_ARGUMENT',
          'vectors that are not pooled were asked for several texts',
          'send one text at a time, or pool them',
        );
      return {
        texts: list.length,
        many,
        stream: false,
        run: async (model, signal) => {
          const options = { signal, ...given({ pooling: body.pooling, normalize: body.normalize }) };
          const { vectors, costs } = await model.embed(list, { ...options, ...given({ batchSize: body.batch_size }) });
          return { answers: vectors.map(({ dims, data }) => ({ dims: [...dims], data: [...data] })), costs };
        },
      };
    },
  ),
];

/** One text by itself, several in batches. */
function classification(
  body: { readonly text?: string | undefined; readonly texts?: string[] | undefined; batch_size?: number | undefined },
  options: Parameters<Model['classify']>[1],
): Call {
  const { list, many } = textsOf(body);
  return {
    texts: list.length,
    many,
    stream: false,
    run: async (model, signal) => {
      if (!many) {
        const { cost, ...result } = await model.classify(list[0], { ...options, signal });
        return { answers: [classified(result)], costs: [cost] };
      }
      const batch = { ...options, signal, ...given({ batchSize: body.batch_size }) };
      const { results, costs } = await model.classifyBatch(list, batch);
      return { answers: results.map(classified), costs };
    },
  };
}

/**
 * What `/api/v1/inference` means for a model: its own task, and labels of the caller's where a fill-mask model is
 * given some.
 */
export function operationFor(model: Model, body: unknown): Operation {
  const zeroShot = model.task === 'fill-mask' && typeof body === 'object' && body !== null && 'labels' in body;
  const name = zeroShot ? 'zero-shot-classification' : model.task;
  const found = OPERATIONS.find((known) => known.name === name);
  if (found !== undefined) return found;
  throw new TercetError('ERR_MODEL_UNSUPPORTED', `nothing is served for ${model.task}`, 'choose another model');
}
