/** A pause that can be cancelled: it says so, and leaves no timer that would keep a process alive. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sleep } from '../../src/core/abort.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('ends after its time', async () => {
  const pause = sleep(1000, new AbortController().signal);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(1000);
  await pause;
  expect(vi.getTimerCount()).toBe(0);
});

it('ends at the signal, also at one that has fired before, and leaves no timer', async () => {
  const stop = new AbortController();
  const pause = expect(sleep(60_000, stop.signal)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  stop.abort();
  await pause;
  await expect(sleep(60_000, stop.signal)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  expect(vi.getTimerCount()).toBe(0);
});
