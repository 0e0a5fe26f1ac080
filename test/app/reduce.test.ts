import { describe, expect, it } from 'vitest';
import { announcement } from '../../src/app/announce.ts';
import { reduce } from '../../src/app/reduce.ts';
import { type AppEvent, INITIAL, entryOf, weightsOf } from '../../src/app/state.ts';
import { TercetError } from '../../src/core/errors.ts';
import type { PartyHealth, ServersHealth } from '../../src/owner/types/index.ts';
import { EMPTY } from '../../src/app/form.ts';
import { labels } from '../../src/app/selectors/labels.ts';
import { movingOf, silenceOf } from '../../src/app/selectors/run.ts';
import { DEPLOYMENT } from '../../dev/scripted/scripted.ts';
import { LOADED, PREPARED, stateAfter, links, predicted } from './support.ts';

const RUN: AppEvent = { type: 'run', now: 1000 };
const SENT: AppEvent = { type: 'progress', now: 1040, event: { status: 'input', links: links(2e6, 98_000) } };
const LAYER: AppEvent = {
  type: 'progress',
  now: 2000,
  event: {
    status: 'layer',
    layer: 2,
    layers: 4,
    section: 'attention/scores',
    progress: 0.5,
    links: links(2e6, 98_000, 48),
  },
};

describe('the box', () => {
  it('gets an example when it is empty, and another task’s example when it still holds one', () => {
    const first = stateAfter(...LOADED);
    expect(first.subject.text).toBe('The capital of France is [MASK].');
    expect(reduce(first, { type: 'task', task: 'text-classification' }).subject.text).toContain('three weeks');
  });

  it('keeps what somebody typed: over loading, another task, a run, an error and a stop', () => {
    const typed: AppEvent = { type: 'edit', change: { text: 'my own words' } };
    const events: AppEvent[] = [
      typed,
      ...LOADED,
      { type: 'task', task: 'text-classification' },
      RUN,
      { type: 'failed', failure: { code: 'ERR_PEER_TIMEOUT', message: '', hint: '', party: 2 }, now: 5 },
      RUN,
      { type: 'stopped', now: 6 },
      { type: 'load' },
    ];
    for (let n = 1; n <= events.length; n++)
      expect(stateAfter(...events.slice(0, n)).subject.text).toBe('my own words');
  });

  it('takes the answer away when it is edited, and leaves an error', () => {
    const answered = stateAfter(...LOADED, ...PREPARED, RUN, {
      type: 'answered',
      answer: { task: 'fill-mask', result: predicted(true) },
      subject: EMPTY,
      now: 4300,
    });
    expect(reduce(answered, { type: 'edit', change: { text: answered.subject.text } })).toBe(answered);
    expect(reduce(answered, { type: 'edit', change: { text: 'y' } })).toMatchObject({
      slot: 'idle',
      outcome: undefined,
    });
    const failed = stateAfter(...LOADED, {
      type: 'failed',
      failure: { code: 'ERR_INTERNAL', message: '', hint: '' },
      now: 1,
    });
    expect(reduce(failed, { type: 'edit', change: { text: 'y' } }).slot).toBe('error');
  });

  it('ignores the check of an older text', () => {
    const state = stateAfter(...LOADED, { type: 'edit', change: { text: 'new' } });
    expect(
      reduce(state, { type: 'checked', subject: EMPTY, check: { tokens: 3, paddedTokens: 16, blanks: 0 } }).check,
    ).toBeUndefined();
  });
});

describe('a run', () => {
  it('starts with the message when keys are ready, and with preparing when not', () => {
    expect(stateAfter(...LOADED, ...PREPARED, RUN).run).toMatchObject({
      phase: 'input',
      ahead: true,
      onlineAt: 1000,
      links: links(2e6),
    });
    expect(stateAfter(...LOADED, RUN).run).toMatchObject({ phase: 'prepare', ahead: false, onlineAt: undefined });
  });

  it('takes over a preparation that is still going', () => {
    const going = stateAfter(...LOADED, PREPARED[0], RUN);
    expect(going.run).toMatchObject({ phase: 'prepare', ahead: true });
    const done: AppEvent = {
      type: 'progress',
      now: 1500,
      event: { status: 'preprocess', length: 16, progress: 1, links: links(2e6), done: true, ahead: true },
    };
    expect(reduce(going, done).run).toMatchObject({ phase: 'input', onlineAt: 1500 });
  });

  it('goes through input, layers and output to the answer', () => {
    const computing = stateAfter(...LOADED, ...PREPARED, RUN, SENT, LAYER);
    expect(computing.run).toMatchObject({
      phase: 'compute',
      layer: 2,
      sentAt: 1040,
      sample: ['aa'.repeat(30), 'bb'.repeat(30)],
    });
    const output = reduce(computing, {
      type: 'progress',
      now: 4200,
      event: { status: 'reconstruct', links: links(2e6, 98_000, 96, 244_000) },
    });
    expect(output.run).toMatchObject({ phase: 'output', progress: 1 });
    const done = reduce(output, {
      type: 'answered',
      answer: { task: 'fill-mask', result: predicted(true) },
      subject: EMPTY,
      now: 4300,
    });
    expect(done).toMatchObject({
      slot: 'result',
      run: undefined,
      preparation: { status: 'none' },
      outcome: { sinceButtonMs: 3300 },
    });
    expect(done.measured).toEqual({ protocol: '3pc_semi_honest', tokens: 16, totalMs: 3300, sentBytes: 2e7 + 196_000 });
  });

  it('remembers where it failed and prepared nothing on', () => {
    const failed = stateAfter(...LOADED, ...PREPARED, RUN, SENT, LAYER, {
      type: 'failed',
      failure: { code: 'ERR_PEER_TIMEOUT', message: '', hint: '', party: 2 },
      now: 3000,
    });
    expect(failed).toMatchObject({
      slot: 'error',
      run: undefined,
      preparation: { status: 'none' },
      trouble: { run: { layer: 2, now: 3000 }, preparation: { status: 'ready' } },
    });
  });

  it('ignores progress after it ended', () => {
    const stopped = stateAfter(...LOADED, ...PREPARED, RUN, { type: 'stopped', now: 6 });
    expect(reduce(stopped, LAYER)).toBe(stopped);
    expect(reduce(stopped, { type: 'tick', now: 9 })).toBe(stopped);
    expect(
      reduce(stopped, {
        type: 'answered',
        answer: { task: 'fill-mask', result: predicted(true) },
        subject: EMPTY,
        now: 9,
      }),
    ).toBe(stopped);
  });

  it('leaves the answer in place while the next keys are made', () => {
    const next = stateAfter(
      ...LOADED,
      ...PREPARED,
      RUN,
      { type: 'answered', answer: { task: 'fill-mask', result: predicted(true) }, subject: EMPTY, now: 4300 },
      ...PREPARED,
    );
    expect(next).toMatchObject({ slot: 'result', preparation: { status: 'ready' } });
  });
});

it('a run that waits for those of others says how many and how long, until it computes', () => {
  const queued = (before: number, milliseconds?: number): AppEvent => ({
    type: 'progress',
    now: 1100,
    event: { status: 'queued', before, ...(milliseconds === undefined ? {} : { milliseconds }) },
  });
  const said = (...events: readonly AppEvent[]) =>
    labels(stateAfter(...LOADED, ...PREPARED, RUN, SENT, ...events)).stepSub;
  expect(said(queued(2, 12_300))).toBe('2 runs before this one, about 12\u00a0s');
  expect(said(queued(2), queued(1))).toBe('1 run before this one');
  expect(said(queued(1), LAYER)).not.toContain('before');
});

describe('a party that is not heard', () => {
  const heard = (party: 1 | 2, now: number): AppEvent => ({ type: 'progress', now, event: { status: 'heard', party } });
  const tick = (now: number): AppEvent => ({ type: 'tick', now });
  const computing = [...LOADED, ...PREPARED, RUN, SENT, LAYER] as const;

  it('is named after three seconds, and nothing moves any more', () => {
    const before = stateAfter(...computing, heard(1, 4900), heard(2, 2000), tick(4950));
    expect([silenceOf(before), movingOf(before)]).toEqual([undefined, ['p12']]);
    const now = reduce(before, tick(5000));
    expect([silenceOf(now), movingOf(now)]).toEqual([{ party: 2, ms: 3000 }, []]);
    expect(labels(now)).toMatchObject({
      picLine: 'No message from party 2 for 3\u00a0s.',
      stepSub: 'waiting for party 2',
      'p2.health': 'no message for 3\u00a0s',
      'p1.health': 'not asked yet',
    });
    expect(announcement(before, now)).toBe('No message from party 2.');
    // It was only slow.
    expect(silenceOf(reduce(now, heard(2, 5100)))).toBeUndefined();
  });

  it('may be both, and may be silent from the start', () => {
    expect(silenceOf(stateAfter(...LOADED, ...PREPARED, RUN, tick(4100)))).toMatchObject({ party: undefined });
    expect(silenceOf(stateAfter(...LOADED, ...PREPARED, RUN, heard(1, 4000), tick(4100)))).toMatchObject({ party: 2 });
  });

  it('stops the links while keys are made, too', () => {
    const preparing = stateAfter(...LOADED, ...PREPARED.slice(0, 2));
    expect(movingOf(preparing)).toEqual(['p01-down', 'p02-down']);
    const later = reduce(preparing, tick(3100));
    expect(movingOf(later)).toEqual([]);
    expect(labels(later)['readyText']).toBe('Preparing waits: nothing went or came for 3\u00a0s.');
  });
});

describe('keys that are ready', () => {
  const ready = stateAfter(...LOADED, ...PREPARED);
  const heard = (...health: ServersHealth) => labels(reduce(ready, { type: 'health', health }))['readyText'];

  it('are said to be, until a party is heard to be away: before the click, not behind it', () => {
    expect(labels(ready)['readyText']).toMatch(/^Ready for/);
    expect(heard({ party: 1, ok: true }, { party: 2, ok: true })).toMatch(/^Ready for/);
    expect(heard({ party: 1, ok: true }, { party: 2, ok: false })).toBe(
      'Prepared, but party 2 does not answer at the moment.',
    );
  });

  it('are not once they are gone, and what became of them is said', () => {
    const gone = (reason: 'age' | 'lost' | 'asked') =>
      labels(reduce(ready, { type: 'unprepared', gone: reason }))['readyText'];
    const said = [gone('age'), gone('lost'), gone('asked')];
    expect(new Set(said).size).toBe(3);
    for (const words of said) expect(words).not.toMatch(/ready for/i);
  });
});

describe('a dealer', () => {
  const dealer = { url: 'https://d.cedar.example', identity: 'd4'.repeat(32), operator: 'Cedar' };
  const chosen = stateAfter(
    { type: 'deployed', deployment: { ...DEPLOYMENT, dealer } },
    { type: 'settings', settings: { ...INITIAL.settings, dealer: true } },
    ...LOADED.slice(1),
  );
  const found = (third: Omit<PartyHealth, 'party'>, from = chosen) =>
    labels(
      reduce(from, {
        type: 'health',
        health: [
          { party: 1, ok: true },
          { party: 2, ok: true },
          { party: 3, ...third },
        ],
      }),
    );

  it('is shown as its health says, and named where it cannot deal', () => {
    expect(labels(chosen)['p3.health']).toBe('not asked yet');
    expect(found({ ok: true, milliseconds: 24 })['p3.health']).toBe('online, 24\u00a0ms');
    const error = new TercetError('ERR_PEER_UNREACHABLE', 'no connection', 'see the page');
    const away = found({ ok: false, error });
    expect(away['p3.health']).toBe('not reached');
    expect(away['readyText']).toBe('The dealer does not answer at the moment. The button tries again.');
    const full = found({ ok: true, load: 'full' });
    expect(full['p3.health']).toBe('online, no free place');
    expect(full['readyText']).toBe('The dealer has no free place at the moment. The button tries again.');
  });

  it('that proved its identity says so, unless there is something worse to say', () => {
    const proved = reduce(chosen, {
      type: 'progress',
      now: 1,
      event: { status: 'handshake', party: 3, milliseconds: 20 },
    });
    expect(found({ ok: true, milliseconds: 24 }, proved)['p3.health']).toBe('identity checked');
    expect(found({ ok: true, load: 'full' }, proved)['p3.health']).toBe('online, no free place');
    // One that was not chosen says nothing of a run.
    const other = reduce(proved, { type: 'settings', settings: INITIAL.settings });
    expect(found({ ok: false }, other)['readyText']).toBe('Preparation starts as you type.');
  });
});

describe('Stop', () => {
  const answered: AppEvent = {
    type: 'answered',
    answer: { task: 'fill-mask', result: predicted(true) },
    subject: EMPTY,
    now: 4300,
  };

  it('gives back the answer that was there before', () => {
    const first = stateAfter(...LOADED, ...PREPARED, RUN, answered);
    const again = reduce(first, { type: 'run', now: 5000 });
    expect(again.outcome).toBeUndefined();
    expect(reduce(again, { type: 'stopped', now: 5100 })).toMatchObject({
      slot: 'result',
      stopped: true,
      outcome: first.outcome,
    });
    // Control: an error takes the place of the answer.
    const failed: AppEvent = {
      type: 'failed',
      failure: { code: 'ERR_PEER_TIMEOUT', message: '', hint: '' },
      now: 5100,
    };
    expect(reduce(again, failed)).toMatchObject({ slot: 'error', outcome: undefined, previous: undefined });
  });
});

describe('set-up', () => {
  it('takes the weights that are served until some are chosen, and never replaces a choice', () => {
    const state = stateAfter(...LOADED);
    const [entry, ...others] = DEPLOYMENT.entries;
    const secretOnly: AppEvent = {
      type: 'deployed',
      deployment: { ...DEPLOYMENT, entries: [{ ...entry, weights: { secret: '11'.repeat(32) } }, ...others] },
    };
    expect([state, reduce(state, secretOnly)].map(weightsOf)).toEqual(['open', 'secret']);
    const chosen = reduce(state, { type: 'settings', settings: { ...state.settings, weights: 'secret' } });
    // This model is served open only: loading it is refused.
    expect(weightsOf(chosen)).toBe('secret');
    expect(weightsOf(reduce(chosen, { type: 'task', task: 'text-classification' }))).toBe('secret');
  });

  it('takes the first model of the task, and no other in place of a chosen one that is not there', () => {
    const state = stateAfter(...LOADED);
    expect(entryOf(state)?.id).toBe('bert-base-uncased');
    expect(entryOf({ ...state, settings: { ...state.settings, model: 'gone' } })).toBeUndefined();
  });

  it('remembers each party’s proof and link, and forgets them with the model', () => {
    const met = stateAfter(
      ...LOADED,
      { type: 'progress', now: 1, event: { status: 'connect', party: 2, transport: 'websocket' } },
      { type: 'progress', now: 1, event: { status: 'handshake', party: 2, milliseconds: 31 } },
    );
    expect(met).toMatchObject({ proved: [false, true], transports: [undefined, 'websocket'] });
    expect(reduce(met, { type: 'load' })).toMatchObject({ proved: [false, false], transports: [undefined, undefined] });
  });

  it('keeps one notice for each kind of fallback, and none that was dismissed', () => {
    const event = { what: 'device', from: 'webgpu', to: 'wasm', reason: 'no-api' } as const;
    expect(stateAfter(...LOADED, { type: 'fallback', event }, { type: 'fallback', event }).fallbacks).toHaveLength(1);
    expect(
      stateAfter(
        ...LOADED,
        { type: 'fallback', event },
        { type: 'dismiss', event },
        { type: 'load' },
        { type: 'fallback', event },
      ).fallbacks,
    ).toHaveLength(0);
  });
});

describe('the live region', () => {
  const said = (events: readonly AppEvent[]): (string | undefined)[] =>
    events.map((_event, n) => announcement(stateAfter(...events.slice(0, n)), stateAfter(...events.slice(0, n + 1))));

  it('says start, sent, quarters, and the answer', () => {
    const quarter = (progress: number): AppEvent => ({
      type: 'progress',
      now: 2000,
      event: { status: 'layer', layer: 1, layers: 4, section: '', progress, links: links(1) },
    });
    const events = [
      ...LOADED,
      ...PREPARED,
      RUN,
      SENT,
      quarter(0.1),
      quarter(0.26),
      quarter(0.3),
      quarter(0.8),
      { type: 'answered', answer: { task: 'fill-mask', result: predicted(true) }, subject: EMPTY, now: 4300 } as const,
    ];
    expect(said(events).filter((text) => text !== undefined)).toEqual([
      'Running.',
      'Locked text sent.',
      '25 per cent of the layers done.',
      '75 per cent of the layers done.',
      'Done in 3.3\u00a0s. Answer: paris.',
    ]);
  });

  it('says once that it stopped', () => {
    expect(said([...LOADED, RUN, { type: 'stopped', now: 6 }]).slice(-1)).toEqual([
      'Stopped on all three parties. Nothing was opened.',
    ]);
  });
});

describe('a text that grows', () => {
  const piece = (text: string, now: number): AppEvent => ({
    type: 'progress',
    now,
    event: { status: 'token', index: 0, text, links: links(1e6, 1e3, 10) },
  });
  const growing = stateAfter(...LOADED, RUN, SENT, piece(' said', 1500), piece(' that', 1900));

  it('keeps its pieces and when they came', () => {
    expect(growing.run?.pieces).toEqual([
      { text: ' said', at: 1500 },
      { text: ' that', at: 1900 },
    ]);
  });

  it('begins its layers anew with each piece', () => {
    const computed = stateAfter(...LOADED, RUN, SENT, LAYER, piece(' said', 2500));
    expect(computed.run).toMatchObject({ layer: 2, progress: 0.5 });
    expect(reduce(computed, SENT).run).toMatchObject({ phase: 'input', layer: 0, progress: 0 });
  });

  it('is at a piece that came until the next one is sent', () => {
    const task: AppEvent = { type: 'task', task: 'text-generation' };
    const came = stateAfter(...LOADED, task, RUN, SENT, LAYER, piece(' said', 2500));
    expect(labels(came)['stepTitle']).toBe('Piece 1, layer 2 of 4');
    expect(labels(reduce(came, SENT))['stepTitle']).toBe('Piece 2, words in');
  });

  it('keeps what came when it is stopped, until the form is edited', () => {
    const stopped = reduce(growing, { type: 'stopped', now: 2000 });
    expect(stopped).toMatchObject({
      slot: 'stopped',
      run: undefined,
      kept: { pieces: [{ text: ' said' }, { text: ' that' }] },
    });
    expect(reduce(stopped, { type: 'edit', change: { text: 'another' } })).toMatchObject({
      slot: 'idle',
      kept: undefined,
    });
    // Control: a run without a piece leaves nothing.
    expect(reduce(stateAfter(...LOADED, RUN, SENT), { type: 'stopped', now: 2000 })).toMatchObject({
      slot: 'idle',
      kept: undefined,
    });
  });
});
