/** What a command tells the process that started it. */
import { expect, it } from 'vitest';
import { progressTeller } from '../../src/cli/child.ts';

it('tells of every phase, and in it ten times a second at most', () => {
  let at = 0;
  const told: unknown[] = [];
  const tell = progressTeller(
    (message) => told.push(message),
    () => at,
  );
  const step = (phase: 'deal' | 'online', done: number) => tell({ phase, section: '', gate: 0, done, total: 9 });
  for (const [time, phase] of [
    [0, 'deal'],
    [50, 'deal'],
    [99, 'online'],
    [150, 'online'],
    [199, 'online'],
  ] as const) {
    at = time;
    step(phase, time);
  }
  expect(told).toMatchObject([0, 99, 199].map((done) => ({ kind: 'progress', progress: { done } })));
});
