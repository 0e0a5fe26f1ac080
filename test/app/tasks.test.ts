/** What each task needs of the form, what is said of it before and after, and how its parts come together. */
import { describe, expect, it } from 'vitest';
import { announcement } from '../../src/app/announce.ts';
import { type TaskResult, resultWords, kindName } from '../../src/app/results.ts';
import { needOf, prepareOptions, sameNeed } from '../../src/app/requests.ts';
import { streamingTextOf } from '../../src/app/streaming.ts';
import { didSee, willSee } from '../../src/app/leaks.ts';
import { problemOf } from '../../src/app/problems.ts';
import { reduce } from '../../src/app/reduce.ts';
import type { AppEvent, State } from '../../src/app/state.ts';
import { EMPTY, type TaskKind, type Form, generationOf, labelsOf, numberOf, taskTextOf } from '../../src/app/form.ts';
import { TercetError } from '../../src/core/errors.ts';
import type { TextCheck } from '../../src/owner/types/index.ts';
import { LOADED, links, predicted, stateAfter } from './support.ts';

const CHECK: TextCheck = { tokens: 9, paddedTokens: 16, blanks: 0 };

function form(task: TaskKind, change: Partial<Form>, check: TextCheck = CHECK): State {
  const state = stateAfter(...LOADED, { type: 'task', task }, { type: 'edit', change });
  return reduce(state, { type: 'checked', subject: state.subject, check });
}

describe('a form that cannot run names the box', () => {
  const QUESTION = { question: 'When?', text: 'In May.' };
  const SORT = { text: 'Norway', labels: 'Europe, Asia', template: '{text} is in {mask}.' };
  const tooLong = {
    tokens: 300,
    paddedTokens: undefined,
    blanks: 0,
    problem: new TercetError('ERR_TOO_MANY_TOKENS', 'm', 'h'),
  };
  it.each<[TaskKind, Partial<Form>, TextCheck, string | undefined]>([
    ['question-answering', QUESTION, CHECK, undefined],
    ['question-answering', { ...QUESTION, question: ' ' }, CHECK, 'question'],
    ['question-answering', { ...QUESTION, text: '' }, CHECK, 'text'],
    ['question-answering', QUESTION, tooLong, 'text'],
    ['token-classification', { text: ' ' }, CHECK, 'text'],
    ['zero-shot-classification', SORT, { ...CHECK, blanks: 1 }, undefined],
    ['zero-shot-classification', { ...SORT, labels: 'Europe' }, CHECK, 'labels'],
    ['zero-shot-classification', { ...SORT, labels: 'Europe, Europe ,' }, CHECK, 'labels'],
    ['zero-shot-classification', { ...SORT, template: '{text} is here.' }, CHECK, 'template'],
    ['zero-shot-classification', { ...SORT, template: '{mask} {text} {mask}' }, CHECK, 'template'],
    ['zero-shot-classification', { ...SORT, text: 'a [MASK]' }, { ...CHECK, blanks: 2 }, 'text'],
    ['text-generation', { text: 'Once' }, CHECK, undefined],
    ['text-generation', { text: 'Once', pieces: '0' }, CHECK, 'pieces'],
    ['text-generation', { text: 'Once', pieces: '2.5' }, CHECK, 'pieces'],
    ['text-generation', { text: 'Once', pieces: '120' }, CHECK, 'pieces'],
    ['text-generation', { text: 'Once', pieces: '119' }, CHECK, undefined],
    ['text-generation', { text: 'Once' }, { ...CHECK, tokens: 128 }, 'text'],
    ['text-generation', { text: 'Once', temperature: '-1' }, CHECK, 'temperature'],
    ['text-generation', { text: 'Once', temperature: '1', topP: '0' }, CHECK, 'topP'],
    ['text-generation', { text: 'Once', temperature: '1', topK: 'few' }, CHECK, 'topK'],
    ['text-generation', { text: 'Once', temperature: '1', seed: '1.5' }, CHECK, 'seed'],
  ])('%s %o', (task, change, check, field) => {
    const found = problemOf(form(task, change, check));
    expect(found?.field).toBe(field);
    if (found === undefined) return;
    expect(found.title).toMatch(/^[A-Z][^.!?]+$/);
    expect(found.remedy).toMatch(/^[a-z].*\.$/);
  });

  it.each([
    ['the label "Asia" is not one word of the model\'s vocabulary', 'The label “Asia” cannot be used'],
    [
      'the labels "Europe" and "Asia" are the same word to the model',
      'The labels “Europe” and “Asia” cannot be told apart',
    ],
    ['something else', 'A label cannot be used'],
  ])('names the label: %s', (message, title) => {
    const found = problemOf(
      reduce(form('zero-shot-classification', SORT), {
        type: 'refused',
        failure: { code: 'ERR_ARGUMENT', message, hint: '' },
      }),
    );
    expect(found).toMatchObject({
      field: 'labels',
      title,
      happened: expect.stringContaining('What the model does: BERT base, English.'),
    });
  });

  it('blames the labels that the model refused, until something is edited', () => {
    const refused = reduce(form('zero-shot-classification', SORT), {
      type: 'refused',
      failure: { code: 'ERR_ARGUMENT', message: '', hint: '' },
    });
    expect(refused).toMatchObject({ slot: 'idle', problemShown: true });
    expect(problemOf(refused)?.field).toBe('labels');
    expect(problemOf(reduce(refused, { type: 'edit', change: { labels: 'Europe, Africa' } }))).toBeUndefined();
  });
});

describe('what stands in the form', () => {
  it('is read as numbers, or not', () => {
    expect([' 20 ', '0,8', '.5', '', '1e3', '-1', 'x', '1.2.3'].map(numberOf)).toEqual([
      20,
      0.8,
      0.5,
      undefined,
      Number.NaN,
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
    expect(generationOf({ ...EMPTY, topP: '0.9', seed: '7' }), 'nothing is drawn at temperature 0').toEqual({
      maxNewTokens: 20,
      temperature: 0,
    });
    expect(generationOf({ ...EMPTY, pieces: '5', temperature: '0.8', topK: '40', seed: '7' })).toEqual({
      maxNewTokens: 5,
      temperature: 0.8,
      topK: 40,
      seed: 7,
    });
  });

  it('is what the tokenizer is asked about', () => {
    const subject = { ...EMPTY, text: ' $& ', question: 'q', template: '{text} is {mask}.' };
    expect(taskTextOf('question-answering', subject, '[MASK]')).toEqual({ question: 'q', context: ' $& ' });
    expect(taskTextOf('zero-shot-classification', subject, '<mask>')).toBe('$& is <mask>.');
    expect(taskTextOf('text-generation', subject, '[MASK]')).toBe(' $& ');
    expect(labelsOf({ ...EMPTY, labels: ' a,b ,, a' })).toEqual(['a', 'b']);
  });

  it('decides for what keys are made', () => {
    const state = form('text-generation', { text: 'Once', pieces: '7' });
    const need = needOf(state, CHECK);
    expect(need).toEqual({ length: 16, blanks: 0, maxNewTokens: 7 });
    if (need === undefined) return;
    expect(prepareOptions(need)).toEqual({ maxNewTokens: 7 });
    expect(sameNeed(need, { ...need, maxNewTokens: 8 })).toBe(false);
    expect(needOf(state, { ...CHECK, paddedTokens: undefined })).toBeUndefined();
  });
});

describe('what the parties learn', () => {
  it('is said before the run', () => {
    expect(willSee(form('question-answering', { text: 'a', question: 'b' }))).toContain(
      'the padded length of both texts together (16 tokens)',
    );
    expect(willSee(form('text-generation', { text: 'a', pieces: '7' }))).toContain('how many pieces come (up to 7)');
    expect(willSee(form('fill-mask', { text: 'a' }, { ...CHECK, blanks: 2 }))).toContain(
      'that there are 2 blanks but not where',
    );
    expect(willSee(form('text-generation', { text: 'a', pieces: 'x' }))).not.toMatch(/NaN|pieces/);
    expect(willSee(stateAfter())).toBe('');
    const secret = form('text-classification', { text: 'a' });
    expect(willSee(secret)).not.toContain('credential');
    expect(willSee({ ...secret, settings: { ...secret.settings, weights: 'secret' } })).toContain(
      'the number of your credential',
    );
  });

  it('and after it, without a word of the text', () => {
    expect(didSee({ task: 'fill-mask', result: predicted(true) })).toMatch(
      /the padded length \(16 tokens, not 9\).*that there is one blank but not where\.$/,
    );
  });
});

describe('a text that grows', () => {
  const piece = (i: number): AppEvent => ({
    type: 'progress',
    now: 1000 + 500 * (i + 1),
    event: { status: 'token', index: i, text: ` w${i}`, links: links(1e6, 1e3, 10 * (i + 1)) },
  });
  const start = [
    ...LOADED,
    { type: 'task', task: 'text-generation' },
    { type: 'edit', change: { text: 'Once', pieces: '8' } },
    { type: 'run', now: 1000 },
  ] as const;
  const states = Array.from({ length: 9 }, (_, n) =>
    stateAfter(...start, ...Array.from({ length: n }, (_unused, i) => piece(i))),
  );

  it('has its words, their number, and time and bytes of each', () => {
    expect(streamingTextOf(states[0])).toEqual({ given: 'Once', added: '', line: '0 of 8 pieces', going: true });
    expect(streamingTextOf(states[2])).toEqual({
      given: 'Once',
      added: ' w0 w1',
      line: '2 of 8 pieces, each 0.50\u00a0s and 10\u00a0kB between parties 1 and 2',
      going: true,
    });
  });

  it('stays when it is stopped or fails, and goes when the form is edited', () => {
    const stopped = reduce(states[2], { type: 'stopped', now: 2500 });
    expect(streamingTextOf(stopped)).toMatchObject({ added: ' w0 w1', going: false });
    expect(reduce(stopped, { type: 'edit', change: { text: 'Twice' } })).toMatchObject({
      slot: 'idle',
      kept: undefined,
    });
    const failed = reduce(states[2], {
      type: 'failed',
      failure: { code: 'ERR_PEER_TIMEOUT', message: '', hint: '', party: 2 },
      now: 3000,
    });
    expect(streamingTextOf(failed)).toMatchObject({ added: ' w0 w1', going: false });
    expect(streamingTextOf(reduce(states[0], { type: 'stopped', now: 1100 })), 'nothing had come').toBeUndefined();
  });

  it('is announced by quarters, with the words of each', () => {
    const said = states.slice(1).map((state, i) => announcement(states[i], state));
    expect(said).toEqual([
      undefined,
      '2 of 8 pieces: w0 w1',
      undefined,
      '4 of 8 pieces: w2 w3',
      undefined,
      '6 of 8 pieces: w4 w5',
      undefined,
      undefined,
    ]);
  });
});

describe('answers in words', () => {
  const { cost, captured } = predicted(true);
  const entity = { text: 'Oslo', word: 'Oslo', label: 'LOC', entity_group: 'LOC', score: 1, start: 0, end: 4 };
  const span = { text: '', answer: '', score: 0.5, start: 0, end: 0 };
  it.each<[TaskResult, string]>([
    [{ task: 'token-classification', result: { entities: [entity], cost, captured } }, 'Oslo, place'],
    [{ task: 'token-classification', result: { entities: [], cost, captured } }, 'no names found'],
    [{ task: 'question-answering', result: { ...span, answers: [span], cost, captured } }, 'none in this text'],
    [
      { task: 'feature-extraction', result: { vectors: [{ dims: [1, 3], data: new Float32Array(3) }], costs: [cost] } },
      '3 numbers',
    ],
  ])('%#', (answer, words) => expect(resultWords(answer)).toBe(words));

  it('calls kinds by plain names, whatever their scheme', () => {
    expect(['PER', 'location', 'creative-work', 'corporation', 'toString'].map(kindName)).toEqual([
      'person',
      'place',
      'work',
      'company',
      'tostring',
    ]);
  });
});
