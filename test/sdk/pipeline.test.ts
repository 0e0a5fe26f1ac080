/**
 * `pipeline`: what transformers.js calls things becomes what a model is asked, and its results come back in the
 * shapes of transformers.js.
 */
import { describe, expect, it } from 'vitest';
import { pipelineWith } from '../../src/sdk/pipeline.ts';
import type { Model, Task } from '../../src/owner/types/index.ts';
import { failure } from '../failure.ts';
import { type ModelId, memorySite } from './memory-site.ts';

/** The options that a method of a model got, for a model that answers nothing. */
async function askedFor(
  task: Parameters<ReturnType<typeof pipelineWith>>[0],
  of: Task,
  method: keyof Model,
  ...args: unknown[]
): Promise<unknown[]> {
  let got: unknown[] = [];
  const stop = new Error('asked');
  const model = {
    task: of,
    check: async () => ({}),
    [method]: (...given: unknown[]) => {
      got = given;
      throw stop;
    },
  };
  const run = (await pipelineWith(async () => model as unknown as Model)(task, 'tiny')) as unknown as (
    ...given: unknown[]
  ) => Promise<unknown>;
  await expect(run(...args)).rejects.toBe(stop);
  return got;
}

async function on(id: ModelId) {
  const site = await memorySite(id);
  return { site, pipeline: pipelineWith((_id, options) => site.load(options)) };
}

describe('a task', () => {
  const disposed: string[] = [];
  const load = async (id: string): Promise<Model> =>
    ({ id, task: 'fill-mask', dispose: async () => void disposed.push(id) }) as unknown as Model;

  it('that is not there is refused before a model is loaded, and a model of another task after it was let go', async () => {
    const pipeline = pipelineWith(load);
    // @ts-expect-error a task that no build has
    await failure('ERR_ARGUMENT', () => pipeline('translation', 'tiny', {}));
    // @ts-expect-error a name that every object has
    await failure('ERR_ARGUMENT', () => pipeline('constructor', 'tiny', {}));
    expect((await failure('ERR_MODEL_UNSUPPORTED', () => pipeline('text-classification', 'tiny', {}))).hint).toContain(
      "pipeline('fill-mask'",
    );
    expect(disposed).toEqual(['tiny']);
    expect((await pipeline('zero-shot-classification', 'tiny')).task).toBe('zero-shot-classification');
  });

  it('has its options under the names of transformers.js', async () => {
    expect(await askedFor('fill-mask', 'fill-mask', 'predict', 'x', { top_k: 3, targets: ['a'] })).toEqual([
      'x',
      { topK: 3, targets: ['a'] },
    ]);
    expect(await askedFor('sentiment-analysis', 'text-classification', 'classify', 'x')).toEqual(['x', { topK: 1 }]);
    expect(
      await askedFor('text-classification', 'text-classification', 'classifyBatch', ['x'], { batch_size: 4 }),
    ).toEqual([['x'], { topK: 1, batchSize: 4 }]);
    expect(
      await askedFor('zero-shot-classification', 'text-classification', 'classify', 'x', 'a, b', {
        hypothesis_template: 'Is it {}?',
      }),
    ).toEqual(['x', { labels: ['a', 'b'], multiLabel: false, hypothesisTemplate: 'Is it {}?' }]);
    expect(
      await askedFor('zero-shot-classification', 'fill-mask', 'classifyBatch', ['x'], ['a', 'b'], {
        template: '{text} {mask}',
      }),
    ).toEqual([['x'], { labels: ['a', 'b'], template: '{text} {mask}' }]);
    const question = { top_k: 2, max_answer_len: 4, handle_impossible_answer: true };
    expect(await askedFor('question-answering', 'question-answering', 'answerQuestion', 'q', 'c', question)).toEqual([
      { question: 'q', context: 'c' },
      { topK: 2, maxAnswerLength: 4, handleImpossible: true },
    ]);
    expect(await askedFor('ner', 'token-classification', 'extractEntities', 'x')).toEqual([
      'x',
      { aggregation: 'none' },
    ]);
    expect(
      await askedFor('feature-extraction', 'feature-extraction', 'embed', ['x'], { pooling: 'mean', normalize: true }),
    ).toEqual([['x'], { pooling: 'mean', normalize: true }]);
    const sampling = { temperature: 0.7, top_k: 5, top_p: 0.9, seed: 1 };
    const text = { max_new_tokens: 9, max_length: 20, repetition_penalty: 1.2, ...sampling };
    const lengths = { maxNewTokens: 9, maxLength: 20, repetitionPenalty: 1.2 };
    expect(await askedFor('text-generation', 'text-generation', 'generate', 'x', text)).toEqual([
      'x',
      { ...lengths, temperature: 0.7, topK: 5, topP: 0.9, seed: 1 },
    ]);
    expect(
      await askedFor('text-generation', 'text-generation', 'generate', 'x', { ...text, do_sample: false }),
    ).toEqual(['x', { ...lengths, doSample: false }]);
    expect(await askedFor('text-generation', 'text-generation', 'generate', 'x', { do_sample: true })).toEqual([
      'x',
      { doSample: true },
    ]);
    const rules = {
      no_repeat_ngram_size: 2,
      eos_token_id: [0, 14],
      min_new_tokens: 3,
      suppress_tokens: [5],
      specialTokens: 'allow' as const,
    };
    expect(await askedFor('text-generation', 'text-generation', 'generate', 'x', rules)).toEqual([
      'x',
      { noRepeatNgramSize: 2, eosTokenId: [0, 14], minNewTokens: 3, suppressTokens: [5], specialTokens: 'allow' },
    ]);
    expect(await askedFor('ner', 'token-classification', 'extractEntities', 'x', { ignore_labels: [] })).toEqual([
      'x',
      { aggregation: 'none', ignoreLabels: [] },
    ]);
    expect(await askedFor('embeddings', 'feature-extraction', 'embed', 'x')).toEqual([
      'x',
      { pooling: 'none', normalize: false },
    ]);
    const write = await pipelineWith(async () => ({ task: 'text-generation' }) as Model)('text-generation', 'tiny');
    await failure('ERR_ARGUMENT', () => write('x', { do_sample: true, temperature: 0 }));
  });
});

describe('how many answers', () => {
  it('may be asked for under both names, and all classes with null', async () => {
    expect(await askedFor('fill-mask', 'fill-mask', 'predict', 'x', { topk: 3 })).toEqual(['x', { topK: 3 }]);
    expect(await askedFor('text-classification', 'text-classification', 'classify', 'x', { topk: 2 })).toEqual([
      'x',
      { topK: 2 },
    ]);
    expect(
      await askedFor('text-classification', 'text-classification', 'classify', 'x', { top_k: 2, topk: 2 }),
    ).toEqual(['x', { topK: 2 }]);
    for (const all of [{ top_k: null }, { topk: null }]) {
      expect(await askedFor('text-classification', 'text-classification', 'classify', 'x', all)).toEqual(['x', {}]);
      expect(await askedFor('text-classification', 'text-classification', 'classifyBatch', ['x'], all)).toEqual([
        ['x'],
        {},
      ]);
    }
    const ask = await pipelineWith(async () => ({ task: 'question-answering' }) as Model)('question-answering', 'tiny');
    await failure('ERR_ARGUMENT', () => ask('q', 'c', { top_k: 2, topk: 3 }));
  });
});

describe('an option that a pipeline does not know', () => {
  it.each([
    ['fill-mask', 'fill-mask', ['x', { topK: 3 }], 'topK', 'top_k'],
    ['text-classification', 'text-classification', ['x', { truncation: true }], 'truncation', 'its options are'],
    [
      'zero-shot-classification',
      'text-classification',
      ['x', 'a, b', { multiLabel: true }],
      'multiLabel',
      'multi_label',
    ],
    ['question-answering', 'question-answering', ['q', 'c', { doc_stride: 128 }], 'doc_stride', 'its options are'],
    ['ner', 'token-classification', ['x', { ignoreLabels: [] }], 'ignoreLabels', 'ignore_labels'],
    ['text-generation', 'text-generation', ['x', { num_beams: 4 }], 'num_beams', 'its options are'],
    [
      'text-generation',
      'text-generation',
      ['x', { num_return_sequences: 2, do_sample: true }],
      'num_return_sequences',
      'its options are',
    ],
    ['feature-extraction', 'feature-extraction', ['x', { quantize: true }], 'quantize', 'its options are'],
    [
      'text-generation',
      'text-generation',
      ['x', { differential_privacy: true }],
      'differential_privacy',
      'its options are',
    ],
  ] as const)(
    'is refused by %s, nothing is run, and the name that was meant is said',
    async (task, of, args, name, hint) => {
      const run = (await pipelineWith(async () => ({ task: of }) as Model)(task, 'tiny')) as unknown as (
        ...given: unknown[]
      ) => Promise<unknown>;
      const error = await failure('ERR_ARGUMENT', () => run(...args));
      expect(error.message).toContain(`"${name}"`);
      expect(error.hint).toContain(hint);
    },
  );

  it('may be undefined; what is no object, and an argument too many, are refused', async () => {
    expect(await askedFor('fill-mask', 'fill-mask', 'predict', 'x', { num_beams: undefined })).toEqual(['x', {}]);
    const run = (await pipelineWith(async () => ({ task: 'fill-mask' }) as Model)('fill-mask', 'tiny')) as unknown as (
      ...given: unknown[]
    ) => Promise<unknown>;
    for (const args of [
      ['x', 3],
      ['x', ['a']],
      ['x', 'top_k'],
      ['x', {}, {}],
    ])
      await failure('ERR_ARGUMENT', () => run(...args));
  });
});

describe('results', () => {
  it('of fill-mask are a list, a list for each blank, or those for each text', async () => {
    const { pipeline } = await on('filler');
    const fill = await pipeline('fill-mask', 'filler');
    const one = await fill('paris is [MASK]', { top_k: 2 });
    const [first] = one as { token: number }[];
    // Keys and their order as in transformers.js 2.17, fill-mask.
    expect(Object.keys(first)).toEqual(['score', 'token', 'token_str', 'sequence']);
    expect(first).toEqual({
      score: expect.any(Number),
      token: expect.any(Number),
      token_str: expect.any(String),
      sequence: expect.any(String),
    });
    const [two, single] = await fill(['[MASK] is [MASK]', 'paris is [MASK]'], { top_k: 2 });
    expect(two).toEqual([
      [expect.anything(), expect.anything()],
      [expect.anything(), expect.anything()],
    ]);
    expect((single as { token: number }[]).map(({ token }) => token)).toEqual(
      (one as { token: number }[]).map(({ token }) => token),
    );
    await failure('ERR_ARGUMENT', () => fill([]));
  });

  it('of a list of which one text is bad are none, and nothing is sent', async () => {
    const { site, pipeline } = await on('tagger');
    const tag = await pipeline('ner', 'tagger');
    expect((await failure('ERR_TEXT_EMPTY', () => tag(['paris', '']))).message).toContain('text 2 of 2');
    expect(site.ends).toEqual([]);
    const [list] = await tag(['paris is the capital'], { aggregation_strategy: 'simple' });
    expect(list).not.toEqual([]);
    for (const entity of list)
      expect(entity).toEqual({
        entity_group: expect.stringMatching(/^(LOC|PER)$/),
        score: expect.any(Number),
        word: expect.any(String),
        start: expect.any(Number),
        end: expect.any(Number),
      });
  });

  it('of classification are the best class of each text, or all of them', async () => {
    const { pipeline } = await on('classifier');
    const classify = await pipeline('sentiment-analysis', 'classifier');
    const best = await classify('paris is the capital');
    expect(best).toEqual([{ label: expect.any(String), score: expect.any(Number) }]);
    // transformers.js 2.17: a flat list where one class is asked for, else a list for each text.
    expect((await classify(['paris is the capital', 'paris'])).map(({ label }) => label)).toHaveLength(2);
    const all = await classify(['paris is the capital'], { top_k: null });
    expect(all).toHaveLength(1);
    const [list] = all as { label: string }[][];
    expect(list.length).toBeGreaterThan(1);
    expect(list[0].label).toBe(best[0].label);
  });

  it('of names by piece have their place and their words as the tokenizer reads them back', async () => {
    const { pipeline } = await on('tagger');
    const tag = await pipeline('token-classification', 'tagger');
    const every = await tag('paris is the capital', { ignore_labels: [] });
    expect(every.map((piece) => Object.keys(piece))).toEqual(
      every.map(() => ['entity', 'score', 'index', 'word', 'start', 'end']),
    );
    expect(every.map((piece) => ('index' in piece ? piece.index : 0))).toEqual(every.map((_, i) => i + 1));
    expect(every.map(({ word }) => word).join(' ')).toBe('paris is the capital');
    const named = await tag('paris is the capital');
    const places = (pieces: typeof every) =>
      pieces.map((piece) => ('entity' in piece ? `${piece.index} ${piece.entity}` : ''));
    expect(places(named)).toEqual(places(every.filter((piece) => 'entity' in piece && piece.entity !== 'O')));
  });

  it('of question answering are an answer, or a list of them', async () => {
    const { pipeline } = await on('reader');
    const ask = await pipeline('question-answering', 'reader');
    const context = 'paris is the capital';
    const answer = await ask('capital?', context);
    expect(answer).toEqual({
      answer: expect.any(String),
      score: expect.any(Number),
      start: expect.any(Number),
      end: expect.any(Number),
    });
    const answers = await ask('capital?', context, { top_k: 2, max_answer_len: 1 });
    expect(answers).toHaveLength(2);
    await failure('ERR_ARGUMENT', () => ask('capital?', undefined as unknown as string));
    const both = await ask(['capital?', 'paris?'], [context, context]);
    expect(both).toHaveLength(2);
    expect((both[0] as { answer: string }).answer).toBe((answer as { answer: string }).answer);
    await failure('ERR_ARGUMENT', () => ask(['capital?', 'paris?'], [context]));
  });

  it('of feature extraction are one tensor, with zeros behind shorter texts', async () => {
    const { pipeline } = await on('encoder');
    const extract = await pipeline('feature-extraction', 'encoder');
    const all = await extract(['paris', 'paris is the capital']);
    expect(all).toMatchObject({ type: 'float32', dims: [2, 6, 16], size: 2 * 6 * 16 });
    expect([...all.data.slice(3 * 16, 6 * 16)]).toEqual(new Array(48).fill(0));
    expect(all.data.slice(0, 48).some((value) => value !== 0)).toBe(true);
    const list = all.tolist() as number[][][];
    expect([list.length, list[0].length, list[0][0].length]).toEqual([2, 6, 16]);
    expect(list[1].flat()).toEqual([...all.data.subarray(6 * 16)]);
    expect([...all].map(({ dims }) => dims)).toEqual([
      [6, 16],
      [6, 16],
    ]);
    expect(all[1][2].tolist()).toEqual(list[1][2]);
    expect(all[2]).toBeUndefined();
    const pooled = await extract('paris', { pooling: 'mean', normalize: true });
    expect(pooled.dims).toEqual([1, 16]);
    expect(Math.hypot(...pooled.data)).toBeCloseTo(1, 5);
  });

  it('of text generation tell of every piece, and are the text with or without its prompt', async () => {
    const { pipeline } = await on('writer');
    const write = await pipeline('text-generation', 'writer');
    let told = '';
    const callback_function = (piece: string) => {
      told += piece;
    };
    const [{ generated_text: whole }] = await write('the', { max_new_tokens: 2, callback_function });
    expect(whole).toBe(`the${told}`);
    const [[{ generated_text: added }]] = await write(['the'], { max_new_tokens: 2, return_full_text: false });
    expect(added).toBe(told);
  });
});
