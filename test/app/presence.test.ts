import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HIDDEN_MS, IDLE_MS, Presence } from '../../src/app/presence.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched(visible = true) {
  const heard: string[] = [];
  const presence = new Presence(visible, () => Date.now(), {
    came: () => heard.push('came'),
    left: (why) => heard.push(why),
  });
  return { heard, presence };
}

describe('presence', () => {
  it('says nothing of a page that nobody touches, however long it stands and however often it is shown', async () => {
    const { heard, presence } = watched();
    await vi.advanceTimersByTimeAsync(3 * IDLE_MS);
    presence.show(false);
    await vi.advanceTimersByTimeAsync(3 * HIDDEN_MS);
    presence.show(true);
    expect(heard).toEqual([]);
  });

  it('comes with the first sign, and leaves once when there is none for two minutes', async () => {
    const { heard, presence } = watched();
    presence.sign();
    await vi.advanceTimersByTimeAsync(IDLE_MS - 1);
    presence.sign();
    await vi.advanceTimersByTimeAsync(IDLE_MS - 1);
    expect(heard).toEqual(['came']);
    await vi.advanceTimersByTimeAsync(2 * IDLE_MS);
    expect(heard).toEqual(['came', 'idle']);
    presence.sign();
    expect(heard).toEqual(['came', 'idle', 'came']);
  });

  it('leaves with a tab that is hidden for a while, not with one that is looked away from for a moment', async () => {
    const { heard, presence } = watched();
    presence.sign();
    presence.show(false);
    await vi.advanceTimersByTimeAsync(HIDDEN_MS - 1);
    presence.show(true);
    await vi.advanceTimersByTimeAsync(HIDDEN_MS);
    expect(heard).toEqual(['came']);
    presence.show(false);
    await vi.advanceTimersByTimeAsync(HIDDEN_MS);
    expect(heard).toEqual(['came', 'hidden']);
    presence.sign();
    expect(heard, 'what a hidden page hears is nobody').toEqual(['came', 'hidden']);
    presence.show(true);
    expect(heard).toEqual(['came', 'hidden', 'came']);
  });

  it('leaves at once when the browser stops the page', () => {
    const { heard, presence } = watched();
    presence.sign();
    presence.freeze();
    expect(heard).toEqual(['came', 'hidden']);
  });
});
