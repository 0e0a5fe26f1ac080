/**
 * Every task on the command line, with the embedded models and real processes: the answer, the plaintext model
 * beside it, and what bad input says.
 */
import { afterAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/core/errors.ts';
import { type Ended, Workplace, expectFailure, expectSuccess } from './command.ts';

const place = new Workplace();
afterAll(() => place.close());
const TIMEOUT = 120_000;

const CONTEXT =
  'The Eiffel Tower is a tower in Paris. It is named after the engineer Gustave Eiffel, whose company built it.';

function parse(ended: Ended): {
  result: Record<string, unknown>;
  plaintext: { argmaxEqual: boolean; maxAbsLogitError: number };
  steps?: object[];
  sequences?: number;
  runs?: number;
  cost: { rounds: number };
} {
  expectSuccess(ended);
  return JSON.parse(ended.stdout);
}

const json = (...args: string[]) =>
  place.run(['infer', ...args, '--compare', '--json'], { timeoutMs: TIMEOUT }).then(parse);

describe('infer', () => {
  it('answers a question with a span of its context', { timeout: TIMEOUT }, async () => {
    const { result, plaintext } = await json(
      '--task',
      'question-answering',
      '--question',
      'Who built it?',
      '--text',
      CONTEXT,
    );
    const [{ answer, start, end }] = result.answers as { answer: string; start: number; end: number }[];
    expect(CONTEXT.slice(start, end)).toBe(answer);
    expect(answer).not.toBe('');
    expect(plaintext.argmaxEqual).toBe(true);
  });

  it('finds entities where they stand in the text', { timeout: TIMEOUT }, async () => {
    const text = 'Maria flew from Lisbon to Berlin on Monday.';
    const { result, plaintext } = await json('--task', 'token-classification', '--text', text);
    const entities = result.entities as { text: string; start: number; end: number; label: string }[];
    expect(entities.map(({ text: name }) => name)).toContain('Lisbon');
    for (const entity of entities) expect(text.slice(entity.start, entity.end)).toBe(entity.text);
    expect(plaintext.argmaxEqual).toBe(true);
  });

  it('goes on from a prompt: as many tokens as asked for, each the likeliest of the plaintext model, at a step each', {
    timeout: TIMEOUT,
  }, async () => {
    const { result, plaintext, steps } = await json(
      '--task',
      'text-generation',
      '--text',
      'The king said',
      '--max-new-tokens',
      '4',
    );
    expect(result).toMatchObject({ reason: 'length', ids: expect.objectContaining({ length: 4 }) });
    expect(result.generated_text).toBe(`The king said${result.text as string}`);
    expect(steps).toHaveLength(4);
    expect(plaintext.argmaxEqual).toBe(true);
  });

  it('streams the text for people, and nothing of it to stderr', { timeout: TIMEOUT }, async () => {
    const args = [
      'infer',
      '--task',
      'text-generation',
      '--text',
      'The king said',
      '--max-new-tokens',
      '3',
      '--temperature',
      '0.8',
      '--seed',
      '5',
    ];
    const ended = await place.run(args, { timeoutMs: TIMEOUT });
    expectSuccess(ended);
    expect(ended.stdout).toMatch(/^\n {2}The king said \S/);
    expect(ended.stdout).toMatch(/ended by the number of tokens/);
    expect(ended.stderr).not.toMatch(/king/);
  });

  it('sorts by labels of the user, by asking the fill-mask model for the word of each', {
    timeout: TIMEOUT,
  }, async () => {
    const { result } = await json(
      '--task',
      'zero-shot-classification',
      '--labels',
      'the city of light,rome',
      '--verbalizers',
      'the city of light=paris',
      '--text',
      'The capital of France.',
    );
    const labels = result.labels as { label: string; score: number }[];
    expect(new Set(labels.map(({ label }) => label))).toEqual(new Set(['the city of light', 'rome']));
    expect(labels[0].score + labels[1].score).toBeCloseTo(1, 5);
  });

  it('takes a text a line in one run, of mixed lengths, and answers each as alone', { timeout: TIMEOUT }, async () => {
    const texts = [
      'A warm, funny film.',
      'It is dull, and far too long, and the ending makes no sense at all.',
      'Great.',
    ];
    const file = place.write('texts.txt', `${texts.join('\n')}\n`);
    const { result, sequences, plaintext, cost } = await json('--task', 'text-classification', '--texts-file', file);
    expect(sequences).toBe(3);
    const batch = (result.batch as { labels: { label: string; score: number }[] }[]).map(({ labels }) => labels[0]);
    const alone = await json('--task', 'text-classification', '--text', texts[2]);
    expect(batch[2].label).toBe((alone.result.labels as { label: string }[])[0].label);
    expect(batch[0].label).toBe('POSITIVE');
    expect(plaintext.argmaxEqual).toBe(true);
    // In two runs the same answers, and the costs of both.
    const two = await json('--task', 'text-classification', '--texts-file', file, '--batch-size', '2');
    expect([two.sequences, two.runs]).toEqual([3, 2]);
    expect(two.plaintext.argmaxEqual).toBe(true);
    const firsts = (two.result.batch as { labels: { label: string; score: number }[] }[]).map(
      ({ labels }) => labels[0],
    );
    for (const [i, { label, score }] of firsts.entries()) {
      expect(label).toBe(batch[i].label);
      expect(score).toBeCloseTo(batch[i].score, 2);
    }
    expect(two.cost.rounds).toBe(cost.rounds + alone.cost.rounds);
  });

  const generate = ['infer', '--task', 'text-generation', '--text', 'The king'];
  it.each<[string, readonly string[], ErrorCode, RegExp]>([
    [
      'a question without a context',
      ['infer', '--task', 'question-answering', '--question', 'Who?'],
      'ERR_ARGUMENT',
      /no text/,
    ],
    [
      'a context without a question',
      ['infer', '--task', 'question-answering', '--text', CONTEXT],
      'ERR_ARGUMENT',
      /question/,
    ],
    [
      'a context longer than the model',
      ['infer', '--task', 'question-answering', '--question', 'Who?', '--text', `${CONTEXT} `.repeat(20)],
      'ERR_TOO_MANY_TOKENS',
      /too many/,
    ],
    ['a negative temperature', [...generate, '--temperature', '-1'], 'ERR_ARGUMENT', /temperature/],
    ['top-p 0', [...generate, '--top-p', '0'], 'ERR_ARGUMENT', /topP/],
    [
      'more new tokens than positions',
      [...generate, '--max-new-tokens', '5000'],
      'ERR_ARGUMENT',
      /positions|maxNewTokens/,
    ],
    ['no labels', ['infer', '--task', 'zero-shot-classification', '--text', 'a'], 'ERR_ARGUMENT', /labels/],
    [
      'a label that is no single token',
      ['infer', '--task', 'zero-shot-classification', '--labels', 'paris,qwertyuiop', '--text', 'a'],
      'ERR_ARGUMENT',
      /qwertyuiop/,
    ],
    [
      'a word that is for no label',
      ['infer', '--task', 'zero-shot-classification', '--labels', 'paris,rome', '--verbalizers', 'oslo', '--text', 'a'],
      'ERR_ARGUMENT',
      /--verbalizers/,
    ],
    [
      'every label for itself of a model that was not trained on entailment',
      ['infer', '--task', 'zero-shot-classification', '--labels', 'paris,rome', '--multi-label', '--text', 'a'],
      'ERR_ARGUMENT',
      /multiLabel/,
    ],
    [
      'an empty batch',
      ['infer', '--task', 'text-classification', '--texts-file', place.write('empty.txt', '')],
      'ERR_TEXT_EMPTY',
      /empty|no/,
    ],
    [
      'a bad line in a batch',
      ['infer', '--task', 'text-classification', '--texts-file', place.write('bad.txt', 'good\n\nalso')],
      'ERR_TEXT_EMPTY',
      /text 2 of 3/,
    ],
  ])('refuses %s before anything starts', { timeout: TIMEOUT }, async (_what, args, code, says) => {
    expectFailure(await place.run([...args], { timeoutMs: TIMEOUT }), { exit: 2, code, says });
  });
});

describe('model inspect', () => {
  it('shows architecture, sizes, scales, ranges and the exact cost, per token for a language model', {
    timeout: TIMEOUT,
  }, async () => {
    const ended = await place.run(['model', 'inspect', '--task', 'text-generation', '--tokens', '16', '--json']);
    expectSuccess(ended);
    const inspection = JSON.parse(ended.stdout);
    expect(inspection).toMatchObject({
      config: { architecture: 'GPT2LMHeadModel' },
      scales: { activations: 16 },
      plan: { basis: expect.stringMatching(/proved|measured/) },
    });
    const names = inspection.costs.map(
      ({ name, weights, proofs }: { name: string; weights: string; proofs?: number }) =>
        `${weights} ${name}${proofs === undefined ? '' : ', proved'}`,
    );
    const each = (weights: string) =>
      ['prompt', 'each further token', 'prompt, proved'].map((of) => `${weights} ${of}`);
    expect(names).toEqual([...each('open'), ...each('secret')]);
    for (const { protocol, proofs = 0, levels } of inspection.costs) {
      expect(proofs > 100_000, protocol).toBe(protocol === '3pc_malicious');
      if (protocol !== '3pc_malicious') continue;
      expect(levels[128].proofs).toBe(proofs);
      expect(levels[256].proofs).toBeGreaterThan(1.8 * proofs);
      expect(levels[128].soundness).toBeLessThanOrEqual(-46);
      // Scalars and tables of a second prime, at most.
      expect(levels[256].memory).toBeGreaterThan(levels[128].memory);
      expect(levels[256].memory).toBeLessThan(2 * levels[128].memory);
      expect(levels[256].soundness).toBeLessThanOrEqual(-62.9);
    }
    const text = await place.run(['model', 'inspect']);
    expectSuccess(text);
    expect(text.stdout).toMatch(/architecture +BertForMaskedLM/);
    expect(text.stdout).toMatch(/Level 128: a wrong run passes with at most 2\^-4[67]\.\d; proofs of at most/);
    expect(text.stdout).toMatch(/Level 256: a wrong run passes with at most 2\^-6[23]\.\d; proofs of at most/);
  });

  it('declares what a run then costs, to the byte', { timeout: TIMEOUT }, async () => {
    const inspected = JSON.parse(
      (await place.run(['model', 'inspect', '--task', 'text-classification', '--tokens', '16', '--json'])).stdout,
    );
    const run = await place.run(['infer', '--task', 'text-classification', '--text', 'word '.repeat(14), '--json'], {
      timeoutMs: TIMEOUT,
    });
    expectSuccess(run);
    const { cost, tokens } = JSON.parse(run.stdout);
    expect(tokens).toBe(16);
    const [declared] = inspected.costs;
    // Of a padded run, which says which positions are text and asks a round more; frames and control messages come
    // on top.
    expect(declared.p0Up).toBeGreaterThan(0.95 * cost.p0.sentBytes);
    expect(declared.p0Up).toBeLessThan(1.1 * cost.p0.sentBytes);
    expect(declared.rounds).toBeGreaterThanOrEqual(cost.rounds);
  });
});
