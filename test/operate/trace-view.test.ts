/** A Chrome trace of what parties did: every step with its bytes and its time, and lines that are none refused. */
import { describe, expect, it } from 'vitest';
import { ChromeTrace, checkSteps, stepOf } from '../../src/cli/chrome-trace.ts';
import { measureStep } from '../../src/sdk/measure.ts';
import type { TraceEvent } from '../../src/mpc/protocol/trace.ts';
import { thrown } from '../failure.ts';

const STEP: TraceEvent = {
  ...{ party: 1, step: 0, phase: 'online', half: 3, gate: 7, relation: 'select', path: 'layer 3/attention/select' },
  ...{ sent: 512, received: 24, ms: 1.5 },
};
const read = (more: object) => stepOf(JSON.stringify({ ...STEP, ...more }), 1);

describe('a Chrome trace', () => {
  it('has a bar for each step, where it began, and names each party and phase once', () => {
    const trace = new ChromeTrace(1_000);
    const events = [
      read({ at: 1_002 }),
      read({ at: 1_004, gate: 8 }),
      read({ party: 0, phase: 'deal', half: undefined, at: 1_000 }),
    ].flatMap((step) => trace.add(step)) as Record<string, unknown>[];
    expect(events.filter(({ ph }) => ph === 'M').map(({ args }) => args)).toEqual([
      { name: 'party 1' },
      { name: 'online' },
      { name: 'data owner' },
      { name: 'deal' },
    ]);
    const bars = events.filter(({ ph }) => ph === 'X');
    expect(bars.map(({ ts, dur, pid, name }) => [ts, dur, pid, name])).toEqual([
      [2_000, 1_500, 1, 'select'],
      [4_000, 1_500, 1, 'select'],
      [0, 1_500, 0, 'select'],
    ]);
    expect(bars[0]['args']).toEqual({ step: 0, gate: 7, half: 3, path: STEP.path, sent: 512, received: 24 });
    // Of what is written: a member that is undefined is not.
    expect(JSON.parse(JSON.stringify(bars[2]['args']))).not.toHaveProperty('half');
  });

  it('puts steps without a time one behind the other', () => {
    const trace = new ChromeTrace(0);
    const bars = [read({}), read({}), read({ phase: 'input' })]
      .flatMap((step) => trace.add(step) as { ph: string; ts: number }[])
      .filter(({ ph }) => ph === 'X');
    expect(bars.map(({ ts }) => ts)).toEqual([0, 1_500, 0]);
  });

  it.each([
    ['no JSON', '{', /line 4 of the trace/],
    ['another party', JSON.stringify({ ...STEP, party: 4 }), /party/],
    ['a negative time', JSON.stringify({ ...STEP, ms: -1 }), /ms/],
    ['a name without end', JSON.stringify({ ...STEP, path: 'x'.repeat(301) }), /path/],
  ])('refuses %s', (_what, line, says) => {
    expect(thrown('ERR_ARGUMENT', () => stepOf(line, 4)).message).toMatch(says);
  });

  it('keeps nothing else of a line, and refuses a trace without steps', () => {
    expect(read({ value: 'secret' })).not.toHaveProperty('value');
    thrown('ERR_ARGUMENT', () => checkSteps(0));
  });
});

it('a step in the performance timeline: its name, its time and its facts', () => {
  performance.clearMeasures();
  measureStep(STEP);
  const [entry] = performance.getEntriesByType('measure') as PerformanceMeasure[];
  expect(entry.name).toBe('online select layer 3/attention/select');
  expect(entry.duration).toBeCloseTo(1.5, 3);
  expect(entry.detail).toEqual(STEP);
  performance.clearMeasures();
});
