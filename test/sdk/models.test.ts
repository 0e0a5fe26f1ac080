/**
 * Every method of a model, on real sessions in one process, against the float reference: what it answers, what it
 * refuses before anything is sent, and how it ends.
 */
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/core/errors.ts';
import { softmax } from '../../src/ml/tasks/common.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import { failure } from '../failure.ts';
import { type MemorySite, type ModelId, memorySite } from './memory-site.ts';

const MASKED = 'the capital of france is [MASK].';
const TEXTS = ['paris is the capital of france.', 'cafe!', 'france is a mask, paris is the mask of the capital.'];
/** Probabilities of these small models: a few layers of fixed point behind a softmax. */
const DIGITS = 2;

function expectClose(got: Float32Array, want: ArrayLike<number>): void {
  expect(got.length).toBe(want.length);
  for (const [i, value] of got.entries()) expect(value, `at ${i}`).toBeCloseTo(want[i], DIGITS);
}

describe('a classifier', () => {
  it('answers as the float reference does, alone and in batches of mixed lengths, in the order of the texts', async () => {
    const site = await memorySite('classifier');
    const model = await site.load();
    expect(model.labels).toEqual(['bad', 'fair', 'good']);
    const expected = await Promise.all(
      TEXTS.map(async (text) =>
        softmax((await runFloat(site.source, site.tokenizer.encode(text, { allowMask: false }).ids)).logits),
      ),
    );
    const { results, costs } = await model.classifyBatch(TEXTS, { batchSize: 2 });
    for (const [i, { labels }] of results.entries()) {
      for (const { label, score } of labels)
        expect(score, `${TEXTS[i]}: ${label}`).toBeCloseTo(expected[i][model.labels.indexOf(label)], DIGITS);
    }
    expect(costs.map(({ tokens, paddedTokens }) => [tokens, paddedTokens])).toEqual([
      [9 + 4, 2 * 16],
      [15, 16],
    ]);
    const one = await model.classify(TEXTS[2], { topK: 1 });
    expect(one.labels).toHaveLength(1);
    expect(one.score).toBeCloseTo(results[2].score, DIGITS);
    const chosen = await model.classify(TEXTS[0], { labels: { good: 'praise', bad: 'blame' } });
    expect(chosen.labels.map(({ label }) => label).sort()).toEqual(['blame', 'fair', 'praise']);
    expect(await Promise.all(site.ends)).toEqual(Array(8).fill('answered'));
  });

  it('runs batches of the size that it was loaded with, unless a call names another', async () => {
    const site = await memorySite('classifier');
    const runs = async (size: number | undefined, batchSize?: number) => {
      const model = await site.load({ batchSize: size });
      const { results, costs } = await model.classifyBatch(TEXTS, batchSize === undefined ? {} : { batchSize });
      return { tokens: costs.map(({ tokens }) => tokens), results };
    };
    const one = await runs(1);
    expect(one.tokens).toEqual([9, 4, 15]);
    const all = await runs(undefined);
    expect(all.tokens).toEqual([9 + 4 + 15]);
    expect((await runs(1, 2)).tokens).toEqual([9 + 4, 15]);
    // In order, and the same answers whatever shared a run.
    for (const [i, { label, score }] of all.results.entries()) {
      expect(one.results[i].label).toBe(label);
      expect(one.results[i].score).toBeCloseTo(score, DIGITS);
    }
    for (const batchSize of [0, 257, 1.5]) await failure('ERR_ARGUMENT', () => site.load({ batchSize }), /1 to 256/);
  });

  it('sends nothing of a batch in which one text is bad, and names it', async () => {
    const site = await memorySite('classifier');
    const model = await site.load();
    const bad = await failure('ERR_TEXT_EMPTY', () => model.classifyBatch([TEXTS[0], ' ', TEXTS[1]]));
    expect(bad.message).toContain('text 2 of 3');
    expect(
      (await failure('ERR_TOO_MANY_TOKENS', () => model.classifyBatch([TEXTS[0], 'a '.repeat(40)]))).message,
    ).toContain('text 2 of 2');
    await failure('ERR_ARGUMENT', () => model.classifyBatch([]));
    await failure('ERR_ARGUMENT', () => model.classifyBatch(TEXTS, { batchSize: 0 }));
    await failure('ERR_ARGUMENT', () => model.classifyBatch(TEXTS, { batchSize: 257 }));
    await failure('ERR_ARGUMENT', () => model.classify(TEXTS[0], { labels: ['good', 'evil'] }));
    await failure('ERR_ARGUMENT', () => model.classify(TEXTS[0], { template: '{text} is {mask}' }));
    await failure('ERR_MODEL_UNSUPPORTED', () => model.classify(TEXTS[0], { hypothesisTemplate: 'this is {label}.' }));
    expect(site.ends).toEqual([]);
  });

  it('of entailment tells labels of the user’s own apart, one sequence for each in one run', async () => {
    const site = await memorySite('entailment');
    const model = await site.load();
    const labels = ['capital', 'france', 'a mask'];
    const { labels: ranking, cost } = await model.classify(TEXTS[1], {
      labels,
      hypothesisTemplate: 'this is {label}.',
      multiLabel: true,
    });
    const expected = await Promise.all(
      labels.map(async (label) => {
        const { ids, typeIds } = site.tokenizer.encodePair(TEXTS[1], `this is ${label}.`);
        const [contradiction, , entailment] = (await runFloat(site.source, ids, { tokenTypeIds: typeIds })).logits;
        return softmax([contradiction, entailment])[1];
      }),
    );
    for (const { label, score } of ranking) expect(score, label).toBeCloseTo(expected[labels.indexOf(label)], DIGITS);
    expect(cost.paddedTokens).toBe(3 * 16);
    expect(await Promise.all(site.ends)).toEqual(['answered', 'answered']);
    // Its own classes are its own classes.
    expect((await model.classify(TEXTS[1], { labels: ['neutral', 'entailment'] })).labels).toHaveLength(2);
    expect(site.ends).toHaveLength(4);
  });
});

describe('a model that fills masks', () => {
  it('lists pieces for every blank, or targets alone', async () => {
    const site = await memorySite('filler');
    const model = await site.load();
    const text = '[MASK] is the capital of [MASK].';
    const { blanks, predictions, captured, cost } = await model.predict(text, {
      topK: 3,
      targets: ['paris', 'france'],
    });
    const { ids } = site.tokenizer.encode(text, { allowMask: true });
    const positions = ids.flatMap((id, i) => (id === site.tokenizer.maskTokenId ? [i] : []));
    const { logits } = await runFloat(site.source, ids, { positions });
    const V = site.config.vocabSize;
    expect(blanks.map((list) => list.map(({ token }) => token).sort())).toEqual([
      ['france', 'paris'],
      ['france', 'paris'],
    ]);
    for (const [i, list] of blanks.entries()) {
      const scores = softmax(logits.subarray(i * V, (i + 1) * V));
      for (const { token_id, score } of list) expect(score).toBeCloseTo(scores[token_id], DIGITS);
    }
    expect(predictions).toBe(blanks[0]);
    expect(cost).toMatchObject({ tokens: ids.length, paddedTokens: 16, preparedAhead: false });
    expect(captured.tokens.map(({ span }) => span && text.slice(...span))).toEqual([
      undefined,
      ...'[MASK] is the capital of [MASK] .'.split(' '),
      undefined,
    ]);
    const sum = (words: readonly string[]) =>
      BigInt.asUintN(
        64,
        words.reduce((total, word) => total + BigInt(`0x${word}`), 0n),
      );
    expect([sum(captured.sum.words), sum(captured.sum.otherWords)]).toEqual([1n, 0n]);
  });

  it('classifies by a word in a template, alone and in a batch', async () => {
    const site = await memorySite('filler');
    const model = await site.load();
    const options = {
      labels: ['fr', 'nowhere'],
      verbalizers: { fr: 'france', nowhere: 'cafe' },
      template: '{text} {mask}!',
    };
    const one = await model.classify('paris', options);
    const { ids } = site.tokenizer.encode('paris [MASK]!', { allowMask: true });
    const { logits } = await runFloat(site.source, ids, {
      positions: [ids.indexOf(site.tokenizer.maskTokenId as number)],
    });
    const piece = (word: string) => logits[site.tokenizer.encodeWord(word)[0]];
    const expected = softmax([piece('france'), piece('cafe')]);
    for (const { label, score } of one.labels)
      expect(score).toBeCloseTo(expected[options.labels.indexOf(label)], DIGITS);
    const { results } = await model.classifyBatch(['paris', 'cafe of the capital'], options);
    for (const { label, score } of results[0].labels)
      expect(score).toBeCloseTo(expected[options.labels.indexOf(label)], DIGITS);
    const before = site.ends.length;
    await failure('ERR_ARGUMENT', () => model.classify('paris', { labels: ['france', 'capitals'] }));
    await failure('ERR_ARGUMENT', () => model.classify('paris'));
    await failure('ERR_ARGUMENT', () => model.classify('paris', { ...options, multiLabel: true }));
    await failure('ERR_ARGUMENT', () => model.predict(MASKED, { targets: ['capitals'] }));
    await failure('ERR_NO_MASK', () => model.predict('paris'));
    expect(site.ends).toHaveLength(before);
  });
});

describe('a model that answers questions', () => {
  it('finds a part of the context, as the float reference has it', async () => {
    const site = await memorySite('reader');
    const model = await site.load();
    const context = 'Paris is the capital of France, a cafe.';
    const question = 'capital of?';
    const result = await model.answerQuestion({ question, context }, { topK: 3, maxAnswerLength: 1 });
    expect(result.answers).toHaveLength(3);
    for (const { text, answer, start, end } of result.answers)
      expect([text, answer]).toEqual([context.slice(start, end), context.slice(start, end)]);
    const { ids, typeIds, spans, segments } = site.tokenizer.encodePair(question, context);
    const { logits } = await runFloat(site.source, ids, { tokenTypeIds: typeIds });
    const allowed = ids.flatMap((_, i) => (i === 0 || segments[i] === 1 ? [i] : []));
    const [starts, ends] = [0, 1].map((column) => softmax(allowed.map((i) => logits[2 * i + column])));
    const best = allowed
      .map((at, i) => ({ at, score: starts[i] * ends[i] }))
      .slice(1)
      .sort((a, b) => b.score - a.score)[0];
    expect(result.score).toBeCloseTo(best.score, DIGITS);
    expect([result.start, result.end]).toEqual(spans[best.at]);
    expect(result.captured.tokens.flatMap(({ span }) => (span === undefined ? [] : [context.slice(...span)]))).toEqual(
      'Paris is the capital of France , a cafe .'.split(' '),
    );
    expect(await model.check({ question, context })).toEqual({ tokens: ids.length, paddedTokens: 16, blanks: 0 });
  });

  it('refuses before it sends', async () => {
    const site = await memorySite('reader');
    const model = await site.load();
    const cases: [ErrorCode, unknown, object?][] = [
      ['ERR_ARGUMENT', { question: 'paris?' }],
      ['ERR_ARGUMENT', 'paris?'],
      ['ERR_ARGUMENT', { question: 'paris?', context: 7 }],
      ['ERR_TEXT_EMPTY', { question: ' ', context: 'paris' }],
      ['ERR_TEXT_EMPTY', { question: 'paris?', context: '' }],
      ['ERR_TOO_MANY_TOKENS', { question: 'paris?', context: 'a '.repeat(40) }],
      ['ERR_ARGUMENT', { question: 'paris?', context: 'paris' }, { maxAnswerLength: 0 }],
      ['ERR_ARGUMENT', { question: 'paris?', context: 'paris' }, { topK: 1.5 }],
    ];
    for (const [code, input, options] of cases)
      await failure(code, () => model.answerQuestion(input as { question: string; context: string }, options));
    expect((await model.check('paris?')).problem).toMatchObject({ code: 'ERR_ARGUMENT' });
    expect((await model.check({ question: 'paris?', context: 'a '.repeat(40) })).problem).toMatchObject({
      code: 'ERR_TOO_MANY_TOKENS',
    });
    expect(site.ends).toEqual([]);
  });
});

describe('a tagger and an encoder', () => {
  it('names every piece as the float reference does', async () => {
    const site = await memorySite('tagger');
    const model = await site.load();
    const { entities } = await model.extractEntities(TEXTS[0], { aggregation: 'none' });
    const { ids, spans } = site.tokenizer.encode(TEXTS[0], { allowMask: false });
    const { logits } = await runFloat(site.source, ids);
    const expected = spans.flatMap((span, i) => {
      if (span === undefined) return [];
      const row = softmax(logits.subarray(4 * i, 4 * i + 4));
      const id = row.indexOf(Math.max(...row));
      return site.config.id2label[id] === 'O'
        ? []
        : [{ label: site.config.id2label[id], start: span[0], score: row[id] }];
    });
    expect(expected).not.toEqual([]);
    expect(entities.map(({ label, start }) => ({ label, start }))).toEqual(
      expected.map(({ label, start }) => ({ label, start })),
    );
    for (const [i, { score }] of entities.entries()) expect(score).toBeCloseTo(expected[i].score, DIGITS);
    await failure('ERR_ARGUMENT', () => model.extractEntities(TEXTS[0], { aggregation: 'some' as 'none' }));
  });

  it('pools inside the protocol, alone or in a batch, and gives every position when asked', async () => {
    const site = await memorySite('encoder');
    const model = await site.load();
    const states = await Promise.all(
      TEXTS.map(
        async (text) => (await runFloat(site.source, site.tokenizer.encode(text, { allowMask: false }).ids)).logits,
      ),
    );
    const C = 16;
    const mean = (all: Float32Array) =>
      Array.from(
        { length: C },
        (_, c) => all.reduce((sum, value, i) => (i % C === c ? sum + value : sum), 0) / (all.length / C),
      );
    const { vectors, costs } = await model.embed(TEXTS, { normalize: false });
    expect(costs).toHaveLength(1);
    for (const [i, { dims, data }] of vectors.entries()) {
      expect(dims).toEqual([1, C]);
      expectClose(data, mean(states[i]));
    }
    const alone = await model.embed(TEXTS[1]);
    const length = Math.hypot(...mean(states[1]));
    expectClose(
      alone.vectors[0].data,
      mean(states[1]).map((value) => value / length),
    );
    const cls = await model.embed(TEXTS[1], { pooling: 'cls', normalize: false });
    expectClose(cls.vectors[0].data, states[1].slice(0, C));
    const all = await model.embed(TEXTS[1], { pooling: 'none', normalize: false });
    expect(all.vectors[0].dims).toEqual([states[1].length / C, C]);
    expectClose(all.vectors[0].data, states[1]);
    await failure('ERR_ARGUMENT', () => model.embed([]));
    await failure('ERR_ARGUMENT', () => model.embed(TEXTS, { pooling: 'max' as 'mean' }));
    expect((await failure('ERR_TEXT_EMPTY', () => model.embed(['a', '']))).message).toContain('text 2 of 2');
  });
});

describe('preparing', () => {
  it.each<
    [ModelId, object, (model: Awaited<ReturnType<MemorySite['load']>>) => Promise<{ cost: { preparedAhead: boolean } }>]
  >([
    ['filler', { blanks: 2 }, (model) => model.predict('[MASK] is [MASK]')],
    ['classifier', {}, (model) => model.classify('paris')],
    [
      'classifier',
      { sequences: 2 },
      async (model) => ({ cost: (await model.classifyBatch(['paris', 'france'])).costs[0] }),
    ],
    ['reader', {}, (model) => model.answerQuestion({ question: 'a', context: 'paris' })],
    ['tagger', {}, (model) => model.extractEntities('paris')],
    ['encoder', {}, async (model) => ({ cost: (await model.embed('paris')).costs[0] })],
  ])('for %s with %j is what the method runs', async (id, options, run) => {
    const site = await memorySite(id);
    const model = await site.load();
    await model.prepare(5, options);
    expect((await run(model)).cost.preparedAhead).toBe(true);
    expect(await Promise.all(site.ends)).toEqual(['answered', 'answered']);
  });
});

describe('a model', () => {
  it('refuses what its head cannot do, and says what it can', async () => {
    const cases: [ModelId, string, (model: Awaited<ReturnType<MemorySite['load']>>) => PromiseLike<unknown>][] = [
      ['filler', 'predict', (model) => model.generate('the')],
      ['classifier', 'classify', (model) => model.predict(MASKED)],
      ['reader', 'answerQuestion', (model) => model.classify('paris')],
      ['tagger', 'extractEntities', (model) => model.answerQuestion({ question: 'a', context: 'b' })],
      ['writer', 'generate', (model) => model.embed('paris')],
      ['encoder', 'embed', (model) => model.extractEntities('paris')],
      ['encoder', 'embed', (model) => model.classifyBatch(['paris'])],
    ];
    for (const [id, can, run] of cases) {
      const site = await memorySite(id);
      const model = await site.load();
      expect((await failure('ERR_MODEL_UNSUPPORTED', async () => await run(model))).hint, id).toContain(can);
      expect(site.ends).toEqual([]);
    }
  });

  it('is not loaded where the deployment says another task than its configuration, or lists no tokenizer', async () => {
    await failure('ERR_MODEL_CONFIG', async () =>
      (await memorySite('tagger', () => ({ task: 'text-generation' }))).load(),
    );
    const site = await memorySite('tagger', ({ files }) => ({ files: { 'config.json': files['config.json'] } }));
    await failure('ERR_MODEL_NOT_FOUND', () => site.load());
    expect(site.fetched).toEqual([]);
  });
});

describe('the longest text', () => {
  const LONG = 'the cat is on the mat';
  it.each<[ModelId, (model: Awaited<ReturnType<MemorySite['load']>>) => Promise<unknown>]>([
    ['filler', (model) => model.predict(`${LONG} [MASK]`)],
    ['filler', (model) => model.classify(LONG, { labels: ['cat', 'mat'] })],
    ['classifier', (model) => model.classify(LONG)],
    ['entailment', (model) => model.classify(LONG, { labels: ['cat', 'mat'] })],
    ['reader', (model) => model.answerQuestion({ question: 'who', context: LONG })],
    ['reader', (model) => model.answerQuestion({ question: LONG, context: 'mat' })],
    ['tagger', (model) => model.extractEntities(LONG)],
    ['encoder', (model) => model.embed([LONG])],
    ['writer', async (model) => model.generate(LONG, { maxNewTokens: 1 })],
  ])('of %s is what its caller says', async (id, ask) => {
    const site = await memorySite(id);
    const model = await site.load({ maxCharacters: LONG.length - 1 });
    await failure('ERR_TEXT_TOO_LONG', () => ask(model));
    expect(site.ends).toEqual([]);
    expect((await model.check('cat')).problem?.code).not.toBe('ERR_TEXT_TOO_LONG');
    expect((await model.check(id === 'reader' ? { question: 'a', context: LONG } : LONG)).problem?.code).toBe(
      'ERR_TEXT_TOO_LONG',
    );
  });

  it('is else what the deployment says, and no other kind of number is taken', async () => {
    const site = await memorySite('classifier');
    const deployment = { ...site.deployment, maxCharacters: 2 };
    const problem = async (options: object) => (await (await site.load(options)).check('cat')).problem?.code;
    expect(await problem({})).toBeUndefined();
    expect(await problem({ deployment })).toBe('ERR_TEXT_TOO_LONG');
    expect(await problem({ deployment, maxCharacters: 3 })).toBeUndefined();
    await failure('ERR_ARGUMENT', () => site.load({ maxCharacters: 0 }));
    await failure('ERR_MODEL_CONFIG', () => site.load({ deployment: { ...deployment, maxCharacters: -1 } }));
  });
});
