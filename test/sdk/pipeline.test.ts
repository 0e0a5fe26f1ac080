/** `pipeline`: what transformers.js calls things becomes what a model is asked, and its results come back in the shapes of transformers.js. */
import { describe, expect, it } from 'vitest';
import { pipelineWith } from '../../src/sdk/pipeline.ts';
import type { Model, Task } from '../../src/sdk/types.ts';
import { failure } from '../failure.ts';
import { type ModelId, memorySite } from './memory-site.ts';

/** The options that a method of a model got, for a model that answers nothing. */
async function askedFor(task: Parameters<ReturnType<typeof pipelineWith>>[0], of: Task, method: keyof Model, ...args: unknown[]): Promise<unknown[]> {
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
  const run = (await pipelineWith(async () => model as unknown as Model)(task, 'tiny')) as unknown as (...given: unknown[]) => Promise<unknown>;
  await expect(run(...args)).rejects.toBe(stop);
  return got;
}

async function on(id: ModelId) {
  const site = await memorySite(id);
  return { site, pipeline: pipelineWith((_id, options) => site.load(options)) };
}

describe('a task', () => {
  const disposed: string[] = [];
  const load = async (id: string): Promise<Model> => ({ id, task: 'fill-mask', dispose: async () => void disposed.push(id) }) as unknown as Model;

  it('that is not there is refused before a model is loaded, and a model of another task after it was let go', async () => {
    const pipeline = pipelineWith(load);
    // @ts-expect-error a task that no build has
    await failure('ERR_ARGUMENT', () => pipeline('translation', 'tiny', {}));
    // @ts-expect-error a name that every object has
    await failure('ERR_ARGUMENT', () => pipeline('constructor', 'tiny', {}));
    expect((await failure('ERR_MODEL_UNSUPPORTED', () => pipeline('text-classification', 'tiny', {}))).hint).toContain("pipeline('fill-mask'");
    expect(disposed).toEqual(['tiny']);
    expect((await pipeline('zero-shot-classification', 'tiny')).task).toBe('zero-shot-classification');
  });

  it('has its options under the names of transformers.js', async () => {
    expect(await askedFor('fill-mask', 'fill-mask', 'predict', 'x', { top_k: 3, targets: ['a'] })).toEqual(['x', { topK: 3, targets: ['a'] }]);
    expect(await askedFor('sentiment-analysis', 'text-classification', 'classify', 'x')).toEqual(['x', { topK: 1 }]);
    expect(await askedFor('text-classification', 'text-classification', 'classifyBatch', ['x'], { batch_size: 4 })).toEqual([['x'], { topK: 1, batchSize: 4 }]);
    expect(await askedFor('zero-shot-classification', 'text-classification', 'classify', 'x', 'a, b', { hypothesis_template: 'Is it {}?' })).toEqual([
      'x',
      { labels: ['a', 'b'], multiLabel: false, hypothesisTemplate: 'Is it {}?' },
    ]);
    expect(await askedFor('zero-shot-classification', 'fill-mask', 'classifyBatch', ['x'], ['a', 'b'], { template: '{text} {mask}' })).toEqual([
      ['x'],
      { labels: ['a', 'b'], template: '{text} {mask}' },
    ]);
    const question = { top_k: 2, max_answer_len: 4, handle_impossible_answer: true };
    expect(await askedFor('question-answering', 'question-answering', 'answerQuestion', 'q', 'c', question)).toEqual([
      { question: 'q', context: 'c' },
      { topK: 2, maxAnswerLength: 4, handleImpossible: true },
    ]);
    expect(await askedFor('ner', 'token-classification', 'extractEntities', 'x')).toEqual(['x', { aggregation: 'none' }]);
    expect(await askedFor('feature-extraction', 'feature-extraction', 'embed', ['x'], { pooling: 'mean', normalize: true })).toEqual([
      ['x'],
      { pooling: 'mean', normalize: true },
    ]);
    const sampling = { temperature: 0.7, top_k: 5, top_p: 0.9, seed: 1 };
    const text = { max_new_tokens: 9, max_length: 20, repetition_penalty: 1.2, ...sampling };
    const lengths = { maxNewTokens: 9, maxLength: 20, repetitionPenalty: 1.2 };
    expect(await askedFor('text-generation', 'text-generation', 'generate', 'x', text)).toEqual([
      'x',
      { ...lengths, temperature: 0.7, topK: 5, topP: 0.9, seed: 1 },
    ]);
    expect(await askedFor('text-generation', 'text-generation', 'generate', 'x', { ...text, do_sample: false })).toEqual([
      'x',
      { ...lengths, doSample: false },
    ]);
    expect(await askedFor('text-generation', 'text-generation', 'generate', 'x', { do_sample: true })).toEqual(['x', { doSample: true }]);
    const rules = { no_repeat_ngram_size: 2, eos_token_id: [0, 14], min_new_tokens: 3, suppress_tokens: [5], specialTokens: 'allow' as const };
    expect(await askedFor('text-generation', 'text-generation', 'generate', 'x', rules)).toEqual([
      'x',
      { noRepeatNgramSize: 2, eosTokenId: [0, 14], minNewTokens: 3, suppressTokens: [5], specialTokens: 'allow' },
    ]);
    const write = await pipelineWith(async () => ({ task: 'text-generation' }) as Model)('text-generation', 'tiny');
    await failure('ERR_ARGUMENT', () => write('x', { do_sample: true, temperature: 0 }));
  });
});

describe('results', () => {
  it('of fill-mask are a list, a list for each blank, or those for each text', async () => {
    const { pipeline } = await on('filler');
    const fill = await pipeline('fill-mask', 'filler');
    const one = await fill('paris is [MASK]', { top_k: 2 });
    const [first] = one as { token: string }[];
    expect(first).toEqual({
      token: expect.any(String),
      token_str: expect.any(String),
      token_id: expect.any(Number),
      score: expect.any(Number),
      sequence: expect.any(String),
    });
    const [two, single] = await fill(['[MASK] is [MASK]', 'paris is [MASK]'], { top_k: 2 });
    expect(two).toEqual([
      [expect.anything(), expect.anything()],
      [expect.anything(), expect.anything()],
    ]);
    expect((single as { token: string }[]).map(({ token }) => token)).toEqual((one as { token: string }[]).map(({ token }) => token));
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

  it('of question answering are an answer, or a list of them', async () => {
    const { pipeline } = await on('reader');
    const ask = await pipeline('question-answering', 'reader');
    const context = 'paris is the capital';
    const answer = await ask('capital?', context);
    expect(answer).toEqual({ answer: expect.any(String), score: expect.any(Number), start: expect.any(Number), end: expect.any(Number) });
    const answers = await ask('capital?', context, { top_k: 2, max_answer_len: 1 });
    expect(answers).toHaveLength(2);
    await failure('ERR_ARGUMENT', () => ask('capital?', undefined as unknown as string));
  });

  it('of feature extraction are one tensor, with zeros behind shorter texts', async () => {
    const { pipeline } = await on('encoder');
    const extract = await pipeline('feature-extraction', 'encoder');
    const all = await extract(['paris', 'paris is the capital']);
    expect(all).toMatchObject({ type: 'float32', dims: [2, 6, 16], size: 2 * 6 * 16 });
    expect([...all.data.slice(3 * 16, 6 * 16)]).toEqual(new Array(48).fill(0));
    expect(all.data.slice(0, 48).some((value) => value !== 0)).toBe(true);
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
