/** What a host page is handed of an answer, and what it is told while a run goes: nothing that repeats the text. */
import { describe, expect, it } from 'vitest';
import { changes } from '../../src/widget/frame/reports.ts';
import { handedOver } from '../../src/widget/answer.ts';
import type { TaskResult } from '../../src/app/results.ts';
import { EMPTY } from '../../src/app/form.ts';
import { INITIAL, type State } from '../../src/app/state.ts';
import { reduce } from '../../src/app/reduce.ts';

const SECRET = 'Ludmila';
const captured = { tokens: [{ text: SECRET, id: 1, p1: '00', p2: '00' }] };
const cost = { links: { p1: {}, p2: {}, between: {} }, note: SECRET };

/** Each result with all that the SDK gives, the text in every place that repeats it. */
const RESULTS: readonly (readonly [string, unknown, unknown])[] = [
  [
    'fill-mask',
    { blanks: [[{ token_str: ' paris', score: 0.9, token_id: 5, sequence: `${SECRET} is in paris` }]], captured, cost },
    { task: 'fill-mask', blanks: [[{ token_str: 'paris', score: 0.9 }]] },
  ],
  [
    'text-classification',
    { label: 'POSITIVE', labels: [{ label: 'POSITIVE', score: 0.8 }], captured, cost, sequence: SECRET },
    { task: 'text-classification', labels: [{ label: 'POSITIVE', score: 0.8 }] },
  ],
  [
    'zero-shot-classification',
    { label: 'sport', labels: [{ label: 'sport', score: 0.8 }], captured, cost },
    { task: 'zero-shot-classification', labels: [{ label: 'sport', score: 0.8 }] },
  ],
  [
    'question-answering',
    { answers: [{ answer: 'Ada', text: 'Ada', score: 0.5, start: 3, end: 6 }], context: SECRET, captured, cost },
    { task: 'question-answering', answers: [{ answer: 'Ada', score: 0.5 }] },
  ],
  [
    'token-classification',
    { entities: [{ text: 'Ada', label: 'PER', score: 0.5, start: 3, end: 6, word: SECRET }], captured, cost },
    { task: 'token-classification', entities: [{ word: 'Ada', entity_group: 'PER', score: 0.5 }] },
  ],
  [
    'text-generation',
    { text: ' said no', generated_text: `${SECRET} said no`, ids: [1], captured, cost },
    { task: 'text-generation', text: ' said no' },
  ],
  [
    'feature-extraction',
    { vectors: [{ dims: [1, 2], data: Float32Array.of(0.5, 1), tokens: SECRET }], costs: [cost] },
    { task: 'feature-extraction', dims: [1, 2], data: Float32Array.of(0.5, 1) },
  ],
];

describe('of an answer a host page is handed', () => {
  it.each(RESULTS)('of %s, what the model says and nothing beside it', (task, result, handed) => {
    const answer = handedOver({ task, result } as unknown as TaskResult);
    expect(answer).toEqual(handed);
    // The control: the result did hold the text.
    expect(JSON.stringify(result)).toContain(SECRET);
    expect(JSON.stringify(answer)).not.toContain(SECRET);
  });
});

describe('while a run goes a host page is told', () => {
  const model = { id: 'sst2-bert', device: 'wasm', layers: 4, maxTokens: 128, downloadedBytes: 9 } as const;
  const typed: State = { ...INITIAL, model, task: 'text-classification', subject: { ...EMPTY, text: SECRET } };
  const links = {
    p1: { ahead: 4711, input: 4712, output: 0 },
    p2: { ahead: 4713, input: 4714, output: 0 },
    between: { bytes: 4715, rounds: 4716, totalRounds: 4717 },
  };
  const layer = { status: 'layer', layer: 2, layers: 4, section: 'attention', progress: 0.505, links } as const;

  it('that one runs, and how far it is, in hundredths: no bytes and no lengths', () => {
    const running = reduce(typed, { type: 'run', now: 1 });
    const further = reduce(running, { type: 'progress', event: layer, now: 2 });
    expect(changes(running, typed, () => true)).toContainEqual({ op: 'running' });
    expect(changes(further, running, () => true)).toEqual([
      { op: 'progress', detail: { phase: 'run', progress: 0.5 } },
    ]);
    const nudged = reduce(further, { type: 'progress', event: { ...layer, progress: 0.509 }, now: 3 });
    expect(changes(nudged, further, () => true)).toEqual([]);
  });

  it('nothing of typing, and nothing of keys that are made meanwhile', () => {
    const more = reduce(typed, { type: 'edit', change: { text: `${SECRET}!` } });
    const prepares = reduce(more, { type: 'prepare', length: 16, now: 1 });
    const prepared = reduce(prepares, { type: 'prepared', now: 2 });
    expect([...changes(more, typed, () => true), ...changes(prepared, prepares, () => true)]).toEqual([]);
    expect(changes(prepares, more, () => true)).toEqual([]);
  });

  it('an answer only where it is shared', () => {
    const running = reduce(typed, { type: 'run', now: 1 });
    const result = {
      label: 'POSITIVE',
      labels: [{ label: 'POSITIVE', score: 0.8 }],
      captured,
      cost: { ...cost, links },
    };
    const answer = { task: 'text-classification', result } as unknown as TaskResult;
    const done = reduce(running, { type: 'answered', answer, subject: typed.subject, now: 2 });
    expect(changes(done, running, () => false)).toEqual([{ op: 'result', detail: { answer: undefined } }]);
    expect(changes(done, running, () => true)).toEqual([{ op: 'result', detail: { answer: handedOver(answer) } }]);
    expect(changes(reduce(done, { type: 'edit', change: { text: '' } }), done, () => true)).toEqual([
      { op: 'cleared' },
    ]);
  });

  it('the code of a failed run, and nothing of an error that is about the text', () => {
    const running = reduce(typed, { type: 'run', now: 1 });
    const failed = (code: 'ERR_PEER_TIMEOUT' | 'ERR_TEXT_ENCODING'): State =>
      reduce(running, { type: 'failed', failure: { code, message: SECRET, hint: SECRET, party: 2 }, now: 2 });
    const told = changes(failed('ERR_PEER_TIMEOUT'), running, () => true);
    expect(told).toContainEqual({ op: 'error', detail: { code: 'ERR_PEER_TIMEOUT', message: expect.any(String) } });
    expect(JSON.stringify(told)).not.toContain(SECRET);
    expect(changes(failed('ERR_TEXT_ENCODING'), running, () => true).map(({ op }) => op)).not.toContain('error');
  });
});
