/**
 * What is prepared ahead has an end: on request, in time, or with its links. Both compute parties are free
 * afterwards, and the owner is told where it did not ask.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TercetError } from '../../src/core/errors.ts';
import { PREPARED_FOR_MS } from '../../src/owner/preprocessing-pool.ts';
import { type MemorySite, memorySite } from './memory-site.ts';

afterEach(() => void vi.useRealTimers());

const TEXT = 'the [MASK]';
/** Time that passes by itself while a test runs, generously. */
const SLACK_MS = 30_000;

function released({ events }: MemorySite): readonly object[] {
  return events.filter(({ status }) => status === 'released');
}

async function prepared() {
  // Time passes as it does, and can be moved on: circuits are built in turns of the event loop.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'], shouldAdvanceTime: true });
  const site = await memorySite('filler');
  const model = await site.load();
  await model.prepare(5);
  return { site, model };
}

describe('what is prepared', () => {
  it('is let go by itself when it is old, with an event, and the next run makes its own', async () => {
    const { site, model } = await prepared();
    let ended = false;
    const ends = Promise.all(site.ends).then((how) => {
      ended = true;
      return how;
    });
    await vi.advanceTimersByTimeAsync(PREPARED_FOR_MS - SLACK_MS);
    expect([ended, released(site)]).toEqual([false, []]);
    await vi.advanceTimersByTimeAsync(SLACK_MS);
    expect(await ends).toEqual(['discarded', 'discarded']);
    expect(released(site)).toEqual([{ status: 'released', length: 8, reason: 'age' }]);
    expect((await model.predict(TEXT)).cost.preparedAhead).toBe(false);
    await model.dispose();
  });

  it('is let go on request, without an event', async () => {
    const { site, model } = await prepared();
    await model.release();
    expect(await Promise.all(site.ends)).toEqual(['discarded', 'discarded']);
    expect(released(site)).toEqual([]);
    await model.release();
    expect((await model.predict(TEXT)).cost.preparedAhead).toBe(false);
    await model.dispose();
  });

  it('is gone with a link of it, and the owner is told what it ended with', async () => {
    const { site, model } = await prepared();
    site.owners[1].abort(new TercetError('ERR_PEER_BUSY', 'the place is needed', 'wait'));
    await vi.waitFor(() =>
      expect(released(site)).toMatchObject([
        { status: 'released', length: 8, reason: 'lost', code: expect.stringMatching(/^ERR_PEER_/) },
      ]),
    );
    await Promise.all(site.ends);
    await model.dispose();
  });

  it('tells nothing of what a run took, or of what another preparation replaced', async () => {
    const { site, model } = await prepared();
    expect((await model.predict(TEXT)).cost.preparedAhead).toBe(true);
    await model.prepare(5);
    await model.prepare(12);
    await vi.advanceTimersByTimeAsync(PREPARED_FOR_MS - SLACK_MS);
    expect(released(site)).toEqual([]);
    await vi.advanceTimersByTimeAsync(SLACK_MS);
    expect(released(site)).toEqual([{ status: 'released', length: 16, reason: 'age' }]);
    await model.prepare(5);
    await model.dispose();
    await vi.advanceTimersByTimeAsync(2 * PREPARED_FOR_MS);
    expect(released(site), 'nor of what was disposed of').toHaveLength(1);
  });
});
