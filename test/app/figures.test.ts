import { describe, expect, it } from 'vitest';
import { explain } from '../../src/app/errors.ts';
import { EMPTY } from '../../src/app/form.ts';
import { metrics, gainOf } from '../../src/app/selectors/metrics.ts';
import { stepTitle } from '../../src/app/selectors/labels.ts';
import { lostOf, movingOf, onlyAhead, phaseOf, sampleOf } from '../../src/app/selectors/run.ts';
import { INITIAL, type AppEvent } from '../../src/app/state.ts';
import { LOADED, PREPARED, stateAfter, links, predicted } from './support.ts';

const NB = '\u00a0';
const RUN: AppEvent = { type: 'run', now: 1000 };
const SENT: AppEvent = { type: 'progress', now: 1040, event: { status: 'input', links: links(2e6, 98_000) } };
const LAYER: AppEvent = {
  type: 'progress',
  now: 2040,
  event: { status: 'layer', layer: 3, layers: 4, section: 'layer', progress: 0.5, links: links(2e6, 98_000, 48) },
};
const answered = (ahead: boolean): AppEvent => ({
  type: 'answered',
  answer: { task: 'fill-mask', result: predicted(ahead) },
  subject: EMPTY,
  now: 4300,
});
const failed = (
  code: 'ERR_PEER_TIMEOUT' | 'ERR_DEVICE_LOST' | 'ERR_PEER_UNREACHABLE' | 'ERR_IDENTITY_KEY',
): AppEvent => ({
  type: 'failed',
  failure: { code, message: '', hint: '', ...(code === 'ERR_DEVICE_LOST' ? {} : { party: 2 as const }) },
  now: 3000,
});

describe('what is shown when', () => {
  it('shows no figure before one was counted', () => {
    const { texts, bars } = metrics(stateAfter(...LOADED));
    for (const name of [
      'p01.ahead',
      'p02.ahead',
      'p01.input',
      'p01.output',
      'p12.total',
      'rounds.now',
      'msgs',
      'up',
      'elapsed',
      't.prep',
      't.compute',
    ] as const)
      expect(texts[name], name).toBe('–');
    expect(bars['prep']).toBe(0);
    expect(texts['sees']).toBe('will see numbers like these');
    expect(sampleOf(stateAfter(...LOADED))).toBeUndefined();
  });

  it('counts what went ahead, and says that the text has not left', () => {
    const ready = stateAfter(...LOADED, ...PREPARED);
    const { texts } = metrics(ready);
    expect(texts).toMatchObject({
      'p01.ahead': `2.0${NB}MB`,
      'p02.ahead': `18.0${NB}MB`,
      'p01.input': '–',
      up: `20.0${NB}MB`,
      sees: 'sees so far',
      readyText: `Ready for 16 tokens, 20.0${NB}MB sent ahead.`,
    });
    expect(onlyAhead(ready)).toBe(true);
    expect(onlyAhead(stateAfter(...LOADED, ...PREPARED, RUN, SENT))).toBe(false);
  });

  it('says before the button what is left to do in the rounds, and afterwards what was', () => {
    const chosen: AppEvent = { type: 'settings', settings: { ...INITIAL.settings, protocol: 'aby3' } };
    const up = (party: 1 | 2, milliseconds: number) => ({ party, ok: true, milliseconds });
    const asked: AppEvent = { type: 'health', health: [up(1, 60), up(2, 40)] };
    const dealt: AppEvent = {
      type: 'progress',
      now: 900,
      event: {
        ...{ status: 'preprocess', length: 16, progress: 1, done: true, ahead: true, links: links(2e6) },
        online: { rounds: 232, sentBytes: 6_590_000 },
      },
    };
    const going: AppEvent = { type: 'prepare', length: 16, now: 100 };
    const ready = [...LOADED, chosen, asked, going, dealt, { type: 'prepared', now: 900 }] as const;
    const { texts } = metrics(stateAfter(...ready));
    // 232 ways of 30 ms each, on the longer line.
    expect(texts['readyText']).toMatch(
      / Then the browser answers in 232 rounds with 6\.6.MB, at least 7\.0.s on this line\.$/,
    );
    expect(texts['steps']).toContain('answers in the rounds');
    const during = metrics(stateAfter(...ready, RUN, SENT, LAYER)).texts;
    expect(during['picLine']).toContain('The browser answers in the rounds.');
    expect(during['aside']).toContain('The browser is working');
    expect(during['msgs']).toBe('in the rounds');
    const symmetric = {
      ...{ leaves: 'Your text leaves, locked.', workers: 'All three parties', returns: texts['returns'] },
      ...{ in: 'text, rounds', out: 'rounds, answer', 'c.0': 'counted beside' },
    };
    expect(texts['returns']).toBe('Messages go and return in the rounds.');
    expect(texts).toMatchObject(symmetric);
    expect(metrics(stateAfter(...ready, RUN, SENT)).texts['picLine']).toBe('Now: your text leaves, locked.');
    const both = { ...links(2e6, 98_000), p1: { ahead: 0, input: 98_000, output: 50_000 } };
    const computing = { ...LAYER.event, links: both } as typeof LAYER.event;
    const moving = movingOf(stateAfter(...ready, RUN, SENT, { ...LAYER, event: computing }));
    expect(moving).toEqual(['p12', 'p01-down', 'p02-down', 'p01-up']);
    const done = answered(true);
    if (done.type === 'answered')
      Object.assign(done.answer.result, { cost: { ...predicted(true).cost, onlineRounds: 232 } });
    expect(metrics(stateAfter(...ready, RUN, SENT, LAYER, done)).texts['msgs']).toBe('in 232 rounds');
    // The answer that stands took its rounds, whatever is chosen for the next.
    const back: AppEvent = { type: 'settings', settings: INITIAL.settings };
    expect(metrics(stateAfter(...ready, RUN, SENT, LAYER, done, back)).texts).toMatchObject(symmetric);
    // Nobody has answered yet: no time is said.
    const unasked = metrics(stateAfter(...LOADED, chosen, going, dealt, { type: 'prepared', now: 900 })).texts;
    expect(unasked['readyText']).toMatch(/with 6\.6.MB\.$/);
    // Control: whoever deals ahead waits, and sends and gets one message.
    const ahead = metrics(stateAfter(...LOADED, ...PREPARED, RUN, SENT)).texts;
    for (const [name, words] of Object.entries(symmetric)) expect(ahead[name as 'in'], name).not.toBe(words);
    expect(ahead['picLine']).toBe('Now: one message leaves, your text, locked.');
    expect(metrics(stateAfter(...LOADED, ...PREPARED, RUN, SENT, LAYER)).texts['picLine']).toContain(
      'The browser waits.',
    );
  });

  it('follows the phases of a run', () => {
    const phases = [
      stateAfter(...LOADED),
      stateAfter(...LOADED, PREPARED[0]),
      stateAfter(...LOADED, PREPARED[0], PREPARED[1]),
      stateAfter(...LOADED, ...PREPARED),
      stateAfter(...LOADED, RUN),
      stateAfter(...LOADED, ...PREPARED, RUN, SENT),
    ].map(phaseOf);
    expect(phases).toEqual(['idle', 'idle', 'prepare', 'idle', 'idle', 'input']);
    expect(phaseOf(stateAfter(...LOADED, ...PREPARED, RUN, SENT, LAYER))).toBe('compute');
    expect(phaseOf(stateAfter(...LOADED, ...PREPARED, RUN, answered(true)))).toBe('done');
    expect(phaseOf(stateAfter(...LOADED, ...PREPARED, RUN, SENT, LAYER, failed('ERR_PEER_TIMEOUT')))).toBe('lost');
  });

  it('says of a party that was caught that it was, and shows nothing of an answer', () => {
    const caught: AppEvent = {
      type: 'failed',
      failure: { code: 'ERR_SECURITY_VIOLATION', message: '', hint: '' },
      now: 3000,
    };
    const state = stateAfter(...LOADED, ...PREPARED, RUN, SENT, LAYER, caught);
    expect([state.slot, state.outcome, phaseOf(state)]).toEqual(['error', undefined, 'lost']);
    const { texts } = metrics(state);
    expect(texts['picLine']).toBe('Stopped: no answer was unlocked, and the keys are thrown away.');
    expect(texts['readyText']).toBe('The prepared keys were thrown away.');
    const names = { operators: ['Alder', 'Birch'], maxTokens: 128 } as const;
    const { title, happened, remedy } = explain({ code: 'ERR_SECURITY_VIOLATION', message: '', hint: '' }, names);
    expect([title, happened, remedy].join(' ')).toMatch(
      /^A party was caught A party did not follow the protocol, and its proof was refused\. .*do not use these parties/,
    );
    // Control: who only leaves is not called a cheat.
    const left = explain({ code: 'ERR_PEER_CLOSED', message: '', hint: '', party: 1 }, names);
    expect([left.title, left.happened, left.remedy].join(' ')).not.toMatch(/caught|proof/);
    expect(metrics(stateAfter(...LOADED, ...PREPARED, RUN, SENT, LAYER, answered(true))).texts['picLine']).toContain(
      'unlocked here',
    );
  });

  it('shows rounds of the declared total while it runs, and times by this tab’s clock', () => {
    const { texts } = metrics(stateAfter(...LOADED, ...PREPARED, RUN, SENT, LAYER));
    expect(texts).toMatchObject({
      'rounds.now': '48',
      'rounds.of': ' of 96',
      msgs: '1 out',
      stepTitle: 'Layer 3 of 4',
      pct: `50${NB}%`,
      elapsed: `1.0${NB}s`,
      't.prep': `0.90${NB}s`,
      't.input': `0.04${NB}s`,
      't.compute': `1.0${NB}s`,
      't.output': '–',
    });
  });

  it('shows the answer’s own figures afterwards, also while the next keys are made', () => {
    for (const more of [[], PREPARED]) {
      const { texts } = metrics(stateAfter(...LOADED, ...PREPARED, RUN, SENT, LAYER, answered(true), ...more));
      expect(texts).toMatchObject({
        'rounds.now': '96',
        'rounds.of': '',
        'p01.output': `244${NB}kB`,
        'p02.output': 'none',
        msgs: '1 out, 1 in',
        sees: 'saw',
        'c.02': `18.1${NB}MB`,
        took: `3.3${NB}s from the button`,
      });
    }
    expect(sampleOf(stateAfter(...LOADED, ...PREPARED, RUN, answered(true)))).toEqual(['11'.repeat(8), '22'.repeat(8)]);
  });
});

it('moves only the links that carry bytes', () => {
  const seeded = { ...links(0), p2: { ahead: 5, input: 0, output: 0 } };
  const preparing: AppEvent = {
    type: 'progress',
    now: 1,
    event: { status: 'preprocess', length: 16, progress: 0.5, links: seeded, done: false, ahead: true },
  };
  const output: AppEvent = {
    type: 'progress',
    now: 4000,
    event: { status: 'reconstruct', links: links(2e6, 98_000, 96, 244_000) },
  };
  const run = [...LOADED, ...PREPARED, RUN, SENT, LAYER, output, answered(true)];
  expect(movingOf(stateAfter(...LOADED, PREPARED[0]))).toEqual([]);
  expect(movingOf(stateAfter(...LOADED, PREPARED[0], preparing))).toEqual(['p02-down']);
  expect(metrics(stateAfter(...LOADED, PREPARED[0], preparing)).texts).toMatchObject({
    'p01.ahead': 'a seed',
    'p02.ahead': `5${NB}B`,
  });
  expect([3, 2, 1, 0].map((end) => movingOf(stateAfter(...run.slice(0, run.length - end))))).toEqual([
    ['p01-down', 'p02-down'],
    ['p12'],
    ['p01-up'],
    [],
  ]);
});

describe('what preparing saved', () => {
  it('is said only when both times are known', () => {
    expect(gainOf(stateAfter(...LOADED, ...PREPARED, RUN, answered(true)))).toEqual({ from: 9200, to: 3300 });
    expect(gainOf(stateAfter(...LOADED, RUN, answered(false)))).toBeUndefined();
    expect(gainOf(stateAfter(...LOADED))).toBeUndefined();
  });
});

describe('the place of a failure', () => {
  it('crosses out the links of a party that is gone, and outlines one that is not who it should be', () => {
    expect(lostOf(stateAfter(...LOADED, RUN, failed('ERR_PEER_TIMEOUT')))).toMatchObject({ party: 2, cut: 'all' });
    expect(
      lostOf(stateAfter(...LOADED, RUN, failed('ERR_PEER_UNREACHABLE'))),
      'of the other link nothing is known',
    ).toMatchObject({ party: 2, cut: 'own' });
    expect(lostOf(stateAfter(...LOADED, RUN, failed('ERR_IDENTITY_KEY')))).toMatchObject({ party: 2, cut: undefined });
    expect(lostOf(stateAfter(...LOADED, RUN, failed('ERR_DEVICE_LOST')))).toMatchObject({ party: 0, cut: undefined });
    expect(lostOf(stateAfter(...LOADED))).toMatchObject({ party: undefined, cut: undefined });
  });

  it('speaks of keys only when some were made', () => {
    expect(metrics(stateAfter(...LOADED, RUN, failed('ERR_IDENTITY_KEY'))).texts).toMatchObject({
      readyText: '',
      picLine: 'Stopped before anything was sent.',
    });
    expect(metrics(stateAfter(...LOADED, ...PREPARED, RUN, failed('ERR_PEER_TIMEOUT'))).texts).toMatchObject({
      readyText: 'The prepared keys were thrown away.',
    });
  });
});

it('names the steps of a run', () => {
  expect([0, 1, 4, 5].map((layer) => stepTitle(layer, 4))).toEqual([
    'Words in',
    'Layer 1 of 4',
    'Layer 4 of 4',
    'Words out',
  ]);
});
