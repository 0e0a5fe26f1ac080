/** What a person is shown of a run: it neither leaps nor goes back. */
import { expect, it } from 'vitest';
import type { CountingChannel } from '../../src/owner/counting-channel.ts';
import { ProgressReporter } from '../../src/owner/progress-reporter.ts';
import type { ProgressEvent } from '../../src/owner/types/index.ts';

const LAYERS = 4;

/** The layers told for reports from these sections; the last report is the end of the step. */
function told(...steps: readonly (readonly string[])[]): number[] {
  const events: ProgressEvent[] = [];
  const channel = { stats: { sentByTag: {}, receivedByTag: {} }, sample: '' } as unknown as CountingChannel;
  const reporter = new ProgressReporter(
    { layers: LAYERS, length: 16, ahead: false, now: () => 0, onProgress: (event) => events.push(event) },
    [channel, channel],
  );
  for (const sections of steps) {
    reporter.begin(sections.length);
    for (const [i, section] of sections.entries()) {
      const last = i === sections.length - 1;
      reporter.status({ done: i, total: sections.length, gate: 0, between: 0, last }, section);
    }
  }
  return events.flatMap((event) => (event.status === 'layer' ? [event.layer] : []));
}

const RUN = ['embeddings', 'layer 1/4/attention', 'layer 2/4/attention', 'layer 3/4', 'layer 4/4', 'head', 'head'];

it('a run is told layer by layer, and the next step begins anew', () => {
  expect(told(RUN, RUN)).toEqual([0, 1, 2, 3, 4, 5, 5, 0, 1, 2, 3, 4, 5, 5]);
});

it('gates of the head that run early do not show the end, nor late ones of the embeddings the start', () => {
  expect(told(['embeddings', 'layer 1/4', 'head/rows', 'embeddings', 'layer 2/4', 'layer 4/4', 'head'])).toEqual([
    ...[0, 1, 1, 1, 2, 4, 5],
  ]);
});

it('a run that is not yet its turn is told with what it waits for, and no layer', () => {
  const events: ProgressEvent[] = [];
  const channel = { stats: { sentByTag: {}, receivedByTag: {} }, sample: '' } as unknown as CountingChannel;
  const reporter = new ProgressReporter(
    { layers: LAYERS, length: 16, ahead: false, now: () => 0, onProgress: (event) => events.push(event) },
    [channel, channel],
  );
  const status = { done: 0, total: 8, gate: 0, between: 0, last: false };
  reporter.status({ ...status, before: { runs: 3, ms: 2500 } }, 'embeddings');
  reporter.status({ ...status, before: { runs: 1 } }, 'embeddings');
  reporter.status(status, 'embeddings');
  expect(events.map((event) => event.status)).toEqual(['input', 'queued', 'queued', 'layer']);
  expect(events.slice(1, 3)).toEqual([
    { status: 'queued', before: 3, milliseconds: 2500 },
    { status: 'queued', before: 1 },
  ]);
});
